"""Clients that take a byte a second of a recording, or nothing: real sockets, hundreds of them, in one thread.

Over HTTP the brake is TCP's: a tiny receive buffer that is not read. Over gRPC it is either that, or HTTP/2's own
(RFC 9113 §5.2): everything is read, and the server is granted nothing, or a byte a second.
"""

import re
import select
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from recordings.v1 import stream_pb2

#: Of a socket whose owner does not read, in bytes; the kernel doubles it. Small, so that the server feels it soon.
TINY_BUFFER_BYTES: Final = 4096
#: Between two bytes of a client that drips.
DRIP_SECONDS: Final = 1.0
#: Before a client that was refused asks again: what `Retry-After` says at least.
ASK_AGAIN_SECONDS: Final = 1.0
#: Longest wait for one connection.
CONNECT_SECONDS: Final = 20.0
#: Longest wait of the thread for anything to happen.
_TURN_SECONDS: Final = 0.25
#: Taken from a socket at a time.
_PIECE_BYTES: Final = 65_536

_STREAM_PATH: Final = b"/recordings.v1.RecordingService/StreamRecording"
#: The windows that HTTP/2 begins with, and the largest there is, in bytes (RFC 9113 §6.9).
_FIRST_WINDOW, _MAX_WINDOW = 65_535, 2**31 - 1
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_ACK = _END_STREAM = 0x1
_END_HEADERS = 0x4
_FRAME_HEADER_BYTES = 9
#: A status in trailers, which gRPC writes as plain text where the client keeps no header table.
_GRPC_STATUS = re.compile(rb"grpc-status[\x01\x02](\d{1,2})")


class Reading(Enum):
    """What a client does once its answer has begun."""

    NOTHING = auto()
    A_BYTE_A_SECOND = auto()


class State(Enum):
    """Where one request is."""

    ASKING = auto()
    #: Its answer has begun, and it hangs.
    HELD = auto()
    REFUSED = auto()
    #: It was held, and the server has ended it.
    CUT = auto()


class Request:
    """One slow request."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = State.ASKING

    def hold(self) -> None:
        """Notes that its answer has begun."""
        if self.state is State.ASKING:
            self.state = State.HELD


class Counts(NamedTuple):
    """How many requests are where."""

    asking: int
    held: int
    refused: int
    cut: int


class _Connection(ABC):
    """One socket with its requests. For the crowd's thread."""

    def __init__(self, address: tuple[str, int], receive_buffer: int, reading: Reading) -> None:
        self.reading = reading
        self.requests: list[Request] = []
        #: With what requests were refused: HTTP's status, or gRPC's number; 0 where none came.
        self.refusals: list[int] = []
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(CONNECT_SECONDS)
        self._socket.connect(address)
        # From here on nothing waits: one that hangs must not hold up the others.
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def close(self) -> None:
        """Drops it."""
        self._socket.close()

    def ended(self) -> None:
        """The connection is gone, and all that hung on it."""
        for request in self.requests:
            self._end(request, 0)

    def _end(self, request: Request, status: int) -> None:
        """The server has ended a request, before its answer or in it."""
        if request.state is State.ASKING:
            request.state = State.REFUSED
            self.refusals.append(status)
        elif request.state is State.HELD:
            request.state = State.CUT

    @property
    @abstractmethod
    def wants_to_read(self) -> bool:
        """Whether what comes should be taken now."""

    @abstractmethod
    def take(self) -> bool:
        """Takes what has come; False where the connection has ended."""

    @abstractmethod
    def drip(self) -> None:
        """Takes one byte."""


class _HttpConnection(_Connection):
    """One GET, whose header is read and whose body is not."""

    def __init__(self, address: tuple[str, int], recording_sid: str, reading: Reading) -> None:
        super().__init__(address, TINY_BUFFER_BYTES, reading)
        self._header = bytearray()
        self.requests.append(Request())
        host = f"{address[0]}:{address[1]}"
        self._socket.sendall(f"GET /recordings/{recording_sid}/stream HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

    @property
    def wants_to_read(self) -> bool:
        return self.requests[0].state is State.ASKING

    def take(self) -> bool:
        # Byte by byte: not one of the body is to be taken by the way.
        while not self._header.endswith(b"\r\n\r\n"):
            try:
                byte = self._socket.recv(1)
            except BlockingIOError:
                return True
            if not byte:
                return False
            self._header += byte
        status = int(self._header.split(maxsplit=2)[1])
        if status == 200:
            self.requests[0].hold()
            return True
        self._end(self.requests[0], status)
        return False

    def drip(self) -> None:
        with suppress(BlockingIOError):
            self._socket.recv(1)


class _GrpcConnection(_Connection):
    """One or many StreamRecording calls on one HTTP/2 connection.

    `reads_socket`: the brake is HTTP/2's window; otherwise the windows are wide open and the socket is not read once
    the answer has begun.
    """

    def __init__(
        self, address: tuple[str, int], request: bytes, streams: int, reading: Reading, *, reads_socket: bool
    ) -> None:
        super().__init__(address, 0 if reads_socket else TINY_BUFFER_BYTES, reading)
        self._reads_socket = reads_socket
        self._by_number: dict[int, Request] = {}
        self._received = bytearray()
        window = _FIRST_WINDOW if reads_socket else _MAX_WINDOW
        # No header table (1), so that trailers come as plain text; the window of each stream (4).
        settings = struct.pack(">HIHI", 1, 0, 4, window)
        self._send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, settings))
        self._send(_frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _MAX_WINDOW - _FIRST_WINDOW)))
        for number in range(1, 2 * streams, 2):
            self._by_number[number] = call = Request()
            self.requests.append(call)
            body = struct.pack(">BI", 0, len(request)) + request
            self._send(
                _frame(_HEADERS, _END_HEADERS, number, _request_headers(address))
                + _frame(_DATA, _END_STREAM, number, body)
            )

    @property
    def wants_to_read(self) -> bool:
        return self._reads_socket or any(request.state is State.ASKING for request in self.requests)

    def take(self) -> bool:
        try:
            data = self._socket.recv(_PIECE_BYTES if self._reads_socket else 1)
        except BlockingIOError:
            return True
        self._received += data
        while (frame := self._next_frame()) is not None:
            self._act_on(*frame)
        return bool(data)

    def drip(self) -> None:
        if not self._reads_socket:
            with suppress(BlockingIOError):
                self._socket.recv(1)
            return
        for number, request in self._by_number.items():
            if request.state is State.HELD:
                self._send(_frame(_WINDOW_UPDATE, 0, number, struct.pack(">I", 1)))

    def _next_frame(self) -> tuple[int, int, int, bytes] | None:
        if len(self._received) < _FRAME_HEADER_BYTES:
            return None
        high, low, kind, flags, number = struct.unpack_from(">BHBBI", self._received)
        end = _FRAME_HEADER_BYTES + (high << 16 | low)
        if len(self._received) < end:
            # The payload of a chunk that is not to be read says nothing that its header did not.
            return None
        payload = bytes(self._received[_FRAME_HEADER_BYTES:end])
        del self._received[:end]
        return kind, flags, number, payload

    def _act_on(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        request = self._by_number.get(number)
        if kind == _SETTINGS and not flags & _ACK:
            self._send(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self._send(_frame(_PING, _ACK, 0, payload))
        elif kind == _HEADERS and request is not None:
            if flags & _END_STREAM:
                status = _GRPC_STATUS.search(payload)
                self._end(request, int(status[1]) if status else 0)
            else:
                request.hold()
        elif kind == _RST_STREAM and request is not None:
            self._end(request, 0)

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)


class SlowCrowd:
    """Slow clients that are kept up, in a thread of its own, until they are closed. Made by the functions below."""

    def __init__(self, connect: Sequence[Callable[[], _Connection]], *, asks_again: bool) -> None:
        """`asks_again`: whether who is refused comes back, as players do."""
        self._waiting = [(0.0, one) for one in connect]
        self._asks_again = asks_again
        self._connections: dict[int, tuple[_Connection, Callable[[], _Connection]]] = {}
        self._gone: list[Request] = []
        self._refusals: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._epoll = select.epoll()
        self._thread = threading.Thread(target=self._run, name="slow-clients", daemon=True)
        self._thread.start()

    def counts(self) -> Counts:
        """How many requests are where, now. Raises what ended the thread, if anything has."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            requests = [*self._gone, *(each for one, _ in self._connections.values() for each in one.requests)]
            states = Counter(request.state for request in requests)
            states[State.ASKING] += len(self._waiting)
        return Counts(states[State.ASKING], states[State.HELD], states[State.REFUSED], states[State.CUT])

    @property
    def refusals(self) -> Counter[int]:
        """How often a request was refused, by the status (HTTP's, or gRPC's number)."""
        with self._lock:
            return Counter(self._refusals)

    def close(self) -> None:
        """Drops every connection. Idempotent; returns when the thread has ended."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            next_drip = time.monotonic() + DRIP_SECONDS
            while not self._stopping.is_set():
                self._connect_those_whose_time_has_come()
                for descriptor, events in self._epoll.poll(_TURN_SECONDS):
                    self._look_after(descriptor, events)
                if time.monotonic() >= next_drip:
                    next_drip = time.monotonic() + DRIP_SECONDS
                    self._drip()
        except BaseException as error:
            with self._lock:
                self._failure = error
        finally:
            for connection, _ in self._connections.values():
                connection.close()
            self._epoll.close()

    def _connect_those_whose_time_has_come(self) -> None:
        now = time.monotonic()
        for entry in [entry for entry in self._waiting if entry[0] <= now]:
            connection = entry[1]()
            with self._lock:
                self._waiting.remove(entry)
                self._connections[connection.fileno()] = (connection, entry[1])
            self._epoll.register(connection.fileno(), _events(connection))
            if self._stopping.is_set():
                return

    def _look_after(self, descriptor: int, events: int) -> None:
        connection, connect = self._connections[descriptor]
        try:
            alive = not events & (select.EPOLLERR | select.EPOLLHUP)
            if alive and events & select.EPOLLIN:
                alive = connection.take()
            elif events & select.EPOLLRDHUP:
                alive = False
        except ConnectionError:
            alive = False
        if alive:
            self._epoll.modify(descriptor, _events(connection))
        else:
            self._let_go(descriptor, connection, connect)
        self._count_refusals(connection)

    def _let_go(self, descriptor: int, connection: _Connection, connect: Callable[[], _Connection]) -> None:
        connection.ended()
        self._epoll.unregister(descriptor)
        connection.close()
        was_refused = all(request.state is State.REFUSED for request in connection.requests)
        with self._lock:
            del self._connections[descriptor]
            if self._asks_again and was_refused:
                self._waiting.append((time.monotonic() + ASK_AGAIN_SECONDS, connect))
            else:
                self._gone += connection.requests

    def _count_refusals(self, connection: _Connection) -> None:
        with self._lock:
            self._refusals.update(connection.refusals)
        connection.refusals.clear()

    def _drip(self) -> None:
        for descriptor, (connection, connect) in list(self._connections.items()):
            if connection.reading is Reading.A_BYTE_A_SECOND:
                try:
                    connection.drip()
                except ConnectionError:
                    self._let_go(descriptor, connection, connect)


@contextmanager
def slow_http_clients(
    base_url: str, recording_sid: str, count: int, *, reading: Reading | None = None, asks_again: bool = True
) -> Iterator[SlowCrowd]:
    """`count` players of a READY recording that hang once their answer has begun, until the end of the block.

    `reading`: what they do then; half do the one and half the other if it is None. Who is answered 503 asks again
    after a second, unless told otherwise.
    """
    url = urlsplit(base_url)
    address = (url.hostname or "", url.port or 80)

    def connect(number: int) -> Callable[[], _Connection]:
        return lambda: _HttpConnection(address, recording_sid, reading or _of(number))

    with _closing(SlowCrowd([connect(number) for number in range(count)], asks_again=asks_again)) as crowd:
        yield crowd


@contextmanager
def slow_grpc_clients(
    grpc_address: str,
    recording_sid: str,
    count: int,
    *,
    account_sid: str = "",
    streams_a_connection: int = 1,
    reads_socket: bool = True,
    reading: Reading | None = None,
) -> Iterator[SlowCrowd]:
    """`count` StreamRecording calls of a READY recording that hang once their answer has begun.

    `streams_a_connection`: how many of them share one. `reads_socket`: whether the brake is HTTP/2's window, or TCP's
    (for one stream a connection). `reading`: as above. Who is refused or cut stays away.
    """
    host, port = grpc_address.rsplit(":", 1)
    address = (host, int(port))
    request = stream_pb2.StreamRecordingRequest(account_sid=account_sid, recording_sid=recording_sid)
    message = request.SerializeToString()

    def connect(number: int, streams: int) -> Callable[[], _Connection]:
        how = reading or _of(number)
        return lambda: _GrpcConnection(address, message, streams, how, reads_socket=reads_socket)

    shares = [min(streams_a_connection, count - start) for start in range(0, count, streams_a_connection)]
    connects = [connect(number, share) for number, share in enumerate(shares)]
    with _closing(SlowCrowd(connects, asks_again=False)) as crowd:
        yield crowd


def _of(number: int) -> Reading:
    return Reading.A_BYTE_A_SECOND if number % 2 else Reading.NOTHING


@contextmanager
def _closing(crowd: SlowCrowd) -> Iterator[SlowCrowd]:
    try:
        yield crowd
    finally:
        crowd.close()


def _events(connection: _Connection) -> int:
    return select.EPOLLRDHUP | (select.EPOLLIN if connection.wants_to_read else 0)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    size = len(payload)
    return struct.pack(">BHBBI", size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def _request_headers(address: tuple[str, int]) -> bytes:
    """Of the static table (RFC 7541, Appendix A): `:method: POST`, `:scheme: http`; the rest literals, not indexed."""
    authority = f"{address[0]}:{address[1]}".encode()
    return b"".join(
        (
            b"\x83\x86\x04" + _text(_STREAM_PATH),
            b"\x01" + _text(authority),
            b"\x0f\x10" + _text(b"application/grpc"),
            b"\x00" + _text(b"te") + _text(b"trailers"),
        )
    )


def _text(text: bytes) -> bytes:
    """A string literal, not Huffman-coded; shorter than 127 bytes, so that one byte has its length (RFC 7541 §5.2)."""
    return bytes((len(text),)) + text
