"""What watches have in common: they go on across streams that end before they should."""

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

import grpc

from recordings._defaults import DEFAULTS
from recordings._setbacks import EARLY_SECONDS, Setbacks
from recordings.aio.connection import Connection
from recordings.aio.message_reader import MessageReader, NothingYet
from recordings.errors import ClientClosed, DeadlineExceeded, RecordingsError, Unavailable
from recordings.options import ClientOptions

Message = TypeVar("Message")
Look = TypeVar("Look")


class ResumingWatch(ABC, Generic[Message, Look]):
    """An asynchronous iterator over looks, each made of a message. Not for concurrent use."""

    #: Whether a stream may be without a message for as long as it lasts, and nothing is amiss.
    may_be_quiet: ClassVar[bool] = False

    def __init__(self, connection: Connection, options: ClientOptions, timeout: float | None) -> None:
        self._messages: MessageReader[Message] | None = None
        #: When the stream that is open ends by its own deadline.
        self._stream_until = 0.0
        self._connection = connection
        self._setbacks = Setbacks(options, unlimited=timeout is not None)
        self._until = None if timeout is None else asyncio.get_running_loop().time() + timeout
        self._ended = False

    @abstractmethod
    def _open(self, within: float) -> MessageReader[Message]:
        """A stream that goes on where the last one broke off."""

    @abstractmethod
    def _look_of(self, message: Message) -> Look | None:
        """What is handed out for a message; None: nothing."""

    @abstractmethod
    def _check_end(self) -> None:
        """Raises ContractBroken if the service should not have ended the stream with OK."""

    def __del__(self) -> None:
        if self._messages is not None:
            self._messages.abandon()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Look:
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
                # The service has said that there is no more to come.
                self._finish()
                self._check_end()
            elif (look := self._look_of(message)) is not None:
                return look
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

    async def _next_message(self, left: float | None) -> Message | None:
        if self._messages is None:
            within = DEFAULTS.watch_timeout if left is None else min(DEFAULTS.watch_timeout, left)
            self._stream_until = asyncio.get_running_loop().time() + within
            self._messages = self._open(within)
        message = await self._messages.read(left)
        if message is not None:
            self._setbacks.message_came()
        return message

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
            if self.may_be_quiet and asyncio.get_running_loop().time() >= self._stream_until - EARLY_SECONDS:
                return
            error = Unavailable(error.message, code=grpc.StatusCode.UNAVAILABLE)
        try:
            delay = self._setbacks.after(error)
        except RecordingsError:
            self._finish()
            raise
        left = self._left()
        await asyncio.sleep(delay if left is None else min(delay, left))
