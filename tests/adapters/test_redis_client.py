"""How long Redis may keep us waiting, and what becomes of its errors."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis.exceptions
from redis.connection import UnixDomainSocketConnection
from redis.exceptions import DataError, RedisError

from recording_service.adapters.redis_client import api_client, redis_errors, worker_client
from recording_service.core.errors import QueueUnavailable
from tests.support.redis_server import RedisServer

#: What a caller may lose at most to a Redis that is not there, in seconds.
BOUND_SECONDS = 2.0


def subclasses(kind: type[RedisError]) -> set[type[RedisError]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def seconds_until_unavailable(url: str) -> float:
    """How long a call takes to fail."""
    client = api_client(url)
    started = time.monotonic()
    with pytest.raises(QueueUnavailable), redis_errors():
        client.ping()
    client.close()
    return time.monotonic() - started


@contextmanager
def when_connecting(notice: Callable[[object], None]) -> Iterator[None]:
    """Tells of each attempt to connect to a unix socket before it is made."""
    connect = UnixDomainSocketConnection._connect

    def noticed(connection: UnixDomainSocketConnection) -> socket.socket:
        notice(connection)
        return connect(connection)  # type: ignore[no-any-return, no-untyped-call]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(UnixDomainSocketConnection, "_connect", noticed)
        yield


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Accepts connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def refusing_port() -> int:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Answers no attempt to connect: its queue of connections is full, and nobody accepts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        yield port
        for caller in callers:
            caller.close()


def test_a_redis_that_refuses_is_an_error_at_once(refusing_port: int) -> None:
    assert seconds_until_unavailable(f"redis://127.0.0.1:{refusing_port}/0") < BOUND_SECONDS / 2
    assert seconds_until_unavailable("unix:///nowhere/redis.sock") < BOUND_SECONDS / 2


def test_a_redis_that_swallows_everything_is_an_error_in_time(silent_port: int) -> None:
    assert seconds_until_unavailable(f"redis://127.0.0.1:{silent_port}/0") < BOUND_SECONDS
    assert seconds_until_unavailable(f"redis://user:password@127.0.0.1:{silent_port}/1") < BOUND_SECONDS


def test_a_redis_that_accepts_no_connection_is_an_error_in_time(deaf_port: int) -> None:
    assert seconds_until_unavailable(f"redis://127.0.0.1:{deaf_port}/0") < BOUND_SECONDS


def test_a_redis_that_stands_still_is_an_error_in_time_connected_or_not(own_redis_server: RedisServer) -> None:
    client = api_client(own_redis_server.url)
    client.ping()
    own_redis_server.freeze()
    started = time.monotonic()
    with pytest.raises(QueueUnavailable), redis_errors():
        client.ping()
    assert time.monotonic() - started < BOUND_SECONDS
    assert seconds_until_unavailable(own_redis_server.url) < BOUND_SECONDS
    client.close()


def test_a_redis_that_was_started_again_costs_no_call(own_redis_server: RedisServer) -> None:
    client = api_client(own_redis_server.url)
    client.ping()
    own_redis_server.kill()
    own_redis_server.start()
    with redis_errors():
        assert client.ping()
    client.close()


def test_every_error_of_redis_but_a_bug_of_ours_makes_the_queue_unavailable() -> None:
    for kind in subclasses(RedisError):
        if issubclass(kind, DataError):
            continue
        original = kind.__new__(kind)
        with pytest.raises(QueueUnavailable) as caught, redis_errors():
            raise original
        assert caught.value.__cause__ is original


def test_what_is_known_to_happen_is_among_the_errors_that_are_translated() -> None:
    known = {
        redis.exceptions.ConnectionError,
        redis.exceptions.TimeoutError,
        redis.exceptions.BusyLoadingError,
        redis.exceptions.AuthenticationError,
        redis.exceptions.OutOfMemoryError,
        redis.exceptions.ReadOnlyError,
        redis.exceptions.NoScriptError,
        redis.exceptions.ResponseError,
    }
    assert known <= subclasses(RedisError)


@pytest.mark.parametrize("error", [DataError("no value"), AttributeError("no attribute"), ValueError("no number")])
def test_a_bug_of_ours_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, redis_errors():
        raise error
    assert caught.value is error


def test_the_message_for_callers_names_no_address_and_no_password(refusing_port: int) -> None:
    client = api_client(f"redis://:secret@127.0.0.1:{refusing_port}/0")
    with pytest.raises(QueueUnavailable) as caught, redis_errors():
        client.ping()
    client.close()
    assert "127.0.0.1" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_worker_gets_over_a_redis_that_is_being_started_again(own_redis_server: RedisServer) -> None:
    client = worker_client(own_redis_server.url)
    client.ping()
    own_redis_server.kill()
    attempts = []

    def start_at_the_third_attempt(connection: object) -> None:
        attempts.append(connection)
        if len(attempts) == 3:
            own_redis_server.start()

    with when_connecting(start_at_the_third_attempt):
        assert client.ping()
    client.close()


def test_a_worker_does_not_wait_for_a_silent_redis_more_than_once(silent_port: int) -> None:
    client = worker_client(f"redis://127.0.0.1:{silent_port}/0?socket_timeout=0.2")
    started = time.monotonic()
    with pytest.raises(redis.exceptions.TimeoutError):
        client.ping()
    assert time.monotonic() - started < BOUND_SECONDS
    client.close()


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="scheme"):
        api_client("http://127.0.0.1/")
