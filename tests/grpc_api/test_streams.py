"""StreamRecording over a real connection: every promised byte, or a status that says otherwise."""

import threading
from collections.abc import Iterator
from typing import Any, cast

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core import errors
from recording_service.core.playback import OpenRange
from recording_service.core.ranges import ByteRange
from recording_service.grpc_api.conversion import recording_message
from recording_service.grpc_api.streams import (
    DOUBLING_BYTES,
    FAST_SEND_SECONDS,
    MAX_CHUNK_BYTES,
    MIN_CHUNK_BYTES,
    PROOF_BYTES,
    SLOW_SEND_SECONDS,
    ChunkSize,
)
from recordings.v1 import stream_pb2
from tests.support.grpc_server import RunningServer, drained, refused, running_server, takes_in
from tests.support.grpc_service import (
    DEADLINE_SECONDS,
    RECORDING,
    FakeRange,
    FakeRecordingService,
    recording,
)
from tests.support.waiting import eventually

MEBIBYTE = 1024 * 1024
CONTENT = bytes(range(251)) * 1300  # 251 is prime: no two chunks are equal

sizes = st.sampled_from([0, 1, MIN_CHUNK_BYTES - 1, MIN_CHUNK_BYTES, MIN_CHUNK_BYTES + 1, 3 * MIN_CHUNK_BYTES, 200_001])


def request(offset: int = 0, length: int = 0, etag: str = "") -> stream_pb2.StreamRecordingRequest:
    return stream_pb2.StreamRecordingRequest(recording_sid=RECORDING, offset=offset, length=length, etag=etag)


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningServer]:
    """One server for all examples."""
    with running_server(FakeRecordingService()) as running:
        yield running


@given(size=sizes, data=st.data())
def test_a_range_is_a_slice(shared: RunningServer, size: int, data: st.DataObject) -> None:
    shared.service.content = CONTENT[:size]
    near_an_edge = st.sampled_from([0, 1, size - 1, size, MIN_CHUNK_BYTES - 1, MIN_CHUNK_BYTES, MIN_CHUNK_BYTES + 1])
    offset = data.draw((near_an_edge | st.integers(0, size)).filter(lambda number: 0 <= number <= size), "offset")
    length = data.draw((near_an_edge | st.integers(0, 2 * size + 2)).filter(lambda number: number >= 0), "length")
    expected = CONTENT[:size][offset : offset + length if length else size]

    responses = list(shared.stub.StreamRecording(request(offset, length)))

    assert b"".join(response.data for response in responses) == expected
    first, position = responses[0], offset
    assert first.content_range == stream_pb2.ContentRange(
        start=offset, end=offset + len(expected), complete_length=size
    )
    assert first.recording.size_bytes == size
    for response in responses:
        assert response.offset == position
        position += len(response.data)
    assert all(response.data and not response.HasField("recording") for response in responses[1:])


def test_an_empty_range_is_ok_with_one_message(server: RunningServer) -> None:
    server.service.content = b"0123456789"

    responses = list(server.stub.StreamRecording(request(offset=10)))

    assert [(response.data, response.offset) for response in responses] == [(b"", 10)]
    assert responses[0].content_range == stream_pb2.ContentRange(start=10, end=10, complete_length=10)
    assert responses[0].recording == recording_message(recording())


@pytest.mark.parametrize(
    ("offset", "length", "fields"),
    [(-1, 0, ["offset"]), (0, -1, ["length"]), (-(2**63), -(2**63), ["offset", "length"])],
)
def test_negative_numbers_are_refused_by_name(
    server: RunningServer, offset: int, length: int, fields: list[str]
) -> None:
    found = refused(lambda: server.stub.StreamRecording(request(offset, length)))

    assert (found.code, found.fields) == (grpc.StatusCode.INVALID_ARGUMENT, fields)


def test_an_offset_past_the_end_is_out_of_range(server: RunningServer) -> None:
    server.service.content = b"0123456789"

    found = refused(lambda: server.stub.StreamRecording(request(offset=11)))

    assert (found.code, found.metadata["sizeBytes"]) == (grpc.StatusCode.OUT_OF_RANGE, "10")


def test_the_etag_reaches_the_use_case(server: RunningServer) -> None:
    list(server.stub.StreamRecording(request(etag="4e4e")))

    assert server.service.asked("open_range")[0][3] == "4e4e"


def test_the_range_is_closed_when_all_is_sent(server: RunningServer) -> None:
    server.service.content = CONTENT

    list(server.stub.StreamRecording(request()))

    assert server.service.ranges[0].closed.wait(DEADLINE_SECONDS)


def truncated(server: RunningServer, *, stored: int, promised: int) -> tuple[int, Any]:
    """Streams an object that is shorter than it should be: how many bytes came, and the refusal."""
    server.service.content, server.service.size_bytes = CONTENT[:stored], promised
    received, found = drained(server.stub.StreamRecording(request()))
    return len(received), found


def test_bytes_that_end_early_are_data_loss_and_never_ok(server: RunningServer) -> None:
    received, found = truncated(server, stored=100_000, promised=200_000)

    assert (found.code, found.reason) == (grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED")
    assert received == 100_000
    assert server.service.ranges[0].closed.wait(DEADLINE_SECONDS)


def test_bytes_that_are_not_there_at_all_are_data_loss_before_any_message(server: RunningServer) -> None:
    received, found = truncated(server, stored=0, promised=200_000)

    assert (found.code, received) == (grpc.StatusCode.DATA_LOSS, 0)


class Misbehaving(FakeRange):
    """Reads as a test says."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__(CONTENT, ByteRange(0, 100_000, 100_000))
        self._answers = iter(answers)

    def read(self, size: int) -> bytes:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return bytes(answer)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (errors.RecordingTruncated(RECORDING), grpc.StatusCode.DATA_LOSS),
        (errors.StorageUnavailable(), grpc.StatusCode.UNAVAILABLE),
        (OSError("/var/secret/path"), grpc.StatusCode.INTERNAL),
        (b"x" * 90_000, grpc.StatusCode.DATA_LOSS),
        (b"", grpc.StatusCode.DATA_LOSS),
    ],
    ids=["truncated", "unavailable", "a bug", "more than promised", "nothing"],
)
def test_a_stream_that_breaks_ends_with_its_status_and_no_byte_too_many(
    server: RunningServer, failure: Any, code: grpc.StatusCode
) -> None:
    opened = Misbehaving([b"a" * 20_000, failure])
    server.service.answers["open_range"] = lambda *_: cast(OpenRange, opened)

    received, found = drained(server.stub.StreamRecording(request()))

    assert found is not None
    assert found.code is code
    assert "secret" not in found.everything
    assert received == b"a" * 20_000
    assert opened.closed.wait(DEADLINE_SECONDS)


def test_short_reads_are_no_loss(server: RunningServer) -> None:
    opened = Misbehaving([b"a" * 1] + [b"b" * 33_333] * 3)
    server.service.answers["open_range"] = lambda *_: cast(OpenRange, opened)

    assert drained(server.stub.StreamRecording(request())) == (b"a" + b"b" * 99_999, None)


def test_a_client_that_takes_nothing_gets_small_chunks(server: RunningServer) -> None:
    # Buffers on the way swallow 4 to 5 MiB: they must not be taken for a fast client, or a slow player's progress
    # would not be seen for minutes (design.md §6).
    server.service.content = bytes(32 * MEBIBYTE)
    stream = server.stub.StreamRecording(request())
    next(stream)

    reads = server.service.ranges[0].reads
    eventually(lambda: _stands_still(reads))

    assert max(reads) <= 2 * MIN_CHUNK_BYTES
    stream.cancel()


def _stands_still(reads: list[int]) -> bool:
    count = len(reads)
    threading.Event().wait(0.2)
    return count > 1 and len(reads) == count


def test_a_cancelled_stream_is_let_go_of_in_the_middle_of_a_send(server: RunningServer) -> None:
    server.service.content = bytes(32 * MEBIBYTE)
    stream = server.stub.StreamRecording(request())
    next(stream)
    eventually(lambda: _stands_still(server.service.ranges[0].reads))

    stream.cancel()

    assert server.service.ranges[0].closed.wait(DEADLINE_SECONDS)


def test_streams_beyond_the_cap_are_refused_at_once_and_served_once_one_has_ended() -> None:
    service = FakeRecordingService()
    service.content = bytes(32 * MEBIBYTE)
    with running_server(service, streams=2) as server:
        streams = [server.stub.StreamRecording(request()) for _ in range(2)]
        for stream in streams:
            next(stream)

        found = refused(lambda: server.stub.StreamRecording(request()))
        assert (found.code, found.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED")
        assert (found.metadata, found.retry_seconds) == ({"resource": "streams", "limit": "2"}, 1)
        assert len(service.asked("open_range")) == 2

        streams[0].cancel()
        eventually(lambda: takes_in(lambda: server.stub.StreamRecording(request())))
        streams[1].cancel()


def test_a_refused_stream_gives_its_slot_back() -> None:
    service = FakeRecordingService()
    with running_server(service, streams=1) as server:
        service.answers["open_range"] = errors.RecordingNotFound(RECORDING)
        for _ in range(3):
            assert refused(lambda: server.stub.StreamRecording(request())).code is grpc.StatusCode.NOT_FOUND


def test_chunks_grow_while_sends_are_fast() -> None:
    size = ChunkSize()
    seen = [size.bytes]
    sent = 0

    while size.bytes < MAX_CHUNK_BYTES:
        size.sent(size.bytes, FAST_SEND_SECONDS)
        sent += seen[-1]
        seen.append(size.bytes)

    assert sorted(set(seen)) == [MIN_CHUNK_BYTES, 2 * MIN_CHUNK_BYTES, MAX_CHUNK_BYTES]
    assert seen.count(MIN_CHUNK_BYTES) == DOUBLING_BYTES // MIN_CHUNK_BYTES
    assert sent == PROOF_BYTES


def test_chunks_stay_as_large_as_they_may_be() -> None:
    size = ChunkSize()

    for _ in range(1000):
        size.sent(size.bytes, 0)

    assert size.bytes == MAX_CHUNK_BYTES


def test_chunks_start_over_when_a_send_was_slow() -> None:
    size = ChunkSize()
    while size.bytes < MAX_CHUNK_BYTES:
        size.sent(size.bytes, 0)

    size.sent(size.bytes, SLOW_SEND_SECONDS * 1.01)

    assert size.bytes == MIN_CHUNK_BYTES


def test_chunks_neither_grow_nor_shrink_while_sends_are_neither_fast_nor_slow() -> None:
    size = ChunkSize()

    for _ in range(1000):
        size.sent(size.bytes, SLOW_SEND_SECONDS)

    assert size.bytes == MIN_CHUNK_BYTES
