"""A chunk that is written directly is what protobuf would have written."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.grpc_api.conversion import recording_message
from recording_service.grpc_api.frames import Chunk
from recordings.v1 import recording_pb2, stream_pb2
from tests.support.grpc_service import recording

MAX_INT64 = 2**63 - 1

offsets = st.integers(0, MAX_INT64)
content_ranges = st.builds(stream_pb2.ContentRange, start=offsets, end=offsets, complete_length=offsets)
recordings = st.builds(
    recording_pb2.Recording, recording_sid=st.text(max_size=200), size_bytes=offsets, source=st.text(max_size=200)
)
chunks = st.builds(
    Chunk,
    st.binary(max_size=300),
    offsets,
    st.none() | recordings | st.just(recording_pb2.Recording()),
    st.none() | content_ranges,
)


@given(chunks)
def test_a_frame_is_byte_for_byte_what_protobuf_writes(chunk: Chunk) -> None:
    assert chunk.frame() == chunk.message().SerializeToString()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 65_536, 1_048_576, 2_097_152])
def test_lengths_around_each_varint_byte_are_written_as_protobuf_writes_them(size: int) -> None:
    # One label: protobuf itself writes a map's entries in any order.
    call = replace(recording().call, labels={"team": "sales"})
    chunk = Chunk(b"\xff" * size, size, recording_message(recording(call=call)), stream_pb2.ContentRange(end=size))

    assert chunk.frame() == chunk.message().SerializeToString()


def test_a_frame_parses_back_to_its_fields() -> None:
    chunk = Chunk(
        b"abc", 7, recording_message(recording()), stream_pb2.ContentRange(start=7, end=10, complete_length=20)
    )

    parsed = stream_pb2.StreamRecordingResponse.FromString(chunk.frame())

    assert (parsed.data, parsed.offset) == (b"abc", 7)
    assert parsed.recording == chunk.recording
    assert parsed.content_range == chunk.content_range
