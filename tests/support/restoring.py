"""Restoring a backup, step by step as docs/operations.md has it, and looking at what is then there."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.commands import run
from tests.support.running_service import RunningService

#: How far back files are dated that are to be older than anything the sweep spares, in seconds.
LONG_AGO_SECONDS = 7200.0


def back_up(service: RunningService, folder: Path) -> None:
    """A backup of a running service, all of it."""
    made = run("backup", str(folder), variables=service.environment)
    assert made.returncode == 0, made.stdout + made.stderr


def restore_catalogue(folder: Path, data_dir: Path) -> None:
    """Puts the catalogue of a backup in the place of the one that is there, with all that belonged to that one."""
    for suffix in ("", "-wal", "-shm"):
        (data_dir / f"catalogue.sqlite3{suffix}").unlink(missing_ok=True)
    shutil.copy2(folder / "catalogue.sqlite3", data_dir)


def restore_shelf(folder: Path, data_dir: Path) -> None:
    """Puts the shelf of a backup in the place of the one that is there."""
    shutil.rmtree(data_dir / "recordings")
    shutil.copytree(folder / "recordings", data_dir / "recordings")


def forget_redis(data_dir: Path) -> None:
    """Deletes the memory of the embedded Redis."""
    shutil.rmtree(data_dir / "redis")


def date_back(shelf: Path) -> None:
    """Dates every object back, as those are that have been on the shelf for a while."""
    long_ago = time.time() - LONG_AGO_SECONDS
    for file in shelf.glob("AC*/RE*/*"):
        os.utime(file, (long_ago, long_ago))


def row_of(data_dir: Path, recording_sid: str) -> dict[str, Any] | None:
    """The row as the catalogue has it now; None if there is none."""
    with closing(sqlite3.connect(data_dir / "catalogue.sqlite3", timeout=5.0)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM recordings WHERE recording_sid = ?", (recording_sid,)).fetchone()
    return None if found is None else dict(found)


def objects_of(data_dir: Path, recording_sid: str) -> dict[str, bytes]:
    """What the shelf has of a recording now, by the names of the files."""
    return {path.name: path.read_bytes() for path in (data_dir / "recordings").glob(f"AC*/{recording_sid}/*")}
