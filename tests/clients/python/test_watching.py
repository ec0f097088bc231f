"""Watching over a real connection: what it goes on after, and when it ends."""

import gc
import threading
import time

import grpc
import pytest

from recordings import errors
from recordings.v1.recording_pb2 import FailureReason, RecordingState
from recordings.v1.watch_pb2 import WatchUntil
from tests.clients.python.conftest import Connect
from tests.http_api.fake_recordings import RECORDING, Failure, FakeRecordings, FakeServer, Hang
from tests.support.waiting import eventually

QUEUED = RecordingState.RECORDING_STATE_QUEUED
DOWNLOADING = RecordingState.RECORDING_STATE_DOWNLOADING
READY = RecordingState.RECORDING_STATE_READY
FAILED = RecordingState.RECORDING_STATE_FAILED
DELETED = RecordingState.RECORDING_STATE_DELETED
UNAVAILABLE = Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        (Failure(grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND"), errors.RecordingNotFound),
        (Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED"), errors.CapacityExhausted),
        (Failure(grpc.StatusCode.INTERNAL, "INTERNAL"), errors.InternalError),
        (Failure(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", fields=["recording_sid"]), errors.InvalidRequest),
    ],
)
def test_a_refusal_ends_it(
    client_of: Connect, recordings: FakeRecordings, how: Failure, kind: type[errors.RecordingsError]
) -> None:
    recordings.answers["WatchRecording"] = [how]
    with client_of() as client:
        watch = client.watch(RECORDING, timeout=10)
        with pytest.raises(kind):
            next(watch)
        # As a generator that has raised.
        with pytest.raises(StopIteration):
            next(watch)
    assert len(recordings.of("WatchRecording")) == 1


def test_a_watch_that_ends_before_its_first_look_breaks_the_contract(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(b"", state=QUEUED)
    with client_of() as client:
        watch = client.watch(RECORDING)
        recordings.answers["WatchRecording"] = [Failure(grpc.StatusCode.OK)]
        with pytest.raises(errors.ContractBroken):
            next(watch)


def test_waiting_for_what_will_not_come_says_why(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=FAILED, failure_reason=FailureReason.FAILURE_REASON_SOURCE_ABSENT)
    with client_of() as client:
        with pytest.raises(errors.RecordingFailed) as failed:
            client.wait_until_ready(RECORDING, 5)
        assert failed.value.failure_reason == "SOURCE_ABSENT"
        recordings.add(b"", state=DELETED)
        with pytest.raises(errors.RecordingNotFound):
            client.wait_until_ready(RECORDING, 5)


def test_abandoning_a_watch_cancels_its_stream(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=QUEUED)
    with client_of() as client:
        watch = client.watch(RECORDING)
        next(watch)
        del watch
        gc.collect()
        eventually(lambda: recordings.watches_ended == [RECORDING], within=2)


def test_a_look_comes_at_once_and_one_after_each_change_until_the_service_ends_it(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(b"", state=QUEUED)
    with client_of() as client, client.watch(RECORDING) as watch:
        assert next(watch).state == QUEUED
        recordings.change(RECORDING, state=DOWNLOADING)
        assert next(watch).state == DOWNLOADING
        recordings.change(RECORDING, state=READY)
        assert [(look.state, look.revision) for look in watch] == [(READY, 2)]
    assert [request.until for request in recordings.of("WatchRecording")] == [WatchUntil.WATCH_UNTIL_READY]


def test_it_goes_on_through_a_restart_and_gives_each_revision_once(
    client_of: Connect, recordings: FakeRecordings, server: FakeServer
) -> None:
    recordings.add(b"", state=QUEUED)
    with client_of(resume_attempts=1000, resume_max_backoff=0.05) as client, client.watch(RECORDING) as watch:
        assert next(watch).state == QUEUED
        server.stop()
        recordings.reset()
        recordings.add(b"", state=QUEUED)
        server.start()
        rest: list[tuple[int, int]] = []
        reading = threading.Thread(target=lambda: rest.extend((look.state, look.revision) for look in watch))
        reading.start()
        eventually(lambda: bool(recordings.of("WatchRecording")))
        recordings.change(RECORDING, state=READY)
        reading.join(20)
        assert rest == [(READY, 1)]


def test_without_a_timeout_it_gives_up_after_so_many_attempts(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.answers["WatchRecording"] = [UNAVAILABLE]
    with client_of(resume_attempts=3) as client, pytest.raises(errors.Unavailable):
        next(client.watch(RECORDING))
    assert len(recordings.of("WatchRecording")) == 1 + 3


@pytest.mark.parametrize("answer", [UNAVAILABLE, Hang()], ids=str)
def test_with_a_timeout_it_goes_on_until_then(
    client_of: Connect, recordings: FakeRecordings, answer: Failure | Hang
) -> None:
    recordings.answers["WatchRecording"] = [answer]
    began = time.monotonic()
    with (
        client_of(resume_attempts=1, resume_max_backoff=0.01) as client,
        pytest.raises(errors.DeadlineExceeded) as over,
    ):
        client.wait_until_ready(RECORDING, timeout=0.5)
    assert 0.4 < time.monotonic() - began < 5
    assert over.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert isinstance(over.value, TimeoutError)


@pytest.mark.parametrize("what", ["watch", "client"])
def test_closing_from_another_thread_ends_whoever_waits(
    client_of: Connect, recordings: FakeRecordings, what: str
) -> None:
    recordings.add(b"", state=QUEUED)
    client = client_of()
    watch = client.watch(RECORDING)
    assert next(watch).state == QUEUED
    ends: list[BaseException] = []

    def wait() -> None:
        try:
            next(watch)
        except (StopIteration, errors.ClientClosed) as end:
            ends.append(end)

    waiting = threading.Thread(target=wait)
    waiting.start()
    (watch if what == "watch" else client).close()
    waiting.join(10)
    assert isinstance(ends[0], StopIteration if what == "watch" else errors.ClientClosed)
    client.close()
