package recordings.client.errors;

/** Thrown when credentials are missing or not valid. */
public final class UnauthenticatedException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public UnauthenticatedException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
