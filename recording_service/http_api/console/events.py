"""`GET /recordings/events`: the recordings that match, then each change, as server-sent events for the console.

- `recording`: the recording as JSON, with `matches`; false says that it has ceased to match.
- `snapshot-complete`: everything that matched at the beginning has been sent.
- `heartbeat`: nothing has happened, and the connection lives. An event and no comment: a script can't see comments.

The last two carry `time`, the time here, for pages whose clock is wrong. When the stream ends, for whatever reason, so
does the answer; a browser asks again by itself, and is told the reason by a status then.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime
from typing import Any, Final

import grpc
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from recording_service.http_api.console.recording_filters import RecordingFilters, whole_number
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.playback.stream_response import disconnected
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.recording_json import recording_json
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.shares import Shares
from recordings.aio import MessageReader, NothingYet
from recordings.errors import DeadlineExceeded, RecordingsError
from recordings.v1.lookup_pb2 import ListRecordingsRequest
from recordings.v1.watch_pb2 import WatchRecordingsRequest, WatchRecordingsResponse

#: How long a browser waits before it asks again, in milliseconds.
_RETRY_MILLISECONDS: Final = 2000
_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    # nginx would collect events until its buffer is full.
    "X-Accel-Buffering": "no",
}


class Events:
    """The endpoint for live lists. Takes `RecordingFilters` and `snapshot_size`, as WatchRecordings has them.

    Parameters:
        stopping: set when the server is about to stop; every answer ends then, because none does by itself.
    """

    def __init__(self, client: RecordingClient, settings: HttpSettings, stopping: asyncio.Event) -> None:
        self._client = client
        self._timeout_seconds = settings.call_timeout_seconds
        self._heartbeat_seconds = settings.heartbeat_seconds
        self._stopping = stopping
        self._lists = Shares("lists", settings.max_watchers, settings.max_watchers_each)

    async def show(self, request: Request) -> Response:
        """Open the stream; nothing has been answered before its first message is here."""
        identity = CallIdentity.of(request)
        self._lists.check(identity)
        filters = RecordingFilters.of(request.query_params)
        asked = WatchRecordingsRequest(
            states=filters.states,
            account_sids=filters.account_sids,
            call_sids=filters.call_sids,
            snapshot_size=whole_number(request.query_params, "snapshot_size", 0),
        )
        if request.method == "HEAD":
            # The header of a GET has no length either.
            response = Response(headers=_HEADERS)
            del response.headers["content-length"]
            return response
        if not self._client.is_connected:
            # Waits for a connection, with a deadline: grpc.aio leaks a little of each stream that is given up before
            # it was sent (grpc#43360).
            await self._client.list_recordings(ListRecordingsRequest(page_size=1), identity, self._timeout_seconds)
        reader = self._client.watch_recordings(asked, identity)
        with ExitStack() as unless_answered:
            unless_answered.callback(reader.cancel)
            try:
                first = await reader.read(self._timeout_seconds)
            except NothingYet:
                raise DeadlineExceeded("no first look in time", code=grpc.StatusCode.DEADLINE_EXCEEDED) from None
            unless_answered.pop_all()
        return EventStream(first, reader, self._heartbeat_seconds, self._lists.taken(identity), self._stopping)


class EventStream(Response):
    """Sends one event a message, and heartbeats in between.

    The next message is read only when the last one was taken by the connection: the service lets looks of a slow
    reader fall together, so a slow browser costs one message here. When it leaves, the gRPC call is cancelled at once.
    """

    def __init__(
        self,
        first: WatchRecordingsResponse | None,
        reader: MessageReader[WatchRecordingsResponse],
        heartbeat_seconds: float,
        place: AbstractContextManager[None],
        stopping: asyncio.Event,
    ) -> None:
        """`place` is entered while it is being sent."""
        self.status_code = 200
        self.background = None
        self._first = first
        self._reader = reader
        self._heartbeat_seconds = heartbeat_seconds
        self._place = place
        self._stopping = stopping
        self.init_headers(_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the header and events, until the service, the browser or the server ends it."""
        with self._place:
            await self._answer(receive, send)

    async def _answer(self, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        ends = (sending, asyncio.create_task(disconnected(receive)), asyncio.create_task(self._stopping.wait()))
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await sending
            elif self._stopping.is_set():
                sending.cancel()
                await send({"type": "http.response.body", "body": b""})
        finally:
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            self._reader.cancel()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _send_piece(send, f"retry: {_RETRY_MILLISECONDS}\n\n")
        message = self._first
        # The header is out. Whoever asks again is told by a status.
        with suppress(RecordingsError):
            while message is not None:
                await _send_piece(send, _event_of(message))
                message = await self._next(send)
        await send({"type": "http.response.body", "body": b""})

    async def _next(self, send: Send) -> WatchRecordingsResponse | None:
        while True:
            try:
                return await self._reader.read(self._heartbeat_seconds)
            except NothingYet:
                await _send_piece(send, _event("heartbeat", _now()))


async def _send_piece(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _event_of(message: WatchRecordingsResponse) -> str:
    if message.snapshot_complete:
        return _event("snapshot-complete", _now())
    return _event("recording", {**recording_json(message.recording), "matches": message.matches})


def _event(name: str, data: Mapping[str, Any]) -> str:
    # JSON has no line break outside its strings, and escapes those within: one line is the whole event.
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _now() -> dict[str, str]:
    return {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}
