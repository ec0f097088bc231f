"""A process that forks while it has a catalogue open: `python -m tests.support.forking_process URL idle|busy`.

With `busy`, another of its threads uses the catalogue at the moment of the fork, and then it forks again. It prints,
as a line of JSON, which of three recordings each child and then the parent saw, and in which session of PostgreSQL; the
first child's error, if it had one; and whether that child held locks.
"""

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sqlalchemy import Connection, text

from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.adapters.sql_catalogue.database import Database
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from tests.support.recordings import another, put

#: How long one thread waits for the other.
PATIENCE_SECONDS = 20


def main(url: str, how: str) -> None:
    """Stores a recording, has a child store the second, stores the third."""
    database = Database(url, DatabaseOptions())
    with closing(SqlCatalogue(database)) as catalogue:
        put(catalogue, another(1))
        report = forked(catalogue, database) if how == "idle" else forked_while_busy(catalogue, database)
        put(catalogue, another(3))
        report |= {"parent": seen(catalogue), "parent_session": session(database)}
    sys.stdout.write(json.dumps(report))


def forked(catalogue: SqlCatalogue, database: Database) -> dict[str, Any]:
    """Forks; what the child reports."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, json.dumps(in_child(catalogue, database)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as report:
        told: dict[str, Any] = json.loads(report.read())
    os.wait()
    return told


def forked_while_busy(catalogue: SqlCatalogue, database: Database) -> dict[str, Any]:
    """Forks while another thread is amid a read."""
    reading, done = Event(), Event()

    def read_slowly(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))
        reading.set()
        done.wait(PATIENCE_SECONDS)

    thread = Thread(target=database.read, args=(read_slowly,))
    thread.start()
    reading.wait(PATIENCE_SECONDS)
    report = forked(catalogue, database)
    done.set()
    thread.join()
    # By now nothing is in use any more.
    return report | {"next_child": forked(catalogue, database)["child"]}


def in_child(catalogue: SqlCatalogue, database: Database) -> dict[str, Any]:
    """What a work-horse does: says that it was forked, and uses the catalogue."""
    catalogue.after_fork()
    try:
        put(catalogue, another(2))
        return {"child": seen(catalogue), "child_session": session(database), "locks": holds_locks(), "error": None}
    except RuntimeError as error:
        return {"child": [], "error": str(error)}


def seen(catalogue: SqlCatalogue) -> list[int]:
    """Which of the three recordings are there."""
    return [number for number in (1, 2, 3) if catalogue.get(another(number).key) is not None]


def session(database: Database) -> int | None:
    """The number of the session with the server; None: SQLite has neither."""
    if database.dialect == "sqlite":
        return None
    ((number,),) = database.rows(text("SELECT pg_backend_pid()"), {})
    return int(number)


def holds_locks() -> bool:
    """Whether this process itself holds locks on files."""
    return any(line.split()[4] == str(os.getpid()) for line in Path("/proc/locks").read_text().splitlines())


if __name__ == "__main__":
    main(*sys.argv[1:])
