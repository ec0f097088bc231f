"""A copy of an SQLite catalogue while others write: one moment of it, verified, a file of its own."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from recording_service.adapters.sql_catalogue import SqlCatalogue, sqlite_backup
from recording_service.adapters.sql_catalogue.sqlite_backup import CatalogueCopyFailed, copy_catalogue, seal
from recording_service.core.model import RecordingState
from tests.support.recordings import a_recording, another, put


def no_progress(done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.fixture
def catalogue(sqlite_url: str) -> Iterator[SqlCatalogue]:
    with closing(SqlCatalogue.open(sqlite_url)) as opened:
        yield opened


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    folder.mkdir()
    return folder / "copy"


def test_a_copy_is_a_catalogue_in_one_private_file(catalogue: SqlCatalogue, sqlite_url: str, copy: Path) -> None:
    first, second = a_recording(), another(2)
    put(catalogue, first, second)

    assert copy_catalogue(sqlite_url, copy, no_progress) == 2
    seal(copy)

    assert [file.name for file in copy.parent.iterdir()] == ["copy"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(SqlCatalogue.open(f"sqlite:///{copy}", migrate=False)) as restored:
        assert restored.get(first.key) == first
        assert restored.get(second.key) == second


def test_the_feed_of_a_copy_begins_anew_once_it_is_used_as_a_catalogue(
    catalogue: SqlCatalogue, sqlite_url: str, copy: Path
) -> None:
    put(catalogue, another(1, state=RecordingState.READY, object_key="1.mp3"))
    position = catalogue.number_events()
    copy_catalogue(sqlite_url, copy, no_progress)
    seal(copy)

    with closing(SqlCatalogue.open(f"sqlite:///{copy}", migrate=False)) as looked_at:
        assert looked_at.feed_position() == position
    with closing(SqlCatalogue.open(f"sqlite:///{copy}")) as restored:
        begin = restored.feed_position()
        assert begin.pruned_revision == begin.revision > position.revision
    with closing(SqlCatalogue.open(f"sqlite:///{copy}")) as restarted:
        assert restarted.feed_position() == begin
    with closing(SqlCatalogue.open(sqlite_url)) as live:
        assert live.feed_position() == position


def test_a_copy_that_was_read_can_be_sealed_again(catalogue: SqlCatalogue, sqlite_url: str, copy: Path) -> None:
    copy_catalogue(sqlite_url, copy, no_progress)
    with closing(SqlCatalogue.open(f"sqlite:///{copy}", migrate=False)) as opened:
        put(opened, a_recording())
        with pytest.raises(CatalogueCopyFailed, match=r"locked|somebody"):
            seal(copy)
    seal(copy)

    assert [file.name for file in copy.parent.iterdir()] == ["copy"]
    assert copy.read_bytes()[18:20] == b"\x01\x01", "not in WAL mode (sqlite.org/fileformat2.html 1.3.3)"


def test_writers_go_on_meanwhile_and_the_copy_is_of_one_moment(
    catalogue: SqlCatalogue, sqlite_url: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_backup, "PIECE_PAGES", 1)
    before = [another(number) for number in range(2, 400)]
    put(catalogue, *before)
    later = [another(number) for number in range(1000, 1400)]
    unwritten = iter(later)
    written = 0

    def write_meanwhile(done: int, total: int) -> None:
        nonlocal written
        new = next(unwritten, None)
        if new is not None:
            put(catalogue, new)
            written += 1

    assert copy_catalogue(sqlite_url, copy, write_meanwhile) == len(before)

    assert written > 20
    with closing(SqlCatalogue.open(f"sqlite:///{copy}", migrate=False)) as restored:
        assert len(restored.get_many([row.key for row in before])) == len(before)
        assert restored.get_many([row.key for row in later]) == {}
    assert len(catalogue.get_many([row.key for row in later])) == written


def test_a_file_that_is_no_catalogue_leaves_no_copy(sqlite_url: str, sqlite_path: Path, copy: Path) -> None:
    for content, said in ((b"", "no such table"), (b"no database at all, but long enough" * 40, "not a database")):
        sqlite_path.write_bytes(content)
        with pytest.raises(CatalogueCopyFailed, match=said) as failed:
            copy_catalogue(sqlite_url, copy, no_progress)
        assert str(sqlite_path) in str(failed.value)
        assert list(copy.parent.iterdir()) == []


def test_a_damaged_catalogue_is_not_copied_in_silence(
    catalogue: SqlCatalogue, sqlite_url: str, sqlite_path: Path, copy: Path
) -> None:
    put(catalogue, *[another(number) for number in range(2, 100)])
    catalogue.close()
    with closing(sqlite3.connect(sqlite_path)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'recordings_age'")
        ((size,),) = connection.execute("PRAGMA page_size")
    with sqlite_path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))

    with pytest.raises(CatalogueCopyFailed):
        copy_catalogue(sqlite_url, copy, no_progress)

    assert list(copy.parent.iterdir()) == []


def test_a_copy_that_there_is_already_is_not_written_over(catalogue: SqlCatalogue, sqlite_url: str, copy: Path) -> None:
    copy.write_text("something else")

    with pytest.raises(CatalogueCopyFailed, match="File exists"):
        copy_catalogue(sqlite_url, copy, no_progress)

    assert copy.read_text() == "something else"
