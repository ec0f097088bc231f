"""A recording's bytes as a file that is read asynchronously."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from typing import Final, Self, TypeVar

from recordings._checksum import Checksum
from recordings._defaults import DEFAULTS
from recordings._reading import Opening, Range, rest_of
from recordings.aio.connection import Connection, Metadata
from recordings.aio.range_stream import RangeStream
from recordings.errors import OffsetPastEnd
from recordings.options import ClientOptions
from recordings.v1.recording_pb2 import Recording

_NOTHING: Final = memoryview(b"")
_Bytes = TypeVar("_Bytes", bytes, memoryview)


class AsyncRecordingReader:
    """Reads a recording, or a part of it, from anywhere in it. Places are the recording's own, in bytes from 0.

    Entering it (`async with`) asks for the first bytes, so that `recording` and `size` are known; used without, it
    asks when it is read. It goes on at the exact byte after a break, never mixes two versions, and compares a whole
    read with the recording's SHA-256. After an error the place is the one after the last byte that was handed out, and
    reading goes on from there. Not for concurrent use; readers of one client may be used side by side.

    Parameters:
        prepare: awaited once before the first stream is opened: it waits for the recording to be READY.
    """

    def __init__(
        self,
        connection: Connection,
        wanted: Range,
        options: ClientOptions,
        *,
        metadata: Metadata = (),
        prepare: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._options = options
        self._metadata = metadata
        self._prepare = prepare
        self._opening: Opening | None = None
        self._stream: RangeStream | None = None
        #: What has come and was not handed out, and its place.
        self._buffered = _NOTHING
        self._buffered_at = 0
        self._position = wanted.offset
        self._checksum = Checksum(connection.hashing)
        self._closed = False

    async def read(self, size: int | None = -1) -> bytes:
        """So many bytes, fewer only at the end; all the rest if negative or None. Empty at the end.

        Raises:
            ChecksumMismatch: with these bytes the whole recording would have been read, and it is another one.
            RecordingsError: they can't be had, or not now.
            ValueError: the reader is closed.
        """
        self._check_open()
        wanted = -1 if size is None else size
        place, parts, taken = self._position, io.BytesIO(), 0
        while wanted < 0 or taken < wanted:
            piece = await self._bring(place + taken)
            if not piece:
                break
            part = piece if wanted < 0 else piece[: wanted - taken]
            if len(part) == wanted:
                # The ordinary case: one piece has it all.
                return self._hand_out(bytes(part))
            parts.write(part)
            taken += len(part)
        # Of all there is, this makes no second copy.
        return self._hand_out(parts.getvalue())

    async def readinto(self, buffer: bytearray | memoryview) -> int:
        """Reads into the buffer, at most as much as one message brings: how many bytes it was, 0 at the end only.

        Raises: as `read`.
        """
        self._check_open()
        room = memoryview(buffer).cast("B")
        if not room:
            return 0
        part = (await self._bring(self._position))[: len(room)]
        self._hand_out(part)
        room[: len(part)] = part
        return len(part)

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        """The rest, in the pieces that it comes in: views, which cost no copy. Raises as `read`."""
        self._check_open()
        while piece := await self._bring(self._position):
            yield self._hand_out(piece)
            self._check_open()

    async def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place, from the start of the recording, from where it is, or from the end of what was opened.

        Opens nothing, unless the end has to be found out. Returns the place, which may lie past the end.

        Raises:
            ValueError: the place is negative, or the reader is closed.
            RecordingsError: the end can't be found out.
        """
        self._check_open()
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            if self._end is None:
                await self._bring(self._position)
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

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def recording(self) -> Recording:
        """The recording, of the version that is read. Raises ValueError before anything was asked for."""
        if self._opening is None:
            raise ValueError("nothing was read yet: enter the reader with `async with`, or read")
        return self._opening.recording

    @property
    def size(self) -> int:
        """How many bytes the whole recording has. Raises ValueError before anything was asked for."""
        return self.recording.size_bytes

    async def aclose(self) -> None:
        """Cancel what is under way at once. Idempotent."""
        self._closed = True
        self._drop()

    async def __aenter__(self) -> Self:
        self._check_open()
        try:
            await self._bring(self._position)
        except BaseException:
            # Nobody leaves what could not be entered.
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def _end(self) -> int | None:
        """One past the last byte that may be read; None as long as only the service knows."""
        if self._opening is not None:
            return self._opening.end
        return None if self._wanted.length is None else self._wanted.offset + self._wanted.length

    async def _bring(self, place: int) -> memoryview:
        """What there is from that place on, at most a message: a view. Empty at the end."""
        if self._end is not None and place >= self._end:
            await self._let_it_end()
            return _NOTHING
        try:
            stream = self._stream
            reach = self._buffered_at + max(len(self._buffered), DEFAULTS.seek_ahead_bytes)
            if stream is None or not self._buffered_at <= place <= reach:
                stream = await self._open_at(place)
            while self._buffered_at + len(self._buffered) <= place:
                self._buffered_at += len(self._buffered)
                self._buffered = _NOTHING
                self._buffered = await stream.read()
                self._opening = self._opening or stream.opening
                # The reading ahead begins now, and the next message comes while this one is hashed and used: between
                # asking for it and its coming the loop may be held up.
                await asyncio.sleep(0)
                if not self._buffered:
                    return _NOTHING
        except OffsetPastEnd:
            self._drop()
            if place == self._wanted.offset:
                raise
            # Who has sought past the end reads nothing there, as in any file.
            return _NOTHING
        except Exception:
            self._drop()
            raise
        # Not let go: what a read does not hand out after all, because it fails or is cancelled, is still here.
        self._buffered = self._buffered[place - self._buffered_at :]
        self._buffered_at = place
        return self._buffered

    async def _open_at(self, place: int) -> RangeStream:
        self._drop()
        if self._prepare is not None:
            await self._prepare()
            self._prepare = None
        if self._opening is not None:
            wanted = rest_of(self._wanted, self._opening, place)
        else:
            wanted = replace(self._wanted, offset=place, length=None if self._end is None else self._end - place)
        self._stream = RangeStream(self._connection, wanted, self._options, metadata=self._metadata)
        self._buffered_at = place
        return self._stream

    def _hand_out(self, data: _Bytes) -> _Bytes:
        if self._opening is not None:
            try:
                self._checksum.take(self._position, data, self._opening)
            except Exception:
                self._drop()
                raise
        self._position += len(data)
        return data

    async def _let_it_end(self) -> None:
        """A stream that has brought all it had ends by itself; the service would take it for an abandoned one."""
        if self._stream is not None and self._stream.is_complete:
            await self._stream.read()
            self._drop()

    def _drop(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._buffered = _NOTHING

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("I/O operation on closed file")
