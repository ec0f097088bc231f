"""SQLite: how its connections are opened, and what they are set to."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, QueuePool, create_engine

from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.core.errors import CatalogueUnavailable

#: The oldest SQLite with RETURNING.
OLDEST_VERSION = (3, 35)

#: Prepared statements that a connection keeps.
CACHED_STATEMENTS = 256

#: Nobody but the service reads who called whom, and what was said. SQLite gives its other files the same.
FILE_MODE = 0o600

#: Seconds between two attempts to turn a new file to WAL.
WAL_PAUSE_SECONDS = 0.01


class SqliteConnection(sqlite3.Connection):
    """A connection that can be referred to weakly: `Database` knows by that which are open when the process forks."""


def sqlite_path(url: str) -> Path:
    """The file of that URL: whatever follows `sqlite:///`, as it is.

    Raises ValueError for a database in memory, which several connections could not share, and for a question mark,
    which would end the path.
    """
    path = url.partition(":///")[2]
    if path in ("", ":memory:") or "?" in path:
        raise ValueError("the catalogue's SQLite URL must be sqlite:///<path of a file>")
    return Path(path).absolute()


def sqlite_engine(path: Path, options: DatabaseOptions) -> Engine:
    """The engine for that file, which must be there. Connects to nothing."""
    if sqlite3.sqlite_version_info < OLDEST_VERSION:
        raise ValueError(f"SQLite {sqlite3.sqlite_version} is too old: it has no RETURNING")
    if not has_full_text_search():
        raise ValueError(
            f"this Python's SQLite {sqlite3.sqlite_version} has no FTS5, by which transcripts are searched; "
            "use a Python whose SQLite has it, or PostgreSQL"
        )
    return create_engine(
        "sqlite+pysqlite://",
        creator=_creator(path, options),
        poolclass=QueuePool,
        pool_size=options.pool_size,
        max_overflow=0,
        pool_timeout=options.pool_seconds,
        hide_parameters=True,  # errors quote their statement: numbers and labels are in its values
        pool_use_lifo=True,  # the connection used last has the warmest cache
    )


def create_sqlite_file(path: Path, options: DatabaseOptions) -> None:
    """Makes an empty database in WAL mode, unless there is one. Any number of processes may do so at once.

    A file that is there keeps its mode: whoever has widened it, for a backup say, has done so on purpose. Turning a
    file to WAL is the one thing for which SQLite does not always wait: it may find the file locked at once.
    """
    deadline = time.monotonic() + options.lock_seconds
    try:
        # Without opening it: to close a file that this process has open elsewhere would give up SQLite's locks on it
        # (sqlite.org/howtocorrupt.html, 2.2), and others would take the WAL away that is being read.
        os.mknod(path, FILE_MODE)
    except FileExistsError:
        pass
    except OSError as error:
        raise CatalogueUnavailable from error
    while True:
        try:
            with closing(sqlite3.connect(_location(path, "rw"), uri=True, timeout=options.lock_seconds)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                return
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise CatalogueUnavailable from error
            time.sleep(WAL_PAUSE_SECONDS)


@cache
def has_full_text_search() -> bool:
    """Whether this Python's SQLite was built with FTS5, as those of python.org and of Linux distributions are."""
    with closing(sqlite3.connect(":memory:")) as connection:
        found = connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone()
    return found is not None


def _creator(path: Path, options: DatabaseOptions) -> Callable[[], sqlite3.Connection]:
    # mode=rw: a file that has gone missing is an error, not a new and empty catalogue.
    location = _location(path, "rw")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            location,
            uri=True,
            timeout=options.lock_seconds,
            # The driver begins no transactions: `Database` does, and says which kind
            # (docs.sqlalchemy.org, "Enabling Non-Legacy SQLite Transactional Modes").
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
            factory=SqliteConnection,
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA foreign_keys = {int(options.foreign_keys)}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return connect


def _location(path: Path, mode: str) -> str:
    return f"file:{quote(str(path))}?mode={mode}"
