"""Health: cheap for probes, never waiting long, and never the cause of a freeze."""

import threading
import time
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from recording_service.core.service import ServiceHealth
from recording_service.grpc_api import health_monitor
from recordings.v1 import stream_pb2, watch_pb2
from tests.support.grpc_server import RunningServer, refused, running_server, takes_in
from tests.support.grpc_service import DEADLINE_SECONDS, RECORDING, FakeRecordingService
from tests.support.waiting import eventually

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

OPEN = ("recording-open-streams", "recording-open-watches")
NOT_WELL = ServiceHealth(serving=False, queued=None, oldest_due_seconds=None)


def check(server: RunningServer, service: str = "") -> tuple[int, dict[str, Any]]:
    """The status, and what comes with it but for what the server has open."""
    response, call = server.health.Check.with_call(health_pb2.HealthCheckRequest(service=service))
    return response.status, {key: value for key, value in call.trailing_metadata() if key not in OPEN}


def open_calls(server: RunningServer) -> tuple[str, str]:
    """How many streams and how many watches."""
    _, call = server.health.Check.with_call(health_pb2.HealthCheckRequest())
    told = dict(call.trailing_metadata())
    return told[OPEN[0]], told[OPEN[1]]


def watch(server: RunningServer, service: str = "") -> Any:
    return server.health.Watch(health_pb2.HealthCheckRequest(service=service), timeout=DEADLINE_SECONDS)


@pytest.mark.parametrize("name", ["", "recordings.v1.RecordingService"])
def test_a_check_says_whether_the_service_serves_and_how_much_is_waiting(server: RunningServer, name: str) -> None:
    assert check(server, name) == (SERVING, {"recording-queued": "3", "recording-oldest-due-seconds": "1.2"})


def test_a_check_says_how_many_streams_and_watches_are_open(server: RunningServer) -> None:
    # More than can be in flight, so that the stream stays open.
    server.service.content = bytes(64 * 1024 * 1024)
    assert open_calls(server) == ("0", "0")
    stream = server.stub.StreamRecording(stream_pb2.StreamRecordingRequest(recording_sid=RECORDING))
    watching = server.stub.WatchRecording(watch_pb2.WatchRecordingRequest(recording_sid=RECORDING))
    next(stream)
    next(watching)
    assert open_calls(server) == ("1", "1")
    stream.cancel()
    watching.cancel()
    eventually(lambda: open_calls(server) == ("0", "0"))


@pytest.mark.parametrize(("storage_full", "told"), [(True, "true"), (False, "false")])
def test_a_check_says_whether_the_shelf_is_full_and_serves_all_the_same(
    service: FakeRecordingService, storage_full: bool, told: str
) -> None:
    service.answers["health"] = ServiceHealth(True, None, None, storage_full)
    with running_server(service) as server:
        assert check(server) == (SERVING, {"recording-storage-full": told})


@pytest.mark.parametrize("name", ["", "recordings.v1.RecordingService"])
def test_a_service_that_is_not_well_is_not_serving(service: FakeRecordingService, name: str) -> None:
    service.answers["health"] = NOT_WELL
    with running_server(service) as server:
        assert check(server, name) == (NOT_SERVING, {})


def test_a_bug_in_looking_is_not_serving_and_is_logged(
    service: FakeRecordingService, caplog: pytest.LogCaptureFixture
) -> None:
    service.answers["health"] = RuntimeError("a bug")
    with running_server(service) as server:
        assert check(server) == (NOT_SERVING, {})

    assert any(record.exc_info for record in caplog.records)


def test_another_service_is_not_found(server: RunningServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        check(server, "other.Service")

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_probes_do_not_each_cost_a_look(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_monitor, "FRESH_SECONDS", 3600.0)
    server.service.calls.clear()

    for _ in range(50):
        check(server)

    assert len(server.service.asked("health")) <= 2


def test_a_look_is_taken_anew_once_it_is_old(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_monitor, "FRESH_SECONDS", 0.0)
    check(server)
    server.service.answers["health"] = NOT_WELL

    eventually(lambda: check(server)[0] == NOT_SERVING)


def test_a_look_that_hangs_is_not_serving_within_a_bound(
    service: FakeRecordingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_monitor, "LOOK_SECONDS", 0.2)
    hanging = threading.Event()
    service.answers["health"] = lambda: hanging.wait(DEADLINE_SECONDS) and NOT_WELL
    with running_server(service) as server:
        began = time.monotonic()
        assert check(server) == (NOT_SERVING, {})
        assert time.monotonic() - began < DEADLINE_SECONDS / 2
        hanging.set()


def test_a_watcher_hears_of_each_change(service: FakeRecordingService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_monitor, "FRESH_SECONDS", 0.01)
    with running_server(service) as server:
        eventually(lambda: check(server)[0] == SERVING)
        watching = watch(server, "recordings.v1.RecordingService")

        assert next(watching).status == SERVING
        service.answers["health"] = NOT_WELL
        assert next(watching).status == NOT_SERVING
        service.answers["health"] = ServiceHealth(serving=True, queued=0, oldest_due_seconds=0.0)
        assert next(watching).status == SERVING
        watching.cancel()


def test_a_watcher_of_another_service_hears_that_it_is_unknown(server: RunningServer) -> None:
    watching = watch(server, "other.Service")

    assert next(watching).status == SERVICE_UNKNOWN
    watching.cancel()


def test_health_watchers_beyond_the_cap_are_refused_until_one_has_gone() -> None:
    with running_server(FakeRecordingService(), health_watchers=1) as server:
        first = watch(server)
        next(first)
        found = refused(lambda: watch(server))
        assert (found.code, found.metadata["resource"]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "health watchers")

        first.cancel()

        eventually(lambda: takes_in(lambda: watch(server)))


def test_a_stopping_server_is_not_serving_and_its_watchers_hear_it(server: RunningServer) -> None:
    check(server)
    watching = watch(server)
    next(watching)
    stopping = threading.Thread(target=server.server.stop, args=(DEADLINE_SECONDS,))

    stopping.start()

    assert [response.status for response in watching] == [NOT_SERVING]
    assert watching.code() is grpc.StatusCode.OK
    stopping.join(DEADLINE_SECONDS / 2)
    assert not stopping.is_alive(), "it waited for a health watcher"


def test_watchers_that_come_and_go_while_the_health_changes_freeze_nothing(
    service: FakeRecordingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    # grpc_health's servicer as it comes freezes the whole server within a second of this (grpc#43403).
    monkeypatch.setattr(health_monitor, "FRESH_SECONDS", 0.001)
    flapping = iter(range(1_000_000))
    service.answers["health"] = lambda: ServiceHealth(next(flapping) % 2 == 0, None, None)
    with running_server(service, health_watchers=32) as server:

        def come_and_go() -> None:
            for _ in range(60):
                takes_in(lambda: watch(server))

        threads = [threading.Thread(target=come_and_go) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_SECONDS)

        assert check(server)[0] in (SERVING, NOT_SERVING)
        assert not any(thread.is_alive() for thread in threads)
