"""Waits that a clock has made wrong (reliability.md B3 #30): `shift_waits` and `end_overlong_waits` of core/ports.py.

Any number of recordings may wait. They are changed some at a time, as those of an account are, and whoever is
interrupted may call again: what has been changed is not found any more.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, or_, select

from recording_service.adapters.sql_catalogue.accounts import CHUNK, REST_SECONDS
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import MICROSECOND, to_microseconds
from recording_service.adapters.sql_catalogue.schema import recordings
from recording_service.adapters.sql_catalogue.wanted import listed, update_wanted
from recording_service.adapters.sql_catalogue.work_columns import COLUMNS
from recording_service.core.model import Work

_c = recordings.c


def _some(work: Work, condition: ColumnElement[bool]) -> Select[Any]:
    """At most CHUNK of the unrung rows that wait and meet the condition, in the order of their keys."""
    columns = COLUMNS[work]
    statement = select(_c.account_sid, _c.recording_sid).where(columns.is_waiting, columns.is_unrung, condition)
    return statement.order_by(_c.account_sid, _c.recording_sid).limit(CHUNK)


@cache
def _waiting(work: Work, spans: int) -> Select[Any]:
    """Those that wait, and were not changed within any of so many spans: from `since0` to `until0`, and so on."""
    parts = [
        or_(_c.update_time < bindparam(f"since{number}"), _c.update_time > bindparam(f"until{number}"))
        for number in range(spans)
    ]
    return _some(work, and_(COLUMNS[work]["next_attempt_time"] > bindparam("earliest"), *parts))


# Two questions: each is a look at the end of an index, however many wait. One with OR would read all that wait.
@cache
def _overlong(work: Work) -> Select[Any]:
    return _some(work, COLUMNS[work]["next_attempt_time"] > bindparam("latest"))


@cache
def _timeless(work: Work) -> Select[Any]:
    columns = COLUMNS[work]
    return _some(work, and_(columns.is_timeless, columns["next_attempt_time"] > bindparam("now")))


class SqlWaits(CataloguePart):
    """Corrects what rows wait for."""

    def shift_waits(
        self, by: timedelta, since: datetime, now: datetime, later: Sequence[tuple[datetime, datetime]] = ()
    ) -> int:
        """Moves the `next_attempt_time` of waiting rows by that much, for the wall clock has jumped; how many."""
        moment = to_microseconds(now)
        shift = by // MICROSECOND
        spans = [(since, now), *later]
        found = {"earliest": min(moment, moment - shift)}
        for number, (begin, end) in enumerate(spans):
            found |= {f"since{number}": to_microseconds(begin), f"until{number}": to_microseconds(end)}
        total = 0
        for work in Work:
            columns = COLUMNS[work]
            to = columns.named(next_attempt_time=columns["next_attempt_time"] + bindparam("shift"))
            total += self._change_all(_waiting(work, len(spans)), found, to, {"now": moment, "shift": shift})
        return total

    def end_overlong_waits(self, now: datetime, latest: datetime) -> int:
        """Makes due what no clock that goes right would have waiting; how many."""
        moment = {"now": to_microseconds(now)}
        # None ends before now: a time in the past is due already, and would be found again and again.
        bound = {"latest": to_microseconds(max(now, latest))}
        total = 0
        for work in Work:
            to = COLUMNS[work].named(next_attempt_time=bindparam("now"))
            total += self._change_all(_overlong(work), bound, to, moment)
            total += self._change_all(_timeless(work), moment, to, moment)
        return total

    def _change_all(
        self, some: Select[Any], found: Mapping[str, int], to: Mapping[str, Any], with_: Mapping[str, int]
    ) -> int:
        """Changes what is found, some at a time; how many rows. Writes nothing where nothing is found."""
        # Without an order, one row found is enough: else all would be read, and sorted, to find the first.
        if not self._database.rows(some.order_by(None).limit(1), found):
            return 0
        # Locked in the order of their keys, as everybody locks several recordings.
        locked = some.with_for_update()

        def change_some(connection: Connection) -> int:
            keys = [tuple(row) for row in connection.execute(locked, found)]
            if keys:
                dialect = connection.dialect.name
                connection.execute(update_wanted(dialect).values(to), {"keys": listed(keys), **with_})
            return len(keys)

        total = changed = self._database.write(change_some)
        while changed == CHUNK:
            time.sleep(REST_SECONDS)
            changed = self._database.write(change_some)
            total += changed
        return total
