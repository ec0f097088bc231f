package recordings.client.errors;

import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The base of everything that may go wrong with a call; itself for a code and reason that have no class of their own.
 *
 * <pre>
 * RecordingsException
 * ├── InvalidRequestException        the request is wrong: fieldViolations() says where
 * ├── UnauthenticatedException       no credentials, or none that the service knows
 * ├── PermissionDeniedException      this caller may not do this, or not with this account
 * ├── RecordingNotFoundException     unknown, deleted, or another account's
 * ├── RecordingDeletedException      an enqueue met a recording that was deleted
 * ├── RecordingNotReadyException     its bytes are not here yet
 * ├── RecordingFailedException       its bytes will not come
 * ├── StepNotDoneException           what is made of it (a waveform, a transcript) is not there yet
 * ├── StepWithoutResultException     what is made of it will not come
 * ├── RecordingTruncatedException    its bytes were here and are not whole any more
 * ├── OffsetPastEndException         the part begins after the last byte
 * ├── EtagMismatchException          another version of the bytes is current
 * ├── EnqueueFailedException         it is not certain that the recording is queued: ask again
 * ├── CapacityExhaustedException     too much at once, of everybody or of this caller
 * ├── UnavailableException           the service, or what it stands on, is away
 * ├── DeadlineExceededException      no answer in time
 * ├── InternalErrorException         a bug of the service; its log has metadata().get("errorId")
 * ├── ChecksumMismatchException      what was read is not what its SHA-256 says
 * ├── ContractBrokenException        the service sent what its contract rules out
 * └── ClientClosedException          the client was used after it was closed
 * RecordingReadException             an IOException: one of these, met while reading
 * InvalidOptionException             an IllegalArgumentException: a client can't be made like this
 * </pre>
 *
 * <p>A thread that was interrupted in a call gets this class with the code CANCELLED, and its interrupt status is set.
 */
public class RecordingsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Failure failure;

    /** Makes one; the cause may be null. */
    public RecordingsException(Failure failure, Throwable cause) {
        super(failure.message(), cause);
        this.failure = failure;
    }

    /** gRPC's status code; empty for what the client itself has found out. */
    public Optional<Status.Code> code() {
        return Optional.ofNullable(failure.code());
    }

    /** The stable reason of the service's ErrorInfo; empty where the service didn't say one. */
    public String reason() {
        return failure.reason();
    }

    /** The ErrorInfo's further fields. */
    public Map<String, String> metadata() {
        return failure.metadata();
    }

    /** Which fields of the request are wrong. */
    public List<FieldViolation> fieldViolations() {
        return failure.fieldViolations();
    }

    /** How long to wait before asking again, if the service said so. */
    public Optional<Duration> retryDelay() {
        return Optional.ofNullable(failure.retryDelay());
    }
}
