"""The rules of reading a range across streams that break (a to e of clients/README.md), free of input and output.

Both flavours of the reader move the messages; what they mean is decided here. A stream breaks for good reasons: the
service restarts, cuts who takes nothing, or something in between does. The next one is opened at the next byte, of the
same version.
"""

from dataclasses import dataclass, replace
from typing import Final

from recordings._received_chunk import ReceivedChunk
from recordings.errors import ContractBroken, EtagMismatch
from recordings.v1.recording_pb2 import Recording
from recordings.v1.stream_pb2 import StreamRecordingRequest

_NOTHING: Final = memoryview(b"")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first message of a stream says: the recording, and which bytes are to come (`end` exclusive)."""

    recording: Recording
    start: int
    end: int
    complete_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which bytes of which recording. `length` None is to the end; an empty `etag` is whichever version is current."""

    recording_sid: str
    account_sid: str = ""
    offset: int = 0
    length: int | None = None
    etag: str = ""

    def __post_init__(self) -> None:
        """Refuses, as the language does, what no sequence has."""
        if self.offset < 0:
            raise ValueError("offset: must not be below 0")
        if self.length is not None and self.length < 0:
            raise ValueError("length: must not be below 0")


class RangeReading:
    """One range, of which each byte is to come once.

    Attributes:
        opening: what the first message has said; None before it.
        position: the next byte that is to come.
    """

    def __init__(self, wanted: Range) -> None:
        self._wanted = wanted
        self.opening: Opening | None = None
        self.position = wanted.offset

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to come: then no stream must be opened, since a length of 0 stands for the end."""
        if self.opening is None:
            return self._wanted.length == 0
        return self.position >= self.opening.end

    @property
    def version(self) -> Recording | None:
        """The recording as its first message described it, with the etag and size that every stream must have."""
        return self.opening.recording if self.opening else None

    def request(self) -> StreamRecordingRequest:
        """What to open the next stream with. Not to be asked once the range is complete."""
        assert not self.is_complete  # noqa: S101 - it would ask for all there is
        if self.opening is None:
            length, etag = self._wanted.length or 0, self._wanted.etag
        else:
            length, etag = self.opening.end - self.position, self.opening.recording.etag
        return StreamRecordingRequest(
            account_sid=self._wanted.account_sid,
            recording_sid=self._wanted.recording_sid,
            offset=self.position,
            length=length,
            etag=etag,
        )

    def first(self, frame: bytes) -> memoryview:
        """Takes the first message of a stream; its data, perhaps none.

        Raises:
            EtagMismatch: it is of another version than the one pinned.
            ContractBroken: it is not what was asked for.
        """
        chunk = ReceivedChunk.of(frame)
        if chunk.content_range is None or chunk.recording is None:
            raise ContractBroken("a stream whose first message does not say what it brings")
        # A copy: a part of a message keeps all of it in memory, here the first chunk for as long as somebody reads.
        recording = Recording()
        recording.CopyFrom(chunk.recording)
        promised = chunk.content_range
        opening = Opening(recording, promised.start, promised.end, promised.complete_length)
        self._check(opening)
        # The first one's range: a later stream brings what is left of it.
        self.opening = self.opening or opening
        return self._received(chunk)

    def later(self, frame: bytes) -> memoryview:
        """Takes any further message; its data, at least a byte.

        Raises:
            ContractBroken: it is not what comes next.
        """
        data = self._received(ReceivedChunk.of(frame))
        if not data:
            raise ContractBroken("an empty message that is not the first")
        return data

    def return_bytes(self, count: int) -> None:
        """So many of the last bytes that came were thrown away: they are to come again."""
        self.position -= count

    def _check(self, opening: Opening) -> None:
        pinned = self.opening.recording.etag if self.opening else self._wanted.etag
        if pinned and opening.recording.etag != pinned:
            raise EtagMismatch("the recording has become another version", metadata={"etag": opening.recording.etag})
        if not opening.recording.etag:
            raise ContractBroken("a stream that does not say of which version it is")
        if opening.complete_length != opening.recording.size_bytes:
            raise ContractBroken("a stream whose size is not the recording's")
        if self.opening is None:
            length = self._wanted.length
            last = opening.complete_length if length is None else self._wanted.offset + length
            end = min(last, opening.complete_length)
        else:
            end = self.opening.end
        if opening.start != self.position or opening.end != end:
            raise ContractBroken("a stream of another range than the one asked for")

    def _received(self, chunk: ReceivedChunk) -> memoryview:
        if not chunk.data:
            return _NOTHING
        assert self.opening is not None  # noqa: S101 - `first` comes first
        if chunk.offset != self.position or chunk.offset + len(chunk.data) > self.opening.end:
            raise ContractBroken("a chunk that is not the next one")
        self.position += len(chunk.data)
        return chunk.data


def rest_of(wanted: Range, opening: Opening, position: int) -> Range:
    """The range from another place to the same end, of the version that was opened."""
    return replace(wanted, offset=position, length=max(0, opening.end - position), etag=opening.recording.etag)
