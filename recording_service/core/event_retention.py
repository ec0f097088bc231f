"""Forgets events that nobody needs any more: whoever has been away for longer begins anew with a snapshot."""

import logging
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from recording_service.core.event_ports import EventRows
from recording_service.core.ports import Clock

_log = logging.getLogger(__name__)

#: Events that are removed in one transaction.
PIECE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long events are kept."""

    #: Longer than their delivery is tried.
    retention: timedelta = timedelta(days=30)
    #: Between two looks for those that are older, in seconds.
    interval_seconds: float = 60.0


class EventRetention:
    """Removes old events, a piece at a time. For one thread."""

    def __init__(self, catalogue: EventRows, clock: Clock, settings: RetentionSettings = RetentionSettings()) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._settings = settings
        self._looked_at = -math.inf
        self._begin, self._begin_monotonic = clock.now(), clock.monotonic()

    def forget(self) -> None:
        """Removes at most a piece of what is too old, if it is time to look. Raises CatalogueUnavailable."""
        now = self._clock.monotonic()
        if now < self._looked_at + self._settings.interval_seconds:
            return
        # Where nobody reads the feed, nobody else gives events their place in it, and only what has one can get old.
        self._catalogue.number_events()
        count = self._catalogue.prune_events(self._now() - self._settings.retention, PIECE_SIZE)
        if count:
            _log.info("%d events older than %d days are forgotten", count, self._settings.retention.days)
        if count < PIECE_SIZE:
            self._looked_at = now

    def _now(self) -> datetime:
        """The time, as far as it has passed: a clock that is set forward by mistake must make nothing old."""
        passed = timedelta(seconds=self._clock.monotonic() - self._begin_monotonic)
        return min(self._clock.now(), self._begin + passed)
