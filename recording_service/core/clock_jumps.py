"""The wall clock may be set, or be another host's (reliability.md B3 #30): nobody is to wait for ever because of that.

What must not go wrong goes by counters, attempts and monotonic time. What is left is when a waiting row is due. The
dispatcher notices that its own clock was set, by the monotonic one, and moves what waits along with it. What it could
not notice (nobody dispatched then, or it was another host's clock) is bounded: no row waits longer than the longest
wait there is.
"""

import logging
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recording_service.core.ports import Catalogue, Clock

_log = logging.getLogger(__name__)

#: How far the two clocks may come apart between two looks, in seconds, before that is called a jump.
TOLERANCE_SECONDS = 5.0
#: The two clocks are read together: they are read again where more time than this, in seconds, passed in between.
READING_SECONDS = 0.1
#: Jumps that are remembered while the catalogue can't be told of them. Of a clock that is set all the time, the first
#: are forgotten, and what they have made wrong is bounded.
MOST_JUMPS = 16


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock was set."""

    #: How far, forwards or (negative) backwards.
    by: timedelta
    #: The earliest that the new clock can have shown since.
    since: datetime
    #: The latest that it can have shown, if it was set again; None: it is the clock that still goes.
    until: datetime | None = None


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
        #: Those that are not mended yet, the first one first.
        self._jumps: deque[Jump] = deque(maxlen=MOST_JUMPS)
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
            if self._jumps:
                self._jumps[-1] = replace(self._jumps[-1], until=seen[0] + passed)
            self._jumps.append(Jump(by, now - passed))

    def now(self) -> datetime:
        """The wall clock as it goes on from the last look: one that was set since is not heeded before the next one.

        What is due is judged by this. Else all that waits would be due between a jump forwards and the look at it.
        """
        now, monotonic = self._seen or self._read()
        return now + timedelta(seconds=self._clock.monotonic() - monotonic)

    def stand_by(self) -> None:
        """Another dispatcher has noticed the jump as well, and mends."""
        self._jumps.clear()

    def mend(self) -> None:
        """Moves what waits along with the clock, and bounds all waits. Raises CatalogueUnavailable; to be called again.

        A jump is forgotten only once it has been mended. Several are mended one after the other: some rows may have
        been moved along with the first already, or have begun to wait after it.
        """
        now, monotonic = self.now(), self._clock.monotonic()
        while self._jumps:
            jump, *later = self._jumps
            until = jump.until or now
            since_then = [(other.since, other.until or now) for other in later]
            moved = self._catalogue.shift_waits(jump.by, min(jump.since, until), until, since_then)
            # A probe too many costs one request an account.
            self._catalogue.hasten_probes(now, now)
            self._jumps.popleft()
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
