"""A listening socket in threads of their own, one a connection, which end when it stops."""

import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

#: Seconds that stopping may take.
STOP_SECONDS = 10.0


class Listener(socketserver.ThreadingTCPServer):
    """Accepts connections from its construction on, and serves them from `start` on."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._errors: list[BaseException] = []
        #: Set when everything that waits is to wait no more.
        self.stopping = threading.Event()
        super().__init__(address, handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="transcription-stand-in")

    @property
    def port(self) -> int:
        """The port listened on."""
        port: int = self.server_address[1]
        return port

    def start(self) -> None:
        """Serves from then on."""
        self._thread.start()

    def stop(self) -> None:
        """Cuts all connections, ends all threads, and raises what went wrong while serving, if anything."""
        self.stopping.set()
        self.shutdown()
        self._thread.join(STOP_SECONDS)
        with self._lock:
            for connection in self._connections:
                _shut(connection)
        self.server_close()
        if self._errors:
            raise self._errors.pop()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Keeps what has been accepted, so that it can be cut."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Lets a connection go that has been served."""
        with self._lock:
            self._connections.discard(request)
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keeps what `stop` raises. A client that goes away is none of it."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self._errors.append(error)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The client was faster.
