"""Rules f to j of clients/README.md, for the asyncio reader over a real connection: seeking, closing, the checksum."""

import asyncio
import gc
import hashlib
import io
import random
from collections.abc import Awaitable, Callable

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings import errors
from recordings.aio import AsyncRecordingReader, RecordingsClient
from recordings.v1.recording_pb2 import RecordingState
from tests.clients.python.aio.conftest import Connect
from tests.clients.python.aio.in_loop import in_loop, until
from tests.http_api.fake_recordings import RECORDING, Cut, Failure, FakeRecordings, FakeServer, Hang

CONTENT = random.Random(7).randbytes(1_000_003)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
UNAVAILABLE = Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
CANCELLED = Failure(grpc.StatusCode.CANCELLED)
INTERNAL = Failure(grpc.StatusCode.INTERNAL)
DATA_LOSS = Failure(grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED")


def openings(recordings: FakeRecordings) -> list[tuple[int, int, str]]:
    return [(each.offset, each.length, each.etag) for each in recordings.of("StreamRecording")]


# f. Seeking


@in_loop
async def test_seeking_opens_nothing_and_a_near_place_ahead_is_read_from_the_same_stream(
    connect: Connect, recordings: FakeRecordings
) -> None:
    # More than can be in flight, so that a stream is there to be cancelled.
    content = CONTENT * 32
    recordings.add(content)
    async with connect() as client:
        reader = client.open(RECORDING)
        assert await reader.seek(10) == 10
        assert openings(recordings) == []
        assert await reader.read(5) == content[10:15]
        assert await reader.seek(256 * 1024 - 10, io.SEEK_CUR) == 256 * 1024 + 5
        assert await reader.read(5) == content[256 * 1024 + 5 :][:5]
        assert [offset for offset, _, _ in openings(recordings)] == [10]
        for place in (9_000_000, 0):
            await reader.seek(place)
            assert await reader.read(5) == content[place : place + 5]
        assert [offset for offset, _, _ in openings(recordings)] == [10, 9_000_000, 0]
        await until(lambda: recordings.ended == ["cancelled"] * 2)


@pytest.mark.parametrize("arguments", [(-1,), (-1, io.SEEK_CUR), (-1_000_004, io.SEEK_END), (0, 7)])
@in_loop
async def test_a_place_that_there_is_not_is_a_value_error(
    connect: Connect, recordings: FakeRecordings, arguments: tuple[int, ...]
) -> None:
    recordings.add(CONTENT)
    async with connect() as client:
        reader = client.open(RECORDING)
        with pytest.raises(ValueError, match=r"offset|whence"):
            await reader.seek(*arguments)
        assert reader.tell() == 0


@pytest.mark.parametrize(("offset", "length"), [(-1, None), (0, -1)])
@in_loop
async def test_a_negative_range_is_a_value_error(connect: Connect, offset: int, length: int | None) -> None:
    async with connect() as client:
        with pytest.raises(ValueError, match="below 0"):
            client.open(RECORDING, offset=offset, length=length)


@in_loop
async def test_an_offset_past_the_end_is_an_error_and_a_place_sought_there_is_none(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT)
    async with connect() as client:
        with pytest.raises(errors.OffsetPastEnd) as past:
            await client.open(RECORDING, offset=len(CONTENT) + 1).read(1)
        assert past.value.size_bytes == len(CONTENT)
        reader = client.open(RECORDING)
        await reader.seek(len(CONTENT) + 1)
        assert await reader.read(1) == b""


# g. The checksum


async def by_pieces(reader: AsyncRecordingReader) -> int:
    return sum([len(piece) async for piece in reader])


async def by_read(reader: AsyncRecordingReader) -> int:
    return len(await reader.read())


async def by_readinto(reader: AsyncRecordingReader) -> int:
    buffer, count = bytearray(65_536), 0
    while taken := await reader.readinto(buffer):
        count += taken
    return count


@pytest.mark.parametrize("read", [by_pieces, by_read, by_readinto])
@in_loop
async def test_a_whole_read_that_is_not_what_its_checksum_says_raises_instead_of_its_last_byte(
    connect: Connect, recordings: FakeRecordings, read: Callable[[AsyncRecordingReader], Awaitable[int]]
) -> None:
    recordings.add(CONTENT[:-1] + b"\x00", sha256=SHA256)
    async with connect() as client:
        reader = client.open(RECORDING)
        for _ in range(2):
            with pytest.raises(errors.ChecksumMismatch):
                await read(reader)
            assert reader.tell() < len(CONTENT)
        recordings.add(CONTENT, sha256=SHA256)
        assert await read(client.open(RECORDING)) == len(CONTENT)


@in_loop
async def test_a_part_and_a_read_out_of_order_can_not_be_compared(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT, sha256="0" * 64)
    async with connect() as client:
        assert await client.open(RECORDING, offset=1).read() == CONTENT[1:]
        reader = client.open(RECORDING)
        await reader.read(10)
        await reader.seek(11)
        assert await reader.read() == CONTENT[11:]
        await reader.seek(0)
        with pytest.raises(errors.ChecksumMismatch):
            await reader.read()


# h. Options of opening


@in_loop
async def test_an_etag_pins_the_version_from_the_start(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    async with connect() as client:
        assert await client.open(RECORDING, etag="e1").read(3) == CONTENT[:3]
        with pytest.raises(errors.EtagMismatch):
            await client.open(RECORDING, etag="e0").read(3)


@in_loop
async def test_a_recording_that_is_on_its_way_is_waited_for(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT, state=RecordingState.RECORDING_STATE_QUEUED)
    async with connect() as client:
        with pytest.raises(errors.RecordingNotReady) as not_ready:
            await client.open(RECORDING).read()
        assert not_ready.value.code is grpc.StatusCode.FAILED_PRECONDITION
        with pytest.raises(errors.DeadlineExceeded):
            await client.open(RECORDING, wait=True, wait_timeout=0.1).read()
        # The watch of so short a wait may not even have come so far.
        watches = len(recordings.of("WatchRecording"))
        reading = asyncio.create_task(client.open(RECORDING, wait=True).read())
        await until(lambda: len(recordings.of("WatchRecording")) > watches)
        recordings.change(RECORDING, state=RecordingState.RECORDING_STATE_READY)
        assert await reading == CONTENT
    assert len(openings(recordings)) == 2


@in_loop
async def test_entering_makes_the_recording_known_and_before_it_is_not(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT)
    async with connect() as client:
        reader = client.open(RECORDING)
        with pytest.raises(ValueError, match="async with"):
            _ = reader.recording
        async with reader:
            assert (reader.size, reader.recording.etag, reader.tell()) == (len(CONTENT), "e1", 0)
        assert reader.closed


# i. Closing


@in_loop
async def test_closing_cancels_the_stream_at_once_and_twice_is_nothing(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(1000, Hang())]
    async with connect() as client:
        reader = client.open(RECORDING)
        await reader.read(10)
        await reader.aclose()
        await reader.aclose()
        await until(lambda: recordings.ended == ["cancelled"], within=1)
        for use in (reader.read, lambda: reader.seek(0), lambda: reader.readinto(bytearray(1)), reader.__aenter__):
            with pytest.raises(ValueError, match="closed file"):
                await use()


@in_loop
async def test_closing_ends_a_read_that_waits(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(1000, Hang())]
    async with connect() as client:
        reader = client.open(RECORDING)
        reading = asyncio.create_task(reader.read())
        await until(lambda: recordings.chunks_sent)
        await reader.aclose()
        with pytest.raises(errors.ClientClosed):
            await reading


@in_loop
async def test_a_client_closes_the_readers_that_it_has_opened(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(1000, Hang())] * 2
    client = connect()
    reader = client.open(RECORDING)
    await reader.read(10)
    reading = asyncio.create_task(client.open(RECORDING).read())
    await until(lambda: len(openings(recordings)) == 2)
    await client.close()
    await until(lambda: recordings.ended == ["cancelled"] * 2, within=1)
    with pytest.raises(errors.ClientClosed):
        await reading
    with pytest.raises(errors.ClientClosed):
        await reader.read(5000)


@in_loop
async def test_abandoning_a_reader_cancels_its_stream(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT * 20)
    async with connect() as client:
        reader = client.open(RECORDING)
        # Into the second message: the third is being read ahead.
        await reader.read(100_000)
        del reader
        gc.collect()
        await until(lambda: recordings.ended == ["cancelled"], within=2)


@in_loop
async def test_a_read_that_its_caller_has_cancelled_loses_no_byte(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT, sha256=SHA256)
    recordings.cuts = [Cut(0, Hang()), Cut(100_000, Hang())]
    async with connect(stall_timeout=1.0) as client:
        reader, data = client.open(RECORDING), b""
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    data += await reader.read()
        assert data == b""
        assert await reader.read() == CONTENT


# j. Memory


@in_loop
async def test_a_reader_that_does_not_read_costs_a_bounded_number_of_messages(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT * 64)
    recordings.chunk_bytes = 1024 * 1024
    async with connect() as client, client.open(RECORDING):
        await until(lambda: recordings.chunks_sent)
        await asyncio.sleep(0.5)
        # What is in flight between the two, of which gRPC's window may grow to 16 MiB; the recording has 62.
        assert recordings.chunks_sent <= 24


# All of them together


BREAKS = st.lists(st.builds(Cut, st.integers(0, 90_000), st.sampled_from([UNAVAILABLE, CANCELLED, INTERNAL, None])))
OPERATIONS = st.lists(
    st.tuples(st.just("read"), st.integers(-1, 200_000))
    | st.tuples(st.just("readinto"), st.integers(0, 100_000))
    | st.tuples(st.just("set"), st.integers(0, 320_000))
    | st.tuples(st.just("end"), st.integers(-300_000, 10)),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPERATIONS, BREAKS, st.integers(1, 100_000))
def test_whatever_breaks_it_reads_as_a_file_does(
    server: FakeServer, operations: list[tuple[str, int]], breaks: list[Cut], chunk_bytes: int
) -> None:
    content = CONTENT[:300_000]
    server.recordings.reset()
    server.recordings.add(content, sha256=hashlib.sha256(content).hexdigest())
    server.recordings.chunk_bytes = max(chunk_bytes, 5000)
    server.recordings.cuts = list(breaks)

    async def main() -> None:
        oracle = io.BytesIO(content)
        async with (
            RecordingsClient(server.target, resume_initial_backoff=0.001, resume_attempts=1000) as client,
            client.open(RECORDING) as reader,
        ):
            for operation, number in operations:
                if operation == "read":
                    assert await reader.read(number) == oracle.read(number)
                elif operation == "readinto":
                    buffer = bytearray(number)
                    count = await reader.readinto(buffer)
                    assert buffer[:count] == oracle.read(count)
                    assert count or not number or oracle.read(1) == b""
                else:
                    whence, least = (io.SEEK_SET, 0) if operation == "set" else (io.SEEK_END, -len(content))
                    assert await reader.seek(max(number, least), whence) == oracle.seek(max(number, least), whence)
                assert reader.tell() == oracle.tell()

    in_loop(main)()
