"""The chunks of StreamRecording, taken apart without going through a message.

Of a protobuf `bytes` field Python makes two copies a chunk: into the message, and out of it. All chunks of a stream but
the first are the data and its offset, and nothing else; of these the data is a view into what gRPC received. Whatever
looks otherwise is protobuf's business, so what is read here is equal to what protobuf reads, for any bytes.
"""

from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from recordings.errors import ContractBroken
from recordings.v1.recording_pb2 import Recording
from recordings.v1.stream_pb2 import ContentRange, StreamRecordingResponse

# https://protobuf.dev/programming-guides/encoding: a tag is the field number times 8 plus the wire type.
_DATA: Final = 0x0A  # field 1, length-delimited
_OFFSET: Final = 0x10  # field 2, varint
#: Of the length of data, in bytes: enough for 256 MiB, and gRPC takes no message over 4.
_LENGTH_BYTES: Final = 4
#: Of an offset, in bytes: enough for all that are not negative.
_OFFSET_BYTES: Final = 9


class ReceivedChunk(NamedTuple):
    """One chunk: the fields of a StreamRecordingResponse."""

    data: memoryview
    offset: int
    recording: Recording | None = None
    content_range: ContentRange | None = None

    @classmethod
    def of(cls, frame: bytes) -> "ReceivedChunk":
        """The chunk in these bytes. It keeps them in memory for as long as its data is. Raises ContractBroken."""
        return _bare(frame) or cls._parsed(frame)

    @classmethod
    def _parsed(cls, frame: bytes) -> "ReceivedChunk":
        try:
            message = StreamRecordingResponse.FromString(frame)
        except DecodeError:
            raise ContractBroken("a message that is none") from None
        return cls(
            memoryview(message.data),
            message.offset,
            message.recording if message.HasField("recording") else None,
            message.content_range if message.HasField("content_range") else None,
        )


def _bare(frame: bytes) -> ReceivedChunk | None:
    """The chunk, if it is data and perhaps its offset, each once and in this order, and nothing else."""
    if not frame or frame[0] != _DATA:
        return None
    length, start = _varint(frame, 1, _LENGTH_BYTES)
    end = start + length
    if not start or end > len(frame):
        return None
    offset = 0
    if end < len(frame):
        offset, stop = _varint(frame, end + 1, _OFFSET_BYTES)
        if frame[end] != _OFFSET or stop != len(frame):
            return None
    return ReceivedChunk(memoryview(frame)[start:end], offset)


def _varint(frame: bytes, position: int, at_most: int) -> tuple[int, int]:
    """A number of so many bytes at most, and the position after it; that is 0 if there is none.

    7 bits a byte, the low ones first, the high bit set in all bytes but the last.
    """
    number = 0
    for shift, byte in enumerate(frame[position : position + at_most]):
        number |= (byte & 0x7F) << 7 * shift
        if byte <= 0x7F:
            return number, position + shift + 1
    return 0, 0
