"""Twilio's webhooks: a callback in, a gRPC call, and an answer that says 200 only for what is committed and rung for.

Twilio waits 15 s, and repeats a call only if it could not connect (twilio.md A3). So the whole answer is due within
`webhook_deadline_seconds`, and calls wait for a restarting service until then instead of failing at once.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import grpc
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import Problem, named
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.webhooks import callbacks
from recording_service.http_api.webhooks.forms import Form, read_form
from recording_service.http_api.webhooks.signatures import SignatureCheck, Verdict
from recordings.errors import RecordingsError
from recordings.v1.enqueue_pb2 import EnqueueReason, UnavailableReason

logger = logging.getLogger(__name__)

#: Where webhooks go to, below the public URL: the recordingStatusCallback, and the action of `<Record>`.
PATHS: Final = ("/webhooks/twilio/recording-status", "/webhooks/twilio/recording")

#: The answers that are a success. UNSPECIFIED, ERROR and numbers not known here are failures.
_ACCEPTED: Final[Mapping[EnqueueReason, str]] = {
    EnqueueReason.ENQUEUE_REASON_ENQUEUED: "ENQUEUED",
    EnqueueReason.ENQUEUE_REASON_CACHED: "CACHED",
    EnqueueReason.ENQUEUE_REASON_DUPLICATE: "DUPLICATE",
}
_UNAVAILABLE: Final[Mapping[str, UnavailableReason]] = {
    "absent": UnavailableReason.UNAVAILABLE_REASON_ABSENT,
    "failed": UnavailableReason.UNAVAILABLE_REASON_FAILED,
}
#: Statuses of a recording that will be followed by another one.
_UNFINISHED: Final = frozenset({"in-progress", "paused", "stopped", "processing"})
#: Names the key and the algorithm of a signature that is not made with the auth token. Never believed.
_SHARED_KEY: Final = "x-twilio-webhooks-signature-settings"
_TWIML: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Webhooks:
    """The endpoints that Twilio calls."""

    def __init__(self, client: RecordingClient, settings: HttpSettings) -> None:
        self._client = client
        self._deadline_seconds = settings.webhook_deadline_seconds
        self._source_hosts = settings.source_hosts
        self._check = SignatureCheck(
            settings.public_url, settings.auth_tokens, allow_unsigned=settings.allow_unsigned_webhooks
        )
        if self._check.accepts_unsigned:
            logger.warning("UNSIGNED WEBHOOKS ARE ACCEPTED: anyone who can reach this address can enqueue recordings")

    async def recording_status(self, request: Request) -> Response:
        """`recordingStatusCallback`: 200 with the reason as JSON."""
        deadline = self._deadline()
        form = await self._genuine_form(request, deadline)
        reason, recording_sid = await self._status_changed(form, request.state.request_id, deadline)
        return JSONResponse({"reason": reason, "recording_sid": recording_sid}, headers={"Cache-Control": "no-store"})

    async def recording(self, request: Request) -> Response:
        """The action of `<Record>`: it carries no status and counts as completed; the call goes on by our TwiML."""
        deadline = self._deadline()
        form = await self._genuine_form(request, deadline)
        await self._completed(form, request.state.request_id, deadline)
        return Response(_TWIML, headers={"Cache-Control": "no-store"}, media_type="text/xml")

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._deadline_seconds

    async def _genuine_form(self, request: Request, deadline: float) -> Form:
        try:
            async with asyncio.timeout_at(deadline):
                form = await read_form(request)
        except TimeoutError:
            raise Problem(408, "REQUEST_TIMEOUT", "The body did not arrive in time.") from None
        signatures = request.headers.getlist("x-twilio-signature")
        verdict = self._check.verify(request.scope["raw_path"], request.scope["query_string"], form, signatures)
        if verdict is Verdict.UNCONFIGURED:
            raise Problem(
                403,
                "WEBHOOKS_NOT_CONFIGURED",
                "No Twilio auth token is configured here, so no webhook can be checked. "
                "Set TWILIO_AUTH_TOKEN, or auth_tokens in RECORDING_ACCOUNTS_FILE.",
            )
        if verdict is Verdict.FORGED:
            # A SharedKey signs instead of the auth token; there is no telling from here whether it was one.
            signed_by = "a SharedKey, as it says" if _SHARED_KEY in request.headers else "no token of its account"
            logger.warning(
                "webhook refused: signed with %s; `recording-service doctor --webhook` explains it request_id=%s",
                signed_by,
                request.state.request_id,
            )
            raise Problem(403, "SIGNATURE_INVALID", "The signature is missing or not valid for this account.")
        return form

    async def _status_changed(self, form: Form, request_id: str, deadline: float) -> tuple[str, str]:
        status = callbacks.recording_status(form)
        if status == "completed":
            return await self._completed(form, request_id, deadline)
        if status in _UNAVAILABLE:
            return await self._unavailable(form, _UNAVAILABLE[status], request_id, deadline)
        recording_sid = callbacks.recording_sid(form)
        if status not in _UNFINISHED:
            # Twilio adds values. Refusing one would change nothing, only raise an alarm there; the log line is ours.
            logger.warning(
                "webhook for %s has the unknown status %s: ignored request_id=%s", recording_sid, status, request_id
            )
        return "IGNORED", recording_sid

    async def _completed(self, form: Form, request_id: str, deadline: float) -> tuple[str, str]:
        asked = callbacks.enqueue_request(form, self._source_hosts)
        try:
            answer = await self._client.enqueue(asked, CallIdentity(request_id), _remaining(deadline))
        except RecordingsError as failure:
            return _failed(failure, asked.recording_sid, request_id), asked.recording_sid
        reason = _ACCEPTED.get(answer.reason)
        if reason is None:
            logger.error(
                "webhook for %s: enqueue answered %s request_id=%s", asked.recording_sid, answer.reason, request_id
            )
            raise _not_accepted(asked.recording_sid)
        logger.info("webhook for %s: completed, %s request_id=%s", asked.recording_sid, reason, request_id)
        return reason, asked.recording_sid

    async def _unavailable(
        self, form: Form, reason: UnavailableReason, request_id: str, deadline: float
    ) -> tuple[str, str]:
        asked = callbacks.unavailable_request(form, reason)
        try:
            await self._client.report_unavailable(asked, CallIdentity(request_id), _remaining(deadline))
        except RecordingsError as failure:
            return _failed(failure, asked.recording_sid, request_id), asked.recording_sid
        logger.info("webhook for %s: %s request_id=%s", asked.recording_sid, UnavailableReason.Name(reason), request_id)
        return "REPORTED", asked.recording_sid


def _remaining(deadline: float) -> float:
    return deadline - asyncio.get_running_loop().time()


def _failed(failure: RecordingsError, recording_sid: str, request_id: str) -> str:
    """The answer to a failed call: DELETED is no failure to Twilio, a malformed field is 400, all else 500."""
    if (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_DELETED"):
        logger.info("webhook for %s: deleted here, not revived request_id=%s", recording_sid, request_id)
        return "DELETED"
    logger.error("webhook for %s: %s request_id=%s", recording_sid, named(failure), request_id)
    if failure.code is grpc.StatusCode.INVALID_ARGUMENT:
        raise Problem.invalid(*failure.field_violations)
    raise _not_accepted(recording_sid)


def _not_accepted(recording_sid: str) -> Problem:
    return Problem(
        500,
        "ERROR",
        "The webhook could not be acted on in time. Sending it again is safe.",
        members={"recording_sid": recording_sid},
    )
