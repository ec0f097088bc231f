"""The chunks of StreamRecording, written as bytes without going through a message.

A protobuf `bytes` field costs two copies a chunk in Python: into the message, and out of it. Joining the few header
bytes with the data costs one (design.md §6). What is written here is equal, byte for byte, to what protobuf writes.
"""

from typing import NamedTuple

from recordings.v1 import recording_pb2, stream_pb2

# https://protobuf.dev/programming-guides/encoding: a tag is the field number times 8 plus the wire type.
_DATA = b"\x0a"  # field 1, length-delimited
_OFFSET = b"\x10"  # field 2, varint
_RECORDING = b"\x1a"  # field 3, length-delimited
_CONTENT_RANGE = b"\x22"  # field 4, length-delimited


class Chunk(NamedTuple):
    """One chunk: the fields of a StreamRecordingResponse."""

    data: bytes
    offset: int
    recording: recording_pb2.Recording | None = None
    content_range: stream_pb2.ContentRange | None = None

    def message(self) -> stream_pb2.StreamRecordingResponse:
        """The same as a message."""
        return stream_pb2.StreamRecordingResponse(
            data=self.data, offset=self.offset, recording=self.recording, content_range=self.content_range
        )

    def frame(self) -> bytes:
        """The same as protobuf's bytes."""
        parts: list[bytes] = []
        if self.data:
            parts += (_DATA, _varint(len(self.data)), self.data)
        if self.offset:
            parts += (_OFFSET, _varint(self.offset))
        if self.recording is not None:
            _append_message(parts, _RECORDING, self.recording.SerializeToString())
        if self.content_range is not None:
            _append_message(parts, _CONTENT_RANGE, self.content_range.SerializeToString())
        return b"".join(parts)


def _append_message(parts: list[bytes], tag: bytes, serialized: bytes) -> None:
    parts += (tag, _varint(len(serialized)), serialized)


def _varint(number: int) -> bytes:
    """A number that is not negative: 7 bits a byte, the low ones first, the high bit set in all bytes but the last."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
