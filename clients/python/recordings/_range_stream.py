"""Reads a range of a recording's bytes, across streams that break (the rules are those of `recordings._reading`)."""

import contextlib
from typing import Final

import grpc

from recordings._connection import Connection, Metadata
from recordings._message_stream import MessageStream
from recordings._reading import Opening, Range, RangeReading
from recordings._setbacks import Setbacks
from recordings.errors import RecordingsError, Unavailable
from recordings.options import ClientOptions

_NOTHING: Final = memoryview(b"")


class RangeStream:
    """The bytes of one range. One thread reads it; any may `close` it. Every byte comes once, or `read` raises."""

    def __init__(self, connection: Connection, wanted: Range, options: ClientOptions, metadata: Metadata = ()) -> None:
        self._connection = connection
        self._metadata = metadata
        self._reading = RangeReading(wanted)
        self._setbacks = Setbacks(options)
        self._messages: MessageStream[bytes] | None = None

    @property
    def opening(self) -> Opening | None:
        """What the first message of all has said; None before it."""
        return self._reading.opening

    @property
    def is_complete(self) -> bool:
        """Whether every byte is here."""
        return self._reading.is_complete

    def read(self) -> memoryview:
        """The next bytes, at most a message: a view into what came. Empty once every byte of the range was read.

        Raises:
            RecordingsError: the rest can't be had, or not now.
        """
        while not self._reading.is_complete:
            try:
                data = self._next()
            except RecordingsError as error:
                self.close()
                self._connection.pause(self._setbacks.after(error))
                continue
            if data:
                return data
        self._finish()
        return _NOTHING

    def close(self) -> None:
        """Cancel the gRPC call at once. Idempotent."""
        messages, self._messages = self._messages, None
        if messages is not None:
            messages.cancel()

    def _next(self) -> memoryview:
        """What comes next: a message's data, or that of a fresh stream's first (perhaps nothing)."""
        if self._messages is None:
            is_first = self._reading.opening is None
            messages = self._messages = self._connection.stream(self._reading.request(), metadata=self._metadata)
            data = self._reading.first(messages.read() or b"")
            # An empty first message of a later stream is no progress: who breaks after it would be asked for ever.
            if is_first or data:
                self._setbacks.message_came()
            return data
        frame = self._messages.read()
        if frame is None:
            raise Unavailable("the stream has ended before its last byte", code=grpc.StatusCode.UNAVAILABLE)
        data = self._reading.later(frame)
        self._setbacks.message_came()
        return data

    def _finish(self) -> None:
        """Let the stream end by itself, so that the service does not take it for an abandoned one."""
        messages, self._messages = self._messages, None
        if messages is not None:
            self._connection.let_end(messages)
            # Every byte is here; how the stream ends changes nothing.
            with contextlib.suppress(RecordingsError):
                messages.read()
