package recordings.client.errors;

/** Thrown when there was no answer in time. What was asked for may have been done. */
public final class DeadlineExceededException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public DeadlineExceededException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
