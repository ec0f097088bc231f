"""What the kernel takes of an answer beyond its client's window: more for those who have proven to be fast."""

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from recording_service.http_api.connections.connection import (
    FAST_UNSENT_BYTES,
    UNSENT_BYTES,
    ConnectionLimits,
    GuardedConfig,
    GuardedConnection,
)
from recording_service.http_api.connections.request_bodies import RequestLimits


async def nobody(*_: object) -> None:
    """Answers nothing: no request is made here."""


class Clock:
    """A loop, as far as time goes."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        """The time."""
        return self.now

    def call_later(self, _delay: float, _callback: Any) -> Any:
        """Never."""
        return SimpleNamespace(cancel=lambda: None)


class Connection:
    """A connection whose client makes room after as long as it is told to."""

    def __init__(self, clock: Clock, socket_: socket.socket) -> None:
        config = GuardedConfig(lambda: None, http=GuardedConnection, ws="none", lifespan="off")
        config.limits = ConnectionLimits(header_seconds=10, header_bytes=1000, write_stall_seconds=900)
        config.request_limits = RequestLimits(body_seconds=10, body_bytes=1000)
        config.busy_app = nobody
        self._clock = clock
        transport: Any = SimpleNamespace(
            get_extra_info=lambda name: socket_ if name == "socket" else None,
            is_closing=lambda: False,
            abort=lambda: None,
        )
        state: Any = SimpleNamespace(connections=set(), tasks=set())
        self._protocol = GuardedConnection(config, state, {}, clock)  # type: ignore[arg-type]  # all that is needed of it
        self._protocol.connection_made(transport)

    def takes(self, seconds: float, times: int) -> None:
        """The client makes room so many times."""
        for _ in range(times):
            self._protocol.pause_writing()
            self._clock.now += seconds
            self._protocol.resume_writing()


@pytest.fixture
def connection_socket() -> Any:
    with socket.socket() as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        yield opened


def _unsent(connection: socket.socket) -> int:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)


def test_a_client_that_has_been_quick_for_long_is_woken_for_less_often(connection_socket: socket.socket) -> None:
    connection = Connection(Clock(), connection_socket)
    connection.takes(0.01, 20)
    assert _unsent(connection_socket) == UNSENT_BYTES
    connection.takes(0.01, 100)
    assert _unsent(connection_socket) == FAST_UNSENT_BYTES


def test_a_client_that_slows_down_gets_no_more_ahead_than_it_did(connection_socket: socket.socket) -> None:
    connection = Connection(Clock(), connection_socket)
    connection.takes(0.01, 100)
    connection.takes(4.0, 1)
    assert _unsent(connection_socket) == UNSENT_BYTES


def test_a_listener_stays_with_little_however_long_it_listens(connection_socket: socket.socket) -> None:
    connection = Connection(Clock(), connection_socket)
    connection.takes(4.0, 1000)
    assert _unsent(connection_socket) == UNSENT_BYTES
