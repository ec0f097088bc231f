package recordings.client.errors;

/** Thrown when as much is going on as may, or this caller takes more than its share: wait, and try again. */
public final class CapacityExhaustedException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public CapacityExhaustedException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
