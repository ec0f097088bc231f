"""The shelf on disk: one folder an account, in it one a recording, in it one file an attempt.

An object is seen whole or not at all, and nothing that was published is ever replaced (`upload`). Files are
private to the service's user, and no symbolic link below the root is followed.
"""

import io
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from recording_service.adapters import object_keys
from recording_service.adapters.disk_storage.folders import (
    make_recording_folder,
    opened,
    recording_folder,
    suppress_missing,
    translated,
)
from recording_service.adapters.disk_storage.room import Room
from recording_service.adapters.disk_storage.root import open_root, probe
from recording_service.adapters.disk_storage.upload import DiskUpload
from recording_service.adapters.object_keys import ObjectName, entry_name, is_entry, kept_file, object_name
from recording_service.core.errors import ObjectMissing
from recording_service.core.model import RecordingKey
from recording_service.core.ports import ObjectEntry

_log = logging.getLogger(__name__)

#: How an object is opened; O_NONBLOCK so that a pipe in its place could not hold us up.
OPEN_OBJECT = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

#: How often `create` makes a folder that others remove again, as it is empty, before it gives up.
CREATE_TRIES = 100


class DiskBytes:
    """Implements `ports.StoredBytes` over a descriptor, so that the bytes stay though their name goes."""

    def __init__(self, file: io.FileIO, size_bytes: int) -> None:
        self._file = file
        self._size_bytes = size_bytes

    @property
    def size_bytes(self) -> int:
        """How many bytes the file had when it was opened."""
        return self._size_bytes

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes; fewer only where the file ends. StorageUnavailable if it can't be read."""
        with translated():
            data = os.pread(self._file.fileno(), size, offset)
            while 0 < len(data) < size:
                more = os.pread(self._file.fileno(), size - len(data), offset + len(data))
                if not more:
                    break
                data += more
        return data

    def close(self) -> None:
        """Lets it go. Idempotent."""
        self._file.close()


class DiskStorage:
    """Implements `ports.Storage`. Safe to use from many threads and processes, and across a fork."""

    def __init__(self, root: int, *, reserve_bytes: int = 0) -> None:
        """`root` is the descriptor of the shelf's folder; `at` opens one and looks at it."""
        self._root = root
        self._room = Room(root, reserve_bytes)

    @classmethod
    def at(cls, root: Path, *, reserve_bytes: int = 0) -> Self:
        """The shelf in this folder, which is made if it is not there; it leaves `reserve_bytes` of the disk free.

        Raises StorageRootRefused if the folder is a symbolic link, belongs to someone else, can be written by everyone
        or has no hard links; StorageUnavailable if it can't be made or opened.
        """
        with translated():
            return cls(open_root(root), reserve_bytes=reserve_bytes)

    def close(self) -> None:
        """Lets the folder go; the shelf is not to be used afterwards."""
        os.close(self._root)

    @contextmanager
    def create(self, object_key: str) -> Iterator[DiskUpload]:
        """A new object. Leaving the context without `publish` leaves nothing behind. StorageUnavailable."""
        name = object_name(object_key)
        with ExitStack() as open_folders:
            with translated():
                upload = self._begun(name, open_folders)
            try:
                yield upload
            finally:
                upload.end()

    def open(self, object_key: str) -> DiskBytes:
        """Opens an object for reading. ObjectMissing; StorageUnavailable."""
        name = object_name(object_key)
        with translated(object_key), recording_folder(self._root, name.recording) as folder:
            descriptor = os.open(name.file, OPEN_OBJECT, dir_fd=folder.descriptor)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                os.close(descriptor)
                raise ObjectMissing(object_key)
            return DiskBytes(io.FileIO(descriptor, "rb"), status.st_size)

    def size(self, object_key: str) -> int | None:
        """How many bytes the object has, looked at now; None if it is not there. StorageUnavailable."""
        name = object_name(object_key)
        try:
            with translated(object_key), recording_folder(self._root, name.recording) as folder:
                status = os.stat(name.file, dir_fd=folder.descriptor, follow_symlinks=False)
        except ObjectMissing:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def remove(self, object_key: str) -> None:
        """Removes one object, or the remains of one. Idempotent. StorageUnavailable."""
        name = entry_name(object_key)
        self._remove(name.recording, lambda file: file == name.file)

    def remove_others(self, key: RecordingKey, keep: str | None) -> None:
        """Removes everything of that recording, remains of uploads too, but the object `keep`. Idempotent."""
        kept = kept_file(object_keys.checked(key), keep)
        self._remove(key, lambda file: file != kept)

    def entries(self) -> Iterator[ObjectEntry]:
        """Walks over everything on the shelf, remains of uploads too; what comes or goes meanwhile may be left out.

        So is what a folder holds that can't be read, with a warning: it must not keep the rest from being seen.
        """
        with translated():
            for account_sid, account in _folders(self._root, object_keys.ACCOUNT_SID):
                with _skipping_unreadable(account_sid):
                    for recording_sid, folder in _folders(account, object_keys.RECORDING_SID):
                        with _skipping_unreadable(recording_sid):
                            # All of a recording's or nothing: who sees only an old object takes it for the latest.
                            for file, modify_time in list(_files(folder)):
                                yield ObjectEntry(str(ObjectName(account_sid, recording_sid, file)), modify_time)

    def check(self) -> None:
        """Raises StorageUnavailable unless the shelf can be read and written."""
        with translated():
            probe(self._root)

    def check_room(self, size_bytes: int = 0) -> None:
        """Raises StorageFull unless that much more may be written without touching the reserve; StorageUnavailable."""
        with translated():
            self._room.require(size_bytes)

    def free_bytes(self) -> int | None:
        """What may be written, the reserve included; None where the file system does not say. StorageUnavailable."""
        with translated():
            return self._room.free_bytes()

    def _begun(self, name: ObjectName, open_folders: ExitStack) -> DiskUpload:
        """Begins an upload, in a folder that stays open. While that is empty it may go: then once more."""
        for _ in range(CREATE_TRIES - 1):
            try:
                return self._begun_once(name, open_folders)
            except FileNotFoundError:
                open_folders.close()
        return self._begun_once(name, open_folders)

    def _begun_once(self, name: ObjectName, open_folders: ExitStack) -> DiskUpload:
        make_recording_folder(self._root, name.recording)
        return DiskUpload(name, open_folders.enter_context(recording_folder(self._root, name.recording)), self._room)

    def _remove(self, key: RecordingKey, unwanted: Callable[[str], bool]) -> None:
        """Removes files of one recording, flushed: what was deleted must not be back after a loss of power."""
        with translated(), suppress_missing(), recording_folder(self._root, key) as folder:
            with os.scandir(folder.descriptor) as found:
                files = [entry.name for entry in found if is_entry(entry.name) and unwanted(entry.name)]
            for file in files:
                folder.unlink(file)
            if files:
                os.fsync(folder.descriptor)
            folder.remove_if_empty()


def _folders(parent: int, pattern: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    """The folders in another one whose names are SIDs, each open until the next one is asked for."""
    with os.scandir(parent) as found:
        for entry in found:
            if not pattern.fullmatch(entry.name):
                continue
            with _skipping_unreadable(entry.name), suppress_missing(), opened(entry.name, parent) as descriptor:
                yield entry.name, descriptor


@contextmanager
def _skipping_unreadable(name: str) -> Iterator[None]:
    """Says that a folder can't be read, and goes on."""
    try:
        yield
    except OSError as error:
        _log.warning("a folder of the shelf can't be read and is left out: %s folder=%s", error.strerror, name)


def _files(folder: int) -> Iterator[tuple[str, datetime]]:
    """The objects in a folder, and the remains of uploads, with the times they were last written."""
    with os.scandir(folder) as found:
        for entry in found:
            if not is_entry(entry.name):
                continue
            with suppress_missing():
                status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield entry.name, datetime.fromtimestamp(status.st_mtime, UTC)
