package recordings.client.errors;

import java.util.Optional;
import recordings.v1.Recording;

/** Thrown when it is not certain that the recording is queued. Asking again is safe. */
public final class EnqueueFailedException extends RecordingsException {
    private static final long serialVersionUID = 1L;

    private final int enqueueReason;
    private final Recording recording;

    /** Makes one; the recording and the cause may be null. */
    public EnqueueFailedException(Failure failure, int enqueueReason, Recording recording, Throwable cause) {
        super(failure, cause);
        this.enqueueReason = enqueueReason;
        this.recording = recording;
    }

    /** The number in the answer: that of ENQUEUE_REASON_ERROR, or one that this client doesn't know. */
    public int enqueueReason() {
        return enqueueReason;
    }

    /** The recording, if it was committed all the same: then it comes to an end even if nobody asks again. */
    public Optional<Recording> recording() {
        return Optional.ofNullable(recording);
    }
}
