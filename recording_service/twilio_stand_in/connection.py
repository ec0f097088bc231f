"""One client's connection, with control over every byte and over how it ends."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

#: The longest request head that is read, in bytes.
HEAD_LIMIT_BYTES = 64 * 1024

#: Bytes asked of the socket at once.
RECEIVE_BYTES = 64 * 1024

#: SO_LINGER on, 0 seconds: closing throws away what is unsent and sends RST.
LINGER_RESET = struct.pack("ii", 1, 0)


class MalformedRequest(Exception):
    """Raised when what a client sent is no HTTP request."""


@dataclass(frozen=True)
class RequestHead:
    """A request's line and headers; the names of headers are in lower case."""

    method: str
    target: str
    version: str
    headers: Mapping[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether the client wants the connection kept (RFC 9112 §9.3)."""
        options = self.headers.get("connection", "").lower()
        return "close" not in options if self.version == "HTTP/1.1" else "keep-alive" in options


class Connection:
    """A socket that has been accepted. Used by one task at a time, in the event loop."""

    def __init__(self, client: socket.socket, number: int, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        self._socket = client
        self._loop = loop
        self._received = bytearray()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def read_request(self) -> RequestHead | None:
        """The next request, or None when the client has no more; a body is read and dropped.

        Raises MalformedRequest, and ConnectionError when the client tears the connection.
        """
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            if len(self._received) > HEAD_LIMIT_BYTES:
                raise MalformedRequest("the head of the request is too long")
            if not await self._receive():
                return None
        head = _parsed(bytes(self._received[:end]))
        del self._received[: end + 4]
        length = head.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise MalformedRequest("Content-Length is no number")
        while len(self._received) < int(length):
            if not await self._receive():
                return None
        del self._received[: int(length)]
        return head

    async def send(self, data: bytes | memoryview) -> None:
        """Returns when the kernel has taken all of the data; raises ConnectionError when the client is gone."""
        await self._loop.sock_sendall(self._socket, data)

    async def wait_or_hang_up(self, awaited: Awaitable[None]) -> None:
        """Waits for something; raises ConnectionResetError when the client goes away first."""
        waiting = asyncio.ensure_future(awaited)
        hang_up = asyncio.ensure_future(self._until_hung_up())
        try:
            await asyncio.wait((waiting, hang_up), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise ConnectionResetError("the client went away")
            await waiting
        finally:
            waiting.cancel()
            hang_up.cancel()
            await asyncio.gather(waiting, hang_up, return_exceptions=True)

    def close(self) -> None:
        """Ends the connection in good order. Idempotent.

        The shutdown makes it end for the client even if a forked child still holds a copy of the socket.
        """
        with contextlib.suppress(
            OSError
        ):  # Not connected any more: the client was faster, or it has been closed before.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def reset(self) -> None:
        """Tears the connection: RST instead of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        self._socket.close()

    async def _receive(self) -> bool:
        data = await self._loop.sock_recv(self._socket, RECEIVE_BYTES)
        self._received += data
        return bool(data)

    async def _until_hung_up(self) -> None:
        try:
            while await self._receive():
                pass  # The next request, sent ahead: it is kept.
        except ConnectionError:
            return


def _parsed(head: bytes) -> RequestHead:
    request_line, *header_lines = head.decode("latin-1").split("\r\n")
    parts = request_line.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.0", "HTTP/1.1"):
        raise MalformedRequest("the request line is malformed")
    pairs = (line.partition(":") for line in header_lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return RequestHead(method=parts[0], target=parts[1], version=parts[2], headers=headers)
