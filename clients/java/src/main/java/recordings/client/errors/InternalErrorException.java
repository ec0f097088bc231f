package recordings.client.errors;

/** Thrown for a bug of the service. {@code metadata().get("errorId")} finds it in the service's log. */
public final class InternalErrorException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public InternalErrorException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
