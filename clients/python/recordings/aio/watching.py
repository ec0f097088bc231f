"""Watches one recording across streams that end before they should."""

import asyncio
from types import TracebackType
from typing import Self

import grpc

from recordings._defaults import DEFAULTS
from recordings._setbacks import Setbacks
from recordings.aio.connection import Connection, Metadata
from recordings.aio.message_reader import MessageReader, NothingYet
from recordings.errors import ClientClosed, ContractBroken, DeadlineExceeded, RecordingsError, Unavailable
from recordings.options import ClientOptions
from recordings.v1.recording_pb2 import Recording
from recordings.v1.watch_pb2 import WatchRecordingRequest, WatchRecordingResponse


class RecordingWatch:
    """The recording as it is, then after each change: an asynchronous iterator that ends when the service says so.

    Close it, or use it as a context manager: it has a stream open. It never polls. Not for concurrent use.

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
        self._messages: MessageReader[WatchRecordingResponse] | None = None
        self._connection = connection
        self._request = request
        self._metadata = metadata
        self._setbacks = Setbacks(options, unlimited=timeout is not None)
        self._until = None if timeout is None else asyncio.get_running_loop().time() + timeout
        self._last_revision: int | None = None
        self._ended = False

    def __del__(self) -> None:
        if self._messages is not None:
            self._messages.abandon()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Recording:
        while not self._ended:
            left = self._left()
            try:
                message = await self._next_message(left)
            except NothingYet:
                # Its time is over, which is looked at next.
                continue
            except RecordingsError as error:
                await self._wait_after(error)
                continue
            if message is None:
                self._end()
            elif message.recording.revision != self._last_revision:
                self._last_revision = message.recording.revision
                return message.recording
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Cancel the stream at once. Idempotent."""
        self._finish()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _next_message(self, left: float | None) -> WatchRecordingResponse | None:
        if self._messages is None:
            within = DEFAULTS.watch_timeout if left is None else min(DEFAULTS.watch_timeout, left)
            self._messages = self._connection.watch(self._request, timeout=within, metadata=self._metadata)
        message = await self._messages.read(left)
        if message is not None:
            self._setbacks.message_came()
        return message

    def _end(self) -> None:
        """The service has said that there is no more to come."""
        self._finish()
        if self._last_revision is None:
            raise ContractBroken("a watch that ends before its first look")

    def _finish(self) -> None:
        self._ended = True
        self._give_up()

    def _give_up(self) -> None:
        if self._messages is not None:
            self._messages.cancel()
            self._messages = None

    def _left(self) -> float | None:
        if self._until is None:
            return None
        left = self._until - asyncio.get_running_loop().time()
        if left <= 0:
            self._finish()
            raise DeadlineExceeded("the time to watch the recording is over", code=grpc.StatusCode.DEADLINE_EXCEEDED)
        return left

    async def _wait_after(self, error: RecordingsError) -> None:
        """Waits before the next stream. Raises the error if there is to be none."""
        self._give_up()
        if isinstance(error, ClientClosed) and self._ended:
            # By `aclose`, while somebody read.
            return
        if isinstance(error, DeadlineExceeded) and not error.reason:
            # The stream's own, as long as this watch has time left: no fault of anyone.
            error = Unavailable(error.message, code=grpc.StatusCode.UNAVAILABLE)
        try:
            delay = self._setbacks.after(error)
        except RecordingsError:
            self._finish()
            raise
        left = self._left()
        await asyncio.sleep(delay if left is None else min(delay, left))
