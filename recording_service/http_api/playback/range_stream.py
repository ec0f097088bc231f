"""Reads a range of a recording's bytes, across streams that break (rules of grpc.md A.7).

Streams break for good reasons: a paused player's is given up here, so that it takes no place in the service and no
memory; the service cuts those without progress; or it restarts. The reader opens the next stream at the next byte of
the same version. Two versions are never spliced, no byte is handed out twice, and a range either comes whole or ends
in `BodyCutShort`.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import grpc

from recording_service.http_api.failures import ServiceFailure
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.message_reader import MessageReader
from recording_service.http_api.playback.received_chunk import ReceivedChunk
from recording_service.http_api.playback.representation import ContractBroken
from recording_service.http_api.recording_client import RecordingClient
from recordings.v1.recording_pb2 import Recording
from recordings.v1.stream_pb2 import StreamRecordingRequest

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
#: How long the end of a stream is waited for once every byte is here, in seconds.
_FINISH_SECONDS: Final = 1.0

_NOTHING: Final = memoryview(b"")

_RESUMABLE: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        # Not by us: the service's sweep of streams without progress.
        grpc.StatusCode.CANCELLED,
        # A RST_STREAM of something in between.
        grpc.StatusCode.INTERNAL,
    }
)


class BodyCutShort(Exception):
    """Raised when promised bytes can't be had any more; the connection has to be aborted."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first message says: the recording, and which bytes will come (`end` exclusive)."""

    recording: Recording
    start: int
    end: int
    complete_length: int


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the first message, a later one, and the client (seconds); how often to resume in vain."""

    first_message_seconds: float
    idle_seconds: float
    pause_seconds: float
    resume_attempts: int


class RangeStream:
    """The bytes of one range. Not for concurrent use; `close` it whatever happens, it cancels what is under way.

    Attributes:
        opening: what the first message said.
    """

    opening: Opening

    def __init__(
        self, client: RecordingClient, request: StreamRecordingRequest, identity: CallIdentity, patience: Patience
    ) -> None:
        self._client = client
        self._request = request
        self._identity = identity
        self._patience = patience
        self._reader: MessageReader[bytes] | None = None
        #: What has come and was not handed out: of one message at most.
        self._buffered = _NOTHING
        self._next = request.offset
        #: Since when the client is being given a piece, by the loop's clock; and when that is looked at next.
        self._handing_since: float | None = None
        self._pause_check: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls, client: RecordingClient, request: StreamRecordingRequest, identity: CallIdentity, patience: Patience
    ) -> "RangeStream":
        """Open a stream and read its first message; nothing has been promised to anyone before.

        Parameters:
            request: the range. A `length` of 0 stands for the end, so it must not come from a subtraction.

        Raises:
            ServiceFailure: it can't be opened.
            ContractBroken: the first message is not what it must be.
        """
        stream = cls(client, request, identity, patience)
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
        setbacks = 0
        while self._next < self.opening.end:
            if self._buffered:
                return self._piece()
            try:
                await self._advance()
            except ServiceFailure as failure:
                setbacks += 1
                await self._recover(failure, setbacks)
            except ContractBroken as broken:
                raise BodyCutShort(str(broken)) from None
        await self._finish()
        return _NOTHING

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
        return self._reader is None

    def close(self) -> None:
        """Cancel the gRPC call at once. Idempotent."""
        if self._pause_check is not None:
            self._pause_check.cancel()
            self._pause_check = None
        self._give_up_call()

    def _give_up_call(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

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
        self._give_up_call()
        # Fetched anew, should the client ever go on.
        self._buffered = _NOTHING

    def _piece(self) -> memoryview:
        piece, rest = self._buffered[:_PIECE_BYTES], self._buffered[_PIECE_BYTES:]
        # An empty view would keep the whole message.
        self._buffered = rest or _NOTHING
        self._next += len(piece)
        return piece

    async def _open_patiently(self) -> Opening:
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._patience.first_message_seconds
        attempt = 1
        while True:
            try:
                return await self._open_at(self._request, deadline - clock())
            except TimeoutError:
                raise ServiceFailure(grpc.StatusCode.DEADLINE_EXCEEDED) from None
            except ServiceFailure as failure:
                backoff = _backoff(attempt, failure.retry_seconds)
                given_up = attempt == _FIRST_ATTEMPTS or clock() + backoff > deadline
                if failure.code is not grpc.StatusCode.UNAVAILABLE or given_up:
                    raise
                await asyncio.sleep(backoff)
                attempt += 1

    async def _open_at(self, request: StreamRecordingRequest, within_seconds: float) -> Opening:
        self._give_up_call()
        self._reader = self._client.stream(request, self._identity)
        frame = await self._reader.read(within_seconds)
        first = ReceivedChunk.of(frame or b"")
        if first.content_range is None or first.recording is None:
            raise ContractBroken("a stream whose first message does not say what it brings")
        promised = first.content_range
        # A copy: a part of a message keeps all of it in memory, here the first chunk for as long as someone plays.
        recording = Recording()
        recording.CopyFrom(first.recording)
        opening = Opening(recording, promised.start, promised.end, promised.complete_length)
        self._check_opening(request, opening)
        self._buffered = self._checked(first, promised.start, promised.end)
        return opening

    def _check_opening(self, request: StreamRecordingRequest, opening: Opening) -> None:
        if request.etag and opening.recording.etag != request.etag:
            raise ContractBroken("a stream of another version than the one asked for")
        last = opening.complete_length if not request.length else request.offset + request.length
        if opening.start != request.offset or opening.end != min(last, opening.complete_length):
            raise ContractBroken("a stream of another range than the one asked for")
        if opening.complete_length != opening.recording.size_bytes:
            raise ContractBroken("a stream whose size is not the recording's")

    async def _advance(self) -> None:
        """Buffers whatever comes next: a message, or a fresh stream's first bytes (perhaps none)."""
        try:
            if self._reader is None:
                await self._reopen()
                return
            frame = await self._reader.read(self._patience.idle_seconds)
        except TimeoutError:
            raise ServiceFailure(grpc.StatusCode.UNAVAILABLE, "STREAM_IDLE") from None
        if frame is None:
            raise ServiceFailure(grpc.StatusCode.UNAVAILABLE, "STREAM_ENDED_SHORT")
        data = self._checked(ReceivedChunk.of(frame), self._next, self.opening.end)
        if not data:
            raise ContractBroken("an empty message that is not the first")
        if len(data) >= _FAST_CHUNK_BYTES:
            self._reader.read_ahead()
        self._buffered = data

    async def _reopen(self) -> None:
        opening = await self._open_at(
            StreamRecordingRequest(
                account_sid=self._request.account_sid,
                recording_sid=self._request.recording_sid,
                offset=self._next,
                # Never 0: read() does not come here once everything was handed out.
                length=self.opening.end - self._next,
                etag=self.opening.recording.etag,
            ),
            self._patience.idle_seconds,
        )
        if opening.end != self.opening.end:
            raise ContractBroken("a version whose size has changed")

    @staticmethod
    def _checked(chunk: ReceivedChunk, expected: int, end: int) -> memoryview:
        if chunk.data and (chunk.offset != expected or expected + len(chunk.data) > end):
            raise ContractBroken("a chunk that is not the next one")
        return chunk.data

    async def _recover(self, failure: ServiceFailure, setbacks: int) -> None:
        """Wait before the next attempt, or give up."""
        asked_to_wait = failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED and failure.retry_seconds is not None
        if setbacks > self._patience.resume_attempts or not (failure.code in _RESUMABLE or asked_to_wait):
            raise BodyCutShort(f"{failure} after {setbacks} setbacks") from None
        self._give_up_call()
        await asyncio.sleep(_backoff(setbacks, failure.retry_seconds))

    async def _finish(self) -> None:
        """Let the stream end by itself, so that the service does not take it for an abandoned one."""
        if self._reader is not None:
            # Every byte is here; how the stream ends changes nothing (Bazel's rule, grpc.md A.7.4).
            with contextlib.suppress(ServiceFailure, TimeoutError):
                await self._reader.read(_FINISH_SECONDS)


def _backoff(attempt: int, floor_seconds: float | None) -> float:
    ceiling = min(_FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1), _LONGEST_BACKOFF_SECONDS)
    return max(random.uniform(0, ceiling), floor_seconds or 0.0)  # noqa: S311 - jitter is no secret
