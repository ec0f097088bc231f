"""The schema: made once, all or nothing, by whoever comes first, and refused where it is another version's."""

import re
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Index, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from recording_service.adapters.sql_catalogue import SchemaMismatch, SqlCatalogue
from recording_service.adapters.sql_catalogue.database import Database
from recording_service.adapters.sql_catalogue.migration import MIGRATION_OPTIONS, alembic_config, migrate
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.adapters.sql_catalogue.rows import to_row
from recording_service.adapters.sql_catalogue.schema import SCHEMA_REVISION, metadata, recordings
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.event_ports import FeedPosition
from recording_service.core.model import FailureReason, Recording, RecordingFilter, RecordingState, Step, WaitingReason
from recording_service.core.ports import Artefact, DispatcherRow, NamedObject
from recording_service.core.typed_search import word_search
from tests.support.recordings import TIME, a_recording, another, change, put
from tests.support.simultaneous import simultaneously

ROOT = Path(__file__).parents[3]

#: How many processes start at once.
PROCESSES = 6

#: What each does: it gets ready, and opens the catalogue when its standard input ends.
OPENING = """
import sys
import recording_service.adapters.sql_catalogue.migration
from recording_service.adapters.sql_catalogue import SqlCatalogue
print("ready", flush=True)
sys.stdin.read()
SqlCatalogue.open(sys.argv[1]).check()
"""


def run(url: str, statement: str) -> None:
    with closing(Database(url, DatabaseOptions())) as database:
        database.write(lambda connection: connection.execute(text(statement)))


def tables(url: str) -> set[str]:
    with closing(Database(url, DatabaseOptions())) as database:
        return set(database.read(lambda connection: inspect(connection).get_table_names()))


# What the migrations make


def kept_by_the_database(connection: Connection) -> set[str]:
    """What makes up the index of words and is the database's own: virtual tables and theirs, and generated columns."""
    if connection.dialect.name == "sqlite":
        listed = connection.exec_driver_sql("PRAGMA table_list")
        return {row.name for row in listed if row.type in ("virtual", "shadow")}
    generated = text(
        """
        SELECT a.attname, c.relname FROM pg_attribute a
        JOIN pg_index i ON i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey)
        JOIN pg_class c ON c.oid = i.indexrelid
        WHERE a.attgenerated <> ''
        """
    )
    return {name for row in connection.execute(generated) for name in row}


def test_the_migrations_make_the_tables_that_the_statements_are_written_for(url: str) -> None:
    SqlCatalogue.open(url).close()

    def differences(connection: Connection) -> list[object]:
        left_out = kept_by_the_database(connection)

        def is_compared(item: object, name: str | None, _type: str, is_reflected: bool, _declared: object) -> bool:
            if isinstance(item, Index) and not is_reflected:
                return item.info.get("dialect") in (None, connection.dialect.name)
            return not is_reflected or name not in left_out

        context = MigrationContext.configure(connection, opts={"include_object": is_compared})
        return list(compare_metadata(context, metadata))

    with closing(Database(url, DatabaseOptions())) as database:
        assert database.read(differences) == []


def test_the_migrations_make_the_very_indexes_that_the_statements_are_written_for(
    sqlite_url: str, tmp_path: Path
) -> None:
    # Alembic does not compare the conditions of partial indexes.
    SqlCatalogue.open(sqlite_url).close()
    engine = create_engine(f"sqlite:///{tmp_path}/declared.sqlite3")
    metadata.create_all(engine)

    def indexes(connection: Connection) -> set[str]:
        rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        return {re.sub(r"\s+", " ", row.sql) for row in rows}

    with closing(Database(sqlite_url, DatabaseOptions())) as database, engine.connect() as declared:
        assert database.read(indexes) == indexes(declared)
    engine.dispose()


def test_and_those_of_postgresql(postgresql_url: str) -> None:
    SqlCatalogue.open(postgresql_url).close()
    defined = text("SELECT indexdef FROM pg_indexes WHERE schemaname = :name")

    def indexes(connection: Connection, schema: str) -> set[str]:
        found = connection.execute(defined, {"name": schema}).scalars()
        return {definition.replace(f" {schema}.", " ") for definition in found}

    def declare(connection: Connection) -> tuple[set[str], set[str]]:
        connection.execute(text("CREATE SCHEMA declared"))
        metadata.create_all(connection.execution_options(schema_translate_map={None: "declared"}))
        found = indexes(connection, "declared")
        connection.execute(text("DROP SCHEMA declared CASCADE"))
        ours = connection.execute(text("SELECT current_schema()")).scalar_one()
        return found, indexes(connection, ours)

    with closing(Database(postgresql_url, DatabaseOptions())) as database:
        declared, made = database.write(declare)
    assert len(declared) > 20
    assert declared - made == set()


def test_the_newest_migration_is_the_schema_of_this_version(sqlite_url: str) -> None:
    SqlCatalogue.open(sqlite_url).close()
    with closing(Database(sqlite_url, DatabaseOptions())) as database:
        config = database.read(alembic_config)
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA_REVISION]


def test_a_new_catalogue_is_in_order(url: str) -> None:
    with closing(SqlCatalogue.open(url)) as catalogue:
        catalogue.check()
        assert catalogue.look() == DispatcherRow("", 0)


def test_a_catalogue_that_is_opened_again_has_what_was_in_it(url: str) -> None:
    for count in range(2):
        with closing(SqlCatalogue.open(url)) as catalogue:
            if count == 0:
                put(catalogue, a_recording())
            assert catalogue.get(a_recording().key) == a_recording()
            migrate(url)


# From older schemas


def bring_to(url: str, revision: str) -> None:
    """Gives an empty database the schema of an older version."""
    with closing(Database(url, MIGRATION_OPTIONS)) as database:
        database.write(lambda connection: command.upgrade(alembic_config(connection), revision))


#: The columns that schemas have added.
ADDED = {
    "verified_time": "0002",
    "expected_sha256": "0003",
    "failures_by_reason": "0004",
    "stored_channels": "0007",
    **dict.fromkeys((name for name in recordings.c.keys() if name.startswith("processing_")), "0009"),  # noqa: SIM118
    "encryption_details": "0010",
}


def insert_as_of(url: str, revision: str, recording: Recording, **columns_until: Any) -> None:
    """Stores a recording as a version of that schema did, which also had those columns."""
    known = {name: value for name, value in to_row(recording).items() if ADDED.get(name, "") <= revision}
    row = known | columns_until
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    with closing(Database(url, DatabaseOptions())) as database:
        statement = text(f"INSERT INTO recordings ({names}) VALUES ({values})")  # noqa: S608 - our own names
        database.write(lambda connection: connection.execute(statement, row))


def test_recordings_of_the_first_schema_are_kept_and_none_of_them_has_been_verified(url: str) -> None:
    waiting, stored = another(1), another(2, state=RecordingState.READY, object_key="x", size_bytes=3, sha256="ab")
    bring_to(url, "0001")
    for recording in (waiting, stored):
        insert_as_of(url, "0001", recording, failures=0)
    with closing(SqlCatalogue.open(url)) as catalogue:
        assert catalogue.get_many([waiting.key, stored.key]) == {waiting.key: waiting, stored.key: stored}
        assert catalogue.least_verified(TIME, TIME, 10) == [stored]
        catalogue.mark_verified([NamedObject(stored.key, "x")], TIME)
        assert catalogue.least_verified(TIME, TIME, 10) == []


def test_failures_from_before_they_were_counted_by_kind_are_put_down_only_to_what_they_ended_with(url: str) -> None:
    waiting = another(1, waiting_reason=WaitingReason.RETRY)
    given_up = another(2, state=RecordingState.FAILED, failure_reason=FailureReason.WORKER_CRASHED)
    reported = another(3, state=RecordingState.FAILED, failure_reason=FailureReason.SOURCE_ABSENT)
    bring_to(url, "0003")
    for recording in (waiting, given_up, reported):
        insert_as_of(url, "0003", recording, failures=8)
    with closing(SqlCatalogue.open(url)) as catalogue:
        assert catalogue.get(given_up.key) == replace(given_up, failures_by_reason={FailureReason.WORKER_CRASHED: 8})
        assert catalogue.get_many([waiting.key, reported.key]) == {waiting.key: waiting, reported.key: reported}


def test_what_waits_in_an_older_schema_waits_in_this_one(url: str) -> None:
    bring_to(url, "0004")
    timeless = another(1, next_attempt_time=TIME + timedelta(minutes=5))
    waiting = another(2, next_attempt_time=TIME + timedelta(minutes=5), waiting_reason=WaitingReason.RETRY)
    for recording in (timeless, waiting):
        insert_as_of(url, "0004", recording)
    with closing(SqlCatalogue.open(url)) as catalogue:
        assert catalogue.get_many([timeless.key, waiting.key]) == {timeless.key: timeless, waiting.key: waiting}
        assert catalogue.end_overlong_waits(TIME, TIME + timedelta(hours=1)) == 1
        assert catalogue.due_unrung(TIME, TIME, 10) == [timeless.bell]


def test_changes_made_in_an_older_schema_are_found_by_when_they_were_made(url: str) -> None:
    bring_to(url, "0005")
    earlier, later = another(2, update_time=TIME), another(1, update_time=TIME + timedelta(seconds=1))
    for recording in (later, earlier):
        insert_as_of(url, "0005", recording)
    with closing(SqlCatalogue.open(url)) as catalogue:
        assert [change.key for change in catalogue.changed(TIME, None, 10, None)] == [earlier.key, later.key]


def test_of_what_was_stored_in_an_older_schema_the_channels_are_not_known(url: str) -> None:
    stored = another(1, state=RecordingState.READY, object_key="x", size_bytes=3, sha256="ab", content_type="audio/wav")
    bring_to(url, "0006")
    insert_as_of(url, "0006", stored)
    with closing(SqlCatalogue.open(url)) as catalogue:
        assert catalogue.get(stored.key) == replace(stored, stored_channels=0)


def test_what_was_stored_in_an_older_schema_is_not_known_to_be_encrypted(url: str) -> None:
    stored = another(1, state=RecordingState.READY, object_key="x", size_bytes=3, sha256="ab", content_type="audio/wav")
    bring_to(url, "0008")
    insert_as_of(url, "0008", stored)
    with closing(SqlCatalogue.open(url)) as catalogue:
        assert catalogue.get(stored.key) == replace(stored, encryption_details=None)


def test_what_has_ended_in_an_older_schema_is_no_event_and_what_ends_in_this_one_is(url: str) -> None:
    bring_to(url, "0008")
    ended, given_up = another(1, state=RecordingState.READY, object_key="x"), another(2)
    for recording in (ended, given_up):
        insert_as_of(url, "0008", recording)
    with closing(SqlCatalogue.open(url)) as catalogue:
        assert catalogue.number_events() == FeedPosition(0, 0)
        change(catalogue, given_up, state=RecordingState.FAILED)
        assert catalogue.number_events() == FeedPosition(1, 0)
        assert [event.key for event in catalogue.events(0, 10)] == [given_up.key]


def test_recordings_of_an_older_schema_are_found_by_what_is_said_in_them_once_they_are_transcribed(url: str) -> None:
    stored = another(1, state=RecordingState.READY, object_key="x", size_bytes=3, sha256="ab", content_type="audio/wav")
    bring_to(url, "0011")
    insert_as_of(url, "0011", stored)
    matching = RecordingFilter(words=word_search("hello"))
    with closing(SqlCatalogue.open(url)) as catalogue:
        assert catalogue.page(matching, 10, None) == []
        transcribed = replace(stored, revision=stored.revision + 1)
        made = Artefact(stored.key, Step.TRANSCRIPT, "ab", b"content", "Hello!")
        catalogue.amend([(stored.key, lambda row: transcribed)], [made])
        assert catalogue.page(matching, 10, None) == [transcribed]


# Many at once


def test_many_processes_may_open_a_new_catalogue_at_once(url: str) -> None:
    command = [sys.executable, "-c", OPENING, url]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            for _ in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        assert [process.wait() for process in processes] == [0] * PROCESSES


def test_many_threads_may_open_a_new_catalogue_at_once(url: str) -> None:
    for catalogue in simultaneously([partial(SqlCatalogue.open, url)] * PROCESSES):
        catalogue.check()
        catalogue.close()


def test_many_threads_may_open_different_new_catalogues_at_once(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{number}.sqlite3" for number in range(PROCESSES)]
    for catalogue in simultaneously([partial(SqlCatalogue.open, url) for url in urls]):
        catalogue.check()
        catalogue.close()


# All or nothing


def test_a_migration_that_fails_leaves_nothing_behind(url: str) -> None:
    run(url, "CREATE TABLE dispatcher (id INTEGER)")
    with pytest.raises(DBAPIError):
        SqlCatalogue.open(url)
    assert tables(url) == {"dispatcher"}


# Another version's


def test_a_newer_schema_is_refused_with_its_name(url: str) -> None:
    with closing(SqlCatalogue.open(url)) as catalogue:
        run(url, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(SchemaMismatch):
            catalogue.check()
    for migrating in (True, False):
        with pytest.raises(SchemaMismatch, match="9999") as caught:
            SqlCatalogue.open(url, migrate=migrating)
        assert (caught.value.found, caught.value.expected) == ("9999", SCHEMA_REVISION)
        assert isinstance(caught.value, CatalogueUnavailable)


def test_an_empty_database_is_only_looked_at_where_nothing_may_be_changed(url: str) -> None:
    with pytest.raises(SchemaMismatch, match="none"):
        SqlCatalogue.open(url, migrate=False)
    assert tables(url) == set()


def test_a_catalogue_that_lost_its_schema_fails_the_check(url: str) -> None:
    with closing(SqlCatalogue.open(url)) as catalogue:
        run(url, "DROP TABLE alembic_version")
        with pytest.raises(SchemaMismatch) as caught:
            catalogue.check()
    assert caught.value.found is None
