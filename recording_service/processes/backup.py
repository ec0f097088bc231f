"""`recording-service backup`: a copy of the catalogue and the shelf, in a folder that may be a data directory later."""

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.sql_catalogue import sqlite_backup
from recording_service.adapters.sql_catalogue.catalogue import SqlCatalogue
from recording_service.adapters.sql_catalogue.sqlite_backup import CatalogueCopyFailed
from recording_service.config import ConfigurationError, Settings
from recording_service.core.shelf_copy import ShelfCopied, ShelfCopier, TargetUnavailable
from recording_service.processes.backup_folder import (
    CATALOGUE_FILE,
    SHELF_FOLDER,
    only_one_backup,
    open_shelf,
    reason_of,
    require_fit,
)

#: The copy of the catalogue until everything is copied: the last step gives it its name.
PART_FILE = ".catalogue.sqlite3.part"

#: Told what is being copied, how much of it is done, and of how much.
Progress = Callable[[str, int, int], None]


class BackupFailed(Exception):
    """Raised when a backup could not be made for want of something. The text is for the operator."""


class Backup(NamedTuple):
    """What was made. `rows` is None where the catalogue was left to its own tool."""

    rows: int | None
    shelf: ShelfCopied


def run_backup(settings: Settings, folder: Path, *, shelf_only: bool, progress: Progress) -> Backup:
    """Copies the catalogue, then the shelf, while the service may go on; again into the same folder adds what is new.

    In this order every object that the copied catalogue names was on the shelf after it was copied, unless its row has
    moved on. Only when all is done the catalogue gets its name: what is cut short is no backup, and leaves the
    catalogue of the one before and every whole object that it names, but those of recordings deleted since. What can't
    be read of the shelf is counted, and the rest is copied. Raises ConfigurationError, BackupFailed,
    CatalogueUnavailable, StorageUnavailable.
    """
    try:
        require_fit(settings, folder, shelf_only=shelf_only)
    except OSError as error:
        raise ConfigurationError([f"{error.filename} can't be looked at: {error.strerror}"]) from error
    with ExitStack() as stack:
        stack.enter_context(only_one_backup(folder))
        source = stack.enter_context(closing(open_shelf(settings.storage_root, "RECORDING_STORAGE_URL")))
        target = stack.enter_context(closing(open_shelf(folder / SHELF_FOLDER, "FOLDER")))
        try:
            if shelf_only:
                return Backup(None, _copy_shelf(source, target, None, None, 0, progress))
            return _copy_both(settings.effective_database_url, folder, source, target, progress)
        except (TargetUnavailable, CatalogueCopyFailed) as error:
            raise BackupFailed(f"the backup was not finished: {_told(error, folder)}") from error


def _copy_both(url: str, folder: Path, source: DiskStorage, target: DiskStorage, progress: Progress) -> Backup:
    part = folder / PART_FILE
    sqlite_backup.remove(part)
    try:
        rows = sqlite_backup.copy_catalogue(url, part, lambda done, total: progress("catalogue", done, total))
        with (
            closing(SqlCatalogue.open(f"sqlite:///{part.absolute()}", migrate=False)) as catalogue,
            closing(SqlCatalogue.open(url, migrate=False)) as live,
        ):
            shelf = _copy_shelf(source, target, catalogue, live, rows, progress)
        sqlite_backup.seal(part)
        _publish(part, folder / CATALOGUE_FILE)
    except BaseException:
        sqlite_backup.remove(part)
        raise
    return Backup(rows, shelf)


def _copy_shelf(
    source: DiskStorage,
    target: DiskStorage,
    catalogue: SqlCatalogue | None,
    live: SqlCatalogue | None,
    expected: int,
    progress: Progress,
) -> ShelfCopied:
    looked_at = 0

    def note() -> None:
        nonlocal looked_at
        looked_at += 1
        progress("recordings", looked_at, max(expected, looked_at))

    return ShelfCopier(source, target, catalogue=catalogue, live=live, looked_at=note).copy()


def _publish(part: Path, name: Path) -> None:
    """Gives the catalogue its name, flushed; that of the backup before has it until that moment."""
    try:
        # Those of somebody who has looked into the copy before: they belong to the file that goes.
        for suffix in ("-wal", "-shm"):
            name.with_name(name.name + suffix).unlink(missing_ok=True)
        part.rename(name)
        descriptor = os.open(name.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CatalogueCopyFailed(f"{name} can't be put into place: {error.strerror}") from error


def _told(error: Exception, folder: Path) -> str:
    if isinstance(error, TargetUnavailable):
        return (
            f"{folder / SHELF_FOLDER} can't be written: {reason_of(error.__cause__)}; the next one goes on from there"
        )
    return str(error)
