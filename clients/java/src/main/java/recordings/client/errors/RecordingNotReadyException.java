package recordings.client.errors;

/** Thrown when the bytes are asked for before they are here: wait for them with {@code waitUntilReady}. */
public final class RecordingNotReadyException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public RecordingNotReadyException(Failure failure, Throwable cause) {
        super(failure, cause);
    }

    /** QUEUED or DOWNLOADING. */
    public String state() {
        return metadata().getOrDefault("state", "");
    }
}
