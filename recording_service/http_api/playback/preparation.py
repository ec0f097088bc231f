"""The answer for a recording whose bytes are not here: on its way (202), failed (424), gone (404)."""

import logging
import math
import time
from typing import Final

import grpc
from starlette.responses import Response

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import Problem, named, problem_response, retry_after
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.words import enum_name
from recordings.errors import ContractBroken, RecordingNotFound, RecordingNotReady, RecordingsError
from recordings.v1.enqueue_pb2 import EnqueueReason, EnqueueRecordingRequest
from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingJob, RecordingState, WaitingReason

logger = logging.getLogger(__name__)

#: The longest `Retry-After` of a 202, in seconds: somebody is listening to silence.
_LONGEST_WAIT_SECONDS: Final = 60
_ON_ITS_WAY: Final = frozenset({RecordingState.RECORDING_STATE_QUEUED, RecordingState.RECORDING_STATE_DOWNLOADING})


class Preparation:
    """Answers for recordings that can't be played now, and hurries those that will be.

    Parameters:
        timeout_seconds: for the call that raises the priority.
        retry_seconds: `Retry-After` where nothing better is known.
    """

    def __init__(self, client: RecordingClient, timeout_seconds: float, retry_seconds: int) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._retry_seconds = retry_seconds

    async def answer(self, recording: Recording, request_id: str) -> Response:
        """The answer for a recording that is not READY.

        Raises:
            Problem: 424, it can't be had.
            RecordingsError: NOT_FOUND; or FAILED_PRECONDITION, it has changed meanwhile and is to be looked up anew.
        """
        if recording.state == RecordingState.RECORDING_STATE_FAILED:
            reason = enum_name(FailureReason, "FAILURE_REASON_", recording.failure_reason)
            raise Problem(424, "RECORDING_FAILED", "The recording can't be had.", members={"failure_reason": reason})
        if recording.state == RecordingState.RECORDING_STATE_DELETED:
            raise RecordingNotFound(
                "the recording was deleted", code=grpc.StatusCode.NOT_FOUND, reason="RECORDING_NOT_FOUND"
            )
        if recording.state not in _ON_ITS_WAY:
            raise ContractBroken("a recording in a state that is not known here")
        return self._on_its_way(await self._hurry(recording, request_id), request_id)

    async def _hurry(self, recording: Recording, request_id: str) -> Recording:
        """Ask for it with the priority of playback; what is then known of it.

        By the adapter itself: whoever may listen may have it fetched, also without the scope of enqueueing.
        """
        request = EnqueueRecordingRequest(
            account_sid=recording.account_sid,
            recording_sid=recording.recording_sid,
            job=RecordingJob.RECORDING_JOB_DOWNLOAD_ONLY,
        )
        try:
            answer = await self._client.enqueue(request, CallIdentity(request_id), self._timeout_seconds)
        except RecordingsError as failure:
            if failure.code is grpc.StatusCode.FAILED_PRECONDITION:
                raise
            # It stays queued as it was, and that is what the answer says.
            logger.warning("%s not hurried: %s request_id=%s", recording.recording_sid, named(failure), request_id)
            return recording
        if answer.reason == EnqueueReason.ENQUEUE_REASON_CACHED:
            # It has become READY since it was looked up.
            raise RecordingNotReady(
                "look again", code=grpc.StatusCode.FAILED_PRECONDITION, reason="RECORDING_NOT_READY"
            )
        return answer.recording if answer.recording.state in _ON_ITS_WAY else recording

    def _on_its_way(self, recording: Recording, request_id: str) -> Response:
        members: dict[str, object] = {
            "recording_sid": recording.recording_sid,
            "state": enum_name(RecordingState, "RECORDING_STATE_", recording.state),
            "received_bytes": recording.received_bytes,
        }
        if recording.waiting_reason:
            members["waiting_reason"] = enum_name(WaitingReason, "WAITING_REASON_", recording.waiting_reason)
        due_seconds = math.ceil(recording.next_attempt_time.seconds - time.time())
        wait_seconds = min(max(due_seconds, self._retry_seconds), _LONGEST_WAIT_SECONDS)
        problem = Problem(
            202,
            "RECORDING_NOT_READY",
            "The recording is on its way. Ask again.",
            headers={"Retry-After": retry_after(wait_seconds)},
            members=members,
        )
        return problem_response(problem, request_id)
