"""Bells and leases: AttemptRows of core/ports.py, but for `claim`."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Update, and_, bindparam, func, or_, select, tuple_, update

from recording_service.adapters.sql_catalogue.due import is_due_rung, is_due_unrung
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import Values, to_microseconds
from recording_service.adapters.sql_catalogue.schema import URGENCY, is_downloading, is_unrung, recordings
from recording_service.adapters.sql_catalogue.wanted import listed, wanted
from recording_service.core.model import Bell, ClaimedAttempt

_c = recordings.c
_BELL = (_c.account_sid, _c.recording_sid, _c.attempt)
_KEY = (_c.account_sid, _c.recording_sid)

_RAISE_LEASE = (
    update(recordings)
    .where(
        _c.account_sid == bindparam("of_account_sid"),
        _c.recording_sid == bindparam("of_recording_sid"),
        _c.attempt == bindparam("of_attempt"),
        is_downloading,
    )
    .values(
        lease=_c.lease + 1,
        received_bytes=bindparam("new_received_bytes"),
        update_time=bindparam("now"),
        revision=_c.revision + 1,
    )
)
# Sorted below: SQLite would read the whole table for the sake of an order.
_CLAIMED = select(*_BELL, _c.lease).where(is_downloading)
_CLAIMED_BY = _CLAIMED.where(_c.claimed_by == bindparam("worker"))
_DUE_UNRUNG = (
    select(*_BELL)
    .where(is_due_unrung, or_(_c.update_time <= bindparam("untouched_since"), _c.update_time > bindparam("now")))
    .order_by(*URGENCY)
    .limit(bindparam("size"))
)
_COUNT_DUE_RUNG = select(func.count()).select_from(recordings).where(is_due_rung)
_DUE_RUNG = (
    select(*_BELL)
    .where(is_due_rung, or_(_c.rung_time < bindparam("rung_before"), _c.rung_time > bindparam("now")))
    .order_by(*_KEY)
    .limit(bindparam("size"))
)
_DUE_RUNG_AFTER = _DUE_RUNG.where(tuple_(*_KEY) > tuple_(bindparam("account_sid"), bindparam("recording_sid")))


class SqlAttempts(CataloguePart):
    """The bells that have rung, and the attempts that workers are at."""

    def mark_rung(self, bells: Sequence[Bell], now: datetime) -> set[Bell]:
        """Notes that these bells have rung; the bells for which this call set `rung_time`."""
        if not bells:
            return set()
        # `update_time` stays: it says when somebody last changed the recording.
        parameters = {"bells": listed(bells), "now": to_microseconds(now)}
        statement = _mark_rung(self._database.dialect)
        rows = self._database.write(lambda connection: connection.execute(statement, parameters).all())
        return set(_bells(rows))

    def raise_lease(self, bell: Bell, received_bytes: int, now: datetime) -> bool:
        """Raises the lease of a DOWNLOADING attempt and notes its progress; False if it is not the current attempt."""
        parameters = {
            "of_account_sid": bell.account_sid,
            "of_recording_sid": bell.recording_sid,
            "of_attempt": bell.attempt,
            "new_received_bytes": received_bytes,
            "now": to_microseconds(now),
        }
        return self._database.write(lambda connection: connection.execute(_RAISE_LEASE, parameters).rowcount) > 0

    def claimed(self, claimed_by: str | None = None) -> Sequence[ClaimedAttempt]:
        """The attempts that are DOWNLOADING: all of them, or one worker's."""
        if claimed_by is None:
            rows = self._database.rows(_CLAIMED, {})
        else:
            rows = self._database.rows(_CLAIMED_BY, {"worker": claimed_by})
        return sorted(ClaimedAttempt(Bell(*row[:3]), row[3]) for row in rows)

    def due_unrung(self, now: datetime, untouched_since: datetime, limit: int) -> Sequence[Bell]:
        """Due rows whose bell has not rung and that nobody has changed after that time, the most urgent first."""
        parameters = {
            "now": to_microseconds(now),
            "untouched_since": to_microseconds(untouched_since),
            "size": limit,
        }
        return _bells(self._database.rows(_DUE_UNRUNG, parameters))

    def count_due_rung(self) -> int:
        """How many due rows have had their bell rung."""
        ((count,),) = self._database.rows(_COUNT_DUE_RUNG, {})
        return int(count)

    def due_rung(self, rung_before: datetime, now: datetime, size: int, after: Bell | None) -> Sequence[Bell]:
        """Due rows whose bell rang before that time, in the order of their keys."""
        parameters: dict[str, object] = {
            "rung_before": to_microseconds(rung_before),
            "now": to_microseconds(now),
            "size": size,
        }
        if after is None:
            return _bells(self._database.rows(_DUE_RUNG, parameters))
        parameters |= {"account_sid": after.account_sid, "recording_sid": after.recording_sid}
        return _bells(self._database.rows(_DUE_RUNG_AFTER, parameters))


@cache
def _mark_rung(dialect: str) -> Update:
    bells = wanted(dialect, "bells")
    hit = and_(
        _c.account_sid == bells.account_sid,
        _c.recording_sid == bells.recording_sid,
        _c.attempt == bells.attempt,
        is_unrung,
    )
    ring = update(recordings).values(rung_time=bindparam("now"), revision=_c.revision + 1).returning(*_BELL)
    if dialect == "sqlite":
        return ring.where(hit)
    # Many callers may ring for the same rows at once: locked in the order of their keys, they don't deadlock.
    locked: Select[Any] = select(*_BELL).join_from(bells.table, recordings, hit)
    rows = locked.order_by(*_KEY).with_for_update(of=recordings).cte("locked")
    return ring.where(
        _c.account_sid == rows.c.account_sid,
        _c.recording_sid == rows.c.recording_sid,
        _c.attempt == rows.c.attempt,
        is_unrung,
    )


def _bells(rows: Sequence[Values]) -> list[Bell]:
    return [Bell(*row) for row in rows]
