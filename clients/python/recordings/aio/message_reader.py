"""Reads one gRPC stream message by message, and never cancels a read.

grpc.aio drops what a cancelled read had received without freeing it (grpc#43360; measured here: 110 KiB for each
player that leaves in the middle, for ever). So a read is a task of its own, and leaving cancels the call: that ends the
read in the ordinary way.
"""

import asyncio
from typing import Any, Generic, TypeVar, cast

import grpc.aio

from recordings._translation import error_of
from recordings.errors import ClientClosed

#: A message, or the bytes of one.
Response = TypeVar("Response")


class NothingYet(Exception):
    """Raised when no message has come in time. It may still be read. No TimeoutError: `DeadlineExceeded` is one."""


class MessageReader(Generic[Response]):
    """One stream. Not for concurrent use; `cancel` it whatever happens.

    Parameters:
        ending: where the ends of cancelled calls are kept until they have come. Whoever closes the channel waits for
            them; and the loop itself holds tasks only weakly.
    """

    def __init__(self, call: "grpc.aio.UnaryStreamCall[Any, Response]", ending: "set[asyncio.Task[None]]") -> None:
        self._call = call
        self._ending = ending
        self._loop = asyncio.get_running_loop()
        self._reading: asyncio.Task[Response | None] | None = None

    async def read(self, within_seconds: float | None) -> Response | None:
        """The next message; `None` at the stream's end with OK.

        Parameters:
            within_seconds: None stands for as long as it takes.

        Raises:
            NothingYet: it has not come in time.
            ClientClosed: the stream was cancelled meanwhile, here.
            RecordingsError: the stream has failed.
        """
        reading = self._under_way()
        if not reading.done():
            # Unlike wait_for, this cancels nothing.
            await asyncio.wait((reading,), timeout=None if within_seconds is None else max(0.0, within_seconds))
        if not reading.done():
            raise NothingYet
        self._reading = None
        if reading.cancelled():
            raise ClientClosed("the stream was closed while it was read")
        return reading.result()

    def read_ahead(self) -> None:
        """Begin to read the next message, so that it comes while the last one is used."""
        self._under_way()

    def cancel(self) -> None:
        """Give the stream up at once. Idempotent, and nothing if it has ended."""
        if self._call.cancel() or self._reading is not None:
            end = asyncio.create_task(self._end(self._reading))
            self._ending.add(end)
            end.add_done_callback(self._ending.discard)
            self._reading = None

    def abandon(self) -> None:
        """`cancel`, by an owner that is being freed: in whatever thread, and perhaps after the loop has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.cancel)

    def _under_way(self) -> "asyncio.Task[Response | None]":
        if self._reading is None:
            self._reading = asyncio.create_task(self._receive())
        return self._reading

    async def _receive(self) -> Response | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        return None if message is grpc.aio.EOF else cast(Response, message)

    async def _end(self, reading: "asyncio.Task[Response | None] | None") -> None:
        if reading is not None:
            await asyncio.gather(reading, return_exceptions=True)
        await self._call.code()
