"""From gRPC's errors to this package's: the one table, by the reason in ErrorInfo, else by the code."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from recordings import errors
from recordings.errors import FieldViolation, RecordingsError
from recordings.v1.enqueue_pb2 import EnqueueRecordingResponse

#: The domain of the service's ErrorInfo.
_DOMAIN: Final = "recording-service"
#: Where gRPC carries a google.rpc.Status.
_STATUS_KEY: Final = "grpc-status-details-bin"

BY_REASON: Final[Mapping[str, type[RecordingsError]]] = {
    "INVALID_REQUEST": errors.InvalidRequest,
    "UNAUTHENTICATED": errors.Unauthenticated,
    "SCOPE_MISSING": errors.PermissionDenied,
    "ACCOUNT_NOT_ALLOWED": errors.PermissionDenied,
    "RECORDING_NOT_FOUND": errors.RecordingNotFound,
    "RECORDING_DELETED": errors.RecordingDeleted,
    "RECORDING_NOT_READY": errors.RecordingNotReady,
    "RECORDING_FAILED": errors.RecordingFailed,
    "STEP_NOT_DONE": errors.StepNotDone,
    "STEP_WITHOUT_RESULT": errors.StepWithoutResult,
    "RECORDING_TRUNCATED": errors.RecordingTruncated,
    "OFFSET_PAST_END": errors.OffsetPastEnd,
    "ETAG_MISMATCH": errors.EtagMismatch,
    "REVISION_PRUNED": errors.RevisionLost,
    "REVISION_AHEAD": errors.RevisionLost,
    "ENQUEUE_FAILED": errors.EnqueueFailed,
    "STORAGE_FULL": errors.EnqueueFailed,
    "CAPACITY_EXHAUSTED": errors.CapacityExhausted,
    "CALLER_LIMIT_EXCEEDED": errors.CapacityExhausted,
    "WATCH_OVERRUN": errors.CapacityExhausted,
    "SERVER_DRAINING": errors.Unavailable,
    "DEPENDENCY_UNAVAILABLE": errors.Unavailable,
    "INTERNAL": errors.InternalError,
}

#: For a status without a reason that this client knows: of a proxy in between, of gRPC itself, or of a later service.
#: ABORTED, NOT_FOUND and their like mean nothing certain without a reason.
_BY_CODE: Final[Mapping[grpc.StatusCode, type[RecordingsError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.CapacityExhausted,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.INTERNAL: errors.InternalError,
}

#: Of an enqueue, what asking again can't mend. All else leaves it uncertain whether the recording is queued.
_CALLERS_OWN: Final = (
    errors.InvalidRequest,
    errors.RecordingDeleted,
    errors.Unauthenticated,
    errors.PermissionDenied,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turns what gRPC raises, in either flavour, into this package's errors."""
    try:
        yield
    except grpc.RpcError as error:
        raise error_of(error) from error


def error_of(error: Any) -> RecordingsError:
    """The error that a failed call is."""
    code: grpc.StatusCode = error.code()
    status = _status_of(error)
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    enqueued = EnqueueRecordingResponse()
    has_retry = is_enqueue = False
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad_request)
        has_retry = detail.Unpack(retry) or has_retry
        is_enqueue = detail.Unpack(enqueued) or is_enqueue
    ours = info.domain == _DOMAIN
    reason = info.reason if ours else ""
    kind = BY_REASON.get(reason) or _BY_CODE.get(code, RecordingsError)
    if is_enqueue and kind not in _CALLERS_OWN:
        kind = errors.EnqueueFailed
    translated = kind(
        status.message if ours else error.details() or f"the call failed with {code.name}",
        code=code,
        reason=reason,
        metadata=dict(info.metadata) if ours else {},
        field_violations=tuple(FieldViolation(each.field, each.description) for each in bad_request.field_violations),
        retry_delay=retry.retry_delay.ToNanoseconds() / 1e9 if has_retry else None,
    )
    if isinstance(translated, errors.EnqueueFailed) and is_enqueue:
        translated.enqueue_reason = enqueued.reason
        translated.recording = enqueued.recording if enqueued.HasField("recording") else None
    return translated


def _status_of(error: Any) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _STATUS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                # The code alone still says what happened.
                break
    return status_pb2.Status()
