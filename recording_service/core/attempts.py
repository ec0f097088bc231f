"""How an attempt ends that did not bring the recording: by its own worker's last word, or for it when it is gone.

Every ending is conditional on the attempt; where it meets no such attempt, another one has taken over and nothing
changes.
"""

import logging
from datetime import datetime
from functools import partial

from recording_service.core import processing_transitions, transitions
from recording_service.core.changes import tell
from recording_service.core.errors import RecordingServiceError, WorkerCrashed
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import Bell, Recording, Work
from recording_service.core.ports import Catalogue, ChangeFeed, Clock
from recording_service.core.retry import GiveUp, RetryPolicy

_log = logging.getLogger(__name__)


class Attempts:
    """Ends attempts. Every method is idempotent and raises CatalogueUnavailable."""

    def __init__(self, catalogue: Catalogue, changes: ChangeFeed, policy: RetryPolicy, clock: Clock) -> None:
        self._catalogue = catalogue
        self._changes = changes
        self._policy = policy
        self._clock = clock

    def fail(self, bell: Bell, error: RecordingServiceError, message: str) -> Recording | None:
        """Ends an attempt: the next one is put off, or what it was at given up. None if it was not the current one.

        What is given up is the recording, or, of an attempt at processing, the step.
        """
        now = self._clock.now()

        def decide(row: Recording | None) -> Recording | None:
            failed = self._failed if bell.work is Work.DOWNLOAD else self._step_failed
            return failed(row, bell, error, message, now)

        failpoint(Failpoint.ATTEMPT_BEFORE_END)
        row, changed = self._catalogue.amend([(bell.key, decide)])[0]
        if row is None or not changed:
            _log.info("attempt %d is over already recording_sid=%s", bell.attempt, bell.recording_sid)
            return None
        failpoint(Failpoint.ATTEMPT_AFTER_END)
        if bell.work is Work.PROCESSING:
            _log_of_processing(row, bell, message)
        elif row.waiting_reason is not None:
            _log.warning(
                "attempt %d ended: %s next_attempt_time=%s waiting_reason=%s recording_sid=%s request_id=%s",
                bell.attempt,
                message,
                row.next_attempt_time.isoformat(timespec="milliseconds"),
                row.waiting_reason.value,
                bell.recording_sid,
                row.request_id,
            )
        elif row.failure_reason is not None:
            _log.error(
                "given up after %d failures like this, %d in all: %s failure_reason=%s recording_sid=%s request_id=%s",
                row.failures_by_reason.get(row.failure_reason, 0),
                row.failures,
                message,
                row.failure_reason.value,
                bell.recording_sid,
                row.request_id,
            )
        tell(self._changes, row)
        return row

    def crashed(self, bell: Bell) -> Recording | None:
        """Ends an attempt whose process is gone; that spends of the budget, so that poison comes to an end."""
        error = WorkerCrashed()
        message = str(error) if bell.work is Work.DOWNLOAD else "the process that was at it died"
        return self.fail(bell, error, message)

    def crashed_under(self, claimed_by: str) -> None:
        """Ends whatever a worker was at whose work-horse has died."""
        for claimed in self._catalogue.claimed(claimed_by):
            self.crashed(claimed.bell)

    def release(self, claimed_by: str) -> None:
        """Gives back, unspent, whatever a worker was at that was stopped in an orderly way."""
        now = self._clock.now()
        for claimed in self._catalogue.claimed(claimed_by):
            bell = claimed.bell
            failpoint(Failpoint.ATTEMPT_BEFORE_RELEASE)
            released = transitions.released if bell.work is Work.DOWNLOAD else processing_transitions.released
            row, changed = self._catalogue.amend([(bell.key, partial(released, bell=bell, now=now))])[0]
            if changed and row is not None:
                failpoint(Failpoint.ATTEMPT_AFTER_RELEASE)
                _log.info("attempt %d was given back recording_sid=%s", bell.attempt, bell.recording_sid)
                tell(self._changes, row)

    def _failed(
        self, row: Recording | None, bell: Bell, error: RecordingServiceError, message: str, now: datetime
    ) -> Recording | None:
        if row is None:
            return None
        verdict = self._policy.after(error, row)
        if isinstance(verdict, GiveUp):
            return transitions.given_up(row, bell, verdict.failure_reason, message, now)
        return transitions.put_off(
            row,
            bell,
            waiting_reason=verdict.waiting_reason,
            message=message,
            delay=verdict.delay,
            spent_of=verdict.spent_of,
            now=now,
        )

    def _step_failed(
        self, row: Recording | None, bell: Bell, error: RecordingServiceError, message: str, now: datetime
    ) -> Recording | None:
        if row is None:
            return None
        verdict = self._policy.after_step(error, row.processing)
        if isinstance(verdict, GiveUp):
            return processing_transitions.step_given_up(row, bell, verdict.failure_reason, message, now)
        return processing_transitions.put_off(
            row,
            bell,
            waiting_reason=verdict.waiting_reason,
            delay=verdict.delay,
            spent_of=verdict.spent_of,
            now=now,
        )


def _log_of_processing(row: Recording, bell: Bell, message: str) -> None:
    processing = row.processing
    waits = processing.waiting_reason is not None and processing.next_attempt_time is not None
    _log.log(
        logging.WARNING if waits else logging.ERROR,
        "attempt %d at processing ended: %s %s recording_sid=%s request_id=%s",
        bell.attempt,
        message,
        f"next_attempt_time={processing.next_attempt_time}" if waits else "the step is given up",
        bell.recording_sid,
        row.request_id,
    )
