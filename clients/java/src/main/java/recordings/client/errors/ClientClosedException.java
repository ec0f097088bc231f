package recordings.client.errors;

/** Thrown when a client, or a watch, is used that has been closed. */
public final class ClientClosedException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public ClientClosedException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
