"""An answer whose body is a `RangeStream`: with back-pressure, and gone as soon as the client is."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from recording_service.http_api.playback.range_stream import RangeStream


class StreamResponse(Response):
    """Sends `length` bytes of an open stream.

    The next piece is read only when the last one was taken by the connection, so a client that does not read costs
    three pieces here, and after a moment no gRPC stream. When the client leaves, the gRPC call is cancelled at once.

    Raises:
        BodyCutShort: bytes that the header promised can't be had. It has to reach the server, which then closes the
            connection short of its Content-Length; finishing or padding the body would be a lie.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        stream: RangeStream,
        length: int,
        place: AbstractContextManager[None],
    ) -> None:
        """`place` is entered while it is being sent."""
        self.status_code = status
        self.background = None
        self._stream = stream
        self._length = length
        self._sent = 0
        self._place = place
        self._has_left = False
        self.init_headers({**headers, "Content-Length": str(length)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the header and the body."""
        with self._place:
            await self._answer(receive, send)

    async def _answer(self, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(self._leave(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() or self._sent == self._length:
                # A complete answer looks like a disconnect as well; the stream may still be ending.
                await sending
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self._stream.close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while data := await self._stream.read():
            self._sent += len(data)
            with self._stream.handing_over():
                await send({"type": "http.response.body", "body": data, "more_body": self._sent < self._length})
            if self._stream.is_given_up:
                # A paused client goes on, or it has left: both end the wait, and only `_leave` knows which it was.
                # Hundreds that leave at once would otherwise open a gRPC stream each, and take them from others.
                await asyncio.sleep(0)
                if self._has_left:
                    return

    async def _leave(self, receive: Receive) -> None:
        await disconnected(receive)
        self._has_left = True


async def disconnected(receive: Receive) -> None:
    """Return once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
