"""A copy of an SQLite catalogue as it is at one moment, made while others go on reading and writing."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from recording_service.adapters.sql_catalogue.sqlite_engine import FILE_MODE, sqlite_path

#: How long the catalogue's lock is waited for, in seconds: a reader needs none, but for a recovery after a crash.
LOCK_SECONDS = 10.0

#: Pages that are copied between two reports of progress: 4 MiB of SQLite's usual ones.
PIECE_PAGES = 1024

#: Told how many pages were copied, and of how many.
Progress = Callable[[int, int], None]


class CatalogueCopyFailed(Exception):
    """Raised when a catalogue could not be copied. The text is for the operator."""


def copy_catalogue(url: str, copy: Path, progress: Progress) -> int:
    """Copies the catalogue at `sqlite:///…` into a new file and verifies that; how many recordings it has.

    The copy is what was committed when it began. In WAL mode that reader holds up no writer, and writers don't make the
    backup begin anew, as it does without a transaction of its own (sqlite.org/c3ref/backup_finish.html); the WAL only
    grows meanwhile. Call `seal` when the copy was read for the last time. Raises CatalogueCopyFailed; the file is then
    not there.
    """
    source = sqlite_path(url)
    with _explained(f"{copy} can't be made"):
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE))
    try:
        with _explained(f"{source} can't be copied"), closing(_connected(source)) as live:
            live.execute("BEGIN")
            ((rows,),) = live.execute("SELECT count(*) FROM recordings")
            with closing(_connected(copy)) as target:
                live.backup(
                    target,
                    pages=PIECE_PAGES,
                    progress=lambda _status, remaining, total: progress(total - remaining, total),
                )
                _verify(target)
    except BaseException:
        remove(copy)
        raise
    return int(rows)


def seal(copy: Path) -> None:
    """Makes one file of it that needs no other beside it, flushed, and says in it that it is a copy.

    So its feed begins anew when it is opened as a catalogue. Idempotent. Raises CatalogueCopyFailed.
    """
    with _explained(f"{copy} can't be finished"):
        with closing(_connected(copy)) as connection:
            connection.execute("UPDATE event_feed SET is_copy = 1")
            ((mode,),) = connection.execute("PRAGMA journal_mode = DELETE")
        if mode != "delete":
            raise CatalogueCopyFailed(f"{copy} can't be finished: somebody is reading it")
        with copy.open("rb") as file:
            os.fsync(file.fileno())


def remove(copy: Path) -> None:
    """Removes a copy, or the remains of one. Idempotent."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def _connected(path: Path) -> sqlite3.Connection:
    # mode=rw: nothing is made where nothing is.
    location = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(location, uri=True, timeout=LOCK_SECONDS, isolation_level=None)


def _verify(copy: sqlite3.Connection) -> None:
    found = [row[0] for row in copy.execute("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        raise CatalogueCopyFailed(f"the catalogue is damaged, and so is every copy of it: {found[0]}")


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """What SQLite and the operating system say, in words for the operator."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CatalogueCopyFailed(f"{what}: {reason}") from error
