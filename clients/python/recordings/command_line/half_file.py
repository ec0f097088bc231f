"""A file that is being fetched: FILE.part, and FILE.part.json, which says of which version its bytes are.

Whatever stops a fetch, its bytes stay there and can be gone on with; FILE itself appears whole and verified, or not at
all. A half file is never gone on with by bytes of another version.
"""

import fcntl
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from recordings.command_line.exit_codes import CommandFailed, ExitCode

#: How much of a half file is read at a time, in bytes.
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which bytes of which version: from `start` to `end` (exclusive) of `size_bytes`."""

    account_sid: str
    recording_sid: str
    etag: str
    sha256: str
    size_bytes: int
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole recording, which its checksum can be compared with."""
        return self.start == 0 and self.end == self.size_bytes


class HalfFile:
    """FILE.part while it is written. Use it as a context manager: what isn't finished stays, for `resume`.

    Attributes:
        length: how many bytes it has.

    Raises:
        CommandFailed: another fetch writes to it, or it is of another version (CHANGED).
        OSError: it can't be opened, or read.
    """

    def __init__(self, target: Path, wanted: Wanted, *, resume: bool) -> None:
        # Through a symbolic link, as whoever writes to it does: the link stays.
        self._target = target.resolve() if target.is_symlink() else target
        self._wanted = wanted
        self.path = self._target.with_name(self._target.name + ".part")
        self._side = self._target.with_name(self._target.name + ".part.json")
        self._hash = hashlib.sha256()
        self.length = 0
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._lock()
            if resume and os.fstat(self._descriptor).st_size:
                self._take_up()
            else:
                self._begin()
        except BaseException:
            os.close(self._descriptor)
            raise

    def write(self, data: memoryview) -> None:
        """Adds bytes. They are the kernel's when it returns: a kill loses none of them."""
        while data:
            written = os.write(self._descriptor, data)
            self._hash.update(data[:written])
            self.length += written
            data = data[written:]

    def finish(self) -> None:
        """Makes it FILE, once it is whole and verified.

        Raises:
            CommandFailed: a whole recording isn't what its SHA-256 says (CHANGED); the half file is gone then.
        """
        if self._wanted.is_whole and self._wanted.sha256 and self._hash.hexdigest() != self._wanted.sha256:
            self.discard()
            raise CommandFailed(
                ExitCode.CHANGED,
                f"{self._target}: the bytes are not what the SHA-256 says; nothing was kept, run again",
            )
        os.fsync(self._descriptor)
        self.path.replace(self._target)
        self._side.unlink(missing_ok=True)
        folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Deletes it: there is nothing to go on with. Idempotent."""
        self.path.unlink(missing_ok=True)
        self._side.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and self.length == 0:
            # Nothing to go on with: nothing to leave behind.
            self.discard()
        os.close(self._descriptor)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._busy() from None
        with suppress(FileNotFoundError):
            if os.path.samestat(self.path.stat(), os.fstat(self._descriptor)):
                return
        # Its name is another file's by now: the fetch that held it has just finished.
        raise self._busy()

    def _busy(self) -> CommandFailed:
        return CommandFailed(
            ExitCode.ERROR, f"{self.path}: another fetch writes to it; wait for that, or use another -o"
        )

    def _begin(self) -> None:
        # First the bytes go, then what they are said to be changes: never the other way round.
        os.ftruncate(self._descriptor, 0)
        self._side.write_text(json.dumps(asdict(self._wanted), indent=1) + "\n")

    def _take_up(self) -> None:
        try:
            noted = json.loads(self._side.read_text())
        except (FileNotFoundError, ValueError):
            noted = None
        if not isinstance(noted, dict):
            raise self._changed("can't be gone on with: nothing says of which version it is")
        wanted = asdict(self._wanted)
        if noted != wanted:
            same_bytes = all(noted.get(name) == wanted[name] for name in ("recording_sid", "etag", "size_bytes"))
            what = "is another range of it" if same_bytes else "is of another recording, or another version of it"
            raise self._changed(what)
        if os.fstat(self._descriptor).st_size > self._wanted.end - self._wanted.start:
            raise self._changed("is longer than what was asked for")
        while piece := os.read(self._descriptor, _PIECE_BYTES):
            self._hash.update(piece)
            self.length += len(piece)

    def _changed(self, what: str) -> CommandFailed:
        return CommandFailed(ExitCode.CHANGED, f"{self.path} {what}; run it without --resume to start anew")
