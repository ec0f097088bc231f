package recordings.client.errors;

/** Thrown when the service can't be reached, is stopping, or lacks something that it stands on. */
public final class UnavailableException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public UnavailableException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
