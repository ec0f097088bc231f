package recordings.client.errors;

/** Thrown when there is no waveform, or no transcript, and none is on its way. */
public final class StepWithoutResultException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public StepWithoutResultException(Failure failure, Throwable cause) {
        super(failure, cause);
    }

    /** What has no result, as ProcessingStep names it without its prefix: WAVEFORM or TRANSCRIPT. */
    public String step() {
        return metadata().getOrDefault("step", "");
    }

    /** FAILED or SKIPPED; empty where nobody has asked for it: enqueue the recording as FULL. */
    public String state() {
        return metadata().getOrDefault("state", "");
    }

    /** Why, as ProcessingReason names it without its prefix, such as {@code MEDIA_TRUNCATED}; empty if there is none. */
    public String processingReason() {
        return metadata().getOrDefault("processingReason", "");
    }
}
