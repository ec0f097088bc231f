"""Answers with all of a result in them, so many at once, or with the news that it is still the same."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.playback.conditions import CONDITIONAL_FIELDS, Outcome, Validators, evaluate
from recording_service.http_api.playback.range_stream import BodyCutShort
from recording_service.http_api.problems import Problem
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.shares import Shares

#: A browser keeps it and asks each time: what a signed URL or a session opened is shown to nobody else, and a result
#: that was made anew shows at once.
_CACHE_CONTROL: Final = "private, no-cache"
#: How many are written at once: each keeps every other thread waiting for its turn.
_WRITERS: Final = 2
#: What is handed to a connection at a time, in bytes: what it has not sent yet can't be taken back.
_PIECE_BYTES: Final = 64 * 1024

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Form:
    """How a result is written.

    Attributes:
        media_type: as `Content-Type` has it.
        file_name: what it is called where somebody saves it. ASCII, without quotes.
    """

    media_type: str
    file_name: str


class Renditions:
    """Makes the answers. A result is in memory from the moment it is asked for until its client has taken it.

    It may be megabytes, so there are only so many of them at once, and each for so long: paused players, of which there
    may be hundreds for a quarter of an hour, hold next to nothing.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self._shares = Shares("waveforms and transcripts", settings.max_results, settings.max_results_each)
        self._writing = asyncio.Semaphore(_WRITERS)
        self._seconds = settings.result_seconds

    async def answer(
        self, request: Request, fetched: Callable[[], Awaitable[Result]], write: Callable[[Result], bytes], form: Form
    ) -> Response:
        """The answer to a GET or HEAD.

        Its entity tag is made of the content: the same only where every byte is, whichever zoom or form was asked for.

        Raises:
            Problem: 412, a precondition is not met; 429 or 503, there are too many at once.
        """
        identity = CallIdentity.of(request)
        self._shares.check(identity)
        with ExitStack() as place:
            place.enter_context(self._shares.taken(identity))
            result = await fetched()
            async with self._writing:
                # Of a long call there are a quarter of a million numbers: players would hear the loop stand still.
                content = await asyncio.to_thread(write, result)
            del result
            etag = hashlib.sha256(content).hexdigest()[:32]
            headers = {"ETag": f'"{etag}"', "Cache-Control": _CACHE_CONTROL}
            fields = {
                name: ", ".join(request.headers.getlist(name)) for name in CONDITIONAL_FIELDS if name in request.headers
            }
            outcome = evaluate(fields, Validators(etag, None))
            if outcome is Outcome.FAILED:
                raise Problem(412, "PRECONDITION_FAILED", "It is another version than the one asked for.")
            if outcome is Outcome.NOT_MODIFIED:
                return Response(status_code=304, headers=headers)
            headers["Content-Type"] = form.media_type
            headers["Content-Disposition"] = f'inline; filename="{form.file_name}"'
            return _Whole(content, headers, self._seconds, place.pop_all())


class _Whole(Response):
    """Sends the content within so many seconds, and gives its place back.

    Raises:
        BodyCutShort: the client has not taken it in time. It has to reach the server, which closes the connection.
    """

    def __init__(self, content: bytes, headers: Mapping[str, str], seconds: float, place: ExitStack) -> None:
        super().__init__(content, headers=dict(headers))
        self._seconds = seconds
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the header and the body."""
        with self._place:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._send(send)
            except TimeoutError:
                raise BodyCutShort("its client did not take it in time") from None

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = memoryview(self.body)
        for at in range(0, len(body), _PIECE_BYTES):
            await send({"type": "http.response.body", "body": body[at : at + _PIECE_BYTES], "more_body": True})
        await send({"type": "http.response.body", "body": b""})
