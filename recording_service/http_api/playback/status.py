"""`GET /recordings/{sid}/status`: what the matter is with a recording, for pages whose player can't read errors.

An `<audio>` element only says that something is wrong. A page beside it asks here, with the parameters of the same
signed URL or a caller's token, and may wait for the next change: `?wait=30`, with `&revision=` the one it knows.
Whoever has a link to one recording sees this, so nothing of it says who called whom.
"""

import asyncio
import math
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import grpc
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.playback.stream_response import disconnected
from recording_service.http_api.problems import Problem
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.shares import Shares
from recording_service.http_api.targets import Target
from recording_service.http_api.words import enum_name, in_words
from recordings.aio import MessageReader, NothingYet
from recordings.errors import (
    ContractBroken,
    DeadlineExceeded,
    FieldViolation,
    RecordingNotFound,
    RecordingsError,
)
from recordings.v1.lookup_pb2 import GetRecordingRequest
from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingState, WaitingReason
from recordings.v1.watch_pb2 import WatchRecordingRequest, WatchRecordingResponse

#: The longest an answer is held, in seconds.
MAX_WAIT_SECONDS: Final = 60
#: When to ask again about a recording that is READY or FAILED, in seconds: it may change, and next to never does.
SETTLED_RETRY_SECONDS: Final = 60
#: The longest `retry_after` of one that is on its way, in seconds: somebody is listening to silence.
_LONGEST_RETRY_SECONDS: Final = 60
_MAX_REVISION: Final = 2**63 - 1
_NUMBER: Final = re.compile(r"[0-9]{1,19}")
#: States in which a recording stays unless somebody does something about it: nothing is worth waiting for.
_SETTLED: Final = frozenset({RecordingState.RECORDING_STATE_READY, RecordingState.RECORDING_STATE_FAILED})


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long an answer may be held, and which revision the page knows; None: the one that is there when it asks."""

    wait_seconds: int
    revision: int | None

    @classmethod
    def of(cls, request: Request) -> "_Patience":
        """Read the query. Raises Problem: 400, with every parameter that is wrong."""
        violations: list[FieldViolation] = []
        wait = _number(request, "wait", MAX_WAIT_SECONDS, "seconds", violations)
        revision = _number(request, "revision", _MAX_REVISION, "the revision that you have seen", violations)
        if violations:
            raise Problem.invalid(*violations)
        return cls(wait or 0, revision)

    def is_over(self, recording: Recording) -> bool:
        """Whether this look is to be answered with at once."""
        is_news = self.revision is not None and recording.revision != self.revision
        return is_news or recording.state in _SETTLED


class Status:
    """The endpoint that says how far a recording is.

    Parameters:
        stopping: set when the server is about to stop; no answer is held any more then.
    """

    def __init__(self, client: RecordingClient, settings: HttpSettings, stopping: asyncio.Event) -> None:
        self._client = client
        self._timeout_seconds = settings.call_timeout_seconds
        self._retry_seconds = settings.not_ready_retry_seconds
        self._stopping = stopping
        self._held = Shares("held answers", settings.max_held_statuses, settings.max_held_statuses_each)

    async def show(self, request: Request) -> Response:
        """The recording as it is: at once, or (`wait`) once it has changed, at most that much later.

        READY and FAILED are never waited on: their watch ends, and holding a connection for next to nothing would take
        it from others. `retry_after` says when to ask again.
        """
        target, patience = Target.of(request), _Patience.of(request)
        identity = CallIdentity.of(request)
        # Each that is held takes a watch from others; who finds no place is answered as if it had not asked to wait.
        is_held = patience.wait_seconds > 0 and self._held.has_room_for(identity)
        recording = await self._look(target, request, is_held=is_held)
        if recording is None:
            with self._held.taken(identity):
                recording = await self._watch(target, request, patience)
        if recording.state == RecordingState.RECORDING_STATE_DELETED:
            raise RecordingNotFound(
                "the recording was deleted", code=grpc.StatusCode.NOT_FOUND, reason="RECORDING_NOT_FOUND"
            )
        return JSONResponse(self._said_of(recording), headers={"Cache-Control": "no-store"})

    async def _look(self, target: Target, request: Request, *, is_held: bool) -> Recording | None:
        """The recording as it is now; None where the answer is to be held, and a watch would begin at once.

        Without a connection a look waits for one, within its deadline: a watch that is given up before it was sent
        leaks a little (grpc#43360).
        """
        if is_held and self._client.is_connected:
            return None
        asked = GetRecordingRequest(account_sid=target.account_sid, recording_sid=target.recording_sid)
        recording = await self._client.get_recording(asked, CallIdentity.of(request), self._timeout_seconds)
        return None if is_held else recording

    async def _watch(self, target: Target, request: Request, patience: _Patience) -> Recording:
        """The recording once it has changed, or the time is over, or nobody waits any more, or the server stops."""
        until = asyncio.get_running_loop().time() + patience.wait_seconds
        asked = WatchRecordingRequest(account_sid=target.account_sid, recording_sid=target.recording_sid)
        reader = self._client.watch(asked, CallIdentity.of(request))
        ends = (asyncio.create_task(disconnected(request.receive)), asyncio.create_task(self._stopping.wait()))
        try:
            recording = await self._first(reader)
            seen = recording.revision
            while not patience.is_over(recording) and recording.revision == seen:
                left = until - asyncio.get_running_loop().time()
                look = await _next(reader, left, ends)
                if look is None:
                    break
                recording = look
            return recording
        finally:
            reader.cancel()
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _first(self, reader: MessageReader[WatchRecordingResponse]) -> Recording:
        try:
            message = await reader.read(self._timeout_seconds)
        except NothingYet:
            raise DeadlineExceeded("no first look in time", code=grpc.StatusCode.DEADLINE_EXCEEDED) from None
        if message is None:
            raise ContractBroken("a watch that ends before its first look")
        return message.recording

    def _said_of(self, recording: Recording) -> dict[str, object]:
        """What a page is told. What is not known is left out."""
        is_ready = recording.state == RecordingState.RECORDING_STATE_READY
        progress = {"received_bytes": recording.received_bytes}
        if is_ready:
            progress = {"received_bytes": recording.size_bytes, "size_bytes": recording.size_bytes}
        said: dict[str, object] = {
            "recording_sid": recording.recording_sid,
            "account_sid": recording.account_sid,
            "state": enum_name(RecordingState, "RECORDING_STATE_", recording.state),
            "playable": is_ready,
            "message": in_words(recording),
            "progress": progress,
            "attempt": recording.attempt,
            "revision": recording.revision,
            "retry_after": self._retry_after(recording),
        }
        if recording.HasField("duration"):
            said["duration"] = recording.duration.seconds
        if recording.content_type:
            said["content_type"] = recording.content_type
        if recording.failure_reason:
            said["failure_reason"] = enum_name(FailureReason, "FAILURE_REASON_", recording.failure_reason)
        if recording.waiting_reason:
            said["waiting_reason"] = enum_name(WaitingReason, "WAITING_REASON_", recording.waiting_reason)
        if recording.state == RecordingState.RECORDING_STATE_QUEUED and recording.HasField("next_attempt_time"):
            said["next_attempt_time"] = recording.next_attempt_time.ToJsonString()
        return said

    def _retry_after(self, recording: Recording) -> int:
        """When to ask again, in seconds, for a page that does not wait."""
        if recording.state in _SETTLED:
            return SETTLED_RETRY_SECONDS
        due_seconds = 0
        if recording.state == RecordingState.RECORDING_STATE_QUEUED:
            due_seconds = math.ceil(recording.next_attempt_time.seconds - time.time())
        return min(max(due_seconds, self._retry_seconds), _LONGEST_RETRY_SECONDS)


def _number(request: Request, name: str, largest: int, what: str, violations: list[FieldViolation]) -> int | None:
    """The whole number that a parameter gives; None if it is left out, or is a violation."""
    given = request.query_params.getlist(name)
    if not given:
        return None
    if len(given) == 1 and _NUMBER.fullmatch(given[0]) and int(given[0]) <= largest:
        return int(given[0])
    violations.append(FieldViolation(name, f"give {what} once, as a whole number from 0 to {largest}"))
    return None


async def _next(
    reader: MessageReader[WatchRecordingResponse], within_seconds: float, ends: "Iterable[asyncio.Task[Any]]"
) -> Recording | None:
    """The next look; None once the time is over, the watch has ended, or one of `ends` has come."""
    reading = asyncio.create_task(reader.read(within_seconds))
    try:
        await asyncio.wait((reading, *ends), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            return None
        message = reading.result()
    except (NothingYet, RecordingsError):
        # That the watch broke says nothing about the recording: what was seen of it is still what is known.
        return None
    finally:
        # This is not gRPC's own read, which is never cancelled: that one ends with the call.
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return None if message is None else message.recording
