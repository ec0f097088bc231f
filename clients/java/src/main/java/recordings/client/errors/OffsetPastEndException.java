package recordings.client.errors;

/** Thrown when a part begins after the last byte. */
public final class OffsetPastEndException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public OffsetPastEndException(Failure failure, Throwable cause) {
        super(failure, cause);
    }

    /** How many bytes the recording has; -1 if the service didn't say it as a number. */
    public long sizeBytes() {
        try {
            return Long.parseLong(metadata().getOrDefault("sizeBytes", ""));
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
