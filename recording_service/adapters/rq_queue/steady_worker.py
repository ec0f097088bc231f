"""An RQ worker that survives what it meets in Redis: outages, and things that nobody should have put there.

RQ's own quits at nearly all of it (reliability.md A4). Jobs that can't be read are `job.RecordingJob`'s business.
"""

import logging
import re
import time
from typing import Any, Final

from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import DequeueTimeout
from rq.executions import Execution
from rq.job import Job
from rq.worker import WorkerStatus

from recording_service.adapters.rq_queue.job import RecordingJob

_log = logging.getLogger(__name__)

#: How long one dequeue lasts, in seconds: an idle worker stops within that time.
DEQUEUE_SECONDS: Final = 1

#: How long a worker waits before it asks a Redis again that is away, or refuses, in seconds.
PAUSE_SECONDS: Final = 1.0

#: How long a worker that died while cleaning up keeps the others from it, in seconds. RQ's own 899 would let the bells
#: of other dead workers lie for that time.
MAINTENANCE_LOCK_SECONDS: Final = 60

#: What RQ accepts as the name of a job (rq/job.py:55).
_JOB_ID: Final = re.compile(rb"[A-Za-z0-9_-]+")


class RecordingQueue(Queue):
    """The queue as its workers see it."""

    def acquire_maintenance_lock(self) -> bool:
        """Whether this worker may clean up now."""
        return bool(self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=MAINTENANCE_LOCK_SECONDS))


class SteadyWorker(Worker):
    """A worker of one queue that goes on."""

    queue_class = RecordingQueue

    #: When it cleaned up last, by the monotonic clock; None: never.
    _cleaned_at: float | None = None

    @property
    def dequeue_timeout(self) -> int:
        """How long one dequeue lasts, in seconds."""
        return DEQUEUE_SECONDS

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Whether it is time to clean up again. By the monotonic clock: the wall clock may be set back by hours."""
        return self._cleaned_at is None or time.monotonic() - self._cleaned_at > self.maintenance_interval

    def bootstrap(self, *_: Any, **__: Any) -> None:
        """Registers the worker; ValueError if one of that name lives, or died less than two minutes ago.

        RQ's own would also install log handlers, and take orders over pub/sub: whoever can PUBLISH could stop workers
        (rq/command.py), and the thread that listens would make every fork one of a process with threads.
        """
        self.register_birth()  # type: ignore[no-untyped-call]
        self.set_state(WorkerStatus.STARTED)

    def check_for_suspension(self, burst: bool) -> None:
        """Takes no orders through Redis."""

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job, however long it takes and whatever becomes of Redis meanwhile; None when told to stop."""
        away = False
        while not self._stop_requested:
            try:
                self.set_state(WorkerStatus.IDLE)
                taken = self._dequeue()
            except RedisError as error:
                if not away:
                    _log.warning("waiting for the queue worker=%s error=%s", self.name, type(error).__name__)
                away = True
                time.sleep(PAUSE_SECONDS)
                continue
            if away:
                _log.warning("the queue is back worker=%s", self.name)
            away = False
            if taken is not None:
                return taken
        return None

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Says that the worker lives. If Redis is away there is nobody to say it to."""
        try:
            super().heartbeat(timeout, pipeline)
        except RedisError as error:
            _log.info("no heartbeat worker=%s error=%s", self.name, type(error).__name__)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Says that the worker and its work-horse live. If Redis is away the work goes on all the same."""
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError as error:
            _log.warning("the queue is away while work goes on worker=%s error=%s", self.name, type(error).__name__)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Has a work-horse do the job. What RQ could not note of it is RQ's loss: the catalogue is the truth."""
        try:
            super().execute_job(job, queue)
        except RedisError as error:
            _log.warning("the queue is away worker=%s job_id=%s error=%s", self.name, job.id, type(error).__name__)
            # Else the next work-horse would be given this execution for its own (rq/worker/base.py:446).
            self.executions.clear()

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Logs what a job raised; in one line if it is not run for what it is, as another version's is not."""
        if isinstance(job, RecordingJob) and job.refusal is not None:
            _log.warning("did not run what is no bell worker=%s job_id=%s: %s", self.name, job.id, job.refusal)
        else:
            super().handle_exception(job, *exc_info)

    def run_maintenance_tasks(self) -> None:
        """RQ's own cleaning. What it stumbles over is logged and, if it is known, removed."""
        try:
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        except RedisError as error:
            _log.warning("could not clean up worker=%s error=%s", self.name, type(error).__name__)
        except Exception:
            _log.exception("cleaning up failed worker=%s", self.name)
            self._drop_malformed_ids()
        finally:
            self._cleaned_at = time.monotonic()

    def teardown(self) -> None:
        """Takes the worker off the books."""
        try:
            super().teardown()  # type: ignore[no-untyped-call]
        except RedisError as error:
            _log.warning("left without a word to the queue worker=%s error=%s", self.name, type(error).__name__)

    def _dequeue(self) -> tuple[Job, Queue] | None:
        self.heartbeat()
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()
        try:
            taken = self.queue_class.dequeue_any(
                self.queues,
                self.dequeue_timeout,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            return None
        except UnicodeDecodeError:
            self._drop_malformed_ids()
            return None
        if taken is not None:
            job, queue = taken
            # RQ keeps its books of a job under the queue that the hash names: another name, or none, would leave
            # entries behind that nobody cleans up.
            job.origin = queue.name
        return taken

    def _drop_malformed_ids(self) -> None:
        """Removes what is no job's name from the list of jobs that are being taken: RQ can't get past it."""
        for queue in self.queues:
            for job_id in self.connection.lrange(queue.intermediate_queue_key, 0, -1):
                name = job_id.encode() if isinstance(job_id, str) else job_id
                if not _JOB_ID.fullmatch(name):
                    _log.warning("removed what is no job's name from the queue worker=%s", self.name)
                    self.connection.lrem(queue.intermediate_queue_key, 0, job_id)  # type: ignore[arg-type]
