"""Compares what is read with the recording's SHA-256, if all of it is read in order (g of clients/README.md).

Hashing costs about as much as receiving. It is done beside the reading, by another thread, which costs no time while
the next bytes are awaited; Python lets go of its lock for it.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from recordings._reading import Opening
from recordings.errors import ChecksumMismatch

if TYPE_CHECKING:
    from hashlib import _Hash

#: Handing over costs some 20 µs, hashing so many bytes 150; a recording of fewer is hashed where it is read.
_BATCH_BYTES: Final = 256 * 1024
#: If so many wait for the hash, the reading waits too: they are held in memory.
_MOST_BYTES: Final = 1024 * 1024
#: Of one client, however many of its readers read: each computes some 2 GB a second.
_THREADS: Final = 2


def hashing_threads() -> ThreadPoolExecutor:
    """What a client hashes with: threads that are started when there is something to hash. To be shut down."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="recordings-hashing")


class Checksum:
    """Of one reader. Begins anew whenever reading does; a read with a gap in it can't be compared.

    Parameters:
        beside: runs what takes long; the client's, which closes it.
    """

    def __init__(self, beside: Executor) -> None:
        self._beside = beside
        self._sum = hashlib.sha256()
        #: What comes next in a read without a gap.
        self._next = 0
        #: What was taken and isn't hashed yet, in order, but for what is being hashed.
        self._waiting: list[bytes | memoryview] = []
        self._waiting_bytes = 0
        self._under_way: Future[None] | None = None

    def take(self, place: int, data: bytes | memoryview, opening: Opening) -> None:
        """Takes bytes that are about to be handed out.

        Raises:
            ChecksumMismatch: with them the whole recording would have been, and it is another one. They count as not
                taken.
        """
        if not place:
            self._begin()
        if place != self._next or not data:
            return
        end = place + len(data)
        self._waiting.append(data)
        if end == opening.complete_length:
            self._compare(opening)
        else:
            self._waiting_bytes += len(data)
            self._hash_beside()
        self._next = end

    def _begin(self) -> None:
        self._settle()
        self._sum, self._next = hashlib.sha256(), 0
        self._waiting, self._waiting_bytes = [], 0

    def _hash_beside(self) -> None:
        if self._waiting_bytes < _BATCH_BYTES:
            return
        if self._under_way and not self._under_way.done() and self._waiting_bytes < _MOST_BYTES:
            return
        self._settle()
        batch = self._waiting
        self._waiting, self._waiting_bytes = [], 0
        try:
            self._under_way = self._beside.submit(_update, self._sum, batch)
        except RuntimeError:
            # The client was closed. What has come before is handed out all the same.
            _update(self._sum, batch)

    def _compare(self, opening: Opening) -> None:
        self._settle()
        whole = self._sum.copy()
        _update(whole, self._waiting)
        expected = opening.recording.sha256
        if expected and whole.hexdigest() != expected:
            self._waiting.pop()
            raise ChecksumMismatch(
                "what was read is not what the recording's SHA-256 says",
                metadata={"recordingSid": opening.recording.recording_sid},
            )
        self._sum, self._waiting, self._waiting_bytes = whole, [], 0

    def _settle(self) -> None:
        """Waits until nothing is being hashed."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()


def _update(hashing: "_Hash", parts: Sequence[bytes | memoryview]) -> None:
    for part in parts:
        hashing.update(part)
