"""`GET /recordings/events`: server-sent events, over a real socket."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from recordings.v1.recording_pb2 import RecordingState
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import ACCOUNT, Failure, FakeRecordings, Hang
from tests.http_api.running_app import Client, read_header, running_app
from tests.support.waiting import eventually

PATH = "/recordings/events"
CALL = "CA" + "2c" * 16


@dataclass(frozen=True)
class Event:
    name: str
    data: Any


class Stream:
    """An open stream of events."""

    def __init__(self, header: str, body: IO[bytes]) -> None:
        self.header = header
        self._body = body
        self._lines = self._read()

    @property
    def status(self) -> int:
        return int(self.header.split()[1])

    def next(self) -> Event:
        """The next event."""
        name = ""
        for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return Event(name, json.loads(line.removeprefix("data: ")))
        raise EOFError

    def snapshot(self) -> list[str]:
        """The SIDs of what matches at the beginning."""
        sids = []
        while (event := self.next()).name != "snapshot-complete":
            assert (event.name, event.data["matches"]) == ("recording", True)
            sids.append(event.data["recording_sid"])
        return sids

    def _read(self) -> Iterator[str]:
        """The lines of the body, which is chunked."""
        text = b""
        while size := int(self._body.readline() or b"0", 16):
            text += self._body.read(size)
            self._body.readline()
            *lines, text = text.split(b"\n")
            yield from (line.decode() for line in lines)


@contextmanager
def stream(client: Client, path: str = PATH, *, receive_buffer: int | None = None) -> Iterator[Stream]:
    with client.raw(receive_buffer=receive_buffer) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        header = read_header(connection).decode().lower()
        with connection.makefile("rb") as body:
            yield Stream(header, body)


def sid(number: int) -> str:
    return f"RE{number:032x}"


def add(recordings: FakeRecordings, number: int, **fields: Any) -> None:
    recordings.add(b"audio", sid(number), create_time=Timestamp(seconds=1_772_532_000 + number), **fields)


def test_first_comes_what_matches_then_each_change(client: Client, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    add(recordings, 2, state=RecordingState.RECORDING_STATE_QUEUED)
    with stream(client) as events:
        assert events.status == 200
        assert "content-type: text/event-stream" in events.header
        assert "cache-control: no-store" in events.header
        assert events.snapshot() == [sid(2), sid(1)]
        recordings.change(sid(2), state=RecordingState.RECORDING_STATE_DOWNLOADING)
        event = events.next()
        assert (event.name, event.data["recording_sid"]) == ("recording", sid(2))
        assert (event.data["state"], event.data["matches"]) == ("RECORDING_STATE_DOWNLOADING", True)
        recordings.change(sid(1), state=RecordingState.RECORDING_STATE_DELETED)
        event = events.next()
        assert (event.data["recording_sid"], event.data["matches"]) == (sid(1), False)


def test_filters_and_the_size_of_the_snapshot_are_passed_on(client: Client, recordings: FakeRecordings) -> None:
    query = f"states=QUEUED,DOWNLOADING&account_sids={ACCOUNT}&call_sids={CALL}&snapshot_size=200"
    with stream(client, f"{PATH}?{query}") as events:
        assert events.snapshot() == []
    (request,) = recordings.of("WatchRecordings")
    assert list(request.states) == [
        RecordingState.RECORDING_STATE_QUEUED,
        RecordingState.RECORDING_STATE_DOWNLOADING,
    ]
    assert (list(request.account_sids), list(request.call_sids)) == ([ACCOUNT], [CALL])
    assert request.snapshot_size == 200


@pytest.mark.parametrize("query", ["states=LOST", "account_sids=x", "call_sids=x", "snapshot_size=-1"])
def test_a_bad_value_is_400_and_named(client: Client, recordings: FakeRecordings, query: str) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert (answer.status, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])
    assert recordings.asked == []


def test_head_is_the_header_alone_and_watches_nothing(client: Client, recordings: FakeRecordings) -> None:
    answer = client.request("HEAD", PATH)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert recordings.of("WatchRecordings") == []


def test_callers_are_asked_for_and_their_token_is_handed_on(settings: Settings, recordings: FakeRecordings) -> None:
    with running_app(settings(requires_credentials=True)) as client:
        recordings.asked.clear()
        assert client.get(PATH).status == 401
        assert recordings.asked == []
        with client.raw() as connection:
            cookie = "Cookie: __Host-recording_session=a-token"
            connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n{cookie}\r\n\r\n".encode())
            assert read_header(connection).startswith(b"HTTP/1.1 200 ")
    assert {call.metadata["authorization"] for call in recordings.asked} == {"Bearer a-token"}


def test_what_keeps_it_from_opening_is_a_status(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers["WatchRecordings"] = [
        Failure(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
        Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING"),
        Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", retry_seconds=3),
    ]
    answers = [client.get(PATH) for _ in range(3)]
    assert [answer.status for answer in answers] == [401, 503, 503]
    assert answers[2].headers["retry-after"] == "3"


def test_a_service_that_says_nothing_is_503(impatient: Client, recordings: FakeRecordings) -> None:
    recordings.answers["WatchRecordings"] = [Hang()]
    assert impatient.get(PATH).status == 503


def test_a_stream_that_is_idle_says_that_it_lives(settings: Settings, recordings: FakeRecordings) -> None:
    with running_app(settings(heartbeat_seconds=0.1)) as client, stream(client) as events:
        events.snapshot()
        beats = [events.next() for _ in range(3)]
        assert {beat.name for beat in beats} == {"heartbeat"}
        assert beats[0].data["time"] < beats[2].data["time"]
        add(recordings, 1)
        recordings.change(sid(1), state=RecordingState.RECORDING_STATE_FAILED)
        while (event := events.next()).name == "heartbeat":
            pass
        assert event.data["recording_sid"] == sid(1)


def test_when_the_service_ends_the_stream_so_does_the_answer(client: Client, recordings: FakeRecordings) -> None:
    with stream(client) as events:
        events.snapshot()
        recordings.released.set()
        with pytest.raises(EOFError):
            events.next()


def test_when_the_browser_leaves_the_call_is_cancelled_at_once(client: Client, recordings: FakeRecordings) -> None:
    with stream(client) as events:
        events.snapshot()
        assert recordings.watchers == 1
    eventually(lambda: recordings.watchers == 0, within=3.0)


def test_beyond_the_limit_the_next_is_told_503(settings: Settings, recordings: FakeRecordings) -> None:
    with running_app(settings(max_watchers=2)) as client:
        with stream(client) as one, stream(client) as other:
            one.snapshot()
            other.snapshot()
            answer = client.get(PATH)
            assert (answer.status, answer.json()["reason"]) == (503, "RESOURCE_EXHAUSTED")
            assert answer.headers["retry-after"] == "1"
        eventually(lambda: recordings.watchers == 0)
        with stream(client) as again:
            assert again.status == 200


def test_a_browser_that_reads_nothing_holds_the_stream_back(client: Client, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    told = 20_000
    with stream(client, receive_buffer=4096) as events:
        events.snapshot()
        for number in range(told):
            recordings.change(sid(1), received_bytes=number)
        # What the sockets and gRPC's window hold has been sent; the rest waits in the service.
        sent = recordings.looks_sent
        eventually(lambda: _stands_still(recordings), what="the stream to stand still")
        assert sent <= recordings.looks_sent < told / 2


def _stands_still(recordings: FakeRecordings) -> bool:
    before = recordings.looks_sent
    threading.Event().wait(0.3)
    return recordings.looks_sent == before


def test_when_the_adapter_stops_streams_end_and_do_not_hold_it_up(
    settings: Settings, recordings: FakeRecordings
) -> None:
    with ExitStack() as stack:
        with running_app(settings(), grace_seconds=60) as client:
            events = stack.enter_context(stream(client))
            events.snapshot()
        # It has stopped within the ten seconds that running_app gives it, and the body has its end.
        with pytest.raises(EOFError):
            events.next()
