"""A real Redis for tests, which can be killed, frozen and started again. It keeps nothing on disk."""

import os
import signal
from collections.abc import Iterator

import pytest
from redis import Redis

from recording_service.adapters.embedded_redis import EmbeddedRedis
from recording_service.adapters.redis_client import api_client
from tests.support.waiting import eventually


class RedisServer(EmbeddedRedis):
    """A Redis on a unix socket; `start` after `kill` starts it empty, at the same place."""

    def kill(self) -> None:
        """Ends it as a crash would; returns when it is gone."""
        self._signal(signal.SIGKILL)
        eventually(lambda: not self.alive(), what="the end of Redis")

    def freeze(self) -> None:
        """Has it accept connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Has it go on, with everything that was sent to it meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process_id is not None
        os.kill(self.process_id, number)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for those who leave it running; others start one of their own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), append_only=False)
    with server:
        yield server


@pytest.fixture
def own_redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of the test's own, to be killed and frozen."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), append_only=False)
    with server:
        yield server
        if server.alive():
            server.thaw()


@pytest.fixture
def flushed(redis_server: RedisServer) -> Iterator[Redis]:
    """A client of the shared Redis, which is empty."""
    client = api_client(redis_server.url)
    client.flushall()
    client.script_flush()
    yield client
    client.close()
