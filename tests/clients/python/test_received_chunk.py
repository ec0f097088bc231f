"""A chunk that is taken apart by hand is what protobuf would have read."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

from recordings._received_chunk import ReceivedChunk
from recordings.errors import ContractBroken
from recordings.v1.recording_pb2 import Recording
from recordings.v1.stream_pb2 import ContentRange, StreamRecordingResponse

INT64 = st.integers(-(2**63), 2**63 - 1)
content_ranges = st.builds(ContentRange, start=INT64, end=INT64, complete_length=INT64)
recordings = st.builds(Recording, recording_sid=st.text(max_size=200), size_bytes=INT64)
messages = st.builds(
    StreamRecordingResponse,
    data=st.binary(max_size=300),
    offset=INT64,
    recording=st.none() | recordings,
    content_range=st.none() | content_ranges,
)


def _varint(number: int, *, padding: int = 0) -> bytes:
    """A number as protobuf writes it, or with zero groups behind it that say nothing."""
    groups = [number >> shift & 0x7F for shift in range(0, max(7, number.bit_length()), 7)] + [0] * padding
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


# Pieces of a frame that nobody has to write, but that a reader meets: fields twice, in another order, unknown, cut.
fields = st.one_of(
    st.tuples(st.binary(max_size=200), st.integers(0, 7)).map(
        lambda field: b"\x0a" + _varint(len(field[0]), padding=field[1]) + field[0]
    ),
    st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 7)).map(
        lambda field: b"\x10" + _varint(field[0], padding=field[1])
    ),
    messages.map(StreamRecordingResponse.SerializeToString),
    st.binary(max_size=6),
    st.sampled_from([b"\x0a\x00", b"\x0a\x05abc", b"\x10", b"\x0a", b"\x2a\x01x", b"\x0a\xff\xff\xff\xff\x7f"]),
)
frames = st.lists(fields, max_size=4).map(b"".join) | st.binary(max_size=40)


def _seen(chunk: ReceivedChunk) -> tuple[object, ...]:
    return bytes(chunk.data), chunk.offset, chunk.recording, chunk.content_range


def _seen_by_protobuf(frame: bytes) -> tuple[object, ...]:
    message = StreamRecordingResponse.FromString(frame)
    return (
        message.data,
        message.offset,
        message.recording if message.HasField("recording") else None,
        message.content_range if message.HasField("content_range") else None,
    )


@given(messages)
def test_what_protobuf_writes_is_read_as_protobuf_reads_it(message: StreamRecordingResponse) -> None:
    frame = message.SerializeToString()
    assert _seen(ReceivedChunk.of(frame)) == _seen_by_protobuf(frame)


@given(frames)
@example(b"\x0a\x01a\x0a\x00")
@example(b"\x0a\x01a\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")
@example(b"\x0a\x81\x80\x80\x80\x00a")
@example(b"\x0a\x80\x00")
def test_any_bytes_are_read_as_protobuf_reads_them_or_refused_as_protobuf_refuses_them(frame: bytes) -> None:
    try:
        expected = _seen_by_protobuf(frame)
    except DecodeError:
        with pytest.raises(ContractBroken):
            ReceivedChunk.of(frame)
        return
    assert _seen(ReceivedChunk.of(frame)) == expected


@pytest.mark.parametrize("size", [1, 127, 128, 16_383, 16_384, 65_536, 1_048_576, 2_097_152])
@pytest.mark.parametrize("offset", [0, 1, 127, 128, 2**31, 2**62, 2**63 - 1])
def test_the_data_of_a_later_chunk_is_no_copy(size: int, offset: int) -> None:
    frame = StreamRecordingResponse(data=b"\xff" * size, offset=offset).SerializeToString()
    chunk = ReceivedChunk.of(frame)
    assert chunk.data.obj is frame
    assert _seen(chunk) == (b"\xff" * size, offset, None, None)
