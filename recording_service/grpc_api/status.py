"""The one table of errors (design.md §3), and how a call is refused by it.

`context.abort` is used nowhere: it raises a bare Exception, which an `except Exception` swallows (grpc.md B.3). Code,
text and details are set from one `google.rpc.Status`, so that `grpc_status.rpc_status.from_call` accepts them.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from recording_service.core.errors import (
    AccountNotAllowed,
    AttemptSuperseded,
    CallerLimitExceeded,
    CapacityExhausted,
    DecryptionError,
    DependencyUnavailable,
    EnqueueBroken,
    EnqueueFailed,
    EnqueueStorageFull,
    EtagMismatch,
    InvalidRequest,
    ObjectMissing,
    OffsetPastEnd,
    RecordingDeleted,
    RecordingFailed,
    RecordingNotFound,
    RecordingNotReady,
    RecordingServiceError,
    RecordingTruncated,
    RevisionAhead,
    RevisionPruned,
    ScopeMissing,
    ServerDraining,
    SourceError,
    StepError,
    StepNotDone,
    StepWithoutResult,
    Unauthenticated,
    WatchOverrun,
    WorkerCrashed,
)
from recording_service.grpc_api.text import clipped

#: The domain of every ErrorInfo.
DOMAIN = "recording-service"
#: Where gRPC looks for the details.
DETAILS_KEY = "grpc-status-details-bin"
#: Most bytes of a serialized status: clients take 8 KiB of metadata, in base64, with the text once more (design.md §3).
MAX_STATUS_BYTES = 4096
#: Longest text of a status, and longest part of one detail, in bytes.
MAX_MESSAGE_BYTES = 512
MAX_DETAIL_BYTES = 256
#: When to ask again where the error does not say, in seconds.
RETRY_SECONDS = 1.0

_NANOS_A_SECOND = 1_000_000_000

Metadata = Mapping[str, str]


class Row(NamedTuple):
    """What an error is on the wire. `metadata` has every part of the text that varies (AIP-193)."""

    code: grpc.StatusCode
    reason: str
    metadata: Callable[[Any], Metadata] = lambda error: {}
    retry_seconds: Callable[[Any], float | None] = lambda error: None


def _recording(error: Any) -> Metadata:
    return {"recordingSid": error.recording_sid}


def _step_without_result(error: Any) -> Metadata:
    told = {"recordingSid": error.recording_sid, "step": error.step.name}
    if error.state is not None:
        told["state"] = error.state.name
    if error.reason is not None:
        told["processingReason"] = error.reason.name
    return told


#: Every error of the core that may reach a caller. The row of the nearest base class counts.
TABLE: Mapping[type[RecordingServiceError], Row] = {
    InvalidRequest: Row(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    Unauthenticated: Row(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    ScopeMissing: Row(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING", lambda error: {"scope": error.scope}),
    AccountNotAllowed: Row(
        grpc.StatusCode.PERMISSION_DENIED, "ACCOUNT_NOT_ALLOWED", lambda error: {"accountSid": error.account_sid}
    ),
    RecordingNotFound: Row(grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND", _recording),
    RecordingDeleted: Row(grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_DELETED", _recording),
    RecordingNotReady: Row(
        grpc.StatusCode.FAILED_PRECONDITION,
        "RECORDING_NOT_READY",
        lambda error: {"recordingSid": error.recording_sid, "state": error.state.name},
        lambda error: error.retry_seconds,
    ),
    RecordingFailed: Row(
        grpc.StatusCode.FAILED_PRECONDITION,
        "RECORDING_FAILED",
        lambda error: {"recordingSid": error.recording_sid, "failureReason": error.failure_reason.name},
    ),
    StepNotDone: Row(
        grpc.StatusCode.FAILED_PRECONDITION,
        "STEP_NOT_DONE",
        lambda error: {"recordingSid": error.recording_sid, "step": error.step.name, "state": error.state.name},
        lambda error: error.retry_seconds,
    ),
    StepWithoutResult: Row(grpc.StatusCode.FAILED_PRECONDITION, "STEP_WITHOUT_RESULT", _step_without_result),
    RecordingTruncated: Row(grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED", _recording),
    OffsetPastEnd: Row(
        grpc.StatusCode.OUT_OF_RANGE,
        "OFFSET_PAST_END",
        lambda error: {"offset": str(error.offset), "sizeBytes": str(error.size_bytes)},
    ),
    EtagMismatch: Row(
        grpc.StatusCode.ABORTED,
        "ETAG_MISMATCH",
        lambda error: {"recordingSid": error.recording_sid, "etag": error.etag},
    ),
    EnqueueFailed: Row(grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED", retry_seconds=lambda error: error.retry_seconds),
    EnqueueStorageFull: Row(
        grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL", retry_seconds=lambda error: error.retry_seconds
    ),
    EnqueueBroken: Row(grpc.StatusCode.INTERNAL, "INTERNAL", retry_seconds=lambda error: error.retry_seconds),
    CapacityExhausted: Row(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "CAPACITY_EXHAUSTED",
        lambda error: {"resource": error.resource, "limit": str(error.limit)},
        lambda error: error.retry_seconds,
    ),
    CallerLimitExceeded: Row(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "CALLER_LIMIT_EXCEEDED",
        lambda error: {"resource": error.resource, "limit": f"{error.limit:g}"},
        lambda error: error.retry_seconds,
    ),
    WatchOverrun: Row(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "WATCH_OVERRUN",
        lambda error: {"limit": str(error.limit)},
        lambda error: error.retry_seconds,
    ),
    RevisionPruned: Row(
        grpc.StatusCode.OUT_OF_RANGE,
        "REVISION_PRUNED",
        lambda error: {"afterRevision": str(error.after_revision), "oldestRevision": str(error.oldest_revision)},
    ),
    RevisionAhead: Row(
        grpc.StatusCode.OUT_OF_RANGE,
        "REVISION_AHEAD",
        lambda error: {"afterRevision": str(error.after_revision), "newestRevision": str(error.newest_revision)},
    ),
    ServerDraining: Row(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING"),
    DependencyUnavailable: Row(
        grpc.StatusCode.UNAVAILABLE,
        "DEPENDENCY_UNAVAILABLE",
        lambda error: {"dependency": error.dependency},
        lambda error: RETRY_SECONDS,
    ),
}

#: Errors between workers, shelf, Twilio and what transcribes. One of them at the edge is a bug, and answered as one.
NEVER_AT_THE_EDGE: frozenset[type[RecordingServiceError]] = frozenset(
    {ObjectMissing, AttemptSuperseded, WorkerCrashed, DecryptionError, SourceError, StepError}
)

#: What every error is that is not in the table.
_BUG = Row(grpc.StatusCode.INTERNAL, "INTERNAL")


class Refusal(NamedTuple):
    """How one call, or one item of a batch, is refused. `error_id` is set for bugs: the log has the rest under it."""

    code: grpc.StatusCode
    reason: str
    message: str
    error_id: str
    metadata: Metadata
    retry_seconds: float | None


def refusal(error: Exception) -> Refusal:
    """What an error is on the wire. Of one that is not in the table, nothing is told but an id."""
    row = next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), _BUG)
    retry_seconds = row.retry_seconds(error)
    if row.code is grpc.StatusCode.INTERNAL:
        error_id = uuid.uuid4().hex
        return Refusal(
            row.code, row.reason, f"internal error {error_id}", error_id, {"errorId": error_id}, retry_seconds
        )
    return Refusal(row.code, row.reason, clipped(str(error), MAX_MESSAGE_BYTES), "", row.metadata(error), retry_seconds)


def build_status(error: Exception, refused: Refusal, detail: Message | None = None) -> status_pb2.Status:
    """The whole status, under 4 KiB. `detail` is left out if it would not fit."""
    status = status_pb2.Status(code=refused.code.value[0], message=refused.message)
    info = error_details_pb2.ErrorInfo(domain=DOMAIN, reason=refused.reason)
    for key, value in refused.metadata.items():
        info.metadata[key] = clipped(value, MAX_DETAIL_BYTES)
    status.details.add().Pack(info)
    if refused.retry_seconds is not None:
        status.details.add().Pack(_retry_info(refused.retry_seconds))
    if detail is not None:
        _add_if_it_fits(status, detail)
    if isinstance(error, InvalidRequest):
        _add_if_it_fits(status, _bad_request(error))
    return status


def set_status(context: grpc.ServicerContext, status: status_pb2.Status) -> None:
    """Ends the call with the status once the method returns."""
    context.set_code(_CODES[status.code])
    context.set_details(status.message)
    context.set_trailing_metadata(((DETAILS_KEY, status.SerializeToString()),))


_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _retry_info(seconds: float) -> error_details_pb2.RetryInfo:
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromNanoseconds(round(seconds * _NANOS_A_SECOND))
    return info


def _bad_request(error: InvalidRequest) -> error_details_pb2.BadRequest:
    """The violations, as many of them as fit into half of a status."""
    bad_request = error_details_pb2.BadRequest()
    for field, description in _clipped_violations(error):
        bad_request.field_violations.add(field=field, description=description)
        if bad_request.ByteSize() > MAX_STATUS_BYTES // 2:
            del bad_request.field_violations[-1]
            break
    return bad_request


def _clipped_violations(error: InvalidRequest) -> Iterable[tuple[str, str]]:
    for violation in error.violations:
        yield clipped(violation.field, MAX_DETAIL_BYTES), clipped(violation.description, MAX_DETAIL_BYTES)


def _add_if_it_fits(status: status_pb2.Status, detail: Message) -> None:
    status.details.add().Pack(detail)
    if status.ByteSize() >= MAX_STATUS_BYTES:
        del status.details[-1]
