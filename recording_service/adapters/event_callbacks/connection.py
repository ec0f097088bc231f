"""One connection a callback, which ends when its time is over.

A socket's own timeout starts anew with every byte. So a second descriptor of the connection is kept, by which another
thread ends it, whatever reads from it or writes to it just then: TLS's handshake too.
"""

import socket
import threading
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HeaderParsingError, NewConnectionError

from recording_service.adapters.one_request import OneRequestAdapter, StrictResponse


class Deadline:
    """How long one callback may take, from now on. `cut` and `cancel` may come from any thread."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.daemon = True
        self._timer.start()

    def covers(self, connection: socket.socket) -> bool:
        """Has the connection end with it; False if it is over already."""
        with self._lock:
            if not self.is_over:
                self._sockets.append(connection.dup())
            return not self.is_over

    def cut(self) -> None:
        """Ends it now."""
        with self._lock:
            self.is_over = True
            for sock in self._sockets:
                _shut_down(sock)

    def cancel(self) -> None:
        """The callback has come to its end."""
        self._timer.cancel()
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()


class StatusResponse(StrictResponse):
    """An answer that has its status, whatever its headers are."""

    def begin(self) -> None:
        """Reads the headers, and forgets them all if some are malformed."""
        try:
            super().begin()
        except HeaderParsingError:
            # The receiver has the event, and has said so: to send it again would not mend its headers.
            self.headers = self.msg = HTTPMessage()


class BoundedConnection(HTTPConnection):
    """A connection that its deadline can end."""

    deadline: Deadline

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        if not self.deadline.covers(connection):
            connection.close()
            raise NewConnectionError(self, "the time was over when the connection had come about")
        return connection


class BoundedSecureConnection(BoundedConnection, HTTPSConnection):
    """The same, with TLS."""


class BoundedAdapter(OneRequestAdapter):
    """Sends one request, within its deadline."""

    def __init__(self, deadline: Deadline, certificates: Path | None) -> None:
        """`certificates` are trusted instead of certifi's."""
        self._deadline = deadline
        super().__init__(BoundedConnection, BoundedSecureConnection, self._prepare, certificates)

    def _prepare(self, connection: Any) -> None:
        connection.response_class = StatusResponse
        connection.deadline = self._deadline


def _shut_down(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It has ended by itself.
        return
