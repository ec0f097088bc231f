package recordings.client;

import static java.util.Map.entry;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import recordings.client.errors.CapacityExhaustedException;
import recordings.client.errors.DeadlineExceededException;
import recordings.client.errors.EnqueueFailedException;
import recordings.client.errors.EtagMismatchException;
import recordings.client.errors.Failure;
import recordings.client.errors.FieldViolation;
import recordings.client.errors.InternalErrorException;
import recordings.client.errors.InvalidRequestException;
import recordings.client.errors.OffsetPastEndException;
import recordings.client.errors.PermissionDeniedException;
import recordings.client.errors.RecordingDeletedException;
import recordings.client.errors.RecordingFailedException;
import recordings.client.errors.RecordingNotFoundException;
import recordings.client.errors.RecordingNotReadyException;
import recordings.client.errors.RecordingTruncatedException;
import recordings.client.errors.RecordingsException;
import recordings.client.errors.StepNotDoneException;
import recordings.client.errors.StepWithoutResultException;
import recordings.client.errors.UnauthenticatedException;
import recordings.client.errors.UnavailableException;
import recordings.v1.EnqueueReason;
import recordings.v1.EnqueueRecordingResponse;

/** From gRPC's errors to this client's: the one table, by the reason in ErrorInfo, else by the code. */
final class Translation {
    /** The domain of the service's ErrorInfo. */
    private static final String DOMAIN = "recording-service";

    private static final Metadata.Key<com.google.rpc.Status> DETAILS = Metadata.Key.of(
            "grpc-status-details-bin", ProtoUtils.metadataMarshaller(com.google.rpc.Status.getDefaultInstance()));

    /** How one class of error is made. */
    interface Kind extends BiFunction<Failure, Throwable, RecordingsException> {}

    static final Map<String, Kind> BY_REASON = Map.ofEntries(
            entry("INVALID_REQUEST", InvalidRequestException::new),
            entry("UNAUTHENTICATED", UnauthenticatedException::new),
            entry("SCOPE_MISSING", PermissionDeniedException::new),
            entry("ACCOUNT_NOT_ALLOWED", PermissionDeniedException::new),
            entry("RECORDING_NOT_FOUND", RecordingNotFoundException::new),
            entry("RECORDING_DELETED", RecordingDeletedException::new),
            entry("RECORDING_NOT_READY", RecordingNotReadyException::new),
            entry("RECORDING_FAILED", RecordingFailedException::new),
            entry("STEP_NOT_DONE", StepNotDoneException::new),
            entry("STEP_WITHOUT_RESULT", StepWithoutResultException::new),
            entry("RECORDING_TRUNCATED", RecordingTruncatedException::new),
            entry("OFFSET_PAST_END", OffsetPastEndException::new),
            entry("ETAG_MISMATCH", EtagMismatchException::new),
            entry("ENQUEUE_FAILED", Translation::enqueueFailed),
            entry("STORAGE_FULL", Translation::enqueueFailed),
            entry("CAPACITY_EXHAUSTED", CapacityExhaustedException::new),
            entry("CALLER_LIMIT_EXCEEDED", CapacityExhaustedException::new),
            entry("WATCH_OVERRUN", CapacityExhaustedException::new),
            entry("SERVER_DRAINING", UnavailableException::new),
            entry("DEPENDENCY_UNAVAILABLE", UnavailableException::new),
            entry("DEADLINE_EXCEEDED", DeadlineExceededException::new),
            entry("INTERNAL", InternalErrorException::new));

    /**
     * For a status without a reason that this client knows: of a proxy in between, of gRPC itself, or of a later
     * service. ABORTED, NOT_FOUND and their like mean nothing certain without a reason.
     */
    private static final Map<Status.Code, Kind> BY_CODE = Map.of(
            Status.Code.INVALID_ARGUMENT, InvalidRequestException::new,
            Status.Code.UNAUTHENTICATED, UnauthenticatedException::new,
            Status.Code.PERMISSION_DENIED, PermissionDeniedException::new,
            Status.Code.RESOURCE_EXHAUSTED, CapacityExhaustedException::new,
            Status.Code.UNAVAILABLE, UnavailableException::new,
            Status.Code.DEADLINE_EXCEEDED, DeadlineExceededException::new,
            Status.Code.INTERNAL, InternalErrorException::new);

    private Translation() {}

    /** The error that a failed call is. */
    static RecordingsException of(StatusRuntimeException error) {
        List<Any> details = detailsOf(error);
        Optional<ErrorInfo> info = find(details, ErrorInfo.class).filter(each -> each.getDomain().equals(DOMAIN));
        Optional<EnqueueRecordingResponse> enqueued = find(details, EnqueueRecordingResponse.class);
        Status.Code code = error.getStatus().getCode();
        String said = error.getStatus().getDescription();
        Failure failure = new Failure(
                said == null || said.isEmpty() ? "the call failed with " + code : said,
                code,
                info.map(ErrorInfo::getReason).orElse(""),
                info.map(ErrorInfo::getMetadataMap).orElse(Map.of()),
                find(details, BadRequest.class).map(Translation::violations).orElse(List.of()),
                find(details, RetryInfo.class).map(Translation::delay).orElse(null));
        Kind byCode = BY_CODE.getOrDefault(code, RecordingsException::new);
        RecordingsException found =
                BY_REASON.getOrDefault(failure.reason(), byCode).apply(failure, error);
        if (enqueued.isPresent() && !isCallersOwn(found)) {
            EnqueueRecordingResponse answer = enqueued.get();
            return new EnqueueFailedException(
                    failure, answer.getReasonValue(), answer.hasRecording() ? answer.getRecording() : null, error);
        }
        return found;
    }

    /** Of an enqueue, what asking again can't mend. All else leaves it uncertain whether the recording is queued. */
    private static boolean isCallersOwn(RecordingsException error) {
        return error instanceof InvalidRequestException
                || error instanceof RecordingDeletedException
                || error instanceof UnauthenticatedException
                || error instanceof PermissionDeniedException;
    }

    private static RecordingsException enqueueFailed(Failure failure, Throwable cause) {
        return new EnqueueFailedException(failure, EnqueueReason.ENQUEUE_REASON_ERROR_VALUE, null, cause);
    }

    private static List<FieldViolation> violations(BadRequest request) {
        return request.getFieldViolationsList().stream()
                .map(each -> new FieldViolation(each.getField(), each.getDescription()))
                .toList();
    }

    private static Duration delay(RetryInfo info) {
        return Duration.ofSeconds(info.getRetryDelay().getSeconds(), info.getRetryDelay().getNanos());
    }

    private static List<Any> detailsOf(StatusRuntimeException error) {
        Metadata trailers = error.getTrailers();
        if (trailers == null) {
            return List.of();
        }
        try {
            com.google.rpc.Status status = trailers.get(DETAILS);
            return status == null ? List.of() : status.getDetailsList();
        } catch (IllegalArgumentException e) {
            // Not a google.rpc.Status. The code alone still says what happened.
            return List.of();
        }
    }

    private static <T extends Message> Optional<T> find(List<Any> details, Class<T> type) {
        for (Any detail : details) {
            if (detail.is(type)) {
                try {
                    return Optional.of(detail.unpack(type));
                } catch (InvalidProtocolBufferException e) {
                    // As above: what can't be read says nothing.
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }
}
