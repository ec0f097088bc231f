"""Ringing."""

import secrets
import zlib
from collections.abc import Container, Mapping, Sequence, Set
from itertools import chain
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job
from rq.scripts import UNIQUE_ENQUEUE_SCRIPT
from rq.serializers import JSONSerializer
from rq.utils import now

from recording_service.adapters.redis_client import redis_errors
from recording_service.adapters.rq_queue.job import (
    FAILURE_TTL_SECONDS,
    FUNCTIONS,
    JOB_TIMEOUT_SECONDS,
    RESULT_TTL_SECONDS,
    RETRY,
    RecordingJob,
)
from recording_service.core.model import Bell, Work

#: The names of the queues: each kind of work has workers of its own.
QUEUE_NAME = "recordings"
PROCESSING_QUEUE_NAME = "recordings-processing"
QUEUE_NAMES: Mapping[Work, str] = {Work.DOWNLOAD: QUEUE_NAME, Work.PROCESSING: PROCESSING_QUEUE_NAME}

#: How long a bell of each kind may be answered before its work-horse is stopped, in seconds.
JOB_TIMEOUTS: Mapping[Work, int] = dict.fromkeys(Work, JOB_TIMEOUT_SECONDS)

#: Where the queue's memory has its name: no expiry, so it goes only when everything goes.
INCARNATION_KEY = "recordings:incarnation"


#: How many names are read at a time: Redis is kept for some milliseconds.
NAMES_AT_ONCE = 10_000


class _Names(Container[Bell]):
    """Bells, by their names."""

    def __init__(self, names: Set[bytes | str]) -> None:
        self._names = names

    def __contains__(self, bell: object) -> bool:
        return isinstance(bell, Bell) and bell.job_id.encode() in self._names


class RqBellQueue:
    """Implements `ports.BellQueue` on RQ. Safe to use from many threads.

    Many bells are rung in one round trip, which `Queue.enqueue(unique=True)` can't do: it takes two a job, and ignores
    pipelines (rq/queue.py:1433). So the jobs are RQ's own, and so is the script that pushes them; only the pipeline is
    ours.
    """

    def __init__(
        self,
        client: Redis,
        queue_names: Mapping[Work, str] = QUEUE_NAMES,
        *,
        functions: Mapping[Work, str] = FUNCTIONS,
        job_timeouts: Mapping[Work, int] = JOB_TIMEOUTS,
    ) -> None:
        """`client` is one of `redis_client.api_client`; `close` closes it. Other names are for tests.

        `job_timeouts` are in seconds: how long a bell may be answered.
        """
        self._client = client
        self._queues = {
            work: Queue(name, connection=client, job_class=RecordingJob, serializer=JSONSerializer)
            for work, name in queue_names.items()
        }
        self._functions = functions
        self._job_timeouts = job_timeouts
        self._script = client.register_script(UNIQUE_ENQUEUE_SCRIPT)

    def ring(self, bells: Sequence[Bell]) -> None:
        """Rings all of them, in order, in one round trip. Idempotent: a name that RQ remembers has rung.

        That is where `Queue.enqueue` would raise DuplicateJobError. Raises QueueUnavailable; any number may then have
        rung. What RQ raises on a bug of ours stays as it is.
        """
        if not bells:
            return
        calls = self._script_calls(bells)
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            # RQ's tools find queues by it; its workers don't need it (rq/queue.py:1290).
            pipeline.sadd(Queue.redis_queues_keys, *{self._queues[bell.work].key for bell in bells})
            # EVAL teaches Redis the script that EVALSHA names, so that a Redis that has just been started needs no
            # second round trip.
            first, *others = calls
            pipeline.eval(UNIQUE_ENQUEUE_SCRIPT, 2, *first)
            for call in others:
                pipeline.evalsha(self._script.sha, 2, *call)
            pipeline.execute()

    def waiting(self, work: Work = Work.DOWNLOAD) -> int:
        """How many bells of that kind nobody has heard yet."""
        with redis_errors():
            return self._client.llen(self._queues[work].key)

    def is_unheard(self, bell: Bell) -> bool:
        """Whether the bell is in the queue. Redis walks over the queue: for a single one.

        A job's own word is not asked: it goes on saying `queued` or `started` for minutes when a worker is killed
        between taking the bell and claiming (reliability.md A4).
        """
        with redis_errors():
            return self._client.lpos(self._queues[bell.work].key, bell.job_id) is not None

    def unheard(self, work: Work = Work.DOWNLOAD) -> Container[Bell]:
        """All that are in the queue of that kind: their names, in memory.

        Asking Redis for hundreds of bells one by one would keep it from everybody else for seconds where a hundred
        thousand wait. So the names are read in pieces, from the end where others push: what is taken away in front
        moves nothing, and what is pushed meanwhile has pieces overlap.
        """
        key, end = self._queues[work].key, -1
        names: set[bytes | str] = set()
        with redis_errors():
            while piece := self._client.lrange(key, end - NAMES_AT_ONCE + 1, end):
                names.update(piece)
                end -= NAMES_AT_ONCE
        return _Names(names)

    def incarnation(self) -> str:
        """Redis's run id (another after every start and failover) and a word of ours (another after every flush)."""
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.set(INCARNATION_KEY, secrets.token_hex(8), nx=True)
            pipeline.get(INCARNATION_KEY)
            pipeline.info("server")
            _, word, server = pipeline.execute()
        return f"{server['run_id']}-{word.decode()}"

    def check(self) -> None:
        """Raises QueueUnavailable unless Redis answers."""
        with redis_errors():
            self._client.ping()

    def close(self) -> None:
        """Closes every connection. Idempotent."""
        self._client.close()

    def _script_calls(self, bells: Sequence[Bell]) -> list[list[str | bytes | int]]:
        """The keys and arguments of RQ's script for each bell (rq/scripts.py:12-44): push to the right, no expiry.

        Bells of one kind differ by nothing but their names. So one job of RQ's stands for all of them, and of what RQ
        writes only the call is made for each, compressed as RQ does it (rq/job.py:1102). That saves more than half of
        the time.
        """
        calls: list[list[str | bytes | int]] = []
        models: dict[Work, tuple[Job, dict[Any, Any]]] = {}
        for bell in bells:
            if bell.work not in models:
                job = self._job(bell.work)
                models[bell.work] = job, job.to_dict()
            job, fields = models[bell.work]
            job.id, job.args = bell.job_id, (bell.job_id,)
            fields["data"] = zlib.compress(job.data)
            queue_key = self._queues[bell.work].key
            calls.append([job.key, queue_key, job.id, "R", -1, *chain.from_iterable(fields.items())])
        return calls

    def _job(self, work: Work) -> Job:
        """A job as RQ would enqueue it now, without a name."""
        job = self._queues[work].create_job(
            self._functions[work],
            timeout=self._job_timeouts[work],
            result_ttl=RESULT_TTL_SECONDS,
            failure_ttl=FAILURE_TTL_SECONDS,
            # Else RQ writes the call, with its arguments, into every log.
            description="recording",
            retry=RETRY,
        )
        job.enqueued_at = now()
        return job
