"""Taking work: `claim` of core/ports.py.

Rows whose bell has rung wait in an index by priority and account, so that the accounts among them are found by leaps,
however many rows each has. Of the row that was heard, found by its key, it does not matter whether its ringer has noted
the bell yet.

On PostgreSQL a row that another transaction has locked is passed over. If that leaves nothing, the rows are waited for:
the caller that has just rung may be noting it at this very moment, and a bell that is heard in vain is lost.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, exists, func, select, text, update

from recording_service.adapters.sql_catalogue.due import is_claimable
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import MICROSECOND, Values, from_row, to_microseconds
from recording_service.adapters.sql_catalogue.schema import (
    account_turns,
    is_queued,
    is_rung,
    paused_accounts,
    recordings,
)
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.model import Bell, Priority, Recording, RecordingState

#: How many probes of paused accounts may be lost to other workers before the catalogue gives up.
ROUNDS = 100

_c = recordings.c
_p = paused_accounts.c

_RUNNING = """
    (SELECT count(*) FROM recordings AS running
     WHERE running.state = 'downloading' AND running.account_sid = {account_sid})
"""
_TURN = "coalesce((SELECT turn FROM account_turns AS t WHERE t.account_sid = {account_sid}), 0)"
_WAITING = "FROM recordings AS r WHERE r.state = 'queued' AND r.rung_time IS NOT NULL AND r.priority = :priority"
#: The accounts for which a bell of that priority has rung: how much of each is being done, when it was served last, and
#: since when it waits.
_ACCOUNTS = text(f"""WITH RECURSIVE waiting (account_sid) AS (
    SELECT (SELECT min(r.account_sid) {_WAITING})
  UNION ALL
    SELECT (SELECT min(r.account_sid) {_WAITING} AND r.account_sid > w.account_sid)
    FROM waiting AS w
    WHERE w.account_sid IS NOT NULL
)
SELECT w.account_sid, {_RUNNING.format(account_sid="w.account_sid")}, {_TURN.format(account_sid="w.account_sid")},
    (SELECT min(r.create_time) {_WAITING} AND r.account_sid = w.account_sid)
FROM waiting AS w
WHERE w.account_sid IS NOT NULL
    AND w.account_sid NOT IN (SELECT account_sid FROM paused_accounts WHERE next_probe_time > :now)
""")  # noqa: S608 - our own words
_TURN_OF_HEARD = text(
    f"SELECT {_RUNNING.format(account_sid=':heard_account_sid')}, {_TURN.format(account_sid=':heard_account_sid')}"
)
#: The account is served: its next turn comes after everybody else's. Whoever else serves it just now does so for both:
#: claims must not wait for each other's flush.
_SERVE = (
    update(account_turns)
    .where(
        account_turns.c.account_sid.in_(
            select(account_turns.c.account_sid)
            .where(account_turns.c.account_sid == bindparam("of_account_sid"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(turn=select(func.max(account_turns.c.turn) + 1).scalar_subquery())
)
_IS_SERVED = select(account_turns.c.turn).where(account_turns.c.account_sid == bindparam("of_account_sid"))
_SERVE_FIRST = text("""
INSERT INTO account_turns (account_sid, turn)
SELECT :of_account_sid, coalesce(max(turn), 0) + 1 FROM account_turns WHERE true
ON CONFLICT (account_sid) DO NOTHING
""")

_ROWS: Select[Any] = select(
    _c.create_time,
    _c.recording_sid,
    _c.account_sid,
    _c.priority,
    _c.attempt,
    exists().where(_p.account_sid == _c.account_sid).label("is_probe"),
).where(is_claimable)
# In the order of the index, that it be found by it.
_ANY = select(_c.attempt).where(is_claimable, is_rung).order_by(_c.priority, _c.account_sid, _c.create_time).limit(1)
#: Where the priority is in such a row.
_PRIORITY = 3
#: The oldest of one account's that have rung, of one priority.
_RUNG = (
    _ROWS.where(is_rung, _c.account_sid == bindparam("of_account_sid"), _c.priority == bindparam("of_priority"))
    .order_by(_c.create_time, _c.recording_sid)
    .limit(1)
)
_HEARD = _ROWS.where(
    _c.account_sid == bindparam("heard_account_sid"),
    _c.recording_sid == bindparam("heard_recording_sid"),
    _c.attempt == bindparam("heard_attempt"),
)
#: First without waiting for rows that are locked, then with. SQLite has no locked rows.
_PASSES = (
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


class _Turn(NamedTuple):
    """One account's rows of one priority. Turns come in their natural order."""

    #: How much of the account is being done already.
    running: int
    #: Grows with each time that the account is served; 0 if it never was.
    turn: int
    oldest_create_time: int
    account_sid: str
    has_rung: bool
    has_heard: bool


class _Look(NamedTuple):
    """What a look for a row found: the row, locked; and whether there was any to be had."""

    candidate: Values | None
    saw_any: bool


class SqlClaims(CataloguePart):
    """Gives each attempt to one worker."""

    def claim(self, heard: Bell | None, claimed_by: str, now: datetime, probe_interval: timedelta) -> Recording | None:
        """Takes the most urgent due row."""
        moment = to_microseconds(now)
        next_probe_time = moment + probe_interval // MICROSECOND
        parameters = _parameters(heard, moment)
        # Many bells are heard in vain while an account is paused: they must not keep others from writing.
        if not self._database.read(lambda connection: _is_any(connection, parameters)):
            return None

        def take(connection: Connection) -> Recording | None:
            for _ in range(ROUNDS):
                candidate, saw_any = _look(connection, parameters)
                if candidate is None and saw_any:
                    continue  # they were changed or taken meanwhile, and others may be there now
                if candidate is None:
                    return None
                _, recording_sid, account_sid, _, attempt, is_probe = candidate
                if is_probe and not _moves_probe(connection, account_sid, moment, next_probe_time):
                    continue  # another worker probes this account: the next round leaves it out
                taken = {
                    "of_account_sid": account_sid,
                    "of_recording_sid": recording_sid,
                    "of_attempt": attempt,
                    "worker": claimed_by,
                    "now": moment,
                }
                row = connection.execute(_TAKE, taken).one()
                _serve(connection, account_sid)
                return from_row(row)
            raise CatalogueUnavailable

        return self._database.write(take)


def _parameters(heard: Bell | None, now: int) -> dict[str, Any]:
    if heard is None:
        return {"now": now}
    return {
        "now": now,
        "heard_account_sid": heard.account_sid,
        "heard_recording_sid": heard.recording_sid,
        "heard_attempt": heard.attempt,
    }


def _is_any(connection: Connection, parameters: dict[str, Any]) -> bool:
    """Whether there is anything to take. What was heard first: noted meanwhile, it would be missed by both."""
    return _heard(connection, parameters) is not None or connection.execute(_ANY, parameters).first() is not None


def _heard(connection: Connection, parameters: dict[str, Any]) -> Values | None:
    """The row that was heard, if it can be taken."""
    return connection.execute(_HEARD, parameters).first() if "heard_attempt" in parameters else None


def _look(connection: Connection, parameters: dict[str, Any]) -> _Look:
    """Looks for the row to take, in the order of `AttemptRows.claim`."""
    saw_any = False
    for rung, heard in _PASSES:
        heard_row = _heard(connection, parameters)
        for priority in Priority:
            for turn in _turns(connection, priority, heard_row, parameters["now"]):
                saw_any = True
                found: list[Values] = []
                if turn.has_rung:
                    of_turn = {"of_account_sid": turn.account_sid, "of_priority": priority, "now": parameters["now"]}
                    found += connection.execute(rung, of_turn).all()
                if turn.has_heard:
                    found += connection.execute(heard, parameters).all()
                if found:
                    return _Look(min(found, key=_age), saw_any)
    return _Look(None, saw_any)


def _turns(connection: Connection, of_priority: Priority, heard: Values | None, now: int) -> list[_Turn]:
    """Whose turn it is among what has that priority, what was heard included."""
    waiting = connection.execute(_ACCOUNTS, {"now": now, "priority": int(of_priority)})
    turns = {
        account_sid: _Turn(running, turn, oldest, account_sid, has_rung=True, has_heard=False)
        for account_sid, running, turn, oldest in waiting
    }
    if heard is not None and heard[_PRIORITY] == of_priority:
        create_time, _, account_sid, *_ = heard
        its = turns.get(account_sid)
        if its is None:
            running, turn = connection.execute(_TURN_OF_HEARD, {"heard_account_sid": account_sid}).one()
            its = _Turn(running, turn, create_time, account_sid, has_rung=False, has_heard=True)
        oldest = min(create_time, its.oldest_create_time)
        turns[account_sid] = its._replace(oldest_create_time=oldest, has_heard=True)
    return sorted(turns.values())


def _serve(connection: Connection, account_sid: str) -> None:
    parameters = {"of_account_sid": account_sid}
    if connection.execute(_SERVE, parameters).rowcount:
        return
    # An insert would wait for whoever is changing the row.
    if connection.execute(_IS_SERVED, parameters).first() is None:
        connection.execute(_SERVE_FIRST, parameters)


def _age(candidate: Values) -> tuple[int, str]:
    create_time, recording_sid, *_ = candidate
    return create_time, recording_sid


def _moves_probe(connection: Connection, account_sid: str, now: int, next_probe_time: int) -> bool:
    parameters = {"of_account_sid": account_sid, "now": now, "new_next_probe_time": next_probe_time}
    return connection.execute(_PROBE, parameters).rowcount > 0
