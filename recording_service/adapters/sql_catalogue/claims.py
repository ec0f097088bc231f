"""Taking work: `claim` of core/ports.py.

There are two candidates: the most urgent row whose bell has rung, found by walking along the index of those rows,
and the row that was heard, found by its key, whether its ringer has noted the bell yet or not. The more urgent one is
taken.

On PostgreSQL a row that another transaction has locked is passed over. If that leaves nothing, the rows are waited for:
the caller that has just rung may be noting it at this very moment, and a bell that is heard in vain is lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, select, update

from recording_service.adapters.sql_catalogue.due import is_claimable
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import MICROSECOND, Values, from_row, to_microseconds
from recording_service.adapters.sql_catalogue.schema import URGENCY, is_queued, is_rung, paused_accounts, recordings
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.model import Bell, Recording, RecordingState

#: How many probes of paused accounts may be lost to other workers before the catalogue gives up.
ROUNDS = 100

_c = recordings.c
_p = paused_accounts.c

_CANDIDATE: Select[Any] = (
    select(*URGENCY, _c.attempt, exists().where(_p.account_sid == _c.account_sid).label("is_probe"))
    .where(is_claimable)
    .order_by(*URGENCY)
    .limit(1)
)
_RUNG = _CANDIDATE.where(is_rung)
_HEARD = _CANDIDATE.where(
    _c.account_sid == bindparam("heard_account_sid"),
    _c.recording_sid == bindparam("heard_recording_sid"),
    _c.attempt == bindparam("heard_attempt"),
)
Passes = Sequence[tuple[Select[Any], Select[Any]]]

_UNLOCKED: Passes = ((_RUNG, _HEARD),)
#: First without waiting for rows that are locked, then with. SQLite has no locked rows.
_LOCKED: Passes = (
    (_RUNG.with_for_update(of=recordings, skip_locked=True), _HEARD.with_for_update(of=recordings, skip_locked=True)),
    (_RUNG.with_for_update(of=recordings), _HEARD.with_for_update(of=recordings)),
)
_PROBE = (
    update(paused_accounts)
    .where(_p.account_sid == bindparam("of_account_sid"), _p.next_probe_time <= bindparam("now"))
    .values(next_probe_time=bindparam("new_next_probe_time"))
)
_TAKE = (
    update(recordings)
    .where(
        _c.account_sid == bindparam("of_account_sid"),
        _c.recording_sid == bindparam("of_recording_sid"),
        _c.attempt == bindparam("of_attempt"),
        is_queued,
    )
    .values(
        state=RecordingState.DOWNLOADING.value,
        claimed_by=bindparam("worker"),
        lease=0,
        received_bytes=0,
        waiting_reason=None,
        update_time=bindparam("now"),
        revision=_c.revision + 1,
    )
    .returning(recordings)
)


class SqlClaims(CataloguePart):
    """Gives each attempt to one worker."""

    def claim(self, heard: Bell | None, claimed_by: str, now: datetime, probe_interval: timedelta) -> Recording | None:
        """Takes the most urgent due row."""
        moment = to_microseconds(now)
        next_probe_time = moment + probe_interval // MICROSECOND
        # Many bells are heard in vain while an account is paused: they must not keep others from writing.
        if self._database.read(lambda connection: _candidate(connection, _UNLOCKED, heard, moment)) is None:
            return None

        def take(connection: Connection) -> Recording | None:
            for _ in range(ROUNDS):
                candidate = _candidate(connection, _LOCKED, heard, moment)
                if candidate is None:
                    return None
                *_, account_sid, recording_sid, attempt, is_probe = candidate
                if is_probe and not _moves_probe(connection, account_sid, moment, next_probe_time):
                    continue  # another worker probes this account: the next round leaves it out
                parameters = {
                    "of_account_sid": account_sid,
                    "of_recording_sid": recording_sid,
                    "of_attempt": attempt,
                    "worker": claimed_by,
                    "now": moment,
                }
                return from_row(connection.execute(_TAKE, parameters).one())
            raise CatalogueUnavailable

        return self._database.write(take)


def _candidate(connection: Connection, passes: Passes, heard: Bell | None, now: int) -> Values | None:
    for rung, by_key in passes:
        candidates: list[Values] = list(connection.execute(rung, {"now": now}).all())
        if heard is not None:
            parameters = {
                "now": now,
                "heard_account_sid": heard.account_sid,
                "heard_recording_sid": heard.recording_sid,
                "heard_attempt": heard.attempt,
            }
            candidates += connection.execute(by_key, parameters).all()
        if candidates:
            return min(candidates, key=_urgency)
    return None


def _urgency(candidate: Values) -> tuple[Any, ...]:
    return tuple(candidate[: len(URGENCY)])


def _moves_probe(connection: Connection, account_sid: str, now: int, next_probe_time: int) -> bool:
    parameters = {"of_account_sid": account_sid, "now": now, "new_next_probe_time": next_probe_time}
    return connection.execute(_PROBE, parameters).rowcount > 0
