"""What watches have in common: they go on across streams that end before they should."""

import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

import grpc

from recordings._connection import Connection
from recordings._defaults import DEFAULTS
from recordings._message_stream import MessageStream
from recordings._setbacks import EARLY_SECONDS, Setbacks
from recordings.errors import ClientClosed, DeadlineExceeded, RecordingsError, Unavailable
from recordings.options import ClientOptions

Message = TypeVar("Message")
Look = TypeVar("Look")


class ResumingWatch(ABC, Generic[Message, Look]):
    """An iterator over looks, each made of a message. One thread iterates; any may close."""

    #: Whether a stream may be without a message for as long as it lasts, and nothing is amiss.
    may_be_quiet: ClassVar[bool] = False

    def __init__(self, connection: Connection, options: ClientOptions, timeout: float | None) -> None:
        self._connection = connection
        self._setbacks = Setbacks(options, unlimited=timeout is not None)
        self._until = None if timeout is None else time.monotonic() + timeout
        self._messages: MessageStream[Message] | None = None
        #: When the stream that is open ends by its own deadline.
        self._stream_until = 0.0
        self._ended = False

    @abstractmethod
    def _open(self, within: float) -> MessageStream[Message]:
        """A stream that goes on where the last one broke off."""

    @abstractmethod
    def _look_of(self, message: Message) -> Look | None:
        """What is handed out for a message; None: nothing."""

    @abstractmethod
    def _check_end(self) -> None:
        """Raises ContractBroken if the service should not have ended the stream with OK."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Look:
        while not self._ended:
            left = self._left()
            try:
                message = self._next_message(left)
            except RecordingsError as error:
                self._wait_after(error)
                continue
            if message is None:
                self.close()
                self._check_end()
            elif (look := self._look_of(message)) is not None:
                return look
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

    def _next_message(self, left: float | None) -> Message | None:
        messages = self._messages
        if messages is None:
            within = DEFAULTS.watch_timeout if left is None else min(DEFAULTS.watch_timeout, left)
            self._stream_until = time.monotonic() + within
            messages = self._messages = self._open(within)
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
            if self.may_be_quiet and time.monotonic() >= self._stream_until - EARLY_SECONDS:
                return
            error = Unavailable(error.message, code=grpc.StatusCode.UNAVAILABLE)
        try:
            delay = self._setbacks.after(error)
            left = self._left()
            self._connection.pause(delay if left is None else min(delay, left))
        except RecordingsError:
            self.close()
            raise
