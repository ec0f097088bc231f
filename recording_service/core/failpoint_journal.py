"""The file that says which failpoints were reached, by every process that shares its folder: `<n> <name> <pid>` a line.

It is the count as well. A line is appended by a single write under a lock that the kernel takes away from the dead, so
whoever is killed leaves either a whole line or none.
"""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recording_service.core.failpoint_names import Failpoint

#: The name of the file.
REACHED = "reached"
#: Longest wait for others who note what they have reached: they take microseconds, unless one is stopped in the midst.
LOCK_SECONDS = 30.0
#: Between two tries to take the lock.
LOCK_PAUSE_SECONDS = 0.001


class FailpointFolderUnusable(Exception):
    """Raised when what was reached can't be noted. No OSError: the code under test would take it for its own."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"failpoints can't be noted in {folder}: {problem}")
        self.folder = folder
        self.problem = problem


class FailpointJournal:
    """One process's view of the file. Safe to use from many threads and processes, and across a fork."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # What was read of the file so far; used under the lock only.
        self._source = (0, 0)
        self._read_bytes = 0
        self._counts: Counter[str] = Counter()

    def check(self) -> None:
        """Raises FailpointFolderUnusable unless the file is there, or can be made."""
        with self._locked():
            pass

    def note(self, name: Failpoint) -> tuple[int, int]:
        """Notes that it was reached; for which time, and as which of all failpoints. Raises FailpointFolderUnusable."""
        with self._locked() as descriptor:
            self._catch_up(descriptor)
            count, total = self._counts[name] + 1, self._counts.total() + 1
            line = f"{total} {name} {os.getpid()}\n".encode()
            if os.write(descriptor, line) != len(line):
                raise FailpointFolderUnusable(self._folder, "the disk is full")
        return count, total

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            # Opened each time: locks are between openings of the file, so this one keeps threads apart too.
            descriptor = os.open(self._folder / REACHED, flags, 0o600)
            try:
                self._lock(descriptor)
                try:
                    yield descriptor
                finally:
                    # Not left to the closing: a process forked just now by another thread has the file open as well.
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise FailpointFolderUnusable(self._folder, error.strerror or type(error).__name__) from error

    def _lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOCK_PAUSE_SECONDS)
            else:
                return

    def _catch_up(self, descriptor: int) -> None:
        """Reads what others have noted since."""
        status = os.fstat(descriptor)
        # In a forked process anew: it may have been forked while another thread was here.
        source = (os.getpid(), status.st_ino)
        if source != self._source or status.st_size < self._read_bytes:
            self._source, self._read_bytes = source, 0
            self._counts.clear()
        while data := os.pread(descriptor, status.st_size - self._read_bytes, self._read_bytes):
            self._counts.update(line.split()[1] for line in data.decode().splitlines())
            self._read_bytes += len(data)
