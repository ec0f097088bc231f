"""Streams that break, pause and are left: range_stream.py and stream_response.py over real connections."""

import http.client
import random
import socket
import struct
from contextlib import closing

import grpc
import pytest

from recording_service.http_api.playback.range_stream import RangeStream
from recordings.v1.recording_pb2 import RecordingState
from recordings.v1.stream_pb2 import StreamRecordingResponse
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import RECORDING, Cut, Failure, FakeRecordings, Hang
from tests.http_api.running_app import (
    Client,
    read_exactly,
    read_header,
    running_app,
    running_on_plain_uvicorn,
)
from tests.support.waiting import eventually

STREAM = f"/recordings/{RECORDING}/stream"
SMALL = random.Random(2).randbytes(300_000)
#: More than the buffers of every socket and of HTTP/2 on the way can hold.
LARGE = random.Random(3).randbytes(32 * 1024 * 1024)

UNAVAILABLE = Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
CANCELLED = Failure(grpc.StatusCode.CANCELLED)
INTERNAL = Failure(grpc.StatusCode.INTERNAL)
EXHAUSTED = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED", retry_seconds=0)
DATA_LOSS = Failure(grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED")

REQUEST = f"GET {STREAM} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


def _abort(connection: socket.socket) -> None:
    """Leave as a process does that dies: with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("how", [UNAVAILABLE, CANCELLED, INTERNAL, None, Hang()], ids=str)
def test_a_broken_stream_goes_on_at_the_next_byte(
    impatient: Client, recordings: FakeRecordings, how: Failure | Hang | None
) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(100_000, how), Cut(1, how)]
    answer = impatient.get(STREAM, Range="bytes=1000-299998")
    assert answer.status == 206
    assert answer.body == SMALL[1000:299_999]
    offsets = [(request.offset, request.length, request.etag) for request in recordings.of("StreamRecording")]
    assert offsets == [
        (1000, 298_999, ""),
        (101_000, 198_999, "e1"),
        (101_001, 198_998, "e1"),
    ]


def test_a_full_service_is_asked_again_only_if_it_says_when(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(100_000, UNAVAILABLE), Cut(0, EXHAUSTED)]
    assert client.get(STREAM).body == SMALL


def test_a_stream_that_breaks_before_its_first_byte_goes_on(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(0, UNAVAILABLE), Cut(0, None)]
    assert client.get(STREAM).body == SMALL


def test_a_first_stream_that_is_unavailable_for_a_moment_is_opened_again(
    client: Client, recordings: FakeRecordings
) -> None:
    recordings.add(SMALL)
    recordings.answers["StreamRecording"] = [UNAVAILABLE, UNAVAILABLE, None]
    assert client.get(STREAM).body == SMALL


def test_how_a_stream_ends_after_its_last_byte_does_not_matter(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(len(SMALL), DATA_LOSS)]
    assert client.get(STREAM).body == SMALL
    assert len(recordings.of("StreamRecording")) == 1


def test_a_stream_that_was_read_to_its_end_is_not_cancelled(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(SMALL)
    recordings.linger_seconds = 0.2
    assert client.get(STREAM).body == SMALL
    assert eventually(lambda: recordings.ended) == ["finished"]


@pytest.mark.parametrize("protocol", ["h11", "httptools", "guarded"])
@pytest.mark.parametrize("range_field", ["bytes=0-", "bytes=-300000"])
def test_a_body_that_can_not_be_completed_is_cut_and_never_ended(
    recordings: FakeRecordings,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    protocol: str,
    range_field: str,
) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(100_000, DATA_LOSS)]
    running = running_app(settings()) if protocol == "guarded" else running_on_plain_uvicorn(settings(), protocol)
    with running as client:
        with pytest.raises(http.client.IncompleteRead) as cut:
            client.get(STREAM, Range=range_field)
        assert cut.value.partial == SMALL[:100_000]
        assert client.get("/healthz").status == 200
    assert "answer cut short: DATA_LOSS RECORDING_TRUNCATED" in caplog.text
    assert "10.0.0.1" not in caplog.text


def test_an_unexpected_exception_in_the_middle_cuts_the_body(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings.add(LARGE)
    read = RangeStream.read

    async def broken(stream: RangeStream) -> memoryview:
        data = await read(stream)
        if data != LARGE[: len(data)]:
            raise LookupError
        return data

    monkeypatch.setattr(RangeStream, "read", broken)
    with pytest.raises(http.client.IncompleteRead):
        client.get(STREAM)
    assert "unexpected exception" in caplog.text
    assert eventually(lambda: recordings.ended) == ["cancelled"]


def test_a_version_that_is_replaced_meanwhile_is_cut_and_never_spliced(
    impatient: Client, recordings: FakeRecordings
) -> None:
    recording = recordings.add(SMALL)
    recordings.cuts = [Cut(100_000, Hang())]
    with closing(impatient.raw()) as connection:
        connection.sendall(REQUEST)
        assert b" 200 " in read_header(connection)
        assert read_exactly(connection, 100_000) == SMALL[:100_000]
        recording.etag = "e2"
        assert read_exactly(connection, 1) == b""
    assert recordings.of("StreamRecording")[-1].etag == "e1"


def test_a_version_whose_size_changes_is_cut(impatient: Client, recordings: FakeRecordings) -> None:
    recording = recordings.add(SMALL)
    recordings.cuts = [Cut(100_000, Hang())]
    with closing(impatient.raw()) as connection:
        connection.sendall(REQUEST)
        read_header(connection)
        assert read_exactly(connection, 100_000) == SMALL[:100_000]
        recordings.contents[RECORDING] = SMALL[:150_000]
        recording.size_bytes = 150_000
        assert read_exactly(connection, 1) == b""


@pytest.mark.parametrize("state", [RecordingState.RECORDING_STATE_QUEUED, RecordingState.RECORDING_STATE_FAILED])
def test_bytes_that_are_lost_meanwhile_cut_the_body(
    impatient: Client, recordings: FakeRecordings, state: RecordingState
) -> None:
    recording = recordings.add(SMALL)
    recordings.cuts = [Cut(100_000, Hang())]
    with closing(impatient.raw()) as connection:
        connection.sendall(REQUEST)
        read_header(connection)
        assert read_exactly(connection, 100_000) == SMALL[:100_000]
        recording.state = state
        assert read_exactly(connection, 1) == b""


def test_a_stream_without_progress_is_given_up_after_a_bounded_number_of_attempts(
    recordings: FakeRecordings, settings: Settings
) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(100_000, None), *[Cut(0, None)] * 20]
    with running_app(settings(resume_attempts=3)) as client, pytest.raises(http.client.IncompleteRead):
        client.get(STREAM)
    assert len(recordings.of("StreamRecording")) == 1 + 3


def test_progress_makes_attempts_count_anew(recordings: FakeRecordings, settings: Settings) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(50_000, UNAVAILABLE)] * 5
    with running_app(settings(resume_attempts=1)) as client:
        assert client.get(STREAM).body == SMALL
    assert len(recordings.of("StreamRecording")) == 6


@pytest.mark.parametrize(
    "wrong",
    [
        StreamRecordingResponse(data=b"xx", offset=7),
        StreamRecordingResponse(offset=0),
    ],
)
def test_a_chunk_that_is_not_the_next_one_is_never_served(
    recordings: FakeRecordings, settings: Settings, wrong: StreamRecordingResponse
) -> None:
    recording = recordings.add(SMALL)
    first = StreamRecordingResponse(recording=recording)
    first.content_range.end = first.content_range.complete_length = len(SMALL)
    recordings.messages = [first, wrong]
    with running_app(settings()) as client:
        with pytest.raises(http.client.IncompleteRead) as cut:
            client.get(STREAM)
        assert cut.value.partial == b""


def test_a_client_that_does_not_read_costs_a_bounded_number_of_chunks(
    client: Client, recordings: FakeRecordings
) -> None:
    recordings.add(LARGE)
    recordings.chunk_bytes = 256 * 1024
    with closing(client.raw(receive_buffer=64 * 1024)) as connection:
        connection.sendall(REQUEST)
        read_header(connection)
        settled = _settled(recordings)
        # What fits between service and client; the recording has 128 chunks.
        assert settled <= 10
        assert _settled(recordings) == settled
        # And reading on brings the rest.
        assert read_exactly(connection, len(LARGE)) == LARGE


def _settled(recordings: FakeRecordings) -> int:
    """How many chunks were sent when no more were."""
    seen: list[int] = []

    def unchanged() -> bool:
        seen.append(recordings.chunks_sent)
        return seen[-1] > 0 and len(seen) > 15 and len(set(seen[-15:])) == 1

    eventually(unchanged)
    return seen[-1]


def test_a_paused_player_goes_on_at_the_exact_byte_although_its_stream_was_cut(
    client: Client, recordings: FakeRecordings
) -> None:
    recordings.add(LARGE)
    recordings.chunk_bytes = 256 * 1024
    with closing(client.raw(receive_buffer=64 * 1024)) as connection:
        connection.sendall(REQUEST)
        read_header(connection)
        _settled(recordings)
        # As the service's sweep of streams without progress does.
        recordings.cancel_streams()
        eventually(lambda: recordings.ended)
        assert read_exactly(connection, len(LARGE)) == LARGE
    first, *rest = recordings.of("StreamRecording")
    assert first.offset == 0
    assert len(rest) == 1
    assert rest[0].offset > 0
    assert rest[0].etag == "e1"


@pytest.mark.parametrize("leave", [_abort, socket.socket.close], ids=["reset", "close"])
def test_a_client_that_leaves_while_it_is_sent_to_cancels_the_call_at_once(
    client: Client, recordings: FakeRecordings, leave: object
) -> None:
    recordings.add(LARGE)
    connection = client.raw(receive_buffer=64 * 1024)
    connection.sendall(REQUEST)
    read_header(connection)
    _settled(recordings)
    assert recordings.ended == []
    leave(connection)  # type: ignore[operator]
    assert eventually(lambda: recordings.ended, within=2) == ["cancelled"]
    assert len(recordings.of("StreamRecording")) == 1


def test_a_client_that_leaves_while_the_service_is_silent_cancels_the_call_at_once(
    client: Client, recordings: FakeRecordings
) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(1000, Hang())]
    with closing(client.raw()) as connection:
        connection.sendall(REQUEST)
        read_header(connection)
        assert read_exactly(connection, 1000) == SMALL[:1000]
    assert eventually(lambda: recordings.ended, within=2) == ["cancelled"]
    assert len(recordings.of("StreamRecording")) == 1


def test_every_pipelined_request_hears_that_its_client_has_left(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(LARGE)
    connection = client.raw(receive_buffer=64 * 1024)
    connection.sendall(REQUEST + REQUEST)
    read_header(connection)
    _settled(recordings)
    _abort(connection)
    assert eventually(lambda: recordings.ended, within=2) == ["cancelled"]


def test_a_client_that_takes_nothing_for_too_long_is_dropped(recordings: FakeRecordings, settings: Settings) -> None:
    recordings.add(LARGE)
    with running_app(settings(write_stall_seconds=0.3)) as client, closing(client.raw()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        connection.sendall(REQUEST)
        read_header(connection)
        assert eventually(lambda: recordings.ended, within=5) == ["cancelled"]
        assert len(read_exactly(connection, len(LARGE))) < len(LARGE)


def test_streams_side_by_side_don_t_mix(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(SMALL)
    connections = [client.raw() for _ in range(8)]
    for number, connection in enumerate(connections):
        connection.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: h\r\nRange: bytes={number * 1000}-\r\n\r\n".encode())
    for number, connection in enumerate(connections):
        with closing(connection):
            assert b" 206 " in read_header(connection)
            assert read_exactly(connection, len(SMALL) - number * 1000) == SMALL[number * 1000 :]


def test_a_paused_player_gives_its_stream_up_and_goes_on_at_the_exact_byte(
    recordings: FakeRecordings, settings: Settings
) -> None:
    recordings.add(LARGE)
    recordings.chunk_bytes = 1024 * 1024
    with running_app(settings(pause_seconds=0.3)) as client, closing(client.raw(receive_buffer=64 * 1024)) as player:
        player.sendall(REQUEST)
        read_header(player)
        assert eventually(lambda: recordings.ended, within=5) == ["cancelled"]
        assert read_exactly(player, len(LARGE)) == LARGE
    first, *rest = recordings.of("StreamRecording")
    assert first.offset == 0
    assert rest
    assert all(again.offset > 0 and again.etag == "e1" for again in rest)


def test_a_player_that_takes_its_bytes_keeps_its_stream(recordings: FakeRecordings, settings: Settings) -> None:
    recordings.add(SMALL)
    recordings.cuts = [Cut(100_000, Hang())]
    with running_app(settings(pause_seconds=0.1, stream_idle_seconds=1.0)) as client:
        assert client.get(STREAM).body == SMALL
    # The second one is for the silence of the first, and not for a pause.
    assert [request.offset for request in recordings.of("StreamRecording")] == [0, 100_000]


def test_more_players_than_one_process_may_have_are_told_when_to_ask_again(
    recordings: FakeRecordings, settings: Settings
) -> None:
    recordings.add(LARGE)
    with running_app(settings(max_players=2)) as client:
        held = [client.raw(receive_buffer=64 * 1024) for _ in range(2)]
        for connection in held:
            connection.sendall(REQUEST)
            read_header(connection)
        refused = client.get(STREAM, Range="bytes=0-9")
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "1"
        assert refused.json()["reason"] == "RESOURCE_EXHAUSTED"
        assert client.get(f"/recordings/{RECORDING}").status == 200
        for connection in held:
            _abort(connection)
        assert eventually(lambda: client.get(STREAM, Range="bytes=0-9").status == 206, within=5)
