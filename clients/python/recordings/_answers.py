"""What an answer with the status OK still may mean: no success, or not yet."""

from collections.abc import Iterable
from typing import Final

import grpc

from recordings.errors import ContractBroken, EnqueueFailed, RecordingFailed, RecordingNotFound
from recordings.v1.enqueue_pb2 import BatchEnqueueRecordingsResult, EnqueueReason, EnqueueRecordingResponse
from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingState

#: What a single enqueue may be answered with. Everything else is a failure, above all what is not known here.
_ACCEPTED: Final = frozenset(
    {
        EnqueueReason.ENQUEUE_REASON_ENQUEUED,
        EnqueueReason.ENQUEUE_REASON_CACHED,
        EnqueueReason.ENQUEUE_REASON_DUPLICATE,
    }
)


def accepted(answer: EnqueueRecordingResponse) -> EnqueueRecordingResponse:
    """The answer, if it says ENQUEUED, CACHED or DUPLICATE.

    Raises:
        EnqueueFailed: it says anything else, although the call itself was OK.
    """
    if answer.reason not in _ACCEPTED:
        raise _failed(answer.reason, answer.recording if answer.HasField("recording") else None)
    return answer


def results_of(results: Iterable[BatchEnqueueRecordingsResult], asked: int) -> list[BatchEnqueueRecordingsResult]:
    """The results of a batch. ERROR is one; what is not known here is none.

    Raises:
        EnqueueFailed: a result says UNSPECIFIED or a number that is not known here.
        ContractBroken: there is not one result a request.
    """
    found = list(results)
    if len(found) != asked:
        raise ContractBroken("a batch whose results are not as many as its requests")
    for each in found:
        if each.reason not in _ACCEPTED and each.reason != EnqueueReason.ENQUEUE_REASON_ERROR:
            raise _failed(each.reason, each.recording if each.HasField("recording") else None)
    return found


def ready(recording: Recording) -> Recording | None:
    """The recording if it is READY; None if it is on its way.

    Raises:
        RecordingFailed: it will not come.
        RecordingNotFound: it was deleted.
    """
    about = {"recordingSid": recording.recording_sid}
    if recording.state == RecordingState.RECORDING_STATE_FAILED:
        raise RecordingFailed(
            recording.failure_message or "the recording can't be had",
            code=grpc.StatusCode.FAILED_PRECONDITION,
            reason="RECORDING_FAILED",
            metadata={**about, "failureReason": _failure_reason(recording)},
        )
    if recording.state == RecordingState.RECORDING_STATE_DELETED:
        raise RecordingNotFound(
            "the recording was deleted",
            code=grpc.StatusCode.NOT_FOUND,
            reason="RECORDING_NOT_FOUND",
            metadata=about,
        )
    return recording if recording.state == RecordingState.RECORDING_STATE_READY else None


def _failure_reason(recording: Recording) -> str:
    number = recording.failure_reason
    known = number in FailureReason.values()
    return FailureReason.Name(number).removeprefix("FAILURE_REASON_") if known else str(number)


def _failed(reason: int, recording: Recording | None) -> EnqueueFailed:
    error = EnqueueFailed(f"the service has answered with the reason {reason}, which is no success")
    error.enqueue_reason = reason
    error.recording = recording
    return error
