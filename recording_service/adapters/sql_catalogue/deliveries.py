"""What of the feed is delivered to the receiver of callbacks: DeliveryRows of core/event_ports.py."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, insert, or_, select, update

from recording_service.adapters.sql_catalogue.events import EVENT_COLUMNS, event_of
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import MICROSECOND, to_microseconds
from recording_service.adapters.sql_catalogue.schema import (
    event_deliveries,
    event_feed,
    events,
    is_given_up,
    is_undelivered,
)
from recording_service.core.event_ports import Delivery, DeliveryCounts

_d = event_deliveries.c
_f = event_feed.c
_BEGIN = update(event_feed).where(_f.scheduled_revision.is_(None)).values(scheduled_revision=_f.revision)
_IS_BEHIND = select(_f.scheduled_revision).where(_f.scheduled_revision < _f.revision)
_LOCK = select(_f.scheduled_revision, _f.revision).with_for_update()
_UNSCHEDULED = (
    select(events.c.revision)
    .where(events.c.revision > bindparam("after_revision"))
    .order_by(events.c.revision)
    .limit(bindparam("size"))
)
_INSERT = insert(event_deliveries)
_MOVE_ON = update(event_feed).values(scheduled_revision=bindparam("last"))
_HELD_UNTIL = select(_f.held_until)


def _some(condition: ColumnElement[bool]) -> Select[Any]:
    """At most `size` pending deliveries that meet the condition, those that have waited longest first."""
    order = (_d.next_attempt_time, _d.revision)
    columns = (_d.revision, _d.attempt, _d.failures)
    return select(*columns).where(is_undelivered, condition).order_by(*order).limit(bindparam("size"))


# Two statements, each along its end of one index: one with OR would read all that wait.
_UNTIMELY = _some(_d.next_attempt_time > bindparam("latest"))
_DUE = _some(_d.next_attempt_time <= bindparam("now"))
_CLAIM = (
    update(event_deliveries)
    .where(_d.revision == bindparam("of_revision"))
    .values(attempt=_d.attempt + 1, next_attempt_time=bindparam("lease_end"))
)
_EVENTS = select(*EVENT_COLUMNS).where(events.c.revision.in_(bindparam("revisions", expanding=True)))
_is_current = (
    _d.revision == bindparam("of_revision"),
    _d.attempt == bindparam("of_attempt"),
    is_undelivered,
)
_CONCLUDE = update(event_deliveries).where(*_is_current).values(failures=bindparam("new_failures"))
_END = _CONCLUDE.values(outcome=bindparam("new_outcome"), end_time=bindparam("now"))
_PUT_OFF = _CONCLUDE.values(next_attempt_time=bindparam("new_next_attempt_time"))
_is_held_for_less = or_(
    _f.held_until.is_(None), _f.held_until < bindparam("until"), _f.held_until > bindparam("latest")
)
_HOLD = update(event_feed).where(_is_held_for_less).values(held_until=bindparam("until"))
_RESUME = update(event_feed).values(held_until=None)
_COUNT = select(
    select(func.count()).select_from(event_deliveries).where(is_undelivered).scalar_subquery(),
    select(func.count()).select_from(event_deliveries).where(is_given_up).scalar_subquery(),
    _f.forgotten,
)


class SqlDeliveries(CataloguePart):
    """Deliveries: made of the feed, claimed, and ended."""

    def begin_deliveries(self) -> None:
        """From now on events are to be delivered."""
        self._database.write(lambda connection: connection.execute(_BEGIN).rowcount)

    def schedule_deliveries(self, now: datetime, size: int) -> int:
        """Makes deliveries, due now, of events that have none; how many."""
        if not self._database.rows(_IS_BEHIND, {}):
            return 0

        def schedule(connection: Connection) -> int:
            # Several hosts may do so at once: the second one finds them made.
            ((scheduled, newest),) = connection.execute(_LOCK).all()
            found = connection.execute(_UNSCHEDULED, {"after_revision": scheduled, "size": size}).scalars().all()
            if found:
                moment = to_microseconds(now)
                fresh = {"attempt": 0, "failures": 0, "next_attempt_time": moment}
                connection.execute(_INSERT, [fresh | {"revision": revision} for revision in found])
            # Where there is none, those up to the newest revision were forgotten, or the feed has begun anew.
            connection.execute(_MOVE_ON, {"last": found[-1] if found else newest})
            return len(found)

        return self._database.write(schedule)

    def claim_deliveries(
        self, now: datetime, lease: timedelta, longest_wait: timedelta, size: int
    ) -> Sequence[Delivery]:
        """Takes due deliveries for so long, those that have waited longest first."""
        moment = to_microseconds(now)
        latest = moment + longest_wait // MICROSECOND
        wanted = {"now": moment, "latest": latest}

        def is_any(connection: Connection) -> bool:
            held_until = connection.execute(_HELD_UNTIL).scalar_one()
            if held_until is not None and moment < held_until <= latest:
                return False
            return any(connection.execute(some, wanted | {"size": 1}).first() for some in (_UNTIMELY, _DUE))

        if not self._database.read(is_any):
            return []

        def claim(connection: Connection) -> list[Delivery]:
            # Two hosts' claims pass each other by.
            claimed: dict[int, tuple[int, int]] = {}
            for some in (_UNTIMELY, _DUE):
                asked = wanted | {"size": size - len(claimed)}
                for revision, attempt, failures in connection.execute(_locking(some), asked):
                    claimed[revision] = (attempt + 1, failures)
            if not claimed:
                return []
            lease_end = moment + lease // MICROSECOND
            connection.execute(_CLAIM, [{"of_revision": one, "lease_end": lease_end} for one in claimed])
            found = [event_of(row) for row in connection.execute(_EVENTS, {"revisions": list(claimed)})]
            by_revision = {event.revision: event for event in found}
            return [Delivery(by_revision[revision], *counts) for revision, counts in claimed.items()]

        return self._database.write(claim)

    def end_delivery(self, delivery: Delivery, *, delivered: bool, now: datetime) -> bool:
        """Notes that the event was delivered, or failed once more and was given up."""
        outcome = "delivered" if delivered else "given_up"
        parameters = _concluded(delivery, failed=not delivered) | {"new_outcome": outcome, "now": to_microseconds(now)}
        return self._database.write(lambda connection: connection.execute(_END, parameters).rowcount) > 0

    def put_off_delivery(self, delivery: Delivery, next_attempt_time: datetime, *, failed: bool) -> bool:
        """Has the event tried again at that time."""
        put_off = {"new_next_attempt_time": to_microseconds(next_attempt_time)}
        parameters = _concluded(delivery, failed=failed) | put_off
        return self._database.write(lambda connection: connection.execute(_PUT_OFF, parameters).rowcount) > 0

    def hold_deliveries(self, until: datetime, latest: datetime) -> None:
        """Has nothing claimed until that time, or for longer where that was said before."""
        parameters = {"until": to_microseconds(until), "latest": to_microseconds(latest)}
        self._database.write(lambda connection: connection.execute(_HOLD, parameters).rowcount)

    def resume_deliveries(self) -> None:
        """Has deliveries claimed again."""
        self._database.write(lambda connection: connection.execute(_RESUME).rowcount)

    def count_deliveries(self) -> DeliveryCounts:
        """How many wait, were given up and were forgotten."""
        ((pending, given_up, forgotten),) = self._database.rows(_COUNT, {})
        return DeliveryCounts(pending, given_up, forgotten)


def _locking(some: Select[Any]) -> Select[Any]:
    return some.with_for_update(skip_locked=True)


def _concluded(delivery: Delivery, *, failed: bool) -> dict[str, Any]:
    # The number itself and not one more: it is noted again where nobody knows whether that was committed.
    return {
        "of_revision": delivery.event.revision,
        "of_attempt": delivery.attempt,
        "new_failures": delivery.failures + failed,
    }
