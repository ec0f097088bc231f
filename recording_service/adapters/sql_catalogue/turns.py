"""Whose turn it is: the accounts that wait for a kind of work, in the order of `AttemptRows.claim`.

Rows whose bell has rung wait in an index by priority and account, so that the accounts among them are found by leaps,
however many rows each has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, TextClause, bindparam, func, select, text, update

from recording_service.adapters.sql_catalogue.rows import Values
from recording_service.adapters.sql_catalogue.schema import account_turns
from recording_service.adapters.sql_catalogue.work_columns import COLUMNS
from recording_service.core.model import Priority, Work

_IS_SERVED = select(account_turns.c.turn).where(account_turns.c.account_sid == bindparam("of_account_sid"))
#: Taken before an account's running work is counted for good: who counts beside would not see it (PostgreSQL).
_LOCK = text("SELECT pg_advisory_xact_lock(:of_kind, hashtext(:of_account_sid))")
#: The first key of that lock.
_LOCK_KINDS = {Work.DOWNLOAD: 1, Work.PROCESSING: 2}


class Turn(NamedTuple):
    """One account's rows of one priority. Turns come in their natural order."""

    #: How much of the account is being done already.
    running: int
    #: Grows with each time that the account is served; 0 if it never was.
    turn: int
    oldest_create_time: int
    account_sid: str
    has_rung: bool
    has_heard: bool


@dataclass(slots=True)
class Limit:
    """How many an account may have running at once, and whose were found to be so many in the course of one claim."""

    #: None: any number.
    most: int | None
    full: set[str] = field(default_factory=set)

    def holds_back(self, priority: Priority, turn: Turn) -> bool:
        """Whether nothing of that priority may be taken of that account."""
        if self.most is None or priority is Priority.PLAYBACK:
            return False
        return turn.running >= self.most or turn.account_sid in self.full


class Heard(NamedTuple):
    """The row of a bell that was heard, as far as turns go."""

    create_time: int
    account_sid: str
    priority: Priority


def turns(
    connection: Connection, work: Work, priority: Priority, heard: Heard | None, now: int, limit: Limit
) -> list[Turn]:
    """Whose turn it is among what has that priority, what was heard included, and what is held back left out."""
    statements = _statements(work)
    waiting: list[Values] = list(connection.execute(statements.accounts[priority], {"now": now}))
    found = {
        account_sid: Turn(running, turn, oldest, account_sid, has_rung=True, has_heard=False)
        for account_sid, running, turn, oldest in waiting
    }
    if heard is not None and heard.priority is priority:
        its = found.get(heard.account_sid)
        if its is None:
            running, turn = connection.execute(statements.turn_of, {"of_account_sid": heard.account_sid}).one()
            its = Turn(running, turn, heard.create_time, heard.account_sid, has_rung=False, has_heard=True)
        oldest = min(heard.create_time, its.oldest_create_time)
        found[heard.account_sid] = its._replace(oldest_create_time=oldest, has_heard=True)
    return sorted(turn for turn in found.values() if not limit.holds_back(priority, turn))


def count_running(connection: Connection, work: Work, account_sid: str) -> int:
    """How many the account has running, counted so that nobody can begin another beside, until the transaction ends.

    To be asked for one account a transaction, and last: so nobody waits for whoever waits for this.
    """
    account = {"of_account_sid": account_sid}
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, account | {"of_kind": _LOCK_KINDS[work]})
    running, _ = connection.execute(_statements(work).turn_of, account).one()
    return int(running)


def serve(connection: Connection, work: Work, account_sid: str) -> None:
    """The account is served: its next turn comes after everybody else's.

    Whoever else serves it just now does so for both: claims must not wait for each other's flush.
    """
    statements, account = _statements(work), {"of_account_sid": account_sid}
    if connection.execute(statements.serve, account).rowcount:
        return
    # An insert would wait for whoever is changing the row.
    if connection.execute(_IS_SERVED, account).first() is None:
        connection.execute(statements.serve_first, account)


class _Statements(NamedTuple):
    """What is asked about the turns of one kind of work."""

    #: The accounts for which a bell of that priority has rung: how much of each is being done, when it was served last,
    #: and since when it waits. The priority is written out: PostgreSQL plans a prepared statement for any value, and
    #: where all that wait have one priority it would look through the whole table for one of another.
    accounts: Mapping[Priority, TextClause]
    turn_of: TextClause
    serve: Executable
    serve_first: TextClause


@cache
def _statements(work: Work) -> _Statements:
    columns = COLUMNS[work]
    prefix, turn = columns.prefix, columns.turn.name
    running = f"""(SELECT count(*) FROM recordings AS running
        WHERE running.{prefix}state = '{columns.running_state}' AND running.account_sid = {{account_sid}})"""  # noqa: S608 - our own words
    its_turn = f"coalesce((SELECT {turn} FROM account_turns AS t WHERE t.account_sid = {{account_sid}}), 0)"  # noqa: S608
    waiting = f"""FROM recordings AS r WHERE r.{prefix}state = '{columns.waiting_state}'
        AND r.{prefix}rung_time IS NOT NULL AND r.priority = {{priority}}"""
    unpaused = ""
    if columns.has_pauses:
        unpaused = "AND w.account_sid NOT IN (SELECT account_sid FROM paused_accounts WHERE next_probe_time > :now)"
    accounts = f"""WITH RECURSIVE waiting (account_sid) AS (
        SELECT (SELECT min(r.account_sid) {waiting})
      UNION ALL
        SELECT (SELECT min(r.account_sid) {waiting} AND r.account_sid > w.account_sid)
        FROM waiting AS w
        WHERE w.account_sid IS NOT NULL
    )
    SELECT w.account_sid, {running.format(account_sid="w.account_sid")}, {its_turn.format(account_sid="w.account_sid")},
        (SELECT min(r.create_time) {waiting} AND r.account_sid = w.account_sid)
    FROM waiting AS w
    WHERE w.account_sid IS NOT NULL {unpaused}
    """  # noqa: S608 - our own words
    turn_of = f"SELECT {running}, {its_turn}".format(account_sid=":of_account_sid")
    locked = (
        select(account_turns.c.account_sid)
        .where(account_turns.c.account_sid == bindparam("of_account_sid"))
        .with_for_update(skip_locked=True)
    )
    next_turn: Any = select(func.max(columns.turn) + 1).scalar_subquery()
    other = "processing_turn" if work is Work.DOWNLOAD else "turn"
    serve_first = f"""
        INSERT INTO account_turns (account_sid, {turn}, {other})
        SELECT :of_account_sid, coalesce(max({turn}), 0) + 1, 0 FROM account_turns WHERE true
        ON CONFLICT (account_sid) DO NOTHING
    """  # noqa: S608 - our own words
    return _Statements(
        accounts={priority: text(accounts.format(priority=int(priority))) for priority in Priority},
        turn_of=text(turn_of),
        serve=update(account_turns).where(account_turns.c.account_sid.in_(locked)).values({turn: next_turn}),
        serve_first=text(serve_first),
    )
