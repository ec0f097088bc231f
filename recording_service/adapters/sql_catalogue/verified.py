"""How far the scrub has come: VerifiedRows of core/ports.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select, update

from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import from_row, to_microseconds
from recording_service.adapters.sql_catalogue.schema import is_ready, recordings
from recording_service.core.model import Recording
from recording_service.core.ports import NamedObject

_c = recordings.c


def _verified(condition: ColumnElement[bool]) -> Select[Any]:
    order = (_c.verified_time, _c.account_sid, _c.recording_sid)
    return select(recordings).where(is_ready, condition).order_by(*order).limit(bindparam("size"))


# Three statements, each along its part of one index: the databases disagree on where NULL is sorted.
_NEVER = _verified(_c.verified_time.is_(None))
_IN_THE_FUTURE = _verified(_c.verified_time > bindparam("now"))
_BEFORE = _verified(_c.verified_time < bindparam("verified_before"))

_MARK = (
    update(recordings)
    .where(
        _c.account_sid == bindparam("of_account_sid"),
        _c.recording_sid == bindparam("of_recording_sid"),
        _c.object_key == bindparam("of_object_key"),
        is_ready,
    )
    .values(verified_time=bindparam("now"))
)


class SqlVerified(CataloguePart):
    """When each object was last read again."""

    def least_verified(self, verified_before: datetime, now: datetime, size: int) -> Sequence[Recording]:
        """READY recordings that have not been verified since that time: never, in the future, least recently."""
        found: list[Recording] = []
        for statement, bounds in (
            (_NEVER, {}),
            (_IN_THE_FUTURE, {"now": to_microseconds(now)}),
            (_BEFORE, {"verified_before": to_microseconds(verified_before)}),
        ):
            if len(found) < size:
                found += map(from_row, self._database.rows(statement, {**bounds, "size": size - len(found)}))
        return found

    def mark_verified(self, objects: Sequence[NamedObject], now: datetime) -> None:
        """Sets `verified_time` where the recording is READY and still names that object."""
        if not objects:
            return
        marks = [
            {
                "of_account_sid": key.account_sid,
                "of_recording_sid": key.recording_sid,
                "of_object_key": object_key,
                "now": to_microseconds(now),
            }
            # In the order of their keys, in which everybody locks several recordings.
            for key, object_key in sorted(objects)
        ]
        self._database.write(lambda connection: connection.execute(_MARK, marks))
