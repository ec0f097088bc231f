"""Reads a range of a recording's bytes for a player: in pieces, and without a gRPC stream while it pauses.

`recordings.aio` goes over breaks, and never splices two versions. When to give a stream up is the adapter's own: that
of a paused player is, so that it takes no place in the service and no memory. A range either comes whole or ends in
`BodyCutShort`.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import grpc

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import named
from recording_service.http_api.recording_client import RecordingClient
from recordings.aio import NothingYet, Opening, Range
from recordings.errors import DeadlineExceeded, RecordingsError
from recordings.options import ClientOptions

#: How often the first stream is opened again before its failure is reported.
_FIRST_ATTEMPTS: Final = 3
#: Back-off between two attempts, in seconds: full jitter up to this, doubled each time, up to the longest.
_FIRST_BACKOFF_SECONDS: Final = 0.2
_LONGEST_BACKOFF_SECONDS: Final = 5.0
#: The most bytes handed out at a time, so that what a connection holds for a client that takes nothing is bounded. The
#: service's chunks are as large only for clients that have been fast for some megabytes (design.md §6).
_PIECE_BYTES: Final = 1024 * 1024
#: A chunk of this size tells that the client is fast: then the next one is read ahead. For one that pauses or seeks it
#: would be fetched in vain.
_FAST_CHUNK_BYTES: Final = 256 * 1024

_NOTHING: Final = memoryview(b"")


class BodyCutShort(Exception):
    """Raised when promised bytes can't be had any more; the connection has to be aborted."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the first message and for a client that pauses (seconds); when to open a stream again."""

    first_message_seconds: float
    pause_seconds: float
    resuming: ClientOptions


def resuming(idle_seconds: float, attempts: int) -> ClientOptions:
    """When a broken stream is opened again: one counts as broken that is silent for so long."""
    return ClientOptions(
        stall_timeout=idle_seconds,
        resume_attempts=attempts,
        resume_initial_backoff=_FIRST_BACKOFF_SECONDS,
        resume_max_backoff=_LONGEST_BACKOFF_SECONDS,
    )


class RangeStream:
    """The bytes of one range. Not for concurrent use; `close` it whatever happens, it cancels what is under way.

    Attributes:
        opening: what the first message said.
    """

    opening: Opening

    def __init__(self, client: RecordingClient, wanted: Range, identity: CallIdentity, patience: Patience) -> None:
        self._stream = client.stream(wanted, identity, patience.resuming, _FAST_CHUNK_BYTES)
        self._patience = patience
        #: What has come and was not handed out: of one message at most.
        self._buffered = _NOTHING
        #: Since when the client is being given a piece, by the loop's clock; and when that is looked at next.
        self._handing_since: float | None = None
        self._pause_check: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls, client: RecordingClient, wanted: Range, identity: CallIdentity, patience: Patience
    ) -> "RangeStream":
        """Open a stream and read its first message; nothing has been promised to anyone before.

        Parameters:
            wanted: the range, with at least a byte in it.

        Raises:
            RecordingsError: it can't be opened, or the first message is not what it must be.
        """
        stream = cls(client, wanted, identity, patience)
        with contextlib.ExitStack() as unless_open:
            unless_open.callback(stream.close)
            stream.opening = await stream._open_patiently()
            unless_open.pop_all()
        return stream

    async def read(self) -> memoryview:
        """The next bytes, a piece: a view into what came. Empty once every promised byte was handed out.

        Raises:
            BodyCutShort: the rest can't be had.
        """
        if not self._buffered:
            try:
                self._buffered = await self._stream.read()
            except RecordingsError as error:
                raise BodyCutShort(named(error)) from None
        piece, rest = self._buffered[:_PIECE_BYTES], self._buffered[_PIECE_BYTES:]
        # An empty view would keep the whole message.
        self._buffered = rest or _NOTHING
        return piece

    @contextlib.contextmanager
    def handing_over(self) -> Iterator[None]:
        """While the client is given what was read: if that takes long it pauses, and the gRPC stream is given up.

        Otherwise a few hundred paused players would hold every stream the service has. `read` opens another one.
        """
        loop = asyncio.get_running_loop()
        self._handing_since = loop.time()
        if self._pause_check is None:
            self._pause_check = loop.call_later(self._patience.pause_seconds, self._check_for_pause)
        try:
            yield
        finally:
            self._handing_since = None

    @property
    def is_given_up(self) -> bool:
        """Whether there is no gRPC stream, because the client paused: `read` opens another one."""
        return self._stream.is_paused

    def close(self) -> None:
        """Cancel the gRPC call at once. Idempotent."""
        if self._pause_check is not None:
            self._pause_check.cancel()
            self._pause_check = None
        self._stream.close()

    def _check_for_pause(self) -> None:
        """Comes by at the earliest moment at which there could be a pause: one timer a piece would cost too much."""
        self._pause_check = None
        if self._handing_since is None:
            return
        loop = asyncio.get_running_loop()
        pauses_at = self._handing_since + self._patience.pause_seconds
        if loop.time() < pauses_at:
            self._pause_check = loop.call_at(pauses_at, self._check_for_pause)
            return
        # Fetched anew, should the client ever go on.
        self._stream.pause(unused=len(self._buffered))
        self._buffered = _NOTHING

    async def _open_patiently(self) -> Opening:
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._patience.first_message_seconds
        attempt = 1
        while True:
            try:
                return await self._stream.open_once(deadline - clock())
            except NothingYet:
                raise DeadlineExceeded(
                    "the first message has not come in time", code=grpc.StatusCode.DEADLINE_EXCEEDED
                ) from None
            except RecordingsError as error:
                backoff = _backoff(attempt, error.retry_delay)
                given_up = attempt == _FIRST_ATTEMPTS or clock() + backoff > deadline
                if error.code is not grpc.StatusCode.UNAVAILABLE or given_up:
                    raise
                await asyncio.sleep(backoff)
                attempt += 1


def _backoff(attempt: int, floor_seconds: float | None) -> float:
    ceiling = min(_FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1), _LONGEST_BACKOFF_SECONDS)
    return max(random.uniform(0, ceiling), floor_seconds or 0.0)  # noqa: S311 - jitter is no secret
