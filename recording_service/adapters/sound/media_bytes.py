"""Bytes at a place of a file that can seek."""

import os
from typing import BinaryIO


class MediaBytes:
    """Reads a file by offsets, whatever its position. For one thread at a time."""

    def __init__(self, media: BinaryIO) -> None:
        self._media = media
        self.size = media.seek(0, os.SEEK_END)

    def read_at(self, offset: int, size: int) -> bytes:
        """`size` bytes; fewer only where the file ends. A file that gives less than was asked for is asked again."""
        self._media.seek(offset)
        pieces: list[bytes] = []
        while size > 0 and (piece := self._media.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


class SplicedFile:
    """A stretch of a file between two pieces of memory, as one file for libsndfile to read through its callbacks.

    An exception can't cross C: cffi prints and forgets it. The first one is kept in `failure`, the file ends there, and
    whoever asked libsndfile to read raises it.
    """

    #: Bytes read from the media at once: mpg123 asks for some hundred at a time.
    PIECE_BYTES = 64 * 1024

    def __init__(self, media: MediaBytes, start: int, end: int, *, head: bytes = b"", tail: bytes = b"") -> None:
        self._media = media
        self._start = start
        self._head = head
        self._tail = tail
        self._media_end = len(head) + end - start
        self._size = self._media_end + len(tail)
        self._position = 0
        self._piece = b""
        self._piece_offset = 0
        self.failure: BaseException | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves on or back, as io.IOBase has it."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        """Where it stands."""
        return self._position

    def readinto(self, buffer: memoryview) -> int:
        """Fills the buffer, unless the file ends or fails before."""
        filled = 0
        try:
            while filled < len(buffer) and (data := self._next(len(buffer) - filled)):
                buffer[filled : filled + len(data)] = data
                filled += len(data)
                self._position += len(data)
        except BaseException as error:
            self.failure = self.failure or error
            return 0
        return filled

    def _next(self, size: int) -> bytes:
        """Some of what comes next; nothing at the end, or after a failure."""
        within = self._position - self._piece_offset
        if not 0 <= within < len(self._piece):
            if self.failure is not None or not 0 <= self._position < self._size:
                return b""
            self._load()
            within = self._position - self._piece_offset
        return self._piece[within : within + size]

    def _load(self) -> None:
        if self._position < len(self._head):
            self._piece, self._piece_offset = self._head, 0
        elif self._position < self._media_end:
            offset = self._position - len(self._head)
            size = min(self.PIECE_BYTES, self._media_end - self._position)
            self._piece = self._media.read_at(self._start + offset, size)
            self._piece_offset = self._position
        else:
            self._piece, self._piece_offset = self._tail, self._media_end
