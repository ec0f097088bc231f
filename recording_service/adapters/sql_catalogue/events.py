"""The feed of events: EventRows of core/event_ports.py, and the writing of events by `amend`.

An event is written with a `number`, which its database draws when it is written, and without a revision. On PostgreSQL
numbers become visible in another order than they were drawn in: who reads by them goes past an event that is committed
a moment later. So whoever reads first gives the events that are visible their revisions, in the order of their numbers,
holding the lock on the feed's one row: in the order in which they were committed, as far as one was committed before
the other was written, which those of one recording always were. Who writes events touches that row never.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, exists, func, insert, select, text, update

from recording_service.adapters.sql_catalogue.decisions import Change
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import MICROSECOND, Values, from_microseconds, to_microseconds
from recording_service.adapters.sql_catalogue.schema import event_deliveries, event_feed, events, is_undelivered
from recording_service.core.event_ports import FeedPosition, PrunedEvents
from recording_service.core.events import Event, EventType, new_events
from recording_service.core.model import RecordingKey

#: How many events are given their revisions in one transaction.
CHUNK = 1000

_e = events.c
_f = event_feed.c
#: The columns of an event, in the order in which `event_of` takes them.
EVENT_COLUMNS = (
    _e.revision,
    _e.event_id,
    _e.type,
    _e.account_sid,
    _e.recording_sid,
    _e.recording_revision,
    _e.event_time,
    _e.facts,
)
_INSERT = insert(events)
_POSITION = select(_f.revision, _f.pruned_revision)
_POSITION_AND_UNNUMBERED = _POSITION.add_columns(exists().where(_e.revision.is_(None)))
_LOCK = _POSITION.add_columns(_f.age).with_for_update()
_LOCK_SCHEDULED = select(_f.scheduled_revision).with_for_update()
_NUMBER = text("""UPDATE events SET revision = :given + fresh.place, numbered_age = :age
FROM (
    SELECT number, row_number() OVER (ORDER BY number) AS place
    FROM events WHERE revision IS NULL ORDER BY number LIMIT :size
) AS fresh
WHERE events.number = fresh.number
""")
_MOVE_ON = update(event_feed).values(revision=_f.revision + bindparam("count"))
_EVENTS = (
    select(*EVENT_COLUMNS)
    .where(_e.revision > bindparam("after_revision"))
    .order_by(_e.revision)
    .limit(bindparam("size"))
)
_FEED_AGE = select(_f.age)
_AGE = update(event_feed).values(age=_f.age + bindparam("passed"))
_OLDEST = select(_e.revision, _e.numbered_age).where(_e.revision > 0).order_by(_e.revision).limit(bindparam("size"))
_PRUNE = delete(events).where(_e.revision <= bindparam("last"))
_PRUNE_DELIVERIES = delete(event_deliveries).where(event_deliveries.c.revision <= bindparam("last"))
_COUNT_UNENDED = (
    select(func.count())
    .select_from(event_deliveries)
    .where(event_deliveries.c.revision <= bindparam("last"), is_undelivered)
)
# A feed that has begun anew is beyond the events from before, which are kept for their deliveries.
_NOTE_PRUNED = update(event_feed).values(
    pruned_revision=case((_f.pruned_revision < bindparam("last"), bindparam("last")), else_=_f.pruned_revision),
    forgotten=_f.forgotten + bindparam("undelivered"),
)
_IS_COPY = select(_f.is_copy)
_BEGIN_ANEW = update(event_feed).values(revision=bindparam("begin"), pruned_revision=bindparam("begin"), is_copy=0)


class SqlEvents(CataloguePart):
    """The feed: numbered, read, and shortened."""

    def number_events(self) -> FeedPosition:
        """Gives every committed event its revision, without a gap; how far the feed has come then."""
        ((revision, pruned_revision, is_any),) = self._database.rows(_POSITION_AND_UNNUMBERED, {})
        if not is_any:
            return FeedPosition(revision, pruned_revision)
        while True:
            position, count = self._database.write(_number_some)
            if count < CHUNK:
                return position

    def begin_feed_anew(self, now: datetime) -> FeedPosition:
        """Moves the feed on to where no reader has been; how far it has come then."""
        return self._database.write(lambda connection: _begin_anew(connection, now))

    def begin_feed_of_copy(self, now: datetime) -> bool:
        """Has the feed of what was a backup begin anew; whether it was one. Idempotent."""
        if not self._database.rows(_IS_COPY, {})[0][0]:
            return False

        def begin(connection: Connection) -> bool:
            # Several processes may find it at once: the second one finds it done.
            is_copy = bool(connection.execute(_IS_COPY.with_for_update()).scalar_one())
            if is_copy:
                _begin_anew(connection, now)
            return is_copy

        return self._database.write(begin)

    def feed_position(self) -> FeedPosition:
        """How far the feed has come."""
        ((revision, pruned_revision),) = self._database.rows(_POSITION, {})
        return FeedPosition(revision, pruned_revision)

    def events(self, after_revision: int, size: int) -> Sequence[Event]:
        """At most `size` events after that revision, in order."""
        rows = self._database.rows(_EVENTS, {"after_revision": after_revision, "size": size})
        return [event_of(row) for row in rows]

    def age_events(self, passed: timedelta) -> None:
        """Has every event that has a revision grow older by so much."""
        parameters = {"passed": passed // MICROSECOND}
        self._database.write(lambda connection: connection.execute(_AGE, parameters).rowcount)

    def prune_events(self, age: timedelta, size: int) -> PrunedEvents:
        """Removes the oldest events, as far as they were given their revisions so long ago."""

        def old(connection: Connection) -> list[int]:
            """The oldest revisions, up to the first that is kept: there is no gap in what is kept."""
            latest = connection.execute(_FEED_AGE).scalar_one() - age // MICROSECOND
            oldest = connection.execute(_OLDEST, {"size": size})
            # They are in the order of their revisions, and so in that of their ages.
            return [revision for revision, numbered_age in oldest if numbered_age <= latest]

        # Asked for often, and mostly in vain: no transaction begins for it.
        if not self._database.read(old):
            return PrunedEvents(0, 0)

        def prune(connection: Connection) -> PrunedEvents:
            scheduled = connection.execute(_LOCK_SCHEDULED).scalar_one()
            found = old(connection)
            if not found:
                return PrunedEvents(0, 0)
            last = {"last": found[-1]}
            undelivered = connection.execute(_COUNT_UNENDED, last).scalar_one()
            if scheduled is not None:
                undelivered += sum(revision > scheduled for revision in found)
            connection.execute(_PRUNE, last)
            connection.execute(_PRUNE_DELIVERIES, last)
            connection.execute(_NOTE_PRUNED, last | {"undelivered": undelivered})
            return PrunedEvents(len(found), undelivered)

        return self._database.write(prune)


def write_events(connection: Connection, changes: Sequence[Change]) -> None:
    """Writes the events of these changes, in the transaction that makes them."""
    rows = [_row_of(event) for change in changes for event in new_events(change.before, change.after)]
    if rows:
        connection.execute(_INSERT, rows)


def event_of(row: Values) -> Event:
    """The event of a row that has EVENT_COLUMNS."""
    revision, event_id, kind, account_sid, recording_sid, recording_revision, event_time, facts = row
    return Event(
        event_id=event_id,
        type=EventType(kind),
        key=RecordingKey(account_sid, recording_sid),
        recording_revision=recording_revision,
        event_time=from_microseconds(event_time),
        facts=json.loads(facts),
        revision=revision,
    )


def _row_of(event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "type": event.type.value,
        "account_sid": event.key.account_sid,
        "recording_sid": event.key.recording_sid,
        "recording_revision": event.recording_revision,
        "event_time": to_microseconds(event.event_time),
        "facts": json.dumps(event.facts, separators=(",", ":")),
    }


def _number_some(connection: Connection) -> tuple[FeedPosition, int]:
    """Numbers at most CHUNK events; how far the feed has come then, and how many they were."""
    # The lock first: what others have numbered, and committed, is only seen by a statement that begins after it.
    ((revision, pruned_revision, age),) = connection.execute(_LOCK).all()
    count = connection.execute(_NUMBER, {"given": revision, "age": age, "size": CHUNK}).rowcount
    if count:
        connection.execute(_MOVE_ON, {"count": count})
    return FeedPosition(revision + count, pruned_revision), count


def _begin_anew(connection: Connection, now: datetime) -> FeedPosition:
    ((revision, pruned_revision, _),) = connection.execute(_LOCK).all()
    position = FeedPosition(revision, pruned_revision).anew(now)
    connection.execute(_BEGIN_ANEW, {"begin": position.revision})
    return position
