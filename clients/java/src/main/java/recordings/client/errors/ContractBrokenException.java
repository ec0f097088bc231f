package recordings.client.errors;

/** Thrown when the service sends what its contract rules out; nothing of it is passed on. */
public final class ContractBrokenException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public ContractBrokenException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
