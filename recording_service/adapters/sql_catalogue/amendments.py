"""Changing recordings: `amend` of core/ports.py.

A first round reads without a lock, decides, and writes on condition of what it has read; where nothing is to be
written, no transaction begins. If the condition fails for any row, nothing is kept, and the next round reads the rows
anew, in its own transaction and locked, and decides anew. What can fail then is only an insert that another process
makes first, on PostgreSQL: so rounds are few, and bounded.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Insert, Update, bindparam, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from recording_service.adapters.sql_catalogue.artefacts import remove_artefacts, store_artefacts
from recording_service.adapters.sql_catalogue.decisions import Change, plan
from recording_service.adapters.sql_catalogue.events import write_events
from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.rows import Values, from_row, to_microseconds, to_row
from recording_service.adapters.sql_catalogue.schema import recording_labels, recordings
from recording_service.adapters.sql_catalogue.wanted import listed, lock_wanted, select_wanted
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.model import Recording, RecordingKey
from recording_service.core.ports import Amended, Artefact, Decide
from recording_service.core.processing_transitions import has_forgotten

#: How often rows are decided on before the catalogue gives up.
ROUNDS = 10

_c = recordings.c
_l = recording_labels.c
_DELETE_LABELS = delete(recording_labels).where(
    _l.account_sid == bindparam("old_account_sid"), _l.recording_sid == bindparam("old_recording_sid")
)
_INSERT_LABELS = insert(recording_labels)


class _Missed(Exception):
    """Raised inside a transaction, to undo it, when a row is no longer what was decided on."""


class SqlAmendments(CataloguePart):
    """Reads rows, has them decided on, and writes what was decided, all or nothing."""

    def amend(
        self, changes: Sequence[tuple[RecordingKey, Decide]], artefacts: Sequence[Artefact] = ()
    ) -> Sequence[Amended]:
        """Changes many rows in one transaction, committed and flushed on return."""
        if not changes:
            return []
        dialect = self._database.dialect
        keys = {"keys": listed(dict.fromkeys(key for key, _ in changes))}
        first = plan(changes, _by_key(self._database.rows(select_wanted(dialect), keys)))
        if not first.changes:
            return first.results

        def write_first(connection: Connection) -> Sequence[Amended]:
            _write(connection, first.changes, artefacts)
            return first.results

        def decide_anew(connection: Connection) -> Sequence[Amended]:
            anew = plan(changes, _by_key(connection.execute(lock_wanted(dialect), keys).all()))
            _write(connection, anew.changes, artefacts)
            return anew.results

        for work in [write_first] + (ROUNDS - 1) * [decide_anew]:
            try:
                return self._database.write(work)
            except _Missed:
                continue
        raise CatalogueUnavailable


def _write(connection: Connection, changes: Sequence[Change], artefacts: Sequence[Artefact]) -> None:
    inserted = [change.after for change in changes if change.before is None]
    if inserted:
        rows = [to_row(recording) for recording in inserted]
        _require(connection.execute(_insert_unless_there(connection.dialect.name), rows).rowcount == len(rows))
        _insert_labels(connection, inserted)
    _update(connection, [(change.before, change.after) for change in changes if change.before is not None])
    if artefacts:
        written = {change.after.key for change in changes}
        store_artefacts(connection, [artefact for artefact in artefacts if artefact.key in written])
    remove_artefacts(connection, [after.key for before, after in changes if has_forgotten(before, after)])
    write_events(connection, changes)


def _update(connection: Connection, changes: Sequence[tuple[Recording, Recording]]) -> None:
    """Writes the columns that differ; neighbours with the same ones by one statement."""
    written = [(_difference(before, after), before, after) for before, after in changes]
    for columns, neighbours in groupby(written, key=lambda row: tuple(row[0])):
        rows = [{f"new_{name}": value for name, value in new.items()} | _as_read(old) for new, old, _ in neighbours]
        _require(connection.execute(_update_columns(columns), rows).rowcount == len(rows))
    relabelled = [after for new, _, after in written if not new.keys().isdisjoint(("labels", "create_time"))]
    if relabelled:
        connection.execute(_DELETE_LABELS, [_as_read(recording) for recording in relabelled])
        _insert_labels(connection, relabelled)


def _insert_labels(connection: Connection, of: Sequence[Recording]) -> None:
    rows = [
        {
            "account_sid": recording.account_sid,
            "recording_sid": recording.recording_sid,
            "key": key,
            "value": value,
            "create_time": to_microseconds(recording.create_time),
        }
        for recording in of
        for key, value in recording.call.labels.items()
    ]
    if rows:
        connection.execute(_INSERT_LABELS, rows)


@cache
def _insert_unless_there(dialect: str) -> Insert:
    statement = sqlite.insert(recordings) if dialect == "sqlite" else postgresql.insert(recordings)
    return statement.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


@cache
def _update_columns(columns: tuple[str, ...]) -> Update:
    is_as_read = (
        _c.account_sid == bindparam("old_account_sid"),
        _c.recording_sid == bindparam("old_recording_sid"),
        _c.revision == bindparam("old_revision"),
    )
    return update(recordings).where(*is_as_read).values({name: bindparam(f"new_{name}") for name in columns})


def _difference(before: Recording, after: Recording) -> Mapping[str, Any]:
    old = to_row(before)
    return {name: value for name, value in to_row(after).items() if value != old[name]}


def _as_read(recording: Recording) -> dict[str, Any]:
    return {
        "old_account_sid": recording.account_sid,
        "old_recording_sid": recording.recording_sid,
        "old_revision": recording.revision,
    }


def _by_key(rows: Sequence[Values]) -> dict[RecordingKey, Recording]:
    return {RecordingKey(row[0], row[1]): from_row(row) for row in rows}


def _require(is_as_read: bool) -> None:
    if not is_as_read:
        raise _Missed
