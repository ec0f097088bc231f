"""The doorbells and feeds of changes that the contract suites run over, and how to break them."""

from collections.abc import Iterator
from typing import Protocol

import pytest
from redis import Redis
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from recording_service.adapters.memory.changes import MemoryChangeFeed
from recording_service.adapters.memory.queue import MemoryBellQueue
from recording_service.adapters.redis_changes import RedisChangeFeed
from recording_service.adapters.redis_client import api_client
from recording_service.adapters.rq_queue.job import RESULT_TTL_SECONDS, RecordingJob
from recording_service.adapters.rq_queue.queue import QUEUE_NAMES, RqBellQueue
from recording_service.adapters.rq_queue.steady_worker import RecordingQueue
from recording_service.core.errors import QueueUnavailable
from recording_service.core.model import Bell, Work
from recording_service.core.ports import BellQueue, ChangeFeed
from tests.support.redis_server import RedisServer


class BreakableQueue(Protocol):
    """A doorbell with everything that happens to one."""

    @property
    def queue(self) -> BellQueue: ...

    def hear(self, work: Work = Work.DOWNLOAD) -> Bell | None:
        """What a worker does that answers one bell of that kind."""

    def forget(self) -> None: ...

    def break_down(self) -> None: ...

    def mend(self) -> None: ...


class BreakableFeed(Protocol):
    """A feed of changes with everything that happens to one."""

    @property
    def feed(self) -> ChangeFeed: ...

    def break_down(self) -> None: ...

    def mend(self) -> None: ...


class BreakableMemoryQueue:
    def __init__(self) -> None:
        self.queue = MemoryBellQueue()
        self.hear = self.queue.hear
        self.forget = self.queue.forget

    def break_down(self) -> None:
        self.queue.fail_with = QueueUnavailable()

    def mend(self) -> None:
        self.queue.fail_with = None


class BreakableRqQueue:
    def __init__(self, server: RedisServer, client: Redis) -> None:
        self._server = server
        self._client = client
        self.queue = RqBellQueue(client)

    def hear(self, work: Work = Work.DOWNLOAD) -> Bell | None:
        queue = RecordingQueue(QUEUE_NAMES[work], connection=self._client, serializer=JSONSerializer)
        taken = RecordingQueue.dequeue_any(
            [queue], None, connection=self._client, job_class=RecordingJob, serializer=JSONSerializer
        )
        if taken is None:
            return None
        job, _ = taken
        job.set_status(JobStatus.FINISHED)
        job.cleanup(RESULT_TTL_SECONDS)
        queue.intermediate_queue.remove(job.id)
        return Bell.from_job_id(job.args[0])

    def forget(self) -> None:
        self._client.flushall()

    def break_down(self) -> None:
        self._server.kill()

    def mend(self) -> None:
        self._server.start()


class BreakableMemoryFeed:
    def __init__(self) -> None:
        self.feed = MemoryChangeFeed()

    def break_down(self) -> None:
        self.feed.fail_with = QueueUnavailable()

    def mend(self) -> None:
        self.feed.fail_with = None


class BreakableRedisFeed:
    def __init__(self, server: RedisServer, client: Redis) -> None:
        self._server = server
        self.feed = RedisChangeFeed(client)

    def break_down(self) -> None:
        self._server.kill()

    def mend(self) -> None:
        self._server.start()


@pytest.fixture(scope="session")
def breakable_redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for the contract suites alone, which mend what they break."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), append_only=False)
    with server:
        yield server


@pytest.fixture
def breakable_redis_client(breakable_redis_server: RedisServer) -> Iterator[Redis]:
    """A client of that Redis, running and empty."""
    breakable_redis_server.start()
    client = api_client(breakable_redis_server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(params=["memory", "redis"])
def breakable_queue(request: pytest.FixtureRequest) -> BreakableQueue:
    """An empty doorbell."""
    if request.param == "memory":
        return BreakableMemoryQueue()
    return BreakableRqQueue(
        request.getfixturevalue("breakable_redis_server"), request.getfixturevalue("breakable_redis_client")
    )


@pytest.fixture(params=["memory", "redis"])
def breakable_feed(request: pytest.FixtureRequest) -> Iterator[BreakableFeed]:
    """A feed that nobody listens to yet."""
    breakable: BreakableFeed = (
        BreakableMemoryFeed()
        if request.param == "memory"
        else BreakableRedisFeed(
            request.getfixturevalue("breakable_redis_server"), request.getfixturevalue("breakable_redis_client")
        )
    )
    yield breakable
    breakable.feed.close()
