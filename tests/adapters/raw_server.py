"""A server that answers with exactly the bytes a test gives it, and remembers the head of each request."""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

#: Seconds until a server that is being stopped has ended its threads.
STOP_SECONDS = 10.0

#: What a connection is answered with: called with the connection once the head of a request has come.
Script = Callable[[socket.socket], None]


class RawServer:
    """A context manager. Each connection is answered by the next script, the last one for ever, and then closed."""

    def __init__(self, *scripts: Script | bytes, tls: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        self._scripts: list[Script | bytes] = list(scripts)
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self.port: int = self._listening.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def wait_stopped(self) -> None:
        """For scripts that keep the client waiting: returns when the server stops."""
        self._stopped.wait(STOP_SECONDS)

    def authorizations(self) -> list[str]:
        """The Authorization headers that came."""
        lines: Sequence[str] = [line for head in self.heads for line in head.split("\r\n")]
        return [line for line in lines if line.lower().startswith("authorization:")]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Closes every connection and refuses new ones. Idempotent."""
        self._stopped.set()
        for each in (self._listening, *self._connections):
            with suppress(OSError):  # It may have been closed by its script, or by the client.
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(STOP_SECONDS)
        for each in (self._listening, *self._connections):
            each.close()

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:  # Stopped.
                return
            self._connections.append(connection)
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            self._start(lambda connection=connection, script=script: self._answer(connection, script))  # type: ignore[misc]

    def _answer(self, connection: socket.socket, script: Script | bytes) -> None:
        # The client may go whenever it likes.
        with suppress(OSError), self._secured(connection) as secured:
            self.heads.append(_head(secured))
            if callable(script):
                script(secured)
            else:
                secured.sendall(script)

    def _secured(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection


def _head(connection: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("the client sent no request")
        received += data
    return received.decode("latin-1")


def answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """The bytes of an answer; nothing is added to the headers that are given."""
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode("latin-1") + body
