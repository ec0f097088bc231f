"""Rules a to e of clients/README.md, for the asyncio reader over a real connection: how it goes over breaks."""

import asyncio
import hashlib
import io
import random
from typing import Any

import grpc
import pytest

from recordings import errors
from recordings.v1.recording_pb2 import Recording
from recordings.v1.stream_pb2 import StreamRecordingResponse
from tests.clients.python.aio.conftest import Connect
from tests.clients.python.aio.in_loop import in_loop, until
from tests.http_api.fake_recordings import RECORDING, Cut, Failure, FakeRecordings, Hang

CONTENT = random.Random(7).randbytes(1_000_003)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
UNAVAILABLE = Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
CANCELLED = Failure(grpc.StatusCode.CANCELLED)
INTERNAL = Failure(grpc.StatusCode.INTERNAL)
EXHAUSTED = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED")
EXHAUSTED_FOR_NOW = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED", retry_seconds=0)
DATA_LOSS = Failure(grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED")


def openings(recordings: FakeRecordings) -> list[tuple[int, int, str]]:
    return [(each.offset, each.length, each.etag) for each in recordings.of("StreamRecording")]


def first_message(recording: Recording, **fields: Any) -> StreamRecordingResponse:
    message = StreamRecordingResponse(recording=recording, **fields)
    message.content_range.end = message.content_range.complete_length = recording.size_bytes
    return message


# a. The first message


@in_loop
async def test_every_later_stream_is_of_the_first_ones_version_and_range(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(100_000, UNAVAILABLE), Cut(1, UNAVAILABLE)]
    async with connect() as client:
        assert await client.open(RECORDING, offset=1000, length=500_000).read() == CONTENT[1000:501_000]
    assert openings(recordings) == [(1000, 500_000, ""), (101_000, 400_000, "e1"), (101_001, 399_999, "e1")]


@in_loop
async def test_two_versions_are_never_spliced(connect: Connect, recordings: FakeRecordings) -> None:
    recording = recordings.add(CONTENT)
    async with connect() as client, client.open(RECORDING) as reader:
        assert await reader.read(1000) == CONTENT[:1000]
        await reader.seek(900_000)
        recording.etag = "e2"
        with pytest.raises(errors.EtagMismatch) as mismatch:
            await reader.read(1)
    assert mismatch.value.etag == "e2"


@in_loop
async def test_a_service_that_does_not_heed_the_etag_is_found_out(connect: Connect, recordings: FakeRecordings) -> None:
    other = recordings.add(CONTENT, etag="e2")
    recordings.messages = [first_message(other, data=CONTENT[:10])]
    async with connect() as client:
        with pytest.raises(errors.EtagMismatch) as mismatch:
            await client.open(RECORDING, etag="e1").read(1)
    assert mismatch.value.etag == "e2"


@pytest.mark.parametrize("change", ["recording", "content_range", "etag", "size", "start", "end", "nothing at all"])
@in_loop
async def test_a_first_message_that_is_not_what_was_asked_for_breaks_the_contract(
    connect: Connect, recordings: FakeRecordings, change: str
) -> None:
    message = first_message(recordings.add(CONTENT), data=CONTENT[:10])
    if change in {"recording", "content_range"}:
        message.ClearField(change)
    message.recording.etag = "" if change == "etag" else message.recording.etag
    if change == "size":
        message.content_range.complete_length += 1
    if change == "start":
        message.content_range.start = 1
    if change == "end":
        message.content_range.end -= 1
    if change == "nothing at all":
        message = StreamRecordingResponse()
    if change == "recording":
        message.ClearField("recording")
    recordings.messages = [message]
    async with connect() as client:
        with pytest.raises(errors.ContractBroken):
            await client.open(RECORDING).read()


# b. Chunks


@pytest.mark.parametrize(
    "wrong",
    [
        StreamRecordingResponse(data=b"xx", offset=9),
        StreamRecordingResponse(data=b"xx", offset=11),
        StreamRecordingResponse(data=CONTENT, offset=10),
        StreamRecordingResponse(offset=10),
    ],
    ids=["again", "with a gap", "past the end", "empty"],
)
@in_loop
async def test_a_chunk_that_is_not_the_next_one_breaks_the_contract(
    connect: Connect, recordings: FakeRecordings, wrong: StreamRecordingResponse
) -> None:
    recordings.messages = [first_message(recordings.add(CONTENT), data=CONTENT[:10]), wrong]
    async with connect() as client:
        reader = client.open(RECORDING)
        assert await reader.read(10) == CONTENT[:10]
        with pytest.raises(errors.ContractBroken):
            await reader.read(1)
    assert len(openings(recordings)) == 1


# c. What is resumed after


@pytest.mark.parametrize("how", [UNAVAILABLE, CANCELLED, INTERNAL, EXHAUSTED_FOR_NOW, None], ids=str)
@in_loop
async def test_a_broken_stream_goes_on_at_the_next_byte(
    connect: Connect, recordings: FakeRecordings, how: Failure | None
) -> None:
    recordings.add(CONTENT, sha256=SHA256)
    recordings.cuts = [Cut(70_001, how), Cut(2, how)]
    async with connect() as client:
        assert await client.open(RECORDING).read() == CONTENT
    assert [offset for offset, _, _ in openings(recordings)] == [0, 70_001, 70_003]


@pytest.mark.parametrize(
    ("how", "kind"), [(EXHAUSTED, errors.CapacityExhausted), (DATA_LOSS, errors.RecordingTruncated)]
)
@in_loop
async def test_nothing_else_is_resumed_after(
    connect: Connect, recordings: FakeRecordings, how: Failure, kind: type[errors.RecordingsError]
) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(70_001, how)]
    async with connect() as client:
        reader = client.open(RECORDING)
        assert await reader.read(70_001) == CONTENT[:70_001]
        with pytest.raises(kind):
            await reader.read(1)
    assert len(openings(recordings)) == 1


@pytest.mark.parametrize("how", [CANCELLED, INTERNAL], ids=str)
@in_loop
async def test_what_breaks_before_its_first_message_is_resumed_after_unavailable_only(
    connect: Connect, recordings: FakeRecordings, how: Failure
) -> None:
    recordings.add(CONTENT)
    recordings.answers["StreamRecording"] = [UNAVAILABLE, how, None]
    async with connect() as client:
        with pytest.raises(errors.RecordingsError) as failed:
            await client.open(RECORDING).read()
    assert failed.value.code is how.code
    assert len(openings(recordings)) == 2


@in_loop
async def test_after_an_error_reading_goes_on_from_the_last_byte_that_was_handed_out(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT, sha256=SHA256)
    recordings.cuts = [Cut(200_000, DATA_LOSS)]
    async with connect() as client:
        reader = client.open(RECORDING)
        begun = await reader.read(1000)
        with pytest.raises(errors.RecordingTruncated):
            await reader.read()
        assert reader.tell() == 1000
        assert begun + await reader.read() == CONTENT


# d. The end


@pytest.mark.parametrize("how", [DATA_LOSS, INTERNAL, Hang()], ids=str)
@in_loop
async def test_once_every_byte_is_here_the_status_does_not_matter(
    connect: Connect, recordings: FakeRecordings, how: Failure | Hang
) -> None:
    recordings.add(CONTENT, sha256=SHA256)
    recordings.cuts = [Cut(len(CONTENT), how)]
    async with connect() as client:
        assert await client.open(RECORDING).read() == CONTENT
    assert len(openings(recordings)) == 1


@in_loop
async def test_with_nothing_left_to_read_no_stream_is_opened(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    async with connect() as client:
        assert await client.open(RECORDING, offset=5, length=0).read() == b""
        async with client.open(RECORDING, length=0) as reader:
            assert await reader.readinto(bytearray(3)) == 0
        assert openings(recordings) == []
        async with client.open(RECORDING) as reader:
            for place in (len(CONTENT), len(CONTENT) + 1, 2**70):
                await reader.seek(place)
                assert await reader.read(10) == b""
                assert [bytes(piece) async for piece in reader] == []
            assert len(openings(recordings)) == 1


@in_loop
async def test_a_stream_that_was_read_to_its_end_is_not_cancelled(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    recordings.linger_seconds = 0.2
    async with connect() as client:
        await client.open(RECORDING).read()
        await until(lambda: recordings.ended)
    assert recordings.ended == ["finished"]


@in_loop
async def test_an_empty_recording_is_read_without_an_error(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"", sha256=hashlib.sha256().hexdigest())
    async with connect() as client, client.open(RECORDING) as reader:
        assert (reader.size, await reader.read(), await reader.seek(0, io.SEEK_END)) == (0, b"", 0)


# e. Attempts and silence


@in_loop
async def test_attempts_without_a_byte_are_bounded_and_the_last_error_is_raised(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(100, UNAVAILABLE), *[Cut(0, UNAVAILABLE)] * 20]
    async with connect(resume_attempts=3) as client:
        with pytest.raises(errors.Unavailable) as failed:
            await client.open(RECORDING).read()
    assert failed.value.reason == "SERVER_DRAINING"
    assert len(openings(recordings)) == 1 + 3


@in_loop
async def test_progress_makes_attempts_count_anew(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(100_000, UNAVAILABLE)] * 9
    async with connect(resume_attempts=1) as client:
        assert await client.open(RECORDING).read() == CONTENT
    assert len(openings(recordings)) == 10


@in_loop
async def test_a_silent_stream_is_cancelled_and_opened_again(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(100_000, Hang()), Cut(0, Hang())]
    async with connect(stall_timeout=0.2) as client:
        assert await client.open(RECORDING).read() == CONTENT
        await until(lambda: recordings.ended.count("cancelled") == 2)


@in_loop
async def test_time_in_which_nobody_reads_does_not_count_as_silence(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT)
    async with connect(stall_timeout=0.2) as client:
        reader = client.open(RECORDING)
        data = await reader.read(1000)
        await asyncio.sleep(0.5)
        assert data + await reader.read() == CONTENT
    assert len(openings(recordings)) == 1
