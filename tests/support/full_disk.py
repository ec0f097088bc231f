"""A disk that is full: really, by a file that is taken for it, or for one process alone, by its own limit."""

import fcntl
import os
import resource
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import eventually

#: Longest wait for others on this machine that have the same disk full just now, in seconds.
OTHERS_SECONDS = 300.0


def free_bytes(folder: Path) -> int:
    """What this user may still write to the folder's file system, in bytes."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


@contextmanager
def filled(folder: Path, *, down_to: int) -> Iterator[None]:
    """Takes so much of the disk, by a file that is really there, that only that many bytes stay free."""
    file = folder / "something-else"
    try:
        with file.open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, free_bytes(folder) - down_to)
        yield
    finally:
        file.unlink()


@contextmanager
def disk_to_itself() -> Iterator[None]:
    """Keeps out all others that ask for it on this machine: they would take, or give back, what is measured."""
    with Path(tempfile.gettempdir(), f"recording-tests-disk-{os.getuid()}.lock").open("w") as lock:
        eventually(lambda: _is_locked(lock.fileno()), within=OTHERS_SECONDS, what="the disk to itself")
        yield


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _this_process() -> list[int]:
    return [os.getpid()]


@contextmanager
def files_no_larger_than(size: int, *, of: Callable[[], Iterable[int]] = _this_process) -> Iterator[None]:
    """Makes the kernel refuse to write beyond that, as on a full disk: the last write that succeeds is cut short.

    `of` names the processes, by their ids, at the beginning and again at the end: what they have started meanwhile has
    their limit. Of those that are gone by then nothing is asked.
    """
    usual, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        _limit_files(of(), size, hard)
        yield
    finally:
        _limit_files(of(), usual, hard)


def _limit_files(pids: Iterable[int], size: int, hard: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
