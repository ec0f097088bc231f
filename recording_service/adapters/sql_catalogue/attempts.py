"""Bells and leases: AttemptRows of core/ports.py, but for `claim` and the waits."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Update, and_, bindparam, func, literal_column, or_, select, tuple_, update

from recording_service.adapters.sql_catalogue.due import due
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import Values, to_microseconds
from recording_service.adapters.sql_catalogue.schema import URGENCY, recordings
from recording_service.adapters.sql_catalogue.wanted import listed, wanted
from recording_service.adapters.sql_catalogue.work_columns import COLUMNS
from recording_service.core.model import Bell, ClaimedAttempt, Priority, Work

_c = recordings.c
_KEY = (_c.account_sid, _c.recording_sid)


class SqlAttempts(CataloguePart):
    """The bells that have rung, and the attempts that workers are at."""

    def mark_rung(self, bells: Sequence[Bell], now: datetime) -> set[Bell]:
        """Notes that these bells have rung; the bells for which this call set `rung_time`."""
        return {
            bell
            for work in Work
            # An echo is no row's own bell.
            if (of_work := [bell for bell in bells if bell.work is work and bell.is_own])
            for bell in self._mark_rung(of_work, work, now)
        }

    def raise_lease(self, bell: Bell, received_bytes: int, now: datetime) -> bool:
        """Raises the lease of a running attempt and notes its progress; False if it is not the current attempt."""
        if not bell.is_own:
            return False
        parameters = {
            "of_account_sid": bell.account_sid,
            "of_recording_sid": bell.recording_sid,
            "of_attempt": bell.attempt,
            "now": to_microseconds(now),
        }
        if bell.work is Work.DOWNLOAD:
            parameters["new_received_bytes"] = received_bytes
        statement = _raise_lease(bell.work)
        return self._database.write(lambda connection: connection.execute(statement, parameters).rowcount) > 0

    def claimed(self, claimed_by: str | None = None) -> Sequence[ClaimedAttempt]:
        """The attempts that workers are at: all of them, or one worker's."""
        found: list[ClaimedAttempt] = []
        for work in Work:
            parameters = {} if claimed_by is None else {"worker": claimed_by}
            rows = self._database.rows(_claimed(work, by_worker=claimed_by is not None), parameters)
            found += [ClaimedAttempt(Bell(row[0], row[1], row[2], work), row[3]) for row in rows]
        return sorted(found)

    def due_unrung(
        self, now: datetime, untouched_since: datetime, size: int, work: Work = Work.DOWNLOAD
    ) -> Sequence[Bell]:
        """Due rows whose bell has not rung and that nobody has changed after that time, the most urgent first."""
        parameters = {
            "now": to_microseconds(now),
            "untouched_since": to_microseconds(untouched_since),
            "size": size,
        }
        return _bells(self._database.rows(_due_unrung(work), parameters), work)

    def count_due_rung(self, work: Work = Work.DOWNLOAD, limit: int | None = None) -> int:
        """How many due rows have had their bell rung, and rely on it."""
        if limit is None:
            ((count,),) = self._database.rows(_count_due_rung(work), {})
            return int(count)
        relying, left = 0, dict[str, int]()
        for priority, account_sid, count, running in self._database.rows(_count_due_rung_by_account(work), {}):
            if priority == Priority.PLAYBACK:
                relying += count
                continue
            room = left.get(account_sid, max(0, limit - running))
            left[account_sid] = room - min(count, room)
            relying += min(count, room)
        return relying

    def due_rung(
        self, rung_before: datetime, now: datetime, size: int, after: Bell | None, work: Work = Work.DOWNLOAD
    ) -> Sequence[Bell]:
        """Due rows whose bell rang before that time, in the order of their keys."""
        parameters: dict[str, object] = {
            "rung_before": to_microseconds(rung_before),
            "now": to_microseconds(now),
            "size": size,
        }
        if after is not None:
            parameters |= {"account_sid": after.account_sid, "recording_sid": after.recording_sid}
        return _bells(self._database.rows(_due_rung(work, goes_on=after is not None), parameters), work)

    def _mark_rung(self, bells: Sequence[Bell], work: Work, now: datetime) -> list[Bell]:
        # `update_time` stays: it says when somebody last changed the recording.
        parameters = {"bells": listed(bell[:3] for bell in bells), "now": to_microseconds(now)}
        statement = _mark_rung(self._database.dialect, work)
        return _bells(self._database.write(lambda connection: connection.execute(statement, parameters).all()), work)


@cache
def _mark_rung(dialect: str, work: Work) -> Update:
    columns = COLUMNS[work]
    bell = (*_KEY, columns["attempt"])
    bells = wanted(dialect, "bells")
    hit = and_(
        _c.account_sid == bells.account_sid,
        _c.recording_sid == bells.recording_sid,
        columns["attempt"] == bells.attempt,
        columns.is_unrung,
    )
    rung = columns.named(rung_time=bindparam("now"))
    ring = update(recordings).values({**rung, "revision": _c.revision + 1}).returning(*bell)
    if dialect == "sqlite":
        return ring.where(hit)
    # Many callers may ring for the same rows at once: locked in the order of their keys, they don't deadlock.
    locked: Select[Any] = select(*_KEY, columns["attempt"].label("attempt")).join_from(bells.table, recordings, hit)
    rows = locked.order_by(*_KEY).with_for_update(of=recordings).cte("locked")
    return ring.where(
        _c.account_sid == rows.c.account_sid,
        _c.recording_sid == rows.c.recording_sid,
        columns["attempt"] == rows.c.attempt,
        columns.is_unrung,
    )


@cache
def _raise_lease(work: Work) -> Update:
    columns = COLUMNS[work]
    raised = columns.named(lease=columns["lease"] + 1)
    if work is Work.DOWNLOAD:
        raised["received_bytes"] = bindparam("new_received_bytes")
    return (
        update(recordings)
        .where(
            _c.account_sid == bindparam("of_account_sid"),
            _c.recording_sid == bindparam("of_recording_sid"),
            columns["attempt"] == bindparam("of_attempt"),
            columns.is_running,
        )
        .values({**raised, "update_time": bindparam("now"), "revision": _c.revision + 1})
    )


@cache
def _claimed(work: Work, *, by_worker: bool) -> Select[Any]:
    columns = COLUMNS[work]
    # Sorted by who asks: SQLite would read the whole table for the sake of an order.
    claimed = select(*_KEY, columns["attempt"], columns["lease"]).where(columns.is_running)
    return claimed.where(columns["claimed_by"] == bindparam("worker")) if by_worker else claimed


@cache
def _due_unrung(work: Work) -> Select[Any]:
    untouched = or_(_c.update_time <= bindparam("untouched_since"), _c.update_time > bindparam("now"))
    statement = select(*_KEY, COLUMNS[work]["attempt"]).where(due(work).is_due_unrung, untouched)
    return statement.order_by(*URGENCY).limit(bindparam("size"))


@cache
def _count_due_rung(work: Work) -> Select[Any]:
    return select(func.count()).select_from(recordings).where(due(work).is_due_rung)


@cache
def _count_due_rung_by_account(work: Work) -> Select[Any]:
    """By priority and account, as the index has them: how many, and how many the account has running."""
    columns = COLUMNS[work]
    running = recordings.alias("running")
    count_running = (
        select(func.count())
        .where(
            running.c[columns.prefix + "state"] == literal_column(f"'{columns.running_state}'"),
            running.c.account_sid == _c.account_sid,
        )
        .scalar_subquery()
    )
    return (
        select(_c.priority, _c.account_sid, func.count(), count_running)
        .where(due(work).is_due_rung)
        .group_by(_c.priority, _c.account_sid)
    )


@cache
def _due_rung(work: Work, *, goes_on: bool) -> Select[Any]:
    columns = COLUMNS[work]
    rung_before = or_(columns["rung_time"] < bindparam("rung_before"), columns["rung_time"] > bindparam("now"))
    statement = select(*_KEY, columns["attempt"]).where(due(work).is_due_rung, rung_before)
    if goes_on:
        statement = statement.where(tuple_(*_KEY) > tuple_(bindparam("account_sid"), bindparam("recording_sid")))
    return statement.order_by(*_KEY).limit(bindparam("size"))


def _bells(rows: Sequence[Values], work: Work) -> list[Bell]:
    return [Bell(row[0], row[1], row[2], work) for row in rows]
