"""A gRPC client that costs next to nothing: HTTP/2 over a plain socket, so that what is measured is the server.

It takes in bytes and looks at nothing but the frames' headers. It says that the server may send as much as it likes,
in frames as large as it likes, and that it keeps no header table: then gRPC writes the trailers as plain text.

RFC 9113 (frames), RFC 7541 (headers), and grpc/doc/PROTOCOL-HTTP2.md.
"""

import socket
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

#: The largest window there is (RFC 9113 §6.9.1), and the one a connection begins with, in bytes.
MAX_WINDOW, FIRST_WINDOW = 2**31 - 1, 65_535
#: The largest frame there is (RFC 9113 §4.2), in bytes.
MAX_FRAME_SIZE = 2**24 - 1
#: Bytes taken from the socket at a time.
BUFFER_BYTES = 4 * 1024 * 1024
#: Longest wait for the server, in seconds.
PATIENCE_SECONDS = 60.0

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADER_BYTES = 9
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1
_HEADER_TABLE_SIZE, _INITIAL_WINDOW_SIZE, _MAX_FRAME_SIZE = 0x1, 0x4, 0x5
_CANCEL = 0x8
#: Trailers of a call that went well; the only literal that gRPC writes for them without a header table.
_STATUS_OK = b"\x0bgrpc-status\x010"


class _Kind(IntEnum):
    """Kinds of frames (RFC 9113 §6)."""

    DATA = 0x0
    HEADERS = 0x1
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8


class CallFailed(Exception):
    """Raised when a call did not end with the status OK, or the connection went away."""


@dataclass(slots=True)
class Reply:
    """What has come of one call."""

    #: Bytes of DATA frames: the messages, and five bytes before each.
    data_bytes: int = 0
    #: The same bytes, where they are kept.
    data: bytearray = field(default_factory=bytearray)
    ended: bool = False

    @property
    def message(self) -> bytes:
        """The one message of a unary call, as it was serialized."""
        return bytes(self.data[5:])


class Http2Client:
    """One connection. For one thread."""

    def __init__(self, port: int, *, keep: bool = False, window: int = MAX_WINDOW, receive_buffer: int = 0) -> None:
        """Connects to a port of loopback.

        `keep`: whether to keep what comes, or only to count it. `window`: how much the server may send of a stream
        before it is granted more. `receive_buffer`: of the socket, in bytes; 0 leaves it to the kernel.
        """
        self._authority = f"127.0.0.1:{port}".encode()
        self._keep = keep
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE_SECONDS)
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        #: Bytes at the front of the buffer that were left over: the beginning of a frame's header.
        self._held = 0
        #: The frame that is being taken in: its kind, flags and stream, and how much of its payload is still to come.
        self._kind, self._flags, self._stream, self._left = 0, 0, 0, 0
        self._payload = bytearray()
        self._next_stream = 1
        self.replies: dict[int, Reply] = {}
        settings = struct.pack(
            ">HIHIHI", _HEADER_TABLE_SIZE, 0, _INITIAL_WINDOW_SIZE, window, _MAX_FRAME_SIZE, MAX_FRAME_SIZE
        )
        grant = struct.pack(">I", MAX_WINDOW - FIRST_WINDOW)
        self._socket.sendall(
            _PREFACE + _frame(_Kind.SETTINGS, 0, 0, settings) + _frame(_Kind.WINDOW_UPDATE, 0, 0, grant)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """The socket's descriptor, to be waited for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Ends the connection, and every call on it."""
        self._socket.close()

    def call(self, path: str, message: bytes) -> int:
        """Begins a call with its one request, which is short; its number. `receive` tells what comes of it.

        Requests are not counted against the server's window: it opens it again as fast as it reads.
        """
        stream = self._next_stream
        self._next_stream += 2
        self.replies[stream] = Reply()
        body = struct.pack(">BI", 0, len(message)) + message
        self._socket.sendall(
            _frame(_Kind.HEADERS, _END_HEADERS, stream, self._request_headers(path))
            + _frame(_Kind.DATA, _END_STREAM, stream, body)
        )
        return stream

    def cancel(self, stream: int) -> None:
        """Drops a call; what still comes of it is ignored."""
        self.replies.pop(stream, None)
        self._socket.sendall(_frame(_Kind.RST_STREAM, 0, stream, struct.pack(">I", _CANCEL)))

    def grant(self, stream: int, size: int) -> None:
        """Lets the server send so many bytes more of a stream."""
        self._socket.sendall(_frame(_Kind.WINDOW_UPDATE, 0, stream, struct.pack(">I", size)))

    def receive(self) -> list[int]:
        """Waits for bytes and takes them in; the calls that ended by them.

        Raises CallFailed for a status that is not OK, a connection that is closed or a server that is silent.
        """
        try:
            received = self._socket.recv_into(self._buffer[self._held :])
        except TimeoutError as error:
            raise CallFailed("the server is silent") from error
        if not received:
            raise CallFailed("the server has closed the connection")
        ended: list[int] = []
        position, end = 0, self._held + received
        self._held = 0
        while position < end:
            if not self._left:
                if end - position < _HEADER_BYTES:
                    self._held = end - position
                    self._buffer[: self._held] = self._buffer[position:end]
                    break
                self._begin_frame(position)
                position += _HEADER_BYTES
            taken = min(self._left, end - position)
            self._left -= taken
            self._take(position, taken)
            position += taken
            if not self._left and self._end_frame():
                ended.append(self._stream)
        return ended

    def finish(self, stream: int) -> Reply:
        """Waits for the end of a call, and takes in what comes of others meanwhile; its reply."""
        reply = self.replies[stream]
        while not reply.ended:
            self.receive()
        del self.replies[stream]
        return reply

    def _request_headers(self, path: str) -> bytes:
        # Of the static table (RFC 7541, Appendix A): the fields 3, `:method: POST`, and 6, `:scheme: http`. Literals
        # without indexing: three with names of that table (4 `:path`, 1 `:authority`, 31 `content-type`), and `te`.
        return b"".join(
            (
                b"\x83\x86\x04",
                _text(path.encode()),
                b"\x01",
                _text(self._authority),
                b"\x0f\x10",
                _text(b"application/grpc"),
                b"\x00",
                _text(b"te"),
                _text(b"trailers"),
            )
        )

    def _begin_frame(self, position: int) -> None:
        high, low, self._kind, self._flags, self._stream = struct.unpack_from(">BHBBI", self._buffer, position)
        self._left = high << 16 | low

    def _take(self, position: int, size: int) -> None:
        if self._kind != _Kind.DATA:
            self._payload += self._buffer[position : position + size]
        elif (reply := self.replies.get(self._stream)) is not None:
            reply.data_bytes += size
            if self._keep:
                reply.data += self._buffer[position : position + size]

    def _end_frame(self) -> bool:
        """Acts on a frame that is complete; whether a call has ended by it."""
        payload, self._payload = self._payload, bytearray()
        if self._kind == _Kind.HEADERS and self._flags & _END_STREAM:
            return self._end_call(bytes(payload))
        if self._kind == _Kind.SETTINGS and not self._flags & _ACK:
            self._socket.sendall(_frame(_Kind.SETTINGS, _ACK, 0, b""))
        elif self._kind == _Kind.PING and not self._flags & _ACK:
            self._socket.sendall(_frame(_Kind.PING, _ACK, 0, bytes(payload)))
        elif self._kind == _Kind.GOAWAY or (self._kind == _Kind.RST_STREAM and self._stream in self.replies):
            raise CallFailed(f"the server has ended the call: {bytes(payload)!r}")
        return False

    def _end_call(self, trailers: bytes) -> bool:
        reply = self.replies.get(self._stream)
        if reply is None:
            return False
        if _STATUS_OK not in trailers:
            raise CallFailed(f"a call was not OK: {trailers!r}")
        reply.ended = True
        return True


def _frame(kind: _Kind, flags: int, stream: int, payload: bytes) -> bytes:
    size = len(payload)
    return struct.pack(">BHBBI", size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def _text(text: bytes) -> bytes:
    """A string literal, not Huffman-coded; shorter than 127 bytes, so that one byte has its length (RFC 7541 §5.1)."""
    if len(text) >= 0x7F:
        raise ValueError(f"too long for one byte: {text!r}")
    return bytes((len(text),)) + text
