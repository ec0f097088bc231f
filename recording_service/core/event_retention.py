"""Forgets events that nobody needs any more: whoever has been away for longer begins anew with a snapshot.

How old they are is counted by whoever forgets them, and by no wall clock: one that is wrong, here or where the event
was written, makes no event old before its time and keeps none for longer. Time in which nobody counts is not counted.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from recording_service.core.event_ports import EventRows
from recording_service.core.ports import Clock

_log = logging.getLogger(__name__)

#: Events that are removed in one transaction.
PIECE_SIZE = 1000
#: The most that is counted between two looks, in intervals.
LONGEST_LOOK = 2


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long events are kept."""

    #: Longer than their delivery is tried. Only time in which a dispatcher has worked is counted.
    retention: timedelta = timedelta(days=30)
    #: Between two looks for those that are older, in seconds.
    interval_seconds: float = 60.0


class EventRetention:
    """Counts how old events are, and removes old ones, a piece at a time. For one thread, of one process at a time."""

    def __init__(self, catalogue: EventRows, clock: Clock, settings: RetentionSettings = RetentionSettings()) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._settings = settings
        #: By the monotonic clock; None: not yet.
        self._looked_at: float | None = None
        self._is_more_old = False

    def forget(self) -> None:
        """Removes at most a piece of what is too old, if it is time to look. Raises CatalogueUnavailable."""
        now, interval = self._clock.monotonic(), self._settings.interval_seconds
        since = 0.0 if self._looked_at is None else now - self._looked_at
        if self._looked_at is not None and since < interval and not self._is_more_old:
            return
        # Where nobody reads the feed, nobody else gives events their place in it, and only what has one can get old.
        self._catalogue.number_events()
        # Who has not looked for long stood by, and another one has counted.
        self._catalogue.age_events(timedelta(seconds=min(since, LONGEST_LOOK * interval)))
        self._looked_at = now
        removed, undelivered = self._catalogue.prune_events(self._settings.retention, PIECE_SIZE)
        self._is_more_old = removed == PIECE_SIZE
        if removed:
            _log.info("%d events older than %d days are forgotten", removed, self._settings.retention.days)
        if undelivered:
            _log.error("%d of the forgotten events were still to be delivered; they never are", undelivered)
