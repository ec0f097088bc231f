package recordings.client.errors;

/** Thrown when a waveform or a transcript is asked for before it is made: watch the recording until PROCESSED. */
public final class StepNotDoneException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public StepNotDoneException(Failure failure, Throwable cause) {
        super(failure, cause);
    }

    /** What is to be done yet, as ProcessingStep names it without its prefix: WAVEFORM or TRANSCRIPT. */
    public String step() {
        return metadata().getOrDefault("step", "");
    }

    /** PENDING or RUNNING. */
    public String state() {
        return metadata().getOrDefault("state", "");
    }
}
