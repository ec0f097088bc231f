"""The folder that the shelf on disk is in: made if need be, and refused unless it is a safe place."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from recording_service.adapters.disk_storage.folders import FILE_MODE, FOLDER_MODE, MISSING, OPEN_FOLDER
from recording_service.adapters.object_keys import RANDOM_BYTES

#: The file by which `probe` tries the shelf. One name for all processes, so that a crash leaves one behind at most.
PROBE_FILE = ".probe"

#: What is written into it: a block, so that a full disk is noticed.
PROBE = bytes(4096)

#: What link says on a file system that has none (link(2)).
NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})


class StorageRootRefused(ValueError):
    """Raised at start if the shelf can't be kept there. Says what to mend: for the operator, never for a caller."""

    def __init__(self, root: Path, reason: str) -> None:
        super().__init__(f"recordings can't be kept in {root}: it {reason}")
        self.root = root
        self.reason = reason


def open_root(root: Path) -> int:
    """Opens the shelf's folder, which is made with mode 0700 if it is not there. Raises OSError, StorageRootRefused."""
    _make_flushed(root)
    try:
        descriptor = os.open(root, OPEN_FOLDER)
    except OSError as exc:
        if exc.errno in MISSING:
            raise StorageRootRefused(root, "is a symbolic link, or no folder") from exc
        raise
    try:
        _require_own(root, os.fstat(descriptor))
        _require_hard_links(root, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def probe(root: int) -> None:
    """Writes a file, flushes it, reads it and removes it. Raises OSError. Any number of processes may do so at once."""
    file = os.open(PROBE_FILE, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE, dir_fd=root)
    try:
        os.pwrite(file, PROBE, 0)
        os.fsync(file)
        os.pread(file, len(PROBE), 0)
    finally:
        os.close(file)
        with suppress(FileNotFoundError):
            os.unlink(PROBE_FILE, dir_fd=root)


def _make_flushed(folder: Path) -> None:
    """Makes a folder and those it is in, as far as they are not there, and flushes their names to the medium."""
    if os.path.lexists(folder):
        return
    _make_flushed(folder.parent)
    folder.mkdir(FOLDER_MODE, exist_ok=True)
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _require_own(root: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise StorageRootRefused(root, "belongs to another user than the one this service runs as")
    if status.st_mode & stat.S_IWOTH:
        raise StorageRootRefused(root, "can be written by everyone; chmod o-w it")


def _require_hard_links(root: Path, descriptor: int) -> None:
    """Objects are published by a hard link (`upload`), which a few file systems don't have."""
    file = f"{PROBE_FILE}.{secrets.token_hex(RANDOM_BYTES)}"
    link = f"{file}.link"
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE, dir_fd=descriptor))
    try:
        os.link(file, link, src_dir_fd=descriptor, dst_dir_fd=descriptor, follow_symlinks=False)
        os.unlink(link, dir_fd=descriptor)
    except OSError as exc:
        if exc.errno in NO_HARD_LINKS:
            raise StorageRootRefused(root, "is on a file system without hard links") from exc
        raise
    finally:
        os.unlink(file, dir_fd=descriptor)
