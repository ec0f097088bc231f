"""StreamRecording: a range of stored bytes, chunk by chunk, with what was promised counted against what was sent."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

from recording_service.core.errors import RecordingTruncated
from recording_service.core.playback import OpenRange
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.conversion import recording_message
from recording_service.grpc_api.frames import Chunk
from recording_service.grpc_api.slots import Slots
from recording_service.grpc_api.stalls import StallSweeper
from recordings.v1 import stream_pb2

#: The first chunks, in bytes: a player at 32 kbit/s takes one every 16 s, well before the stall sweep looks.
MIN_CHUNK_BYTES = 64 * 1024
#: The largest chunk, in bytes: beyond it nothing gets faster (grpc.md A.6).
MAX_CHUNK_BYTES = 1024 * 1024
#: A send that takes at most so long is fast: a larger chunk would be too.
FAST_SEND_SECONDS = 0.1
#: A send that takes longer is slow: the client is slower than the network, and small chunks show its progress.
SLOW_SEND_SECONDS = 1.0
#: Bytes to be sent fast before chunks double.
DOUBLING_BYTES = 1024 * 1024
#: And before they become as large as they may be. More than buffers on the way swallow from a client that takes nothing
#: (4 to 5 MiB, grpc.md A.6), so that their filling is not taken for a fast client.
PROOF_BYTES = 8 * 1024 * 1024

#: A chunk without the first one's description of the range.
_BARE = Chunk(b"", 0)

#: A chunk as it goes to its caller: a message, or the bytes of one.
Written = TypeVar("Written")


class ChunkSize:
    """How many bytes the next chunk should have: grows while sends are fast, starts over when one is slow."""

    def __init__(self) -> None:
        self.bytes = MIN_CHUNK_BYTES
        self._sent_fast = 0

    def sent(self, size: int, seconds: float) -> None:
        """Notes a send: how many bytes, and how long until gRPC took them."""
        if seconds > SLOW_SEND_SECONDS:
            self.bytes = MIN_CHUNK_BYTES
            self._sent_fast = 0
        elif seconds <= FAST_SEND_SECONDS and self.bytes < MAX_CHUNK_BYTES:
            self._sent_fast += size
            if self._sent_fast >= PROOF_BYTES:
                self.bytes = MAX_CHUNK_BYTES
            elif self._sent_fast >= DOUBLING_BYTES:
                self.bytes = 2 * MIN_CHUNK_BYTES


class RecordingStreams:
    """Sends opened ranges, as many at once as there are slots."""

    def __init__(self, slots: Slots, stalls: StallSweeper) -> None:
        self._slots = slots
        self._stalls = stalls

    def written(
        self, open_range: Callable[[], OpenRange], call: Call, write: Callable[[Chunk], Written]
    ) -> Iterator[Written]:
        """The chunks of the range as `write` writes them; the first, with the recording and the range, in every case.

        Nothing is sent before the range is open and its first bytes are read: a refusal then has no message before it,
        and the channel's retry policy applies. Raises CapacityExhausted, RecordingTruncated, and what opening and
        reading raise.
        """
        with (
            self._slots.taken(),
            closing(open_range()) as opened,
            self._stalls.watching(call.cancel) as sending,
        ):
            size = ChunkSize()
            sent = opened.start
            for message, position in _promised(opened, size, write):
                sending.since = began = time.monotonic()
                yield message
                sending.since = None
                size.sent(position - sent, time.monotonic() - began)
                sent = position


def _promised(opened: OpenRange, size: ChunkSize, write: Callable[[Chunk], Written]) -> Iterator[tuple[Written, int]]:
    """Every promised byte, no more and no less, or RecordingTruncated; and the position after each chunk.

    While a client pauses, all that is held here is what was written: what it was made of is let go first.
    """
    first = Chunk(b"", 0, recording_message(opened.recording), _content_range(opened))
    message, position = _written(opened, opened.start, size, write, first)
    yield message, position
    while position < opened.end:
        message, position = _written(opened, position, size, write)
        yield message, position


def _written(
    opened: OpenRange, position: int, size: ChunkSize, write: Callable[[Chunk], Written], like: Chunk = _BARE
) -> tuple[Written, int]:
    """The chunk at a position, written, and the position after it."""
    data = _read(opened, position, size)
    return write(like._replace(data=data, offset=position)), position + len(data)


def _read(opened: OpenRange, position: int, size: ChunkSize) -> bytes:
    """The next bytes; none at the end, and only there (three of five servers end a short read with OK, grpc.md A.1)."""
    left = opened.end - position
    if left == 0:
        return b""
    data = opened.read(min(size.bytes, left))
    if not 0 < len(data) <= left:
        raise RecordingTruncated(opened.recording.recording_sid)
    return data


def _content_range(opened: OpenRange) -> stream_pb2.ContentRange:
    return stream_pb2.ContentRange(start=opened.start, end=opened.end, complete_length=opened.complete_length)
