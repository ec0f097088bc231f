"""What is particular to SQLite: sessions, the file, its lock, its errors."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, InternalError, OperationalError

from recording_service.adapters.sql_catalogue import SqlCatalogue, sqlite_engine
from recording_service.adapters.sql_catalogue.database import Database
from recording_service.adapters.sql_catalogue.errors import is_unavailable
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.model import CallDetails, Recording, RecordingFilter, RecordingState, Step, WaitingReason
from recording_service.core.ports import Artefact
from tests.support.full_disk import files_no_larger_than
from tests.support.impatience import IMPATIENT, unavailable_in_time
from tests.support.recordings import ACCOUNT_SID, TIME, a_recording, another, change, put
from tests.support.simultaneous import simultaneously

MINUTE = timedelta(minutes=1)

#: What another process does: it writes a recording, and leaves.
COMMITTING = """
import sys
from recording_service.adapters.sql_catalogue import SqlCatalogue
from tests.support.recordings import another, put
catalogue = SqlCatalogue.open(sys.argv[1])
put(catalogue, another(int(sys.argv[2])))
catalogue.close()
"""


def test_nobody_else_reads_the_files_of_a_new_catalogue(tmp_path: Path) -> None:
    # As a volume's is, or a folder that the system has made.
    tmp_path.chmod(0o755)
    with closing(SqlCatalogue.open(f"sqlite:///{tmp_path / 'catalogue.sqlite3'}")) as catalogue:
        put(catalogue, a_recording())
        files = list(tmp_path.glob("catalogue.sqlite3*"))
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_catalogue_that_is_open_twice_in_a_process_sees_what_others_commit(sqlite_url: str) -> None:
    with closing(SqlCatalogue.open(sqlite_url)) as catalogue:
        assert catalogue.get(a_recording().key) is None
        SqlCatalogue.open(sqlite_url).close()
        # Whoever closes a file that nobody else has open takes its WAL away.
        for number in (1, 2):
            subprocess.run([sys.executable, "-c", COMMITTING, sqlite_url, str(number)], check=True, timeout=60)
        assert catalogue.get(another(2).key) is not None


def test_a_catalogue_that_was_made_readable_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.sqlite3"
    SqlCatalogue.open(f"sqlite:///{file}").close()
    file.chmod(0o640)
    SqlCatalogue.open(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@contextmanager
def locked(path: Path, timeout: float = 5.0) -> Iterator[None]:
    """What another process does to the file that is amid a write."""
    with closing(sqlite3.connect(path, timeout, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def leave(row: Recording | None) -> None:
    return None


# What it must be able to do


def test_an_sqlite_that_cannot_search_text_is_refused_with_what_to_do(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_engine, "has_full_text_search", lambda: False)
    with pytest.raises(ValueError, match=r"has no FTS5.* use a Python whose SQLite has it, or PostgreSQL"):
        SqlCatalogue.open(sqlite_url)


# The index of words


def test_the_index_of_words_has_what_the_table_has_whatever_became_of_it(sqlite_url: str) -> None:
    recordings = [another(number, state=RecordingState.READY, sha256="ab") for number in range(4)]

    def say(catalogue: SqlCatalogue, recording: Recording, text: str, revision: int) -> None:
        made = Artefact(recording.key, Step.TRANSCRIPT, "ab", b"content", text)
        catalogue.amend([(recording.key, lambda row: replace(recording, revision=revision))], [made])

    with (
        closing(Database(sqlite_url, DatabaseOptions())) as database,
        closing(SqlCatalogue.open(sqlite_url)) as catalogue,
    ):
        for recording in recordings:
            say(catalogue, recording, "hello there", 1)
        say(catalogue, recordings[1], "goodbye then", 2)
        change(catalogue, recordings[2], state=RecordingState.DELETED)
        # As nobody does yet: the row itself goes, and by its keys what is said.
        statement = text("DELETE FROM recordings WHERE recording_sid = :recording_sid")
        gone = {"recording_sid": recordings[3].recording_sid}
        database.write(lambda connection: connection.execute(statement, gone))

        # Fails if the index and the table differ (sqlite.org/fts5.html, 6.4).
        check = "INSERT INTO transcript_index(transcript_index, rank) VALUES ('integrity-check', 1)"
        database.write(lambda connection: connection.exec_driver_sql(check))
        found = database.read(lambda connection: connection.exec_driver_sql("SELECT words FROM transcript_words").all())
    assert sorted(row.words for row in found) == ["goodbye then", "hello there"]


# Sessions


def test_a_connection_is_durable_and_waits_for_locks_as_long_as_it_was_told(sqlite_url: str) -> None:
    SqlCatalogue.open(sqlite_url).close()
    with closing(Database(sqlite_url, DatabaseOptions(lock_seconds=1.5))) as database:

        def pragma(name: str) -> object:
            return database.read(lambda connection: connection.execute(text(f"PRAGMA {name}")).scalar())

        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        assert [pragma(name) for name in names] == ["wal", 2, 1, 1500]


def test_a_write_has_its_lock_from_the_beginning(sqlite_url: str, sqlite_path: Path) -> None:
    SqlCatalogue.open(sqlite_url).close()

    def lock_it_too(_: Connection) -> None:
        with locked(sqlite_path, timeout=0):
            pass

    with closing(Database(sqlite_url, DatabaseOptions())) as database:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            database.write(lock_it_too)
        # What was raised has undone it, and the lock is free again.
        with locked(sqlite_path, timeout=0):
            pass


def test_a_read_takes_no_lock(sqlite_url: str, sqlite_path: Path) -> None:
    SqlCatalogue.open(sqlite_url).close()

    def write_elsewhere(connection: Connection) -> None:
        connection.execute(text("SELECT count(*) FROM recordings")).scalar()
        with locked(sqlite_path):
            pass

    with closing(Database(sqlite_url, DatabaseOptions())) as database:
        database.read(write_elsewhere)


@pytest.mark.parametrize("name", ["with space", "100%", "%41", "a#b", "a:b@c", "ü"])
def test_the_path_of_the_file_may_have_any_character(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with closing(SqlCatalogue.open(f"sqlite:///{folder}/catalogue.sqlite3")) as catalogue:
        put(catalogue, a_recording())
    assert [file.name for file in folder.iterdir()] == ["catalogue.sqlite3"]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///a?b/c", "mysql://localhost/a"])
def test_no_other_url_is_taken(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite"):
        SqlCatalogue.open(url)


# Locks


def test_while_the_file_is_locked_writers_give_up_in_time_and_readers_go_on(sqlite_url: str, sqlite_path: Path) -> None:
    recording = a_recording(rung_time=TIME)
    with closing(SqlCatalogue.open(sqlite_url, options=IMPATIENT)) as catalogue:
        put(catalogue, recording)
        writers: list[Callable[[], object]] = [
            lambda: put(catalogue, another(1)),
            lambda: change(catalogue, recording, lease=1),
            lambda: catalogue.mark_rung([recording.bell], TIME),
            lambda: catalogue.claim(None, "worker", TIME, MINUTE),
            lambda: catalogue.pause(ACCOUNT_SID, TIME, TIME),
            lambda: catalogue.hold("host"),
        ]
        with locked(sqlite_path):
            for write in writers:
                with unavailable_in_time():
                    write()
            assert catalogue.get(recording.key) == recording
        assert change(catalogue, recording, lease=1).lease == 1


def test_threads_that_wait_for_a_locked_file_give_up_in_time_together(sqlite_url: str, sqlite_path: Path) -> None:
    with closing(SqlCatalogue.open(sqlite_url, options=IMPATIENT)) as catalogue, locked(sqlite_path):

        def write(number: int) -> None:
            with unavailable_in_time():
                put(catalogue, another(number))

        simultaneously([partial(write, number) for number in range(12)])


def test_what_changes_nothing_does_not_wait_for_a_locked_file(sqlite_url: str, sqlite_path: Path) -> None:
    recording = a_recording(next_attempt_time=TIME + MINUTE, waiting_reason=WaitingReason.RETRY)
    with closing(SqlCatalogue.open(sqlite_url, options=IMPATIENT)) as catalogue:
        put(catalogue, recording)
        with locked(sqlite_path):
            unchanged = catalogue.amend([(recording.key, leave), (another(1).key, leave)])
            assert unchanged == [(recording, False), (None, False)]
            assert catalogue.claim(another(1).bell, "worker", TIME, MINUTE) is None
            assert catalogue.end_overlong_waits(TIME, TIME + 2 * MINUTE) == 0


def test_many_threads_write_to_the_file_and_none_gives_up(sqlite_url: str) -> None:
    with closing(SqlCatalogue.open(sqlite_url)) as catalogue:

        def write(writer: int) -> None:
            for number in range(10):
                put(catalogue, another(100 * writer + number))

        simultaneously([partial(write, writer) for writer in range(40)])
        assert catalogue.backlog(TIME).queued == 400


# Errors


def test_a_file_that_is_no_database_is_unavailable(sqlite_url: str, sqlite_path: Path) -> None:
    sqlite_path.write_bytes(b"This is not SQLite's. " * 200)
    with pytest.raises(CatalogueUnavailable):
        SqlCatalogue.open(sqlite_url)


@pytest.mark.parametrize("migrate", [True, False])
def test_a_file_that_cannot_be_there_is_unavailable(tmp_path: Path, migrate: bool) -> None:
    with pytest.raises(CatalogueUnavailable):
        SqlCatalogue.open(f"sqlite:///{tmp_path}/missing/catalogue.sqlite3", migrate=migrate)
    assert list(tmp_path.iterdir()) == []


def test_a_catalogue_whose_file_has_gone_is_not_made_anew(sqlite_url: str, sqlite_path: Path) -> None:
    SqlCatalogue.open(sqlite_url).close()
    with closing(SqlCatalogue(Database(sqlite_url, DatabaseOptions()))) as catalogue:
        sqlite_path.unlink()
        with pytest.raises(CatalogueUnavailable):
            put(catalogue, a_recording())
    assert not sqlite_path.exists()


def test_where_the_disk_is_full_the_catalogue_is_unavailable_and_nothing_is_half_stored(sqlite_url: str) -> None:
    SqlCatalogue.open(sqlite_url).close()
    with closing(Database(sqlite_url, DatabaseOptions(pool_size=1))) as database:
        catalogue = SqlCatalogue(database)
        put(catalogue, a_recording())
        # The file may have the pages that it has, and no more.
        database.read(lambda connection: connection.execute(text("PRAGMA max_page_count = 1")).all())
        labels = CallDetails(labels={"team": "a"})
        with pytest.raises(CatalogueUnavailable):
            put(catalogue, *(another(number, call=labels) for number in range(200)))
        assert catalogue.page(RecordingFilter(), 300, None) == [a_recording()]
        database.read(lambda connection: connection.execute(text("PRAGMA max_page_count = 1000000")).all())
        put(catalogue, another(1, call=labels))
        assert len(catalogue.page(RecordingFilter(), 300, None)) == 2


@pytest.mark.parametrize("room", [0, 100], ids=["none", "for a part of it"])
def test_a_commit_that_the_disk_has_no_room_for_is_unavailable_and_the_next_one_with_room_is_made(
    sqlite_url: str, sqlite_path: Path, room: int
) -> None:
    with closing(SqlCatalogue.open(sqlite_url)) as catalogue:
        put(catalogue, a_recording())
        wal_bytes = sqlite_path.with_name(f"{sqlite_path.name}-wal").stat().st_size
        for _ in range(3):
            with files_no_larger_than(wal_bytes + room), pytest.raises(CatalogueUnavailable):
                put(catalogue, *(another(number) for number in range(1, 50)))
            assert catalogue.get(a_recording().key) == a_recording()
            assert catalogue.backlog(TIME).queued == 1
        put(catalogue, another(1))
        assert catalogue.backlog(TIME).queued == 2
    with closing(SqlCatalogue.open(sqlite_url)) as reopened:
        assert reopened.backlog(TIME).queued == 2


class DriverError(Exception):
    def __init__(self, code: int) -> None:
        self.sqlite_errorcode = code


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        (OperationalError, sqlite3.SQLITE_BUSY, True),
        (OperationalError, sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (OperationalError, sqlite3.SQLITE_FULL, True),
        (OperationalError, sqlite3.SQLITE_IOERR_FSYNC, True),
        (OperationalError, sqlite3.SQLITE_READONLY, True),
        (OperationalError, sqlite3.SQLITE_CANTOPEN, True),
        (OperationalError, sqlite3.SQLITE_ERROR, False),
        (DatabaseError, sqlite3.SQLITE_CORRUPT, True),
        (DatabaseError, sqlite3.SQLITE_NOTADB, True),
        (DatabaseError, sqlite3.SQLITE_MISUSE, False),
        (InternalError, sqlite3.SQLITE_CORRUPT, True),
        (IntegrityError, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, False),
    ],
)
def test_the_codes_of_sqlite_tell_trouble_from_bugs(kind: type[DBAPIError], code: int, expected: bool) -> None:
    assert is_unavailable(kind("SELECT 1", None, DriverError(code))) is expected
