"""One connection a callback, which ends when its time is over.

A socket's own timeout starts anew with every byte. So a second descriptor of the connection is kept, by which another
thread ends it, whatever reads from it or writes to it just then: TLS's handshake too.
"""

import socket
import threading
from functools import partial
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError


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


class BoundedPool(HTTPConnectionPool):
    """Makes the connection of one callback."""

    ConnectionCls = BoundedConnection

    def __init__(self, host: str, port: int | None, *, deadline: Deadline, **options: Any) -> None:
        super().__init__(host, port, **options)
        self._deadline = deadline

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.deadline = self._deadline
        return connection


class BoundedSecurePool(BoundedPool, HTTPSConnectionPool):
    """The same, with TLS."""

    ConnectionCls = BoundedSecureConnection


class BoundedAdapter(HTTPAdapter):
    """Sends one request. Without a session there are no redirects, proxies, netrc, cookies and environment."""

    def __init__(self, deadline: Deadline, certificates: Path | None) -> None:
        """`certificates` are trusted instead of certifi's."""
        super().__init__()
        self._verify = str(certificates) if certificates else True
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(BoundedPool, deadline=deadline),
            "https": partial(BoundedSecurePool, deadline=deadline),
        }

    def ask(self, request: requests.PreparedRequest, *, connect_seconds: float, seconds: float) -> requests.Response:
        """Asks, and reads the headers of the answer. Raises what requests and urllib3 raise."""
        return self.send(request, stream=True, timeout=(connect_seconds, seconds), verify=self._verify)


def _shut_down(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It has ended by itself.
        return
