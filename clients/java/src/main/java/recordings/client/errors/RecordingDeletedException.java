package recordings.client.errors;

/** Thrown when a deleted recording is enqueued: it stays deleted. */
public final class RecordingDeletedException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public RecordingDeletedException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
