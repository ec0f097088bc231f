"""The load of the playback benchmark: takes answers in as fast as they come, and drops them."""

import random
import re
import selectors
import socket
import time
from contextlib import ExitStack
from types import TracebackType
from typing import NamedTuple, Self

#: Taken from a socket at a time, in bytes: it stays in the processor's cache.
PIECE_BYTES = 256 * 1024
#: Longest wait for anything on a connection, in seconds.
PATIENCE_SECONDS = 30.0

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_END_OF_HEADER = b"\r\n\r\n"


class AnswerFailed(Exception):
    """Raised when an answer is not the one that was asked for, or breaks off."""


class HttpConnection:
    """One connection that is kept for one request after the other. A bare socket: it costs next to nothing."""

    def __init__(self, port: int, *, receive_buffer: int = 0) -> None:
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(PIECE_BYTES)
        #: Bytes of the body that have not come yet.
        self.left_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def ask(self, path: str, range_field: str = "") -> None:
        """Sends a request."""
        fields = f"Range: {range_field}\r\n" if range_field else ""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode())

    def begin(self, status: int) -> bytes:
        """Waits for the first bytes of the body; gives them. Raises AnswerFailed unless the status is that one."""
        received = b""
        while True:
            header, end, body = received.partition(_END_OF_HEADER)
            if body:
                break
            piece = self._socket.recv(PIECE_BYTES)
            if not piece:
                raise AnswerFailed(f"the connection ended after {received!r}")
            received += piece
        length = _CONTENT_LENGTH.search(header + end)
        if header.split(maxsplit=2)[1] != str(status).encode() or length is None:
            raise AnswerFailed(header.decode(errors="replace"))
        self.left_bytes = int(length[1]) - len(body)
        return body

    def take(self) -> bytes:
        """Takes what there is of the body, waiting for it if there is nothing."""
        data = self._socket.recv(min(self.left_bytes, PIECE_BYTES))
        self._count(len(data))
        return data

    def take_what_is_there(self, at_most: int) -> bytes:
        """Takes so many bytes of the body, or as many as have come."""
        try:
            data = self._socket.recv(min(self.left_bytes, at_most), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        self._count(len(data))
        return data

    def drop(self) -> None:
        """The same, but keeps nothing of it."""
        self._count(self._socket.recv_into(self._buffer, min(self.left_bytes, PIECE_BYTES)))

    def _count(self, taken: int) -> None:
        if not taken:
            raise AnswerFailed(f"the connection ended {self.left_bytes} bytes short")
        self.left_bytes -= taken


class TakenFiles(NamedTuple):
    """What was taken in, when by the clock that all processes share, and what it cost the client."""

    data_bytes: int
    began: float
    ended: float
    processor_seconds: float


def take_whole(port: int, path: str, size_bytes: int, connections: int, times: int) -> TakenFiles:
    """Takes a file in over so many connections at once, on each so many times one after the other.

    Raises AnswerFailed unless each answer is 200 with `size_bytes`.
    """
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        opened = [stack.enter_context(HttpConnection(port)) for _ in range(connections)]
        left = dict.fromkeys(opened, times)
        began, began_processor = time.monotonic(), time.process_time()
        for connection in opened:
            selector.register(connection, selectors.EVENT_READ, connection)
            connection.ask(path)
        while left:
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise AnswerFailed("the server is silent")
            for key, _ in ready:
                connection = key.data
                if connection.left_bytes:
                    connection.drop()
                elif len(body := connection.begin(200)) + connection.left_bytes != size_bytes:
                    raise AnswerFailed(f"a body of {len(body) + connection.left_bytes} bytes instead of {size_bytes}")
                if connection.left_bytes:
                    continue
                left[connection] -= 1
                if left[connection]:
                    connection.ask(path)
                else:
                    del left[connection]
                    selector.unregister(connection)
        ended, processor_seconds = time.monotonic(), time.process_time() - began_processor
    return TakenFiles(connections * times * size_bytes, began, ended, processor_seconds)


def time_first_bytes(port: int, path: str, size_bytes: int, range_bytes: int, count: int, seed: int) -> list[float]:
    """Asks for random ranges one after the other on one connection.

    Milliseconds from each request to its first byte of the body, which comes after the whole header.
    """
    chance = random.Random(seed)
    found = []
    with HttpConnection(port) as connection:
        for _ in range(count):
            start = chance.randrange(size_bytes - range_bytes)
            began = time.perf_counter()
            connection.ask(path, f"bytes={start}-{start + range_bytes - 1}")
            connection.begin(206)
            found.append(1000 * (time.perf_counter() - began))
            while connection.left_bytes:
                connection.drop()
    return found
