"""What RQ may run for us: bells, and nothing else, whatever somebody has written into Redis.

RQ imports and calls whatever a job hash names, also with the JSON serializer: the function, up to three callbacks, and
webhooks it sends requests to (rq/job.py:519-573, rq/webhook.py:88). So a job that asks for more than a bell does is
disarmed as soon as it is read, and fails with the reason when its turn comes. A hash that can't be read at all would
make every worker that meets it quit (reliability.md A4); it is removed.
"""

import logging
from typing import Any, ClassVar, Final, cast

from redis import Redis
from redis.exceptions import RedisError, ResponseError
from rq.exceptions import DeserializationError, NoSuchJobError
from rq.job import Job, Retry

from recording_service.core.model import Work

_log = logging.getLogger(__name__)

#: What a bell has run, by the kind of work that it was rung for.
DOWNLOAD_FUNCTION: Final = "recording_service.worker.download"
PROCESS_FUNCTION: Final = "recording_service.worker.process"
FUNCTIONS: Final = {Work.DOWNLOAD: DOWNLOAD_FUNCTION, Work.PROCESSING: PROCESS_FUNCTION}

#: What RQ does when a work-horse dies, or fails before its claim: an object, built once (design.md §2, "RQ's Retry").
#: Without an interval: with one, a crash at the wrong moment loses the job for ever (reliability.md A2).
RETRY: Final = Retry(max=3)

#: How long a bell may be answered before its work-horse is stopped, in seconds.
JOB_TIMEOUT_SECONDS: Final = 900

#: How long RQ remembers a bell that was answered, in seconds. Not 0: then a heartbeat that comes too late would leave a
#: hash behind that never goes away (rq #1450). Heartbeats come every 10 s, so a minute is plenty, and is all the
#: memory that finished bells take.
RESULT_TTL_SECONDS: Final = 60

#: How long RQ remembers a bell that failed, with its traceback, in seconds. Never 0: RQ's maintenance would break
#: (rq/registry.py:321).
FAILURE_TTL_SECONDS: Final = 86_400

#: The longest time-out that is believed, in seconds: what it is for is bounded by it too.
_LONGEST_TIMEOUT_SECONDS: Final = 86_400


class JobRefused(Exception):
    """Raised in the work-horse instead of running a job that is no bell."""

    def __init__(self, job_id: str, refusal: str) -> None:
        super().__init__(f"job {job_id} was not run: {refusal}")
        self.job_id = job_id
        self.refusal = refusal


class RecordingJob(Job):
    """A bell as RQ sees it. Everything RQ reads from Redis for us is read through this class."""

    #: What may be run. Another set, in a subclass, is for tests.
    allowed_functions: ClassVar[frozenset[str]] = frozenset(FUNCTIONS.values())

    #: Why the job will not be run; None if it will.
    refusal: str | None = None

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: Any = None) -> "RecordingJob":
        """Reads a job. NoSuchJobError if there is none, or none that can be read: what is there is then removed."""
        try:
            return cast("RecordingJob", super().fetch(id, connection=connection, serializer=serializer))
        except Exception as error:
            if connection is None or (isinstance(error, RedisError) and not _is_of_another_type(error)):
                raise
            if connection.delete(cls.key_for(id)):
                _log.warning("removed a job that can't be read job_id=%.100r error=%s", id, type(error).__name__)
            raise NoSuchJobError(f"job {id!r} can't be read") from error

    def restore(self, raw_data: Any) -> None:
        """Takes over what Redis has, and nothing that is not a bell's."""
        super().restore(raw_data)
        self.refusal = self._find_refusal()
        self._disarm()

    def perform(self) -> Any:
        """Runs the function. Raises JobRefused if the job is no bell, and whatever the function raises."""
        if self.refusal is not None:
            raise JobRefused(self.id, self.refusal)
        return super().perform()

    def _find_refusal(self) -> str | None:
        if self._success_callback_name or self._failure_callback_name or self._stopped_callback_name:
            return "it has a callback"
        if self.webhooks:
            return "it has a webhook"
        if self._dependency_ids:
            return "it has dependencies"
        if self.repeats_left or self.rate_limit_key or self.group_id:
            return "it repeats, is rate-limited or is of a group"
        try:
            func_name, instance, args, kwargs = self.func_name, self.instance, self.args, self.kwargs
        except DeserializationError:
            return "its data can't be read"
        if not isinstance(func_name, str) or func_name not in self.allowed_functions or instance is not None:
            return "its function is not on the allow-list"
        if not (isinstance(args, list) and len(args) == 1 and isinstance(args[0], str) and kwargs == {}):
            return "its arguments are not those of a bell"
        return None

    def _disarm(self) -> None:
        """Leaves nothing in place that RQ would act on and that no bell has.

        Also of jobs that will be run: an odd time to live or retry interval makes RQ's worker quit, or keep the hash
        for ever.
        """
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []
        self._dependency_ids = []
        self.repeats_left = self.repeat_intervals = None
        self.rate_limit_key = self.rate_limit_concurrency = None
        self.group_id = None
        self.meta = {}
        self.ttl = None
        self.result_ttl, self.failure_ttl = RESULT_TTL_SECONDS, FAILURE_TTL_SECONDS
        if not self.timeout or not 0 < self.timeout <= _LONGEST_TIMEOUT_SECONDS:
            self.timeout = JOB_TIMEOUT_SECONDS
        self.retry_intervals, self.enqueue_at_front_on_retry = RETRY.intervals, RETRY.enqueue_at_front
        # A refused job fails for good: trying again would not make it a bell.
        self.retries_left = min(self.retries_left or 0, RETRY.max) if self.refusal is None else None


def _is_of_another_type(error: RedisError) -> bool:
    """Whether the key holds no hash at all."""
    return isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE")
