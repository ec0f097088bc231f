"""A client that takes nothing does not hold a thread for ever."""

import itertools
import threading
import time
from dataclasses import replace

import grpc
import pytest

from recording_service.core.model import RecordingState
from recording_service.grpc_api.stalls import StallSweeper
from recordings.v1 import stream_pb2, watch_pb2
from tests.support.grpc_server import running_server
from tests.support.grpc_service import DEADLINE_SECONDS, RECORDING, FakeRecordingService, recording
from tests.support.waiting import eventually

STALL_SECONDS = 0.2


def test_a_stream_whose_client_takes_nothing_is_cancelled_and_let_go_of() -> None:
    service = FakeRecordingService()
    service.content = bytes(32 * 1024 * 1024)
    with running_server(service, stall_seconds=STALL_SECONDS) as server:
        stream = server.stub.StreamRecording(stream_pb2.StreamRecordingRequest(recording_sid=RECORDING))
        next(stream)

        assert service.ranges[0].closed.wait(DEADLINE_SECONDS)
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)

    assert caught.value.code() is grpc.StatusCode.CANCELLED


def test_a_watcher_that_takes_nothing_is_cancelled_and_let_go_of() -> None:
    service = FakeRecordingService()
    large = replace(recording().call, labels={str(number): "x" * 50_000 for number in range(16)})
    with running_server(service, stall_seconds=STALL_SECONDS) as server:
        watch = server.stub.WatchRecording(watch_pb2.WatchRecordingRequest(recording_sid=RECORDING))
        next(watch)
        revisions = itertools.count(2)

        def changes_again() -> bool:
            changed = recording(state=RecordingState.DOWNLOADING, revision=next(revisions), call=large)
            service.watches[0].offer(changed)
            return service.watches[0].closed.is_set()

        eventually(changes_again)


def test_only_a_send_that_takes_too_long_is_a_stall() -> None:
    sweeper = StallSweeper(STALL_SECONDS)
    cancelled: list[str] = []
    stalled = threading.Event()
    sweeper.start()
    try:
        with (
            sweeper.watching(lambda: cancelled.append("between two sends")),
            sweeper.watching(lambda: cancelled.append("sends in time")) as in_time,
            sweeper.watching(stalled.set) as stalling,
        ):
            in_time.since = time.monotonic() + 3600
            stalling.since = time.monotonic()

            assert stalled.wait(DEADLINE_SECONDS)
    finally:
        sweeper.stop()

    assert cancelled == []


def test_a_stalled_send_is_cancelled_once() -> None:
    sweeper = StallSweeper(STALL_SECONDS)
    cancelled: list[str] = []
    second = threading.Event()
    sweeper.start()
    try:
        with sweeper.watching(lambda: cancelled.append("first")) as first:
            first.since = time.monotonic() - 3600
            with sweeper.watching(second.set) as later:
                later.since = time.monotonic()
                assert second.wait(DEADLINE_SECONDS)
    finally:
        sweeper.stop()

    assert cancelled == ["first"]


def test_a_sweeper_stops_twice_and_without_having_started() -> None:
    sweeper = StallSweeper(STALL_SECONDS)
    sweeper.stop()
    sweeper.stop()
