package recordings.client.errors;

import java.io.IOException;

/**
 * Thrown by what reads a recording, whose interfaces allow nothing but an {@link IOException}: the counterpart of
 * {@link java.io.UncheckedIOException}. {@link #getCause()} says what has happened.
 */
public final class RecordingReadException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Makes one of what has happened. */
    public RecordingReadException(RecordingsException cause) {
        super(cause.getMessage(), cause);
    }

    /** What has happened. */
    @Override
    public synchronized RecordingsException getCause() {
        return (RecordingsException) super.getCause();
    }
}
