package recordings.client.errors;

/** Thrown when the request is wrong whatever the state of the service; nothing was stored. */
public final class InvalidRequestException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public InvalidRequestException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
