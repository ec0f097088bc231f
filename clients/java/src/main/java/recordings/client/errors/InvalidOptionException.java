package recordings.client.errors;

/** Thrown when a client can't be made with these options; the message names the option and how to mend it. */
public final class InvalidOptionException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public InvalidOptionException(String message, Throwable cause) {
        super(message, cause);
    }
}
