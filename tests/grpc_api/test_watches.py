"""WatchRecording and WatchRecordings over a real connection: looks as they come, and no thread held for nobody."""

import threading
from typing import Any

import grpc
import pytest

from recording_service.core import errors
from recording_service.core.model import RecordingFilter, RecordingState
from recordings.v1 import recording_pb2, watch_pb2
from tests.support.grpc_server import RunningServer, refused, running_server, takes_in
from tests.support.grpc_service import DEADLINE_SECONDS, RECORDING, FakeRecordingService, recording
from tests.support.waiting import eventually

REQUEST = watch_pb2.WatchRecordingRequest(recording_sid=RECORDING)
LISTED = watch_pb2.WatchRecordingsRequest()


def test_a_watch_brings_each_look_and_ends_with_the_last(server: RunningServer) -> None:
    watch = server.stub.WatchRecording(REQUEST)

    assert next(watch).recording.state == recording_pb2.RECORDING_STATE_QUEUED
    server.service.watches[0].offer(recording(state=RecordingState.DOWNLOADING, revision=2))
    assert next(watch).recording.state == recording_pb2.RECORDING_STATE_DOWNLOADING
    server.service.watches[0].offer(recording(state=RecordingState.READY, revision=3))
    assert [response.recording.state for response in watch] == [recording_pb2.RECORDING_STATE_READY]
    assert watch.code() is grpc.StatusCode.OK
    assert server.service.watches[0].closed.wait(DEADLINE_SECONDS)


def test_a_cancelled_watcher_frees_its_thread_at_once() -> None:
    service = FakeRecordingService()
    with running_server(service, watchers=1) as server:
        watch = server.stub.WatchRecording(REQUEST)
        next(watch)
        found = refused(lambda: server.stub.WatchRecording(REQUEST))
        assert (found.code, found.metadata["resource"]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "watchers")
        assert found.retry_seconds == 1
        assert len(service.asked("watch")) == 1

        watch.cancel()

        assert service.watches[0].closed.wait(DEADLINE_SECONDS)
        eventually(lambda: takes_in(lambda: server.stub.WatchRecording(REQUEST)))


def test_a_watcher_whose_deadline_passes_frees_its_thread_at_once(server: RunningServer) -> None:
    watch = server.stub.WatchRecording(REQUEST, timeout=0.2)

    with pytest.raises(grpc.RpcError) as caught:
        list(watch)

    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert server.service.watches[0].closed.wait(DEADLINE_SECONDS)


def test_a_watch_that_can_not_be_opened_gives_its_slot_back() -> None:
    service = FakeRecordingService()
    with running_server(service, watchers=1) as server:
        service.answers["watch"] = errors.RecordingNotFound(RECORDING)
        for _ in range(3):
            assert refused(lambda: server.stub.WatchRecording(REQUEST)).code is grpc.StatusCode.NOT_FOUND


def test_a_watch_that_the_core_closes_is_drained_and_does_not_spin(server: RunningServer) -> None:
    watch = server.stub.WatchRecording(REQUEST)
    next(watch)

    server.service.watches[0].close()

    found = refused(lambda: watch)
    assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")


def test_watchers_of_a_stopping_server_are_told_so(server: RunningServer) -> None:
    watches = [server.stub.WatchRecording(REQUEST) for _ in range(3)]
    for watch in watches:
        next(watch)

    stopping = threading.Thread(target=server.server.stop, args=(DEADLINE_SECONDS,))
    stopping.start()

    for watch in watches:
        found = refused(lambda watch=watch: watch)  # type: ignore[misc]
        assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
    stopping.join(DEADLINE_SECONDS / 2)
    assert not stopping.is_alive(), "it waited for watchers that were gone"


def test_a_watch_that_is_opened_while_the_server_stops_is_refused(server: RunningServer) -> None:
    opening, drained = threading.Event(), threading.Event()
    open_watch: Any = server.service.answers["watch"]

    def open_slowly(*arguments: Any) -> Any:
        opening.set()
        assert drained.wait(DEADLINE_SECONDS)
        return open_watch(*arguments)

    server.service.answers["watch"] = open_slowly
    watch = server.stub.WatchRecording(REQUEST)
    assert opening.wait(DEADLINE_SECONDS)
    stopping = threading.Thread(target=server.server.stop, args=(DEADLINE_SECONDS,))
    stopping.start()
    eventually(lambda: _refuses_new_calls(server))
    drained.set()

    assert refused(lambda: watch).reason == "SERVER_DRAINING"
    assert server.service.watches[0].closed.wait(DEADLINE_SECONDS)
    stopping.join()


# WatchRecordings


def test_a_list_brings_the_word_that_it_is_complete_and_then_each_change(server: RunningServer) -> None:
    states = [recording_pb2.RECORDING_STATE_QUEUED]
    watch = server.stub.WatchRecordings(watch_pb2.WatchRecordingsRequest(states=states, snapshot_size=5))

    complete = next(watch)
    assert (complete.snapshot_complete, complete.matches, complete.HasField("recording")) == (True, False, False)
    server.service.list_watches[0].offer([recording(state=RecordingState.QUEUED, revision=2)])
    queued = next(watch)
    assert (queued.snapshot_complete, queued.matches, queued.recording.revision) == (False, True, 2)
    server.service.list_watches[0].offer([recording(state=RecordingState.DELETED, revision=3)])
    deleted = next(watch)
    assert (deleted.matches, deleted.recording.state) == (False, recording_pb2.RECORDING_STATE_DELETED)
    assert server.service.asked("watch_many") == [(RecordingFilter(states=frozenset({RecordingState.QUEUED})), 5)]
    watch.cancel()
    assert server.service.list_watches[0].closed.wait(DEADLINE_SECONDS)


def test_lists_and_single_recordings_share_the_slots_of_watchers() -> None:
    with running_server(FakeRecordingService(), watchers=1) as server:
        watch = server.stub.WatchRecordings(LISTED)
        next(watch)
        for again in (
            lambda: server.stub.WatchRecordings(LISTED),
            lambda: server.stub.WatchRecording(REQUEST),
        ):
            found = refused(again)
            assert (found.code, found.metadata["resource"]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "watchers")
        watch.cancel()
        eventually(lambda: takes_in(lambda: server.stub.WatchRecordings(LISTED)))


def test_a_watcher_for_whom_too_much_waits_is_told_to_watch_again(server: RunningServer) -> None:
    watch = server.stub.WatchRecordings(LISTED)
    next(watch)
    server.service.list_watches[0].offer([recording(recording_sid=f"RE{number:032x}") for number in range(4)])

    found = refused(lambda: watch)

    assert (found.code, found.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCH_OVERRUN")
    assert (found.metadata, found.retry_seconds) == ({"limit": "3"}, 1)
    assert server.service.list_watches[0].closed.wait(DEADLINE_SECONDS)


def test_a_list_that_can_not_be_asked_for_gives_its_slot_back() -> None:
    with running_server(FakeRecordingService(), watchers=1) as server:
        for _ in range(3):
            found = refused(lambda: server.stub.WatchRecordings(watch_pb2.WatchRecordingsRequest(snapshot_size=-1)))
            assert (found.code, found.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["snapshot_size"])
        assert server.service.asked("watch_many") == []
        server.service.answers["watch_many"] = errors.CatalogueUnavailable()
        for _ in range(3):
            assert refused(lambda: server.stub.WatchRecordings(LISTED)).code is grpc.StatusCode.UNAVAILABLE


def test_watchers_of_lists_of_a_stopping_server_are_told_so(server: RunningServer) -> None:
    watches = [server.stub.WatchRecordings(LISTED) for _ in range(3)]
    for watch in watches:
        next(watch)

    stopping = threading.Thread(target=server.server.stop, args=(DEADLINE_SECONDS,))
    stopping.start()

    for watch in watches:
        found = refused(lambda watch=watch: watch)  # type: ignore[misc]
        assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
    stopping.join(DEADLINE_SECONDS / 2)
    assert not stopping.is_alive(), "it waited for watchers that were gone"


def _refuses_new_calls(server: RunningServer) -> bool:
    channel = server.connect()
    call: Any = channel.unary_unary("/recordings.v1.RecordingService/GetRecording")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=1)
    channel.close()
    return caught.value.code() is grpc.StatusCode.UNAVAILABLE
