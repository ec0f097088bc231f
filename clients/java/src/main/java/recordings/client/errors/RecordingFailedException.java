package recordings.client.errors;

/** Thrown when the bytes will not come; enqueueing the recording again starts anew. */
public final class RecordingFailedException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public RecordingFailedException(Failure failure, Throwable cause) {
        super(failure, cause);
    }

    /** Why, as FailureReason names it without its prefix, such as {@code SOURCE_ABSENT}. */
    public String failureReason() {
        return metadata().getOrDefault("failureReason", "");
    }
}
