package recordings.client.errors;

/** Thrown instead of the last bytes of a whole read that is not what the recording's SHA-256 says. */
public final class ChecksumMismatchException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public ChecksumMismatchException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
