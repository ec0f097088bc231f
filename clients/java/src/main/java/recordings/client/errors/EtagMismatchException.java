package recordings.client.errors;

/** Thrown when the bytes have become another version; two are never mixed. Read anew from the start. */
public final class EtagMismatchException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    /** Makes one; the cause may be null. */
    public EtagMismatchException(Failure failure, Throwable cause) {
        super(failure, cause);
    }

    /** The current version's. */
    public String etag() {
        return metadata().getOrDefault("etag", "");
    }
}
