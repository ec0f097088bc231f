"""The part of the catalogue in memory that has events and their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock

from recording_service.core.event_ports import Delivery, DeliveryCounts, FeedPosition, PrunedEvents
from recording_service.core.events import Event, new_events, numbered
from recording_service.core.model import Recording


@dataclass
class _Row:
    """One delivery as it is."""

    next_attempt_time: datetime
    attempt: int = 0
    failures: int = 0
    #: None as long as it is to be tried again.
    delivered: bool | None = None


class MemoryEvents:
    """`EventRows` and `DeliveryRows` of core/event_ports.py. Under the catalogue's lock."""

    def __init__(self, lock: RLock) -> None:
        self._events_lock = lock
        self._unnumbered: list[Event] = []
        self._events: list[Event] = []
        #: The feed's age, and what it was when each of them was given its revision.
        self._age = timedelta(0)
        self._numbered_ages: dict[int, timedelta] = {}
        self._position = FeedPosition(0, 0)
        self._deliveries: dict[int, _Row] = {}
        #: Up to where events have a delivery; None: nothing is to be delivered.
        self._scheduled: int | None = None
        self._held_until: datetime | None = None
        self._forgotten = 0

    def number_events(self) -> FeedPosition:
        """Gives every event its revision; how far the feed has come then."""
        with self._events_lock:
            for event in self._unnumbered:
                revision = self._position.revision + 1
                self._events.append(numbered(event, revision))
                self._numbered_ages[revision] = self._age
                self._position = self._position._replace(revision=revision)
            self._unnumbered.clear()
            return self._position

    def feed_position(self) -> FeedPosition:
        """How far the feed has come."""
        return self._position

    def begin_feed_anew(self, now: datetime) -> FeedPosition:
        """Moves the feed on to where no reader has been; how far it has come then."""
        with self._events_lock:
            self._position = self._position.anew(now)
            return self._position

    def events(self, after_revision: int, size: int) -> Sequence[Event]:
        """At most `size` events after that revision, in order."""
        with self._events_lock:
            return [event for event in self._events if event.revision > after_revision][:size]

    def age_events(self, passed: timedelta) -> None:
        """Has every event that has a revision grow older by so much."""
        with self._events_lock:
            self._age += passed

    def prune_events(self, age: timedelta, size: int) -> PrunedEvents:
        """Removes the oldest events, as far as they were given their revisions so long ago."""
        with self._events_lock:
            latest = self._age - age
            old = [event for event in self._events[:size] if self._numbered_ages[event.revision] <= latest]
            undelivered = 0
            for event in old:
                del self._numbered_ages[event.revision]
                row = self._deliveries.pop(event.revision, None)
                is_unscheduled = self._scheduled is not None and event.revision > self._scheduled
                undelivered += is_unscheduled if row is None else _is_pending(row)
                pruned_revision = max(self._position.pruned_revision, event.revision)
                self._position = self._position._replace(pruned_revision=pruned_revision)
            del self._events[: len(old)]
            self._forgotten += undelivered
            return PrunedEvents(len(old), undelivered)

    def begin_deliveries(self) -> None:
        """From now on events are to be delivered."""
        with self._events_lock:
            if self._scheduled is None:
                self._scheduled = self._position.revision

    def schedule_deliveries(self, now: datetime, size: int) -> int:
        """Makes deliveries, due now, of events that have none; how many."""
        with self._events_lock:
            if self._scheduled is None:
                return 0
            events = self.events(self._scheduled, size)
            for event in events:
                self._deliveries[event.revision] = _Row(now)
                self._scheduled = event.revision
            return len(events)

    def claim_deliveries(
        self, now: datetime, lease: timedelta, longest_wait: timedelta, size: int
    ) -> Sequence[Delivery]:
        """Takes due deliveries for so long, those that have waited longest first."""
        with self._events_lock:
            held = self._held_until
            if held is not None and now < held <= now + longest_wait:
                return []
            pending = [(row.next_attempt_time, number) for number, row in self._deliveries.items() if _is_pending(row)]
            untimely = sorted(found for found in pending if found[0] > now + longest_wait)
            due = sorted(found for found in pending if found[0] <= now)
            events = {event.revision: event for event in self._events}
            claimed = []
            for _, revision in (untimely + due)[:size]:
                row = self._deliveries[revision]
                row.attempt += 1
                row.next_attempt_time = now + lease
                claimed.append(Delivery(events[revision], row.attempt, row.failures))
            return claimed

    def end_delivery(self, delivery: Delivery, *, delivered: bool, now: datetime) -> bool:
        """Notes that the event was delivered, or failed once more and was given up."""
        with self._events_lock:
            row = self._current(delivery)
            if row is not None:
                row.delivered = delivered
                row.failures = delivery.failures + (not delivered)
            return row is not None

    def put_off_delivery(self, delivery: Delivery, next_attempt_time: datetime, *, failed: bool) -> bool:
        """Has the event tried again at that time."""
        with self._events_lock:
            row = self._current(delivery)
            if row is not None:
                row.next_attempt_time = next_attempt_time
                row.failures = delivery.failures + failed
            return row is not None

    def hold_deliveries(self, until: datetime, latest: datetime) -> None:
        """Has nothing claimed until that time, or for longer where that was said before."""
        with self._events_lock:
            held = self._held_until
            if held is None or held < until or held > latest:
                self._held_until = until

    def resume_deliveries(self) -> None:
        """Has deliveries claimed again."""
        with self._events_lock:
            self._held_until = None

    def count_deliveries(self) -> DeliveryCounts:
        """How many wait, were given up and were forgotten."""
        with self._events_lock:
            rows = list(self._deliveries.values())
            given_up = sum(row.delivered is False for row in rows)
            return DeliveryCounts(sum(map(_is_pending, rows)), given_up, self._forgotten)

    def _note_events(self, before: Recording | None, after: Recording) -> None:
        """Writes the events of a change, which is for whoever holds the lock."""
        self._unnumbered += new_events(before, after)

    def _current(self, delivery: Delivery) -> _Row | None:
        row = self._deliveries.get(delivery.event.revision)
        return row if row is not None and _is_pending(row) and row.attempt == delivery.attempt else None


def _is_pending(row: _Row) -> bool:
    return row.delivered is None
