"""BatchEnqueueRecordings: a result an item, and yet never OK where nothing could be done (design.md §3)."""

from collections.abc import Sequence

from recording_service.core.callers import Caller, Scope
from recording_service.core.enqueueing import EnqueueResult
from recording_service.core.errors import (
    AccountNotAllowed,
    DependencyUnavailable,
    EnqueueBroken,
    EnqueueFailed,
    InvalidRequest,
    RecordingDeleted,
)
from recording_service.core.model import EnqueueReason, EnqueueRequest
from recording_service.core.requests import RequestChecker
from recording_service.core.service import RecordingService
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.conversion import MAX_RESPONSE_BYTES, fill_recording, keep_essentials
from recording_service.grpc_api.edge import log_refusal
from recording_service.grpc_api.enums import ENQUEUE_REASON_NUMBERS
from recording_service.grpc_api.requests import enqueue_request
from recording_service.grpc_api.status import TABLE, refusal
from recordings.v1 import enqueue_pb2

#: Most items of one batch.
MAX_BATCH_ITEMS = 1000

Item = EnqueueResult | Exception


def enqueue_batch(
    request: enqueue_pb2.BatchEnqueueRecordingsRequest,
    service: RecordingService,
    checker: RequestChecker,
    call: Call,
    caller: Caller,
) -> enqueue_pb2.BatchEnqueueRecordingsResponse:
    """Enqueues the well-formed items; malformed ones, and those of accounts not the caller's, get errors of their own.

    Raises InvalidRequest for too many items. Where every well-formed item failed, and not by its own fault, raises one
    of their errors: a batch that could do nothing is a failing enqueue, and that is never OK.
    """
    if len(request.requests) > MAX_BATCH_ITEMS:
        raise InvalidRequest.of("requests", f"has {len(request.requests)} items; at most {MAX_BATCH_ITEMS} are allowed")
    checked = [_checked(item, checker, call, caller) for item in request.requests]
    wishes = [item for item in checked if isinstance(item, EnqueueRequest)]
    outcomes = [_settled(outcome) for outcome in service.enqueue_batch(wishes)] if wishes else []
    _refuse_if_all_failed(outcomes)
    remaining = iter(outcomes)
    response = _response([next(remaining) if isinstance(item, EnqueueRequest) else item for item in checked], call)
    if Scope.READ not in caller.scopes:
        _keep_essentials(response)
    return response


def succeeded(result: EnqueueResult) -> EnqueueResult:
    """The result; EnqueueFailed if it says ERROR: that is never the answer of a call that is OK."""
    if result.reason is EnqueueReason.ERROR:
        raise EnqueueFailed(result.recording)
    return result


def enqueue_error(error: Exception) -> Exception:
    """What an enqueue that met this error ends with: whatever keeps it from being done is ENQUEUE_FAILED, or a bug."""
    if isinstance(error, DependencyUnavailable):
        failed: EnqueueFailed = EnqueueFailed(None)
    elif isinstance(error, tuple(TABLE)):
        return error
    else:
        failed = EnqueueBroken(None)
    failed.__cause__ = error
    return failed


def _checked(
    item: enqueue_pb2.EnqueueRecordingRequest, checker: RequestChecker, call: Call, caller: Caller
) -> EnqueueRequest | InvalidRequest | AccountNotAllowed:
    try:
        wish = enqueue_request(item, checker, call.request_id)
        caller.require_account(wish.key.account_sid)
        return wish
    except (InvalidRequest, AccountNotAllowed) as error:
        return error


def _settled(outcome: Item) -> Item:
    if isinstance(outcome, Exception):
        return enqueue_error(outcome)
    try:
        return succeeded(outcome)
    except EnqueueFailed as error:
        return error


def _refuse_if_all_failed(outcomes: Sequence[Item]) -> None:
    errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if not errors or len(errors) < len(outcomes):
        return
    if not any(isinstance(error, (InvalidRequest, RecordingDeleted)) for error in errors):
        raise next((error for error in errors if isinstance(error, EnqueueBroken)), errors[0])


def _response(items: Sequence[Item], call: Call) -> enqueue_pb2.BatchEnqueueRecordingsResponse:
    response = enqueue_pb2.BatchEnqueueRecordingsResponse()
    for item in items:
        result = response.results.add()
        if isinstance(item, Exception):
            _fill_error(result, item, call)
        else:
            result.reason = ENQUEUE_REASON_NUMBERS[item.reason]
            fill_recording(result.recording, item.recording)
    if response.ByteSize() > MAX_RESPONSE_BYTES:
        # The client would refuse the answer to what was done, every time it asks.
        _keep_essentials(response)
    return response


def _keep_essentials(response: enqueue_pb2.BatchEnqueueRecordingsResponse) -> None:
    for result in response.results:
        if result.HasField("recording"):
            keep_essentials(result.recording)


def _fill_error(result: enqueue_pb2.BatchEnqueueRecordingsResult, error: Exception, call: Call) -> None:
    refused = refusal(error)
    log_refusal(call, error, refused.code, refused.reason, refused.error_id)
    result.reason = ENQUEUE_REASON_NUMBERS[EnqueueReason.ERROR]
    result.error.reason = refused.reason
    result.error.message = refused.message
    if isinstance(error, InvalidRequest):
        result.error.field = error.violations[0].field
    if isinstance(error, EnqueueFailed) and error.recording is not None:
        fill_recording(result.recording, error.recording)
