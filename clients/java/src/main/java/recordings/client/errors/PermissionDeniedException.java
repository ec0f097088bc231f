package recordings.client.errors;

/** Thrown when this caller lacks a scope, or may not touch the account. */
public final class PermissionDeniedException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public PermissionDeniedException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
