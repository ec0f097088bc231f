"""Reads a range of a recording's bytes, across streams that break (the rules are those of `recordings._reading`)."""

import asyncio
import contextlib
from typing import Final

import grpc

from recordings._reading import Opening, Range, RangeReading
from recordings._setbacks import Setbacks
from recordings.aio.connection import Connection, Metadata
from recordings.aio.message_reader import MessageReader, NothingYet
from recordings.errors import RecordingsError, Unavailable
from recordings.options import ClientOptions

#: How long the end of a stream is waited for once every byte is here, in seconds.
_FINISH_SECONDS: Final = 1.0

_NOTHING: Final = memoryview(b"")


class RangeStream:
    """The bytes of one range. Not for concurrent use; `close` it whatever happens, it cancels what is under way.

    Either every byte comes once, of one version, or `read` raises.

    Parameters:
        read_ahead_from: after a message of so many bytes or more the next one is received while the last is used. The
            service's are the larger the faster they are taken.
    """

    def __init__(
        self,
        connection: Connection,
        wanted: Range,
        options: ClientOptions,
        *,
        metadata: Metadata = (),
        read_ahead_from: int = 0,
    ) -> None:
        self._messages: MessageReader[bytes] | None = None
        self._connection = connection
        self._options = options
        self._metadata = metadata
        self._read_ahead_from = read_ahead_from
        self._reading = RangeReading(wanted)
        self._setbacks = Setbacks(options)
        #: What the first message of a stream brought and was not handed out.
        self._ahead = _NOTHING

    def __del__(self) -> None:
        if self._messages is not None:
            self._messages.abandon()

    @property
    def opening(self) -> Opening | None:
        """What the first message of all has said; None before it."""
        return self._reading.opening

    @property
    def is_complete(self) -> bool:
        """Whether every byte is here."""
        return self._reading.is_complete

    @property
    def is_paused(self) -> bool:
        """Whether there is no gRPC stream: `read` opens another one, if bytes are left to come."""
        return self._messages is None

    async def open_once(self, within_seconds: float) -> Opening:
        """Open a stream, and read its first message. `read` does so by itself, and again after it broke.

        Raises:
            NothingYet: the message has not come in time.
            RecordingsError: it can't be opened, or is not what was asked for.
        """
        self.pause()
        self._messages = self._connection.stream(self._reading.request(), metadata=self._metadata)
        is_first = self._reading.opening is None
        try:
            self._ahead = self._reading.first(await self._messages.read(within_seconds) or b"")
        except BaseException:
            # Also if the caller was cancelled: a later read must not take this stream for an open one.
            self.pause()
            raise
        if is_first or self._ahead:
            self._setbacks.message_came()
        assert self._reading.opening is not None  # noqa: S101 - `first` has set it
        return self._reading.opening

    async def read(self) -> memoryview:
        """The next bytes, at most a message: a view into what came. Empty once every byte of the range was read.

        Raises:
            RecordingsError: the rest can't be had, or not now.
        """
        while not self._ahead:
            if self._reading.is_complete:
                await self._finish()
                return _NOTHING
            try:
                if self._messages is None:
                    await self.open_once(self._options.stall_timeout)
                    continue
                frame = await self._messages.read(self._options.stall_timeout)
                if frame is None:
                    raise _broken("the stream has ended before its last byte")
                data = self._reading.later(frame)
            except RecordingsError as error:
                await self._wait_after(error)
            except NothingYet:
                await self._wait_after(_broken("the stream has brought nothing for too long"))
            else:
                self._setbacks.message_came()
                if len(data) >= self._read_ahead_from:
                    self._messages.read_ahead()
                return data
        data, self._ahead = self._ahead, _NOTHING
        return data

    def pause(self, unused: int = 0) -> None:
        """Give the gRPC stream up at once, until the next `read`. Idempotent.

        Parameters:
            unused: so many of the last bytes that were read were thrown away: they come again.
        """
        if self._messages is not None:
            self._messages.cancel()
            self._messages = None
        self._reading.return_bytes(len(self._ahead) + unused)
        self._ahead = _NOTHING

    def close(self) -> None:
        """Cancel the gRPC call at once. Idempotent."""
        self.pause()

    async def _wait_after(self, error: RecordingsError) -> None:
        """Waits before the next attempt. Raises the error if there is to be none."""
        self.pause()
        await asyncio.sleep(self._setbacks.after(error))

    async def _finish(self) -> None:
        """Let the stream end by itself, so that the service does not take it for an abandoned one."""
        if self._messages is not None:
            # Every byte is here; how the stream ends changes nothing.
            with contextlib.suppress(RecordingsError, NothingYet):
                await self._messages.read(_FINISH_SECONDS)


def _broken(how: str) -> Unavailable:
    return Unavailable(how, code=grpc.StatusCode.UNAVAILABLE)
