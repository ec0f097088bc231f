"""Folders of the shelf, held by descriptor: nothing below the root is reached by a path, so no link is followed."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from recording_service.core.errors import ObjectMissing, StorageFull, StorageUnavailable
from recording_service.core.model import RecordingKey

#: How a folder is opened: never through a symbolic link, never for a program that is started.
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

#: Nobody but the service reads what people said on the telephone.
FOLDER_MODE = 0o700
FILE_MODE = 0o600

#: What opening says of a file or folder that is not there, or of a symbolic link or something else in its place.
MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

#: What rmdir says of a folder that something has come into (POSIX allows either).
NOT_EMPTY = frozenset({errno.ENOTEMPTY, errno.EEXIST})


#: What is said of a disk, or a user's share of one, that is full.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def translated(object_key: str | None = None) -> Iterator[None]:
    """Turns what the operating system says into the errors of the port, in this one place.

    Raises ObjectMissing if the object named here is not there, StorageFull if there is no room, and StorageUnavailable
    for everything else.
    """
    try:
        yield
    except OSError as exc:
        if object_key is not None and exc.errno in MISSING:
            raise ObjectMissing(object_key) from exc
        if exc.errno in FULL:
            raise StorageFull from exc
        raise StorageUnavailable from exc


@contextmanager
def suppress_missing() -> Iterator[None]:
    """Leaves the block where something turns out not to be there, or not to be there any more."""
    try:
        yield
    except OSError as exc:
        if exc.errno not in MISSING:
            raise


@dataclass(frozen=True, slots=True)
class RecordingFolder:
    """The folder of one recording and those it is in, open. Methods raise OSError."""

    name: str
    descriptor: int
    account: int
    root: int

    def flush(self) -> None:
        """Flushes the folder's entries to the medium, and the folder's own name.

        The parents are flushed whether they are new or not: whoever made them may have died before doing so.
        """
        for descriptor in (self.descriptor, self.account, self.root):
            os.fsync(descriptor)

    def unlink(self, file: str) -> None:
        """Removes a file. Idempotent."""
        with suppress(FileNotFoundError):
            os.unlink(file, dir_fd=self.descriptor)

    def rename(self, file: str, to: str) -> None:
        """Gives a file another name in the folder, in the place of the file that has it."""
        os.rename(file, to, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def remove_if_empty(self) -> None:
        """Removes the folder unless something is in it, or came in just now. Idempotent."""
        try:
            os.rmdir(self.name, dir_fd=self.account)
        except FileNotFoundError:
            return
        except OSError as exc:
            if exc.errno not in NOT_EMPTY:
                raise


@contextmanager
def opened(name: str, parent: int) -> Iterator[int]:
    """Opens a folder in another one. Raises OSError, with an errno of MISSING if it is not there."""
    descriptor = os.open(name, OPEN_FOLDER, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def recording_folder(root: int, key: RecordingKey) -> Iterator[RecordingFolder]:
    """Opens the folder of a recording. Raises OSError, with an errno of MISSING if it is not there."""
    with opened(key.account_sid, root) as account, opened(key.recording_sid, account) as descriptor:
        yield RecordingFolder(key.recording_sid, descriptor, account, root)


def make_recording_folder(root: int, key: RecordingKey) -> None:
    """Makes the folder of a recording, and its account's, if they are not there. While it is empty it may vanish."""
    _make(key.account_sid, root)
    with opened(key.account_sid, root) as account:
        _make(key.recording_sid, account)


def _make(name: str, parent: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, FOLDER_MODE, dir_fd=parent)
