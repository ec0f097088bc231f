"""Accounts that are paused: AccountRows of core/ports.py.

Any number of an account's recordings may wait. They are changed some at a time, so that others can write in between and
no statement runs out of time. Whoever is interrupted leaves a pause that stands, and calling again goes on from there.
A transaction locks the recordings first and the account last, as `claim` does.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, Select, bindparam, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from recording_service.adapters.sql_catalogue.due import due
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import from_microseconds, from_row, to_microseconds
from recording_service.adapters.sql_catalogue.schema import URGENCY, is_queued, is_rung, paused_accounts, recordings
from recording_service.adapters.sql_catalogue.wanted import listed, update_wanted
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import PausedAccount, Recording, WaitingReason, Work

#: How many recordings are changed in one transaction: a tenth of a second's work for SQLite.
CHUNK = 5000

#: Seconds between two such transactions: SQLite's lock has no queue, and who waits for it needs a moment to take it.
REST_SECONDS = 0.01

_c = recordings.c
_p = paused_accounts.c
_WAITS = WaitingReason.ACCOUNT_UNAUTHORIZED.value


def _some(condition: ColumnElement[bool]) -> Select[Any]:
    """At most CHUNK of an account's QUEUED rows that meet the condition, locked in the order of their keys."""
    statement = select(_c.account_sid, _c.recording_sid).where(is_queued, _c.account_sid == bindparam("account_sid"))
    return statement.where(condition).order_by(_c.account_sid, _c.recording_sid).limit(CHUNK).with_for_update()


_NOT_HELD_BACK = _some(_c.waiting_reason.is_distinct_from(_WAITS))
_HOLD_BACK: Mapping[str, Any] = {"waiting_reason": _WAITS}
_NOT_SET_FREE = _some(or_(_c.waiting_reason == _WAITS, is_rung))
_SET_FREE: Mapping[str, Any] = {
    "attempt": _c.attempt + 1,
    "rung_time": None,
    "waiting_reason": None,
    "next_attempt_time": bindparam("now"),
}
_PAUSED = select(paused_accounts).order_by(_p.account_sid)
_IS_PAUSED = select(_p.account_sid).where(_p.account_sid == bindparam("account_sid"))
_END_PAUSE = delete(paused_accounts).where(_p.account_sid == bindparam("account_sid"))
_HASTEN_PROBES = (
    update(paused_accounts)
    .where(_p.next_probe_time > bindparam("latest"))
    .values(next_probe_time=bindparam("new_next_probe_time"))
)
_MOST_URGENT = (
    select(recordings)
    .where(due(Work.DOWNLOAD).is_timely, _c.account_sid == bindparam("account_sid"))
    .order_by(*URGENCY)
    .limit(1)
)


class SqlAccounts(CataloguePart):
    """The pauses, and what they mean for the recordings of the account."""

    def pause(self, account_sid: str, now: datetime, next_probe_time: datetime) -> None:
        """Pauses the account, and gives its QUEUED rows the waiting reason ACCOUNT_UNAUTHORIZED."""
        moment = to_microseconds(now)
        begun = {
            "account_sid": account_sid,
            "pause_time": moment,
            "next_probe_time": to_microseconds(next_probe_time),
        }

        def hold_back(connection: Connection) -> int:
            changed = _change(connection, _NOT_HELD_BACK, _HOLD_BACK, account_sid, moment)
            connection.execute(_begin_pause(self._database.dialect), begun)
            return changed

        self._repeat(hold_back)

    def resume(self, account_sid: str, now: datetime) -> int:
        """Ends the pause; how many rows it set free: none, if the account is not paused."""
        account = {"account_sid": account_sid}

        def set_free(connection: Connection) -> int:
            if connection.execute(_IS_PAUSED, account).first() is None:
                return 0
            changed = _change(connection, _NOT_SET_FREE, _SET_FREE, account_sid, to_microseconds(now))
            if changed < CHUNK:
                connection.execute(_END_PAUSE, account)
            return changed

        return self._repeat(set_free)

    def paused(self) -> Sequence[PausedAccount]:
        """The accounts that are paused."""
        return [
            PausedAccount(account_sid, from_microseconds(pause_time), from_microseconds(next_probe_time))
            for account_sid, pause_time, next_probe_time in self._database.rows(_PAUSED, {})
        ]

    def most_urgent(self, account_sid: str, now: datetime) -> Recording | None:
        """The QUEUED row of the account, whose bell has rung or whose time has come, that a probe should take."""
        rows = self._database.rows(_MOST_URGENT, {"account_sid": account_sid, "now": to_microseconds(now)})
        return from_row(rows[0]) if rows else None

    def hasten_probes(self, now: datetime, latest: datetime) -> None:
        """Makes the probes of paused accounts due now whose `next_probe_time` is after `latest`."""
        times = {"new_next_probe_time": to_microseconds(now), "latest": to_microseconds(latest)}
        self._database.write(lambda connection: connection.execute(_HASTEN_PROBES, times).rowcount)

    def _repeat(self, change_some: Callable[[Connection], int]) -> int:
        """Changes some at a time until fewer than CHUNK are left to be changed; how many it changed."""
        total = changed = self._database.write(change_some)
        while changed == CHUNK:
            failpoint(Failpoint.ACCOUNT_BETWEEN_ROWS)
            time.sleep(REST_SECONDS)
            changed = self._database.write(change_some)
            total += changed
        return total


def _change(connection: Connection, some: Select[Any], to: Mapping[str, Any], account_sid: str, now: int) -> int:
    """Changes those rows; how many they were."""
    # By their keys: PostgreSQL is free to find the rows of a subquery anew for each row that it changes.
    keys = [tuple(row) for row in connection.execute(some, {"account_sid": account_sid})]
    if keys:
        dialect = connection.dialect.name
        connection.execute(update_wanted(dialect).values(to), {"keys": listed(keys), "now": now})
    return len(keys)


@cache
def _begin_pause(dialect: str) -> Insert:
    table = sqlite.insert(paused_accounts) if dialect == "sqlite" else postgresql.insert(paused_accounts)
    return table.on_conflict_do_nothing()
