"""HTTP/1.1 over a bare socket: requests go out as they are written, answers are taken apart and nothing is tidied."""

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Self

#: Longest wait for anything on a socket, in seconds.
WAIT_SECONDS = 20.0

_RECEIVE_BYTES = 64 * 1024
#: Statuses that never have a body (RFC 9112 §6.3).
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True)
class Head:
    """Status line and header of one answer; names in lower case."""

    status: int
    fields: Sequence[tuple[str, str]]

    def __getitem__(self, name: str) -> str:
        """The value of a field that is there exactly once."""
        (value,) = self.all(name)
        return value

    def __contains__(self, name: str) -> bool:
        """Whether there is such a field."""
        return bool(self.all(name))

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.fields if key == name]

    def subset(self, *names: str) -> dict[str, list[str]]:
        """These fields, for comparing answers."""
        return {name: self.all(name) for name in names}


@dataclass(frozen=True)
class Answer:
    """One answer, read to its end."""

    head: Head
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Wire:
    """One connection. What was read ahead of an answer stays for the next one."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = connection.makefile("rb")

    @classmethod
    def to(cls, port: int) -> Self:
        """Connects. The kernel takes little ahead of what is read, so that dropping a large answer costs little."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        connection.settimeout(WAIT_SECONDS)
        connection.connect(("127.0.0.1", port))
        return cls(connection)

    def close(self) -> None:
        """Drops the connection, as a player does that seeks."""
        self._incoming.close()
        self._connection.close()

    def send(self, *requests: bytes) -> None:
        """Sends these bytes in one go."""
        self._connection.sendall(b"".join(requests))

    def head(self) -> Head:
        """The next status line and header."""
        status_line, *lines = self.raw_head().split("\r\n")[:-2]
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        fields = []
        for line in lines:
            name, colon, value = line.partition(":")
            assert colon
            assert name == name.strip()
            fields.append((name.lower(), value.strip(" ")))
        return Head(int(status), fields)

    def body(self, head: Head, method: str = "GET") -> bytes:
        """The body of that answer: always announced by its length."""
        assert "transfer-encoding" not in head
        assert "content-encoding" not in head
        if head.status in _BODILESS:
            assert "content-length" not in head
            return b""
        length = int(head["content-length"])
        return b"" if method == "HEAD" else self.read(length)

    def read(self, size: int) -> bytes:
        """So many bytes, all of them."""
        data = self._incoming.read(size)
        assert len(data) == size
        return data

    def answer(self, method: str = "GET") -> Answer:
        """The next answer, of a request with that method."""
        head = self.head()
        return Answer(head, self.body(head, method))

    def is_at_its_end(self) -> bool:
        """Whether the server has closed the connection, with nothing left to read."""
        return self._incoming.read(1) == b""

    def raw_head(self) -> str:
        """The next status line and header as they came, up to and including the empty line."""
        received = bytearray()
        while not received.endswith(b"\r\n\r\n"):
            line = self._incoming.readline()
            assert line.endswith(b"\r\n"), f"the header ends with {line!r}"
            received += line
        return received.decode("latin-1")


@contextmanager
def connected(port: int) -> Iterator[Wire]:
    """A connection for the block."""
    with closing(Wire.to(port)) as wire:
        yield wire


def request(method: str, target: str, *fields: str, version: str = "1.1") -> bytes:
    """A request as bytes: each field is a line as it stands."""
    host = ("Host: recordings.example.com",) if version == "1.1" else ()
    lines = (f"{method} {target} HTTP/{version}", *host, *fields, "", "")
    return "\r\n".join(lines).encode("latin-1")
