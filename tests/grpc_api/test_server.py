"""The server as a whole: starting, being busy, stopping."""

import statistics
import threading
import time
from typing import Any

import grpc
import pytest

from recording_service.grpc_api.server import GrpcAddressUnavailable, RecordingGrpcServer
from recording_service.grpc_api.settings import GrpcServerSettings
from recordings.v1 import enqueue_pb2, lookup_pb2, stream_pb2, watch_pb2
from tests.support.grpc_server import RunningServer, checker, drained, running_server, signer
from tests.support.grpc_service import DEADLINE_SECONDS, RECORDING, FakeRecordingService
from tests.support.waiting import eventually

GET = lookup_pb2.GetRecordingRequest(recording_sid=RECORDING)
STREAM = stream_pb2.StreamRecordingRequest(recording_sid=RECORDING)
WATCH = watch_pb2.WatchRecordingRequest(recording_sid=RECORDING)

#: More than buffers on the way take in, so that the server is still sending.
LONG = bytes(32 * 1024 * 1024)


def test_a_second_server_on_the_same_address_is_refused(server: RunningServer) -> None:
    address = f"127.0.0.1:{server.port}"
    second = RecordingGrpcServer(
        FakeRecordingService().facade, checker(), signer(), GrpcServerSettings(address=address)
    )

    with pytest.raises(GrpcAddressUnavailable, match=address) as caught:
        second.start()

    assert caught.value.address == address
    second.stop()


def test_a_port_that_is_none_is_refused() -> None:
    # gRPC would take it modulo 65536, in silence.
    settings = GrpcServerSettings(address="127.0.0.1:99999")

    with pytest.raises(GrpcAddressUnavailable):
        RecordingGrpcServer(FakeRecordingService().facade, checker(), signer(), settings).start()


def test_a_busy_server_answers_unary_calls_fast() -> None:
    service = FakeRecordingService()
    service.content = LONG
    with running_server(service) as server:
        watches = [server.stub.WatchRecording(WATCH) for _ in range(200)]
        streams = [server.stub.StreamRecording(STREAM) for _ in range(50)]
        for call in (*watches, *streams):
            next(call)

        waits: list[float] = []
        for _ in range(50):
            began = time.monotonic()
            server.stub.GetRecording(GET, timeout=DEADLINE_SECONDS)
            server.stub.EnqueueRecording(
                enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING), timeout=DEADLINE_SECONDS
            )
            waits.append(time.monotonic() - began)
        for call in (*watches, *streams):
            call.cancel()
        for closed in [watch.closed for watch in service.watches] + [opened.closed for opened in service.ranges]:
            assert closed.wait(DEADLINE_SECONDS)

    # Two calls each. A server short of threads lets them wait to their deadline, which is an error.
    assert statistics.median(waits) < 1.0


def test_as_many_streams_and_watchers_as_may_be_leave_threads_for_unary_calls() -> None:
    service = FakeRecordingService()
    service.content = LONG
    with running_server(service, threads=40, streams=3, watchers=3, health_watchers=2) as server:
        held = [
            *(server.stub.WatchRecording(WATCH) for _ in range(3)),
            *(server.stub.StreamRecording(STREAM) for _ in range(3)),
        ]
        for call in held:
            next(call)
        refused_ones = [server.stub.WatchRecording(WATCH) for _ in range(100)]

        assert server.stub.GetRecording(GET, timeout=DEADLINE_SECONDS).recording.recording_sid == RECORDING
        assert {call.code() for call in refused_ones} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        for call in held:
            call.cancel()


def test_a_stopping_server_lets_a_stream_run_to_its_end_and_takes_no_new_calls(server: RunningServer) -> None:
    server.service.content = LONG
    stream = server.stub.StreamRecording(STREAM)
    first = next(stream).data
    stopping = threading.Thread(target=server.server.stop, args=(DEADLINE_SECONDS,))

    stopping.start()
    eventually(lambda: _is_refused(server))
    rest, found = drained(stream)
    stopping.join(DEADLINE_SECONDS)

    assert found is None
    assert first + rest == LONG
    assert not stopping.is_alive()


def _is_refused(server: RunningServer) -> bool:
    try:
        server.stub.GetRecording(GET, timeout=DEADLINE_SECONDS)
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.UNAVAILABLE
    return False


def test_what_still_runs_after_the_grace_is_cut(server: RunningServer) -> None:
    server.service.content = LONG
    stream = server.stub.StreamRecording(STREAM)
    next(stream)

    server.server.stop(0.1)

    assert server.service.ranges[0].closed.wait(DEADLINE_SECONDS)
    with pytest.raises(grpc.RpcError) as caught:
        list(stream)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_server_stops_twice_and_without_having_started() -> None:
    settings = GrpcServerSettings(address="127.0.0.1:0")
    never_started = RecordingGrpcServer(FakeRecordingService().facade, checker(), signer(), settings)
    never_started.stop()

    started = RecordingGrpcServer(FakeRecordingService().facade, checker(), signer(), settings)
    started.start()
    started.stop(0)
    started.stop(0)


def test_a_stopped_server_leaves_no_thread_of_its_own_behind() -> None:
    before = set(threading.enumerate())
    with running_server(FakeRecordingService()) as server:
        server.stub.GetRecording(GET)
        watch: Any = server.stub.WatchRecording(WATCH)
        next(watch)

    eventually(lambda: not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("grpc")])
