"""The wall clock may be set, or be another host's (reliability.md B3 #30): nobody is to wait for ever because of that.

What must not go wrong goes by counters, attempts and monotonic time. What is left is when a waiting row is due. The
dispatcher notices that its own clock was set, by the monotonic one, and moves what waits along with it. What it could
not notice (nobody dispatched then, or it was another host's clock) is bounded: no row waits longer than the longest
wait there is.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from recording_service.core.ports import Catalogue, Clock

_log = logging.getLogger(__name__)

#: How far the two clocks may come apart between two looks, in seconds, before that is called a jump.
TOLERANCE_SECONDS = 5.0
#: The two clocks are read together: they are read again where more time than this, in seconds, passed in between.
READING_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock was set."""

    #: How far, forwards or (negative) backwards.
    by: timedelta
    #: The earliest that the new clock can have shown since.
    since: datetime


class ClockJumps:
    """Notices that the wall clock was set, and mends what it has made of waiting rows. For one thread."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        *,
        longest_wait_seconds: float,
        longest_probe_wait_seconds: float,
        interval_seconds: float,
    ) -> None:
        """Looks every `interval_seconds` for what waits longer than it may.

        No row may wait longer than `longest_wait_seconds` from now, and no paused account for its probe longer than
        `longest_probe_wait_seconds`.
        """
        self._catalogue = catalogue
        self._clock = clock
        self._longest_wait = timedelta(seconds=longest_wait_seconds)
        self._longest_probe_wait = timedelta(seconds=longest_probe_wait_seconds)
        self._interval_seconds = interval_seconds
        self._seen: tuple[datetime, float] | None = None
        self._jump: Jump | None = None
        self._bounded_at: float | None = None

    def look(self) -> None:
        """Compares the clocks; to be called in every round, by a dispatcher that stands by too."""
        now, monotonic = self._read()
        seen, self._seen = self._seen, (now, monotonic)
        if seen is None:
            return
        passed = timedelta(seconds=monotonic - seen[1])
        by = now - seen[0] - passed
        if abs(by.total_seconds()) > TOLERANCE_SECONDS:
            _log.warning("the wall clock was set by %+.0f s", by.total_seconds())
            # What the last one has moved not yet goes the rest of the way with this one.
            pending = self._jump.by if self._jump is not None else timedelta()
            self._jump = Jump(by + pending, now - passed)

    def now(self) -> datetime:
        """The wall clock as it goes on from the last look: one that was set since is not heeded before the next one.

        What is due is judged by this. Else all that waits would be due between a jump forwards and the look at it.
        """
        now, monotonic = self._seen or self._read()
        return now + timedelta(seconds=self._clock.monotonic() - monotonic)

    def stand_by(self) -> None:
        """Another dispatcher has noticed the jump as well, and mends."""
        self._jump = None

    def mend(self) -> None:
        """Moves what waits along with the clock, and bounds all waits. Raises CatalogueUnavailable; to be called again.

        The jump is forgotten only once it has been mended.
        """
        now, monotonic = self.now(), self._clock.monotonic()
        if self._jump is not None:
            moved = self._catalogue.shift_waits(self._jump.by, min(self._jump.since, now), now)
            # A probe too many costs one request an account.
            self._catalogue.hasten_probes(now, now)
            self._jump = None
            _log.warning("%d waiting recordings were moved along with the clock", moved)
        if self._bounded_at is None or monotonic - self._bounded_at >= self._interval_seconds:
            if ended := self._catalogue.end_overlong_waits(now, now + self._longest_wait):
                _log.warning("%d recordings were waiting for a time that is too far away; they are due now", ended)
            self._catalogue.hasten_probes(now, now + self._longest_probe_wait)
            self._bounded_at = monotonic

    def _read(self) -> tuple[datetime, float]:
        """Both clocks, as they were at one moment: a process that is stopped in between would see a jump."""
        while True:
            before, now, monotonic = self._clock.monotonic(), self._clock.now(), self._clock.monotonic()
            if monotonic - before <= READING_SECONDS:
                return now, monotonic
