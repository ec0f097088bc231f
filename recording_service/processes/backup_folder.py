"""Where a backup may go, and that only one goes there at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recording_service.adapters.disk_storage.root import StorageRootRefused
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.sql_catalogue.sqlite_engine import sqlite_path
from recording_service.config import ConfigurationError, Settings
from recording_service.core.errors import StorageUnavailable

#: What a backup consists of: named as in a data directory, so that it can be used as one.
CATALOGUE_FILE = "catalogue.sqlite3"
SHELF_FOLDER = "recordings"

#: Held by a backup as long as it writes there.
LOCK_FILE = ".backup.lock"

#: By this file the data directory of a `serve` is known.
SERVE_LOCK_FILE = "serve.lock"


def require_fit(settings: Settings, folder: Path, *, shelf_only: bool) -> None:
    """Raises ConfigurationError unless there is something to be copied, and the folder is no part of it."""
    url = settings.effective_database_url
    own = {"RECORDING_DATA_DIR": settings.data_dir, "RECORDING_STORAGE_URL": settings.storage_root}
    if not shelf_only:
        if not url.startswith("sqlite:"):
            raise ConfigurationError(
                [
                    "RECORDING_DATABASE_URL: PostgreSQL has a tool of its own: run pg_dump first, and then "
                    "`recording-service backup --shelf-only FOLDER`"
                ]
            )
        catalogue = _catalogue_file(url)
        if not catalogue.is_file():
            raise ConfigurationError(
                [f"RECORDING_DATA_DIR, RECORDING_DATABASE_URL: there is no catalogue at {catalogue}"]
            )
        if catalogue.resolve() == (folder / CATALOGUE_FILE).resolve():
            raise ConfigurationError([f"FOLDER: {folder} is where the catalogue itself is"])
    if not settings.storage_root.is_dir():
        raise ConfigurationError(
            [f"RECORDING_DATA_DIR, RECORDING_STORAGE_URL: there is no shelf at {settings.storage_root}"]
        )
    for variable, part in own.items():
        if folder.resolve().is_relative_to(part.resolve()):
            raise ConfigurationError([f"FOLDER: {folder} is inside {part} ({variable}), which is to be copied"])
    if settings.storage_root.resolve().is_relative_to((folder / SHELF_FOLDER).resolve()):
        raise ConfigurationError([f"FOLDER: {folder} is where the shelf itself is"])
    if "?" in str(folder.absolute()):
        raise ConfigurationError([f"FOLDER: {folder} has a question mark in its path, which a database URL can't have"])
    if (folder / SERVE_LOCK_FILE).exists():
        raise ConfigurationError([f"FOLDER: {folder} is the data directory of a `serve`, and would be written over"])


def _catalogue_file(url: str) -> Path:
    try:
        return sqlite_path(url)
    except ValueError as error:
        raise ConfigurationError([f"RECORDING_DATABASE_URL: {error}"]) from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigurationError([f"FOLDER: {folder} is a file"]) from None
    except OSError as error:
        raise ConfigurationError([f"FOLDER: {folder} can't be made: {error.strerror}"]) from error


def open_shelf(root: Path, variable: str) -> DiskStorage:
    """A shelf on disk. Raises ConfigurationError, which names the variable, if it is not fit to be one."""
    try:
        return DiskStorage.at(root)
    except StorageRootRefused as error:
        raise ConfigurationError([f"{variable}: {error}"]) from error
    except StorageUnavailable as error:
        raise ConfigurationError([f"{variable}: {root} can't be used: {reason_of(error)}"]) from error


@contextmanager
def only_one_backup(folder: Path) -> Iterator[None]:
    """Makes the folder and holds its lock: of two backups into it, each would take the other's remains away.

    Raises ConfigurationError if it can't be made or written, or another backup holds the lock.
    """
    _make(folder)
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigurationError([f"FOLDER: {folder} can't be written: {error.strerror}"]) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError([f"FOLDER: another backup into {folder} is under way"]) from None
        yield
    finally:
        os.close(descriptor)


def reason_of(error: BaseException | None) -> str:
    """What the operating system said, where it did."""
    cause = error.__cause__ if error is not None else None
    return (cause.strerror or str(cause)) if isinstance(cause, OSError) else str(error)
