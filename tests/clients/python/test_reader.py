"""The rules of clients/README.md for the synchronous reader, over a real connection."""

import gc
import hashlib
import io
import random
import threading
import time
from typing import cast

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings import RecordingReader, RecordingsClient, errors
from recordings.v1.recording_pb2 import RecordingState
from recordings.v1.stream_pb2 import StreamRecordingResponse
from tests.clients.python.conftest import Connect
from tests.http_api.fake_recordings import RECORDING, Cut, Failure, FakeRecordings, FakeServer, Hang
from tests.support.waiting import eventually

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


def raw(file: io.BufferedReader) -> RecordingReader:
    return cast(RecordingReader, file.raw)


# a. The first message


def test_every_later_stream_is_of_the_first_ones_version_and_range(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(100_000, UNAVAILABLE), Cut(1, UNAVAILABLE)]
    with client_of() as client, client.open(RECORDING, offset=1000, length=500_000) as file:
        assert file.read() == CONTENT[1000:501_000]
    assert openings(recordings) == [(1000, 500_000, ""), (101_000, 400_000, "e1"), (101_001, 399_999, "e1")]


def test_two_versions_are_never_spliced(client_of: Connect, recordings: FakeRecordings) -> None:
    recording = recordings.add(CONTENT)
    with client_of() as client, client.open(RECORDING) as file:
        assert file.read(1000) == CONTENT[:1000]
        file.seek(900_000)
        recording.etag = "e2"
        with pytest.raises(errors.EtagMismatch) as mismatch:
            file.read(1)
    assert mismatch.value.etag == "e2"


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
def test_a_chunk_that_is_not_the_next_one_breaks_the_contract(
    client_of: Connect, recordings: FakeRecordings, wrong: StreamRecordingResponse
) -> None:
    first = StreamRecordingResponse(recording=recordings.add(CONTENT), data=CONTENT[:10])
    first.content_range.end = first.content_range.complete_length = len(CONTENT)
    recordings.messages = [first, wrong]
    with client_of() as client, client.open(RECORDING) as file:
        assert raw(file).read(10) == CONTENT[:10]
        with pytest.raises(errors.ContractBroken):
            raw(file).read(1)
    assert len(openings(recordings)) == 1


# c. What is resumed after


@pytest.mark.parametrize("how", [UNAVAILABLE, CANCELLED, INTERNAL, EXHAUSTED_FOR_NOW, None], ids=str)
def test_a_broken_stream_goes_on_at_the_next_byte(
    client_of: Connect, recordings: FakeRecordings, how: Failure | None
) -> None:
    recordings.add(CONTENT, sha256=SHA256)
    recordings.cuts = [Cut(70_001, how), Cut(2, how)]
    with client_of() as client, client.open(RECORDING) as file:
        assert file.read() == CONTENT
    assert [offset for offset, _, _ in openings(recordings)] == [0, 70_001, 70_003]


@pytest.mark.parametrize(
    ("how", "kind"), [(EXHAUSTED, errors.CapacityExhausted), (DATA_LOSS, errors.RecordingTruncated)]
)
def test_nothing_else_is_resumed_after(
    client_of: Connect, recordings: FakeRecordings, how: Failure, kind: type[errors.RecordingsError]
) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(70_001, how)]
    with client_of() as client, client.open(RECORDING) as file, pytest.raises(kind):
        file.read()
    assert len(openings(recordings)) == 1


@pytest.mark.parametrize("how", [CANCELLED, INTERNAL], ids=str)
def test_what_breaks_before_its_first_message_is_resumed_after_unavailable_only(
    client_of: Connect, recordings: FakeRecordings, how: Failure
) -> None:
    recordings.add(CONTENT)
    recordings.answers["StreamRecording"] = [UNAVAILABLE, how, None]
    with client_of() as client, pytest.raises(errors.RecordingsError) as failed:
        client.open(RECORDING)
    assert failed.value.code is how.code
    assert len(openings(recordings)) == 2


# d. The end


@pytest.mark.parametrize("how", [DATA_LOSS, INTERNAL, Hang()], ids=str)
def test_once_every_byte_is_here_the_status_does_not_matter(
    client_of: Connect, recordings: FakeRecordings, how: Failure | Hang
) -> None:
    recordings.add(CONTENT, sha256=SHA256)
    recordings.cuts = [Cut(len(CONTENT), how)]
    with client_of() as client, client.open(RECORDING) as file:
        assert file.read() == CONTENT
        assert file.read() == b""
    assert len(openings(recordings)) == 1


def test_nothing_to_read_opens_nothing(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    with client_of() as client, client.open(RECORDING, offset=5, length=0) as file:
        assert file.read() == b""
    assert openings(recordings) == []


# e. Attempts and stalls


def test_attempts_are_counted_from_the_last_message(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT, sha256=SHA256)
    recordings.cuts = [Cut(1, UNAVAILABLE)] * 20
    with client_of(resume_attempts=1) as client, client.open(RECORDING) as file:
        assert file.read() == CONTENT
    assert len(openings(recordings)) == 21


def test_the_last_error_is_raised_once_the_attempts_are_used_up(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    recordings.answers["StreamRecording"] = [UNAVAILABLE] * 4 + [None]
    with client_of(resume_attempts=3) as client, pytest.raises(errors.Unavailable) as failed:
        client.open(RECORDING)
    assert failed.value.reason == "SERVER_DRAINING"
    assert len(openings(recordings)) == 4


def test_a_silent_stream_is_opened_again_and_time_in_which_nobody_reads_does_not_count(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    content = CONTENT * 32
    recordings.add(content)
    recordings.cuts = [Cut(500_000, Hang())]
    with client_of(stall_timeout=0.3) as client, client.open(RECORDING) as file:
        assert file.read(100_000) == content[:100_000]
        # Longer than the stall time-out, with a stream open: nobody waits for it.
        threading.Event().wait(0.6)
        assert len(openings(recordings)) == 1
        assert file.read(500_000) == content[100_000:600_000]
    assert [offset for offset, _, _ in openings(recordings)] == [0, 500_000]


# f. Seeking


def test_seeking_opens_nothing_and_a_near_place_ahead_is_read_from_the_same_stream(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    # More than can be in flight, so that a stream is there to be cancelled.
    content = CONTENT * 32
    recordings.add(content)
    with client_of() as client, client.open(RECORDING, offset=10) as file:
        assert file.read(5) == content[10:15]
        assert file.seek(256 * 1024 - 10, io.SEEK_CUR) == 256 * 1024 + 5
        assert file.read(5) == content[256 * 1024 + 5 :][:5]
        assert [offset for offset, _, _ in openings(recordings)] == [10]
        for place in (9_000_000, 0):
            file.seek(place)
            assert file.read(5) == content[place : place + 5]
        assert [offset for offset, _, _ in openings(recordings)] == [10, 9_000_000, 0]
        eventually(lambda: recordings.ended == ["cancelled"] * 2)


@pytest.mark.parametrize("arguments", [(-1,), (-1, io.SEEK_CUR), (-1_000_004, io.SEEK_END), (0, 7)])
def test_a_place_that_there_is_not_is_a_value_error(
    client_of: Connect, recordings: FakeRecordings, arguments: tuple[int, ...]
) -> None:
    recordings.add(CONTENT)
    with client_of() as client, client.open(RECORDING) as file:
        with pytest.raises(ValueError, match=r"offset|whence"):
            raw(file).seek(*arguments)
        assert file.tell() == 0


@pytest.mark.parametrize(("offset", "length"), [(-1, None), (0, -1)])
def test_a_negative_range_is_a_value_error(client_of: Connect, offset: int, length: int | None) -> None:
    with client_of() as client, pytest.raises(ValueError, match="below 0"):
        client.open(RECORDING, offset=offset, length=length)


def test_an_offset_past_the_end_is_an_error_and_a_place_sought_there_is_none(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT)
    with client_of() as client:
        with pytest.raises(errors.OffsetPastEnd) as past:
            client.open(RECORDING, offset=len(CONTENT) + 1)
        assert past.value.size_bytes == len(CONTENT)
        with client.open(RECORDING) as file:
            file.seek(len(CONTENT) + 1)
            assert file.read(1) == b""


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(0, 300_000)),
        st.tuples(st.just("seek"), st.integers(0, len(CONTENT) + 10)),
        st.tuples(st.just("move"), st.integers(-1000, 300_000)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS, cuts=st.lists(st.integers(0, 200_000), max_size=6))
def test_it_reads_as_a_file_in_memory_does_whatever_breaks(
    server: FakeServer, operations: list[tuple[str, int]], cuts: list[int]
) -> None:
    server.recordings.reset()
    server.recordings.add(CONTENT, sha256=SHA256)
    server.recordings.cuts = [Cut(count, UNAVAILABLE) for count in cuts]
    oracle = io.BytesIO(CONTENT)
    with (
        RecordingsClient(server.target, resume_initial_backoff=0.001) as client,
        client.open(RECORDING, buffer_size=1000) as file,
    ):
        for operation, number in operations:
            if operation == "read":
                assert file.read(number) == oracle.read(number)
            elif operation == "seek":
                assert file.seek(number) == oracle.seek(number)
            else:
                place = max(0, oracle.tell() + number)
                assert file.seek(place - file.tell(), io.SEEK_CUR) == oracle.seek(place)


# g. The checksum


def test_a_whole_read_that_is_not_what_its_checksum_says_raises_instead_of_its_last_byte(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT[:-1] + b"\x00", sha256=SHA256)
    with client_of() as client, client.open(RECORDING) as file:
        with pytest.raises(errors.ChecksumMismatch):
            file.read()
        assert raw(file).tell() < len(CONTENT)


def test_a_part_can_not_be_compared(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT, sha256="0" * 64)
    with client_of() as client, client.open(RECORDING, offset=1) as file:
        assert file.read() == CONTENT[1:]


# h. Options of opening


def test_a_recording_that_is_not_ready_is_waited_for_if_asked(client_of: Connect, recordings: FakeRecordings) -> None:
    recording = recordings.add(CONTENT)
    recording.state = RecordingState.RECORDING_STATE_FAILED
    with client_of() as client, pytest.raises(errors.RecordingFailed):
        client.open(RECORDING, wait=True, wait_timeout=5)
    assert openings(recordings) == []


# i. Closing


def test_closing_cancels_the_stream_at_once_and_twice_is_nothing(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(CONTENT * 32)
    with client_of() as client:
        file = client.open(RECORDING)
        assert file.read(10) == CONTENT[:10]
        file.close()
        file.close()
        eventually(lambda: recordings.ended == ["cancelled"])
        with pytest.raises(ValueError, match="closed"):
            file.read(1)


@pytest.mark.parametrize("what", ["reader", "client"])
def test_closing_from_another_thread_ends_a_read_that_waits(
    client_of: Connect, recordings: FakeRecordings, what: str
) -> None:
    recordings.add(CONTENT)
    recordings.cuts = [Cut(100_000, Hang())]
    found: list[BaseException] = []
    client = client_of()
    file = client.open(RECORDING)

    def read() -> None:
        try:
            file.read()
        except (ValueError, errors.ClientClosed) as error:
            found.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    eventually(lambda: raw(file).tell() == 100_000)
    (raw(file) if what == "reader" else client).close()
    reading.join(10)
    assert isinstance(found[0], ValueError if what == "reader" else errors.ClientClosed)
    client.close()


def test_a_reader_that_is_abandoned_cancels_its_stream(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT * 32)
    with client_of() as client:
        file = client.open(RECORDING)
        assert file.read(1) == CONTENT[:1]
        del file
        gc.collect()
        eventually(lambda: recordings.ended == ["cancelled"])


def test_no_thread_stays_behind(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    with client_of(stall_timeout=0.2) as client, client.open(RECORDING) as file:
        file.read()
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "recordings-stalls"])


# Much at once


def test_a_thousand_breaks_leave_the_right_bytes_and_no_stream(client_of: Connect, recordings: FakeRecordings) -> None:
    content = CONTENT * 16
    chance = random.Random(11)
    recordings.add(content, sha256=hashlib.sha256(content).hexdigest())
    recordings.cuts = [Cut(chance.randrange(1, 30_000), UNAVAILABLE) for _ in range(1000)]
    started = time.monotonic()
    with client_of() as client, client.open(RECORDING) as file:
        assert file.read() == content
    assert len(openings(recordings)) == 1001
    eventually(lambda: len(recordings.ended) == 1001)
    assert time.monotonic() - started < 60
