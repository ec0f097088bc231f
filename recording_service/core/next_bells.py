"""What a worker rings for when an attempt has ended: what the recording needs next, and what a limit has held back.

Both are for speed alone: what is not rung for here the dispatcher rings for, or finds the bell of missing.
"""

import logging
from dataclasses import dataclass

from recording_service.core.errors import DependencyUnavailable
from recording_service.core.model import Bell, ProcessingState, Recording, Work
from recording_service.core.ports import BellQueue, Catalogue, Clock

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """How many attempts of each kind an account may have running at once; None: any number."""

    downloads: int | None = None
    processing: int | None = None

    def of(self, work: Work) -> int | None:
        """That kind's limit."""
        return self.downloads if work is Work.DOWNLOAD else self.processing


NO_LIMITS = AccountLimits()


class NextBells:
    """Rings after attempts. Raises nothing: the attempt is at its end, whatever becomes of the next one's bell."""

    def __init__(self, catalogue: Catalogue, queue: BellQueue, clock: Clock, limits: AccountLimits) -> None:
        self._catalogue = catalogue
        self._queue = queue
        self._clock = clock
        self._limits = limits

    def ready(self, recording: Recording) -> None:
        """Rings for the processing of a recording that has become READY, if it is to be processed."""
        if recording.processing.state is not ProcessingState.PENDING:
            return
        bells = [recording.processing_bell]
        try:
            self._queue.ring(bells)
            self._catalogue.mark_rung(bells, self._clock.now())
        except DependencyUnavailable as error:
            _log.warning("%s; the dispatcher rings for it recording_sid=%s", error, recording.recording_sid)
        except Exception:
            _log.exception("ringing failed unexpectedly recording_sid=%s", recording.recording_sid)

    def ended(self, bell: Bell) -> None:
        """Rings once more, if rows that have been rung for may be taken now, and no bell is left for them.

        A worker that hears a bell while its account has all that it may takes nothing, and the bell is gone: whoever
        makes room again makes up for it.
        """
        limit = self._limits.of(bell.work)
        if limit is None:
            return
        try:
            if self._queue.waiting(bell.work) < self._catalogue.count_due_rung(bell.work, limit):
                self._queue.ring([bell.echo])
        except DependencyUnavailable as error:
            _log.warning("%s; the dispatcher rings for what was held back account_sid=%s", error, bell.account_sid)
        except Exception:
            _log.exception("ringing for what was held back failed unexpectedly account_sid=%s", bell.account_sid)
