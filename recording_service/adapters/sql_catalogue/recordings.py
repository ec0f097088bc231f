"""Reading the recordings: RecordingRows of core/ports.py, but for `amend`."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select, tuple_

from recording_service.adapters.sql_catalogue.due import due
from recording_service.adapters.sql_catalogue.paging import page_statement
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import from_microseconds, from_row, to_microseconds
from recording_service.adapters.sql_catalogue.schema import is_queued, is_ready, recordings
from recording_service.adapters.sql_catalogue.wanted import listed, select_wanted
from recording_service.core.model import Backlog, PagePosition, Recording, RecordingFilter, RecordingKey, Work
from recording_service.core.ports import RowChange

_c = recordings.c
_KEY = (_c.account_sid, _c.recording_sid)

_GET = select(recordings).where(
    _c.account_sid == bindparam("account_sid"), _c.recording_sid == bindparam("recording_sid")
)
_FIND = select(recordings).where(_c.recording_sid == bindparam("recording_sid")).order_by(_c.account_sid)
_STORED = select(recordings).where(is_ready).order_by(*_KEY).limit(bindparam("size"))
_STORED_AFTER = _STORED.where(tuple_(*_KEY) > tuple_(bindparam("account_sid"), bindparam("recording_sid")))
_CHANGE = (_c.update_time, *_KEY)
_CHANGED = (
    select(*_CHANGE, _c.revision)
    .where(_c.update_time >= bindparam("since"), _c.update_time < bindparam("before"))
    .order_by(*_CHANGE)
    .limit(bindparam("size"))
)
_CHANGED_AFTER = _CHANGED.where(
    tuple_(*_CHANGE) > tuple_(bindparam("after_time"), bindparam("account_sid"), bindparam("recording_sid"))
)
#: A time after every other, in microseconds.
_NEVER = 2**63 - 1
_DUE = due(Work.DOWNLOAD)
_BACKLOG = select(
    select(func.count()).select_from(recordings).where(is_queued).scalar_subquery(),
    select(func.min(_c.next_attempt_time)).where(_DUE.is_unpaused, _DUE.has_come).scalar_subquery(),
)


class SqlRecordings(CataloguePart):
    """The recordings, as they are."""

    def get(self, key: RecordingKey) -> Recording | None:
        """The recording as it is now."""
        rows = self._database.rows(_GET, {"account_sid": key[0], "recording_sid": key[1]})
        return from_row(rows[0]) if rows else None

    def get_many(self, keys: Sequence[RecordingKey]) -> Mapping[RecordingKey, Recording]:
        """Those of the recordings that there are, all of them as they were at one moment."""
        if not keys:
            return {}
        rows = self._database.rows(select_wanted(self._database.dialect), {"keys": listed(keys)})
        return {RecordingKey(row[0], row[1]): from_row(row) for row in rows}

    def find(self, recording_sid: str) -> Sequence[Recording]:
        """The recordings of that SID, over all accounts."""
        return [from_row(row) for row in self._database.rows(_FIND, {"recording_sid": recording_sid})]

    def page(self, matching: RecordingFilter, size: int, after: PagePosition | None) -> Sequence[Recording]:
        """At most `size` recordings, newest first."""
        statement = page_statement(matching, size, after, self._database.dialect)
        return [from_row(row) for row in self._database.rows(statement, {})]

    def stored(self, size: int, after: RecordingKey | None) -> Sequence[Recording]:
        """READY recordings in the order of their keys."""
        if after is None:
            rows = self._database.rows(_STORED, {"size": size})
        else:
            parameters = {"size": size, "account_sid": after.account_sid, "recording_sid": after.recording_sid}
            rows = self._database.rows(_STORED_AFTER, parameters)
        return [from_row(row) for row in rows]

    def changed(
        self, since: datetime, before: datetime | None, size: int, after: RowChange | None
    ) -> Sequence[RowChange]:
        """Rows whose `update_time` is in that span, in the order of (update_time, key)."""
        until = _NEVER if before is None else to_microseconds(before)
        if after is None:
            rows = self._database.rows(_CHANGED, {"since": to_microseconds(since), "before": until, "size": size})
        else:
            after_time = to_microseconds(after.update_time)
            parameters = {
                # SQLite looks up where to begin by this, and not by the three together.
                "since": max(after_time, to_microseconds(since)),
                "before": until,
                "size": size,
                "after_time": after_time,
                "account_sid": after.key.account_sid,
                "recording_sid": after.key.recording_sid,
            }
            rows = self._database.rows(_CHANGED_AFTER, parameters)
        return [RowChange(from_microseconds(row[0]), RecordingKey(row[1], row[2]), row[3]) for row in rows]

    def backlog(self, now: datetime) -> Backlog:
        """How much is waiting."""
        ((queued, oldest_due_time),) = self._database.rows(_BACKLOG, {"now": to_microseconds(now)})
        return Backlog(queued, None if oldest_due_time is None else from_microseconds(oldest_due_time))
