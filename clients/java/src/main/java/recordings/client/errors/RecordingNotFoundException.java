package recordings.client.errors;

/** Thrown when the recording is unknown, deleted, or another account's. */
public final class RecordingNotFoundException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public RecordingNotFoundException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
