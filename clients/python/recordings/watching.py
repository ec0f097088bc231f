"""Watches one recording across streams that end before they should."""

import time
from types import TracebackType
from typing import Self

import grpc

from recordings._connection import Connection, Metadata
from recordings._defaults import DEFAULTS
from recordings._message_stream import MessageStream
from recordings._setbacks import Setbacks
from recordings.errors import ClientClosed, ContractBroken, DeadlineExceeded, RecordingsError, Unavailable
from recordings.options import ClientOptions
from recordings.v1.recording_pb2 import Recording
from recordings.v1.watch_pb2 import WatchRecordingRequest, WatchRecordingResponse


class RecordingWatch:
    """The recording as it is, then after each change: an iterator that ends when the service says so.

    Close it, or use it as a context manager: it has a stream open. It never polls. One thread iterates; any may close.

    Parameters:
        timeout: of the whole watch, in seconds: it goes on in spite of all breaks until then. None: it has no end, and
            gives up once `resume_attempts` streams in a row have brought nothing.

    Raises:
        DeadlineExceeded: the time is over.
        RecordingsError: the service refuses, or can't be reached any more.
    """

    def __init__(
        self,
        connection: Connection,
        request: WatchRecordingRequest,
        options: ClientOptions,
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> None:
        self._connection = connection
        self._request = request
        self._metadata = metadata
        self._setbacks = Setbacks(options, unlimited=timeout is not None)
        self._until = None if timeout is None else time.monotonic() + timeout
        self._messages: MessageStream[WatchRecordingResponse] | None = None
        self._last_revision: int | None = None
        self._ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Recording:
        while not self._ended:
            left = self._left()
            try:
                message = self._next_message(left)
            except RecordingsError as error:
                self._wait_after(error)
                continue
            if message is None:
                self.close()
                if self._last_revision is None:
                    raise ContractBroken("a watch that ends before its first look")
            elif message.recording.revision != self._last_revision:
                self._last_revision = message.recording.revision
                return message.recording
        raise StopIteration

    def close(self) -> None:
        """Cancel the stream at once. Idempotent."""
        self._ended = True
        self._give_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _next_message(self, left: float | None) -> WatchRecordingResponse | None:
        messages = self._messages
        if messages is None:
            within = DEFAULTS.watch_timeout if left is None else min(DEFAULTS.watch_timeout, left)
            messages = self._connection.watch(self._request, timeout=within, metadata=self._metadata)
            self._messages = messages
        message = messages.read()
        if message is not None:
            self._setbacks.message_came()
        return message

    def _give_up(self) -> None:
        messages, self._messages = self._messages, None
        if messages is not None:
            messages.cancel()

    def _left(self) -> float | None:
        if self._until is None:
            return None
        left = self._until - time.monotonic()
        if left <= 0:
            self.close()
            raise DeadlineExceeded("the time to watch the recording is over", code=grpc.StatusCode.DEADLINE_EXCEEDED)
        return left

    def _wait_after(self, error: RecordingsError) -> None:
        """Waits before the next stream. Raises the error if there is to be none."""
        self._give_up()
        if isinstance(error, ClientClosed) and self._ended:
            # By `close`, while somebody read.
            return
        if isinstance(error, DeadlineExceeded) and not error.reason:
            # The stream's own, as long as this watch has time left: no fault of anyone.
            error = Unavailable(error.message, code=grpc.StatusCode.UNAVAILABLE)
        try:
            delay = self._setbacks.after(error)
            left = self._left()
            self._connection.pause(delay if left is None else min(delay, left))
        except RecordingsError:
            self.close()
            raise
