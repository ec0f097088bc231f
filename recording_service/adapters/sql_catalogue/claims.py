"""Taking work: `claim` of core/ports.py.

Of the row that was heard, found by its key, it does not matter whether its ringer has noted the bell yet.

On PostgreSQL a row that another transaction has locked is passed over. If that leaves nothing, the rows are waited for:
the caller that has just rung may be noting it at this very moment, and a bell that is heard in vain is lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Executable,
    Select,
    Update,
    bindparam,
    exists,
    false,
    not_,
    select,
    update,
)

from recording_service.adapters.sql_catalogue.due import due
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import MICROSECOND, Values, from_row, to_microseconds
from recording_service.adapters.sql_catalogue.schema import is_not_begun, paused_accounts, recordings
from recording_service.adapters.sql_catalogue.turns import Heard, Limit, Turn, count_running, serve, turns
from recording_service.adapters.sql_catalogue.work_columns import COLUMNS
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.model import Bell, Priority, Recording, Work

#: How many probes of paused accounts may be lost to other workers, or accounts be found to have all that they may,
#: before the catalogue gives up.
ROUNDS = 100

_c = recordings.c
_p = paused_accounts.c

_PROBE = (
    update(paused_accounts)
    .where(_p.account_sid == bindparam("of_account_sid"), _p.next_probe_time <= bindparam("now"))
    .values(next_probe_time=bindparam("new_next_probe_time"))
)


class _AccountFull(Exception):
    """Raised inside a transaction, to undo it, when others have begun all that the account may have running."""

    def __init__(self, account_sid: str) -> None:
        super().__init__(account_sid)
        self.account_sid = account_sid


class _Candidate(NamedTuple):
    """A row that may be taken."""

    create_time: int
    recording_sid: str
    account_sid: str
    priority: int
    attempt: int
    is_probe: bool
    #: Whether a step of its processing has been done already.
    is_begun: bool


class _Look(NamedTuple):
    """What a look for a row found: the row, locked; and whether there was any to be had."""

    candidate: _Candidate | None
    saw_any: bool


class _Statements(NamedTuple):
    """What is asked in the course of a claim of one kind of work."""

    any: Executable
    heard: Executable
    #: The oldest of one account's that have rung, of one priority (first of those that are not begun, then of any), and
    #: the row that was heard: first without waiting for rows that are locked, then with. SQLite has no locked rows.
    passes: tuple[tuple[Sequence[Executable], Executable], ...]
    take: Update


class SqlClaims(CataloguePart):
    """Gives each attempt to one worker."""

    def claim(
        self,
        heard: Bell | None,
        claimed_by: str,
        now: datetime,
        probe_interval: timedelta,
        *,
        work: Work = Work.DOWNLOAD,
        limit: int | None = None,
    ) -> Recording | None:
        """Takes the most urgent due row."""
        claim = _Claim(work, heard, to_microseconds(now), probe_interval // MICROSECOND, Limit(limit))
        # Many bells are heard in vain while an account is paused, or has all that it may: they must not keep others
        # from writing.
        if not self._database.read(claim.is_any):
            return None
        for _ in range(ROUNDS):
            try:
                return self._database.write(lambda connection: claim.take(connection, claimed_by))
            except _AccountFull as found:
                claim.limit.full.add(found.account_sid)
        raise CatalogueUnavailable


class _Claim:
    """One claim, over as many transactions as it takes."""

    def __init__(self, work: Work, heard: Bell | None, now: int, probe_interval: int, limit: Limit) -> None:
        self.limit = limit
        self._work = work
        self._now = now
        self._probe_interval = probe_interval
        self._statements = _statements(work)
        self._heard: dict[str, Any] | None = None
        if heard is not None and heard.is_own:
            self._heard = {
                "now": now,
                "heard_account_sid": heard.account_sid,
                "heard_recording_sid": heard.recording_sid,
                "heard_attempt": heard.attempt,
            }

    def is_any(self, connection: Connection) -> bool:
        """Whether there is anything to take. What was heard first: noted meanwhile, it would be missed by both."""
        heard = self._heard_row(connection)
        if self.limit.most is not None:
            return any(self._turns(connection, priority, heard) for priority in Priority)
        return heard is not None or connection.execute(self._statements.any, {"now": self._now}).first() is not None

    def take(self, connection: Connection, claimed_by: str) -> Recording | None:
        """Takes the row whose turn it is. Raises _AccountFull where it may not be after all."""
        for _ in range(ROUNDS):
            candidate, saw_any = self._look(connection)
            if candidate is None and saw_any:
                continue  # they were changed or taken meanwhile, and others may be there now
            if candidate is None:
                return None
            if candidate.is_probe and not self._moves_probe(connection, candidate.account_sid):
                continue  # another worker probes this account: the next round leaves it out
            self._check_limit(connection, candidate)
            taken = {
                "of_account_sid": candidate.account_sid,
                "of_recording_sid": candidate.recording_sid,
                "of_attempt": candidate.attempt,
                "worker": claimed_by,
                "now": self._now,
            }
            row = connection.execute(self._statements.take, taken).one()
            serve(connection, self._work, candidate.account_sid)
            return from_row(row)
        raise CatalogueUnavailable

    def _check_limit(self, connection: Connection, candidate: _Candidate) -> None:
        most = self.limit.most
        if most is None or candidate.priority == Priority.PLAYBACK:
            return
        if count_running(connection, self._work, candidate.account_sid) >= most:
            raise _AccountFull(candidate.account_sid)

    def _look(self, connection: Connection) -> _Look:
        """Looks for the row to take, in the order of `AttemptRows.claim`."""
        saw_any = False
        for rung, heard in self._statements.passes:
            heard_row = self._heard_row(connection)
            for priority in Priority:
                for turn in self._turns(connection, priority, heard_row):
                    saw_any = True
                    found: list[Values] = []
                    if turn.has_rung:
                        of_turn = {"of_account_sid": turn.account_sid, "of_priority": priority, "now": self._now}
                        found += _first_of(connection, rung, of_turn)
                    if turn.has_heard and self._heard is not None:
                        found += connection.execute(heard, self._heard).all()
                    if found:
                        return _Look(min((_Candidate(*row) for row in found), key=_age), saw_any)
        return _Look(None, saw_any)

    def _turns(self, connection: Connection, priority: Priority, heard: _Candidate | None) -> list[Turn]:
        of_heard = heard and Heard(heard.create_time, heard.account_sid, Priority(heard.priority))
        return turns(connection, self._work, priority, of_heard, self._now, self.limit)

    def _heard_row(self, connection: Connection) -> _Candidate | None:
        """The row that was heard, if it can be taken."""
        row = None if self._heard is None else connection.execute(self._statements.heard, self._heard).first()
        return None if row is None else _Candidate(*row)

    def _moves_probe(self, connection: Connection, account_sid: str) -> bool:
        times = {"now": self._now, "new_next_probe_time": self._now + self._probe_interval}
        return connection.execute(_PROBE, {"of_account_sid": account_sid, **times}).rowcount > 0


def _age(candidate: _Candidate) -> tuple[bool, int, str]:
    return candidate.is_begun, candidate.create_time, candidate.recording_sid


def _first_of(connection: Connection, asked: Sequence[Executable], parameters: dict[str, Any]) -> Sequence[Values]:
    """What the first of these statements finds that finds anything."""
    for statement in asked:
        if found := connection.execute(statement, parameters).all():
            return found
    return []


@cache
def _statements(work: Work) -> _Statements:
    columns, is_claimable = COLUMNS[work], due(work).is_claimable
    is_processing = work is Work.PROCESSING
    is_begun = not_(is_not_begun) if is_processing else false()
    is_probe = exists().where(_p.account_sid == _c.account_sid) if columns.has_pauses else false()
    rows: Select[Any] = select(
        _c.create_time,
        _c.recording_sid,
        _c.account_sid,
        _c.priority,
        columns["attempt"],
        is_probe.label("is_probe"),
        is_begun.label("is_begun"),
    ).where(is_claimable)
    rung = rows.where(
        columns.is_rung, _c.account_sid == bindparam("of_account_sid"), _c.priority == bindparam("of_priority")
    )
    rung = rung.order_by(_c.create_time, _c.recording_sid).limit(1)
    rungs = [rung.where(is_not_begun), rung] if is_processing else [rung]
    heard = rows.where(
        _c.account_sid == bindparam("heard_account_sid"),
        _c.recording_sid == bindparam("heard_recording_sid"),
        columns["attempt"] == bindparam("heard_attempt"),
    )
    # In the order of the index, that it be found by it.
    any_rung = select(columns["attempt"]).where(is_claimable, columns.is_rung)
    changed = columns.named(state=columns.running_state, claimed_by=bindparam("worker"), lease=0, waiting_reason=None)
    if work is Work.DOWNLOAD:
        changed["received_bytes"] = 0
    take = update(recordings).where(
        _c.account_sid == bindparam("of_account_sid"),
        _c.recording_sid == bindparam("of_recording_sid"),
        columns["attempt"] == bindparam("of_attempt"),
        columns.is_waiting,
    )
    return _Statements(
        any=any_rung.order_by(_c.priority, _c.account_sid, _c.create_time).limit(1),
        heard=heard,
        passes=tuple(
            (
                [one.with_for_update(of=recordings, skip_locked=skips) for one in rungs],
                heard.with_for_update(of=recordings, skip_locked=skips),
            )
            for skips in (True, False)
        ),
        take=take.values({**changed, "update_time": bindparam("now"), "revision": _c.revision + 1}).returning(
            recordings
        ),
    )
