"""A recording's bytes as a raw file, to be read through `io.BufferedReader`."""

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from recordings._checksum import Checksum
from recordings._connection import Connection, Metadata
from recordings._defaults import DEFAULTS
from recordings._range_stream import RangeStream
from recordings._reading import Opening, Range, rest_of
from recordings.options import ClientOptions
from recordings.v1.recording_pb2 import Recording

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NOTHING: Final = memoryview(b"")


class RecordingReader(io.RawIOBase):
    """Reads a recording, or a part of it, from anywhere in it. Places are the recording's own, in bytes from 0.

    It goes on at the exact byte after a break, never mixes two versions, and compares a whole read with the recording's
    SHA-256. One thread reads; any may close it, which ends a read that is under way.

    Making one asks for the first bytes, unless there are none to be had (a length of 0).

    Raises:
        RecordingsError: the recording can't be read, or not now.
    """

    def __init__(
        self, connection: Connection, wanted: Range, options: ClientOptions, *, metadata: Metadata = ()
    ) -> None:
        super().__init__()
        self._connection = connection
        self._wanted = wanted
        self._options = options
        self._metadata = metadata
        self._opening: Opening | None = None
        self._stream: RangeStream | None = None
        #: What has come and was not handed out, and its place.
        self._buffered = _NOTHING
        self._buffered_at = 0
        self._position = wanted.offset
        self._checksum = Checksum(connection.hashing)
        self._bring(self._position)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Reads into the buffer, at most what one message brings: how many bytes it was, 0 at the end only.

        Raises:
            ChecksumMismatch: with these bytes the whole recording would have been read, and it is another one.
            RecordingsError: they can't be had, or not now. Nothing was taken.
            ValueError: the reader is closed.
        """
        self._check_open()
        room = memoryview(buffer).cast("B")
        if not room:
            return 0
        part = self._bring(self._position)[: len(room)]
        self._hand_out(part)
        room[: len(part)] = part
        return len(part)

    def readall(self) -> bytes:
        """All the rest. Raises as `readinto`."""
        self._check_open()
        parts = io.BytesIO()
        while piece := self._bring(self._position):
            self._hand_out(piece)
            parts.write(piece)
        return parts.getvalue()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Goes to a place, from the start of the recording, from where it is, or from the end of what was opened.

        Opens nothing. Returns the place, which may lie past the end. Raises ValueError for a negative one.
        """
        self._check_open()
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            offset += self._end or 0
        elif whence != io.SEEK_SET:
            raise ValueError(f"whence: {whence} is none of SEEK_SET, SEEK_CUR and SEEK_END")
        if offset < 0:
            raise ValueError("offset: must not be below 0")
        self._position = offset
        return offset

    def tell(self) -> int:
        """The place of the next byte."""
        self._check_open()
        return self._position

    def readable(self) -> bool:
        """Always."""
        self._check_open()
        return True

    def seekable(self) -> bool:
        """Always."""
        self._check_open()
        return True

    def close(self) -> None:
        """Cancel what is under way at once. Idempotent."""
        if not self.closed:
            super().close()
            self._drop()

    @property
    def recording(self) -> Recording:
        """The recording, of the version that is read. Raises ValueError where nothing was asked for (a length of 0)."""
        if self._opening is None:
            raise ValueError("nothing was asked for: the length is 0")
        return self._opening.recording

    @property
    def size(self) -> int:
        """How many bytes the whole recording has. Raises as `recording`."""
        return self.recording.size_bytes

    @property
    def _end(self) -> int | None:
        """One past the last byte that may be read; None as long as only the service knows."""
        if self._opening is not None:
            return self._opening.end
        return None if self._wanted.length is None else self._wanted.offset + self._wanted.length

    def _bring(self, place: int) -> memoryview:
        """What there is from that place on, at most a message: a view. Empty at the end."""
        if self._end is not None and place >= self._end:
            self._let_it_end()
            return _NOTHING
        try:
            stream = self._stream
            reach = self._buffered_at + max(len(self._buffered), DEFAULTS.seek_ahead_bytes)
            if stream is None or not self._buffered_at <= place <= reach:
                stream = self._open_at(place)
            while self._buffered_at + len(self._buffered) <= place:
                self._buffered_at += len(self._buffered)
                self._buffered = _NOTHING
                self._buffered = stream.read()
                self._opening = self._opening or stream.opening
                if not self._buffered:
                    return _NOTHING
        except BaseException:
            self._drop()
            # Closed by another thread, while this one read.
            self._check_open()
            raise
        # Not let go: what a read does not hand out after all, because it fails, is still here.
        self._buffered = self._buffered[place - self._buffered_at :]
        self._buffered_at = place
        return self._buffered

    def _open_at(self, place: int) -> RangeStream:
        self._drop()
        if self._opening is not None:
            wanted = rest_of(self._wanted, self._opening, place)
        else:
            wanted = replace(self._wanted, offset=place)
        self._stream = RangeStream(self._connection, wanted, self._options, self._metadata)
        self._buffered_at = place
        return self._stream

    def _hand_out(self, data: memoryview) -> None:
        if self._opening is not None:
            try:
                self._checksum.take(self._position, data, self._opening)
            except Exception:
                self._drop()
                raise
        self._position += len(data)

    def _let_it_end(self) -> None:
        """A stream that has brought all it had ends by itself; the service would take it for an abandoned one."""
        if self._stream is not None and self._stream.is_complete:
            self._stream.read()
            self._drop()

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._buffered = _NOTHING

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
