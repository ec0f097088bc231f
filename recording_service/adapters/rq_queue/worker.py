"""Hearing bells: how a worker stops, and how its work-horse ends.

It differs from RQ's own (rq/worker/base.py, worker_classes.py) so that nothing is lost, or counted as a failure, by
stopping:

- a signal never raises where the code happens to be. RQ's handler does, also between taking a bell and starting on it,
  which delays that bell by minutes (rq #2175). Here it is noted, and looked at between two dequeues;
- the first SIGINT, and the first SIGTERM, ask for a warm stop; only a second one of the same kind is impatience. A
  Ctrl-C reaches every process of a terminal, and the supervisor's SIGTERM follows it;
- the work-horse ignores both, so that a signal to all processes at once does not kill what is nearly done;
- the work-horse dies with its worker. RQ's goes on, beside the one that takes over;
- how long a work-horse has been at it goes by the monotonic clock. RQ kills it where the wall clock is set forwards.
"""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import Any, Final

from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import HorseMonitorTimeoutException
from rq.utils import now

from recording_service.adapters.parent_death import die_with_parent
from recording_service.adapters.rq_queue.job import RESULT_TTL_SECONDS, RecordingJob
from recording_service.adapters.rq_queue.queue import QUEUE_NAME
from recording_service.adapters.rq_queue.steady_worker import SteadyWorker

_log = logging.getLogger(__name__)

#: RQ's clocks, in seconds. With its own defaults a bell whose worker was killed comes back after up to 27 minutes; with
#: these after about two (reliability.md A4, A5).
WORKER_TTL_SECONDS: Final = 45
MONITORING_SECONDS: Final = 10
MAINTENANCE_SECONDS: Final = 25


class RecordingWorker(SteadyWorker):
    """One worker: hears one bell at a time, and has a forked work-horse answer it. `run_worker` says how to run it."""

    def __init__(
        self,
        client: Redis,
        *,
        queue_name: str,
        name: str,
        on_horse_died: Callable[[str], None],
        prepare_horse: Callable[[], None],
        job_class: type[RecordingJob],
    ) -> None:
        super().__init__(
            [queue_name],
            name=name,
            connection=client,
            default_result_ttl=RESULT_TTL_SECONDS,
            job_class=job_class,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_SECONDS,
            job_monitoring_interval=MONITORING_SECONDS,
            maintenance_interval=MAINTENANCE_SECONDS,
            log_job_description=False,
        )
        self._on_horse_died = on_horse_died
        self._prepare_horse = prepare_horse
        self._worker_pid = 0
        #: How the latest work-horse ended, as wait4(2) says it; 0 if it ended well, or there was none.
        self._horse_status = 0
        #: What the latest work-horse answers, and since when by the monotonic clock.
        self._answering: tuple[Job, float] | None = None

    @property
    def told_to_stop(self) -> bool:
        """Whether a signal has asked it to stop."""
        return self._stop_requested

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Notes that the worker is to stop once its bell is answered. The next signal of this kind means: at once."""
        self._shutdown_requested_date = now()
        self._stop_requested = True
        signal.signal(signum, self.request_force_stop)

    def setup_work_horse_signals(self) -> None:
        """Leaves it to the worker when its work-horse ends."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Has a work-horse answer the bell; says so at once if it died of it."""
        self._horse_status = 0
        try:
            super().execute_job(job, queue)
        except SystemExit:
            # It did not die: we have killed it, being told twice to stop.
            self._horse_status = 0
            raise
        finally:
            if self._horse_status != 0:
                self._tell_of_death()

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        """Waits for the work-horse, and notes how it ended."""
        try:
            pid, status, usage = super().wait_for_horse()
        except HorseMonitorTimeoutException:
            if self._answering is not None:
                job, began = self._answering
                # By this RQ judges whether the time is up (rq/worker/worker_classes.py:98).
                job.started_at = now() - timedelta(seconds=time.monotonic() - began)
            raise
        self._horse_status = -1 if status is None else status
        return pid, status, usage

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Forks the work-horse."""
        self._worker_pid = os.getpid()
        self._answering = (job, time.monotonic())
        super().fork_work_horse(job, queue)
        # The child does it too. A work-horse is killed by its process group, which must not be ours even if it has not
        # got that far. It may also be gone already.
        with contextlib.suppress(OSError):
            os.setpgid(self.horse_pid, self.horse_pid)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """What the work-horse does. Never returns."""
        try:
            die_with_parent(self._worker_pid)
            self._prepare_horse()
        except BaseException:
            # Not to be let go: this is a copy of the worker, and would go on as if it were the worker.
            _log.exception("the work-horse could not be prepared worker=%s", self.name)
            os._exit(1)
        super().main_work_horse(job, queue)

    def _tell_of_death(self) -> None:
        try:
            self._on_horse_died(self.name)
        except Exception:
            # Not the end of the worker: who should have been told finds out by the lease (design.md §2).
            _log.exception("nobody was told that a work-horse has died worker=%s", self.name)


def run_worker(
    client: Redis,
    *,
    name: str,
    on_horse_died: Callable[[str], None],
    prepare_horse: Callable[[], None],
    queue_name: str = QUEUE_NAME,
    job_class: type[RecordingJob] = RecordingJob,
) -> bool:
    """Hears bells until SIGTERM or SIGINT, in the main thread of a process that has no other thread.

    Returns True when it was told to stop and has answered its last bell; False when it met something that it can't go
    on after, and has logged: it is to be started again then. Raises SystemExit after a second signal of one kind, more
    than a second after the first: the work-horse was killed, and what it was at is the caller's to give back. Raises
    ValueError if a worker of that name was here less than two minutes ago, and what redis-py raises if Redis can't be
    reached at first.

    `client` is a `redis_client.worker_client` of this process alone. `name` is another one with each start.
    `on_horse_died(name)` is called in the worker when a work-horse has died of its bell. `prepare_horse` is called in
    each work-horse after the fork, to let go of connections that are the worker's.
    """
    _quieten_rq()
    worker = RecordingWorker(
        client,
        queue_name=queue_name,
        name=name,
        on_horse_died=on_horse_died,
        prepare_horse=prepare_horse,
        job_class=job_class,
    )
    worker.work()
    return worker.told_to_stop


def _quieten_rq() -> None:
    """Lets RQ say only what is wrong, unless we are debugging."""
    # RQ gives this one a level of its own when it is imported (rq/worker/base.py:79).
    logging.getLogger("rq.worker").setLevel(logging.NOTSET)
    logging.getLogger("rq").setLevel(logging.DEBUG if _log.isEnabledFor(logging.DEBUG) else logging.WARNING)
