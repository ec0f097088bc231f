"""`POST /recordings/{sid}/retry`: a person wants a failed recording fetched anew."""

import logging
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recording_service.http_api.console.same_origin import require_same_origin
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import Problem
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.targets import Target
from recordings.v1.enqueue_pb2 import EnqueueReason, EnqueueRecordingRequest
from recordings.v1.lookup_pb2 import GetRecordingRequest
from recordings.v1.recording_pb2 import RecordingState

logger = logging.getLogger(__name__)

#: Everything else is a failure (design.md §3).
_ACCEPTED: Final[Mapping[int, str]] = {
    EnqueueReason.ENQUEUE_REASON_ENQUEUED: "ENQUEUED",
    EnqueueReason.ENQUEUE_REASON_CACHED: "CACHED",
    EnqueueReason.ENQUEUE_REASON_DUPLICATE: "DUPLICATE",
}


class Retrying:
    """The endpoint behind the console's button."""

    def __init__(self, client: RecordingClient, settings: HttpSettings) -> None:
        self._client = client
        self._timeout_seconds = settings.call_timeout_seconds
        self._public_url = settings.public_url

    async def retry(self, request: Request) -> Response:
        """Enqueue a FAILED recording again, with the job that it had."""
        require_same_origin(request, self._public_url)
        _refuse_body(request)
        target = Target.of(request)
        identity = CallIdentity.of(request)
        recording = await self._client.get_recording(
            GetRecordingRequest(account_sid=target.account_sid, recording_sid=target.recording_sid),
            identity,
            self._timeout_seconds,
        )
        if recording.state != RecordingState.RECORDING_STATE_FAILED:
            raise Problem(409, "RECORDING_NOT_FAILED", "The recording has not failed, or not any more.")
        answer = await self._client.enqueue(
            EnqueueRecordingRequest(
                account_sid=recording.account_sid, recording_sid=recording.recording_sid, job=recording.job
            ),
            identity,
            self._timeout_seconds,
        )
        reason = _ACCEPTED.get(answer.reason)
        if reason is None:
            logger.error(
                "retry of %s: enqueue answered %s request_id=%s",
                target.recording_sid,
                answer.reason,
                identity.request_id,
            )
            raise Problem(500, "ENQUEUE_FAILED", "The recording could not be queued. Asking again is safe.")
        logger.info("retry of %s: %s request_id=%s", recording.recording_sid, reason, identity.request_id)
        return JSONResponse({"reason": reason}, headers={"Cache-Control": "no-store"})


def _refuse_body(request: Request) -> None:
    """By its announcement: nothing is read, so nobody can make us wait for it."""
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise Problem(413, "BODY_TOO_LARGE", "This request has no body.")
