"""The doorbell on RQ: that RQ recognises its bells, and that nothing that goes wrong goes unsaid."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import redis.exceptions
from redis import Redis
from redis.client import Pipeline
from redis.connection import AbstractConnection
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from recording_service.adapters.rq_queue import queue as queue_module
from recording_service.adapters.rq_queue.job import (
    DOWNLOAD_FUNCTION,
    FAILURE_TTL_SECONDS,
    JOB_TIMEOUT_SECONDS,
    PROCESS_FUNCTION,
    RESULT_TTL_SECONDS,
    RETRY,
    RecordingJob,
)
from recording_service.adapters.rq_queue.queue import (
    INCARNATION_KEY,
    PROCESSING_QUEUE_NAME,
    QUEUE_NAME,
    RqBellQueue,
)
from recording_service.core.errors import QueueUnavailable
from recording_service.core.model import Bell, Occasion, Work
from tests.support.redis_server import RedisServer

#: Fields that say when, or where from the hash was written.
TIMES = {b"created_at", b"enqueued_at"}


def bell(number: int, attempt: int = 1) -> Bell:
    return Bell("AC" + "a" * 32, f"RE{number:032x}", attempt)


def key(one: Bell) -> str:
    return f"rq:job:{one.job_id}"


def enqueue_as_rq_does(client: Redis, one: Bell) -> Job:
    """A bell, rung by RQ's own front door."""
    return Queue(QUEUE_NAME, connection=client, serializer=JSONSerializer).enqueue(
        DOWNLOAD_FUNCTION,
        args=(one.job_id,),
        job_id=one.job_id,
        unique=True,
        job_timeout=JOB_TIMEOUT_SECONDS,
        result_ttl=RESULT_TTL_SECONDS,
        failure_ttl=FAILURE_TTL_SECONDS,
        description="recording",
        retry=Retry(max=3),
    )


@pytest.fixture
def bells(flushed: Redis) -> RqBellQueue:
    return RqBellQueue(flushed)


def everything(client: Redis) -> dict[Any, Any]:
    """All that is in Redis, sets and lists and hashes and times to live."""
    readers: dict[Any, Callable[[Any], Any]] = {
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"list": lambda name: client.lrange(name, 0, -1),
    }
    names: list[Any] = client.keys()
    return {name: (readers[client.type(name)](name), client.ttl(name)) for name in names}


def without_times(contents: dict[Any, Any]) -> dict[Any, Any]:
    return {
        name: ({k: v for k, v in value.items() if k not in TIMES} if isinstance(value, dict) else value, ttl)
        for name, (value, ttl) in contents.items()
    }


@pytest.mark.parametrize("count", [1, 2, 16])
def test_a_bell_is_to_the_field_what_rqs_own_enqueue_writes(flushed: Redis, bells: RqBellQueue, count: int) -> None:
    rung = [bell(number) for number in range(count)]
    for one in rung:
        enqueue_as_rq_does(flushed, one)
    as_rq_does = everything(flushed)
    flushed.flushall()
    flushed.script_flush()
    bells.ring(rung)
    as_we_do = everything(flushed)

    assert without_times(as_we_do) == without_times(as_rq_does)
    for one in rung:
        ours, theirs = (contents[key(one).encode()][0] for contents in (as_we_do, as_rq_does))
        assert set(ours) == set(theirs)
        for field in TIMES:
            assert datetime.strptime(ours[field].decode(), "%Y-%m-%dT%H:%M:%S.%fZ").year > 2000


def test_rq_reads_a_bell_as_a_job_of_its_own(flushed: Redis, bells: RqBellQueue) -> None:
    bells.ring([bell(1)])
    job = Job.fetch(bell(1).job_id, connection=flushed, serializer=JSONSerializer)

    assert (job.func_name, job.args, job.kwargs, job.instance) == (DOWNLOAD_FUNCTION, [bell(1).job_id], {}, None)
    assert (job.retries_left, job.retry_intervals, job.enqueue_at_front_on_retry) == (3, [0], False)
    assert (job.timeout, job.result_ttl, job.failure_ttl, job.ttl) == (900, 60, 86_400, None)
    assert (job.origin, job.description, job.get_status()) == ("recordings", "recording", JobStatus.QUEUED)
    assert Queue(QUEUE_NAME, connection=flushed).job_ids == [job.id]
    assert [queue.name for queue in Queue.all(flushed)] == [QUEUE_NAME]


def test_the_time_a_bell_may_take_can_be_set(flushed: Redis) -> None:
    rung = [bell(1), bell(1)._replace(work=Work.PROCESSING)]
    RqBellQueue(flushed, job_timeouts={Work.DOWNLOAD: 5, Work.PROCESSING: 7}).ring(rung)

    jobs = [RecordingJob.fetch(one.job_id, connection=flushed, serializer=JSONSerializer) for one in rung]
    assert [job.timeout for job in jobs] == [5, 7]


def test_rq_and_we_find_each_others_bells_duplicate(flushed: Redis, bells: RqBellQueue) -> None:
    bells.ring([bell(1)])
    with pytest.raises(DuplicateJobError):
        enqueue_as_rq_does(flushed, bell(1))
    enqueue_as_rq_does(flushed, bell(2))
    bells.ring([bell(1), bell(2)])

    assert bells.waiting() == 2


def test_rq_is_given_a_retry_object(bells: RqBellQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    create_job = Queue.create_job

    def spy(queue: Queue, *args: Any, **kwargs: Any) -> Job:
        given.append(kwargs["retry"])
        return create_job(queue, *args, **kwargs)

    monkeypatch.setattr(Queue, "create_job", spy)
    bells.ring([bell(1), bell(2)])

    assert given == [RETRY]
    assert isinstance(RETRY, Retry)
    assert (RETRY.max, RETRY.intervals) == (3, [0])


@pytest.mark.parametrize("count", [1, 16])
def test_a_number_instead_of_a_retry_is_raised_and_rings_nothing(
    flushed: Redis, bells: RqBellQueue, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(queue_module, "RETRY", 3)
    with pytest.raises(AttributeError, match="'int' object has no attribute 'max'"):
        bells.ring([bell(number) for number in range(count)])

    assert flushed.dbsize() == 0


@pytest.mark.parametrize("error", [AttributeError("a bug"), TypeError("a bug"), ValueError("a bug")])
def test_what_rq_raises_on_a_bug_of_ours_stays_as_it_is(
    flushed: Redis, bells: RqBellQueue, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: Any, **__: Any) -> Job:
        raise error

    monkeypatch.setattr(Queue, "create_job", broken)
    with pytest.raises(type(error)) as caught:
        bells.ring([bell(1)])

    assert caught.value is error
    assert flushed.dbsize() == 0


@pytest.mark.parametrize(
    "error",
    [
        redis.exceptions.ConnectionError("refused"),
        redis.exceptions.TimeoutError("silent"),
        redis.exceptions.BusyLoadingError("loading"),
        redis.exceptions.ResponseError("OOM command not allowed"),
        redis.exceptions.ReadOnlyError("a replica"),
    ],
)
def test_what_redis_raises_is_said_as_queue_unavailable(
    bells: RqBellQueue, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(Pipeline, "execute", broken)
    with pytest.raises(QueueUnavailable) as caught:
        bells.ring([bell(1)])

    assert caught.value.__cause__ is error


@pytest.mark.parametrize("count", [1, 16])
def test_a_redis_without_memory_is_said_and_rings_when_it_has_some(own_redis_server: RedisServer, count: int) -> None:
    client = Redis.from_url(own_redis_server.url)
    bells, rung = RqBellQueue(client), [bell(number) for number in range(count)]
    client.config_set("maxmemory", 1)
    with pytest.raises(QueueUnavailable):
        bells.ring(rung)
    client.config_set("maxmemory", 0)
    assert (bells.waiting(), [bells.is_unheard(one) for one in rung]) == (0, [False] * count)

    bells.ring(rung)
    assert bells.waiting() == count
    client.close()


def test_a_bell_whose_answer_was_lost_has_rung_once_when_it_is_rung_again(own_redis_server: RedisServer) -> None:
    client = Redis.from_url(own_redis_server.url, socket_timeout=0.2, retry=None)
    bells = RqBellQueue(client)
    bells.check()
    own_redis_server.freeze()
    with pytest.raises(QueueUnavailable):
        bells.ring([bell(1), bell(2)])
    own_redis_server.thaw()

    bells.ring([bell(1), bell(2)])
    assert bells.waiting() == 2
    client.close()


@pytest.mark.parametrize("count", [1, 64])
def test_any_number_of_bells_is_one_round_trip_even_to_a_redis_that_was_just_started(
    bells: RqBellQueue, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    bells.check()
    sent: list[object] = []
    send: Any = AbstractConnection.send_packed_command

    def spy(connection: AbstractConnection, command: Any, **kwargs: Any) -> None:
        sent.append(command)
        send(connection, command, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", spy)
    bells.ring([bell(number) for number in range(count)])

    assert len(sent) == 1
    assert bells.waiting() == count


@pytest.mark.parametrize("status", ["queued", "started", "finished", "failed", "no status at all"])
def test_a_bell_that_was_taken_from_the_queue_was_heard_whatever_its_job_says(
    flushed: Redis, bells: RqBellQueue, status: str
) -> None:
    bells.ring([bell(1), bell(2)])
    flushed.lpop("rq:queue:recordings")
    flushed.hset(key(bell(1)), "status", status)

    assert [bells.is_unheard(bell(number)) for number in (1, 2)] == [False, True]
    assert [bell(number) in bells.unheard() for number in (1, 2)] == [False, True]


def test_none_that_waits_is_missed_while_others_ring_and_hear(
    flushed: Redis, bells: RqBellQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "NAMES_AT_ONCE", 3)
    rung = [bell(number) for number in range(20)]
    bells.ring(rung)
    lrange, news = flushed.lrange, iter(range(100, 200))

    def busy(*where: Any) -> Any:
        piece = lrange(*where)
        for _ in range(2):
            flushed.lpop("rq:queue:recordings")
            bells.ring([bell(next(news))])
        return piece

    monkeypatch.setattr(bells._client, "lrange", busy)
    unheard = bells.unheard()
    still_wait = [one for one in rung if bells.is_unheard(one)]
    assert 0 < len(still_wait) < len(rung)
    assert all(one in unheard for one in still_wait)


def test_the_ghost_of_a_job_is_no_bell(flushed: Redis, bells: RqBellQueue) -> None:
    flushed.hset(key(bell(1)), "last_heartbeat", "2026-01-01T00:00:00.000000Z")

    assert not bells.is_unheard(bell(1))


def test_neither_a_waiting_bell_nor_the_word_of_the_incarnation_expires(flushed: Redis, bells: RqBellQueue) -> None:
    bells.ring([bell(1)])
    bells.incarnation()

    assert (flushed.ttl(key(bell(1))), flushed.ttl(INCARNATION_KEY)) == (-1, -1)


def test_two_who_ask_for_the_incarnation_hear_the_same(redis_server: RedisServer, bells: RqBellQueue) -> None:
    other = Redis.from_url(redis_server.url)

    assert RqBellQueue(other).incarnation() == bells.incarnation()
    other.close()


def test_a_redis_that_kept_its_data_over_a_restart_is_another_incarnation(own_redis_server: RedisServer) -> None:
    client = Redis.from_url(own_redis_server.url)
    bells = RqBellQueue(client)
    before = bells.incarnation()
    word = client.get(INCARNATION_KEY)
    own_redis_server.kill()
    own_redis_server.start()
    assert word is not None
    client.set(INCARNATION_KEY, word)

    assert bells.incarnation() != before
    client.close()


def test_a_queue_holds_no_bells_of_another(flushed: Redis) -> None:
    one, other = (dict.fromkeys(Work, name) for name in ("one", "other"))
    RqBellQueue(flushed, one).ring([bell(1)])

    assert (RqBellQueue(flushed, one).waiting(), RqBellQueue(flushed, other).waiting()) == (1, 0)


@pytest.mark.parametrize("occasion", Occasion)
def test_bells_of_both_kinds_rung_at_once_are_each_in_their_queue_with_their_call(
    flushed: Redis, bells: RqBellQueue, occasion: Occasion
) -> None:
    rung = [bell(number)._replace(work=work, occasion=occasion) for number in (1, 2) for work in Work]
    bells.ring(rung)

    assert {queue.name for queue in Queue.all(flushed)} == {QUEUE_NAME, PROCESSING_QUEUE_NAME}
    for work, name, function in (
        (Work.DOWNLOAD, QUEUE_NAME, DOWNLOAD_FUNCTION),
        (Work.PROCESSING, PROCESSING_QUEUE_NAME, PROCESS_FUNCTION),
    ):
        names = [one.job_id for one in rung if one.work is work]
        assert Queue(name, connection=flushed).job_ids == names
        for job_id in names:
            job = RecordingJob.fetch(job_id, connection=flushed, serializer=JSONSerializer)
            assert (job.func_name, job.args, job.origin, job.refusal) == (function, [job_id], name, None)


def test_functions_and_names_are_those_that_are_given(flushed: Redis) -> None:
    names = {Work.DOWNLOAD: "one", Work.PROCESSING: "two"}
    functions = {Work.DOWNLOAD: "module.first", Work.PROCESSING: "module.second"}
    rung = [bell(1)._replace(work=work) for work in Work]
    RqBellQueue(flushed, names, functions=functions).ring(rung)

    jobs = [Job.fetch(one.job_id, connection=flushed, serializer=JSONSerializer) for one in rung]
    assert [(job.origin, job.func_name) for job in jobs] == [("one", "module.first"), ("two", "module.second")]
