"""A stored object as a file, for libraries that read files."""

import io
import os
from typing import BinaryIO, cast

from recording_service.core.ports import StoredBytes

#: Bytes that are read from the shelf at once.
BUFFER_BYTES = 256 * 1024


class _StoredFile(io.RawIOBase):
    """Reads where it stands. Closes nothing: the object is its opener's."""

    def __init__(self, stored: StoredBytes) -> None:
        self._stored = stored
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._stored.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        data = self._stored.read_at(self._position, len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def as_file(stored: StoredBytes) -> BinaryIO:
    """The object as a seekable binary file, at its beginning. Reading raises StorageUnavailable, as the object does."""
    return cast("BinaryIO", io.BufferedReader(_StoredFile(stored), BUFFER_BYTES))
