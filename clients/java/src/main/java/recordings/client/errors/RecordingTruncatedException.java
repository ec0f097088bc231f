package recordings.client.errors;

/** Thrown when the stored bytes are not whole any more; the service fetches them again. */
public final class RecordingTruncatedException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public RecordingTruncatedException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
