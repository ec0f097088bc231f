"""How the methods are handed to gRPC: nothing forgotten, refusals without a message, unreadable requests refused."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from recording_service.core import errors
from recording_service.grpc_api import methods
from recording_service.grpc_api.access import AccessGate
from recording_service.grpc_api.servicer import RecordingServicer
from recordings.v1 import enqueue_pb2, lookup_pb2, recording_service_pb2_grpc
from tests.support.grpc_server import RunningServer, refusal_of, refused
from tests.support.grpc_service import RECORDING, FakeRecordingService
from tests.support.grpc_testing_server import servicer

MEBIBYTE = 1024 * 1024

#: What clients are shipped with (grpc.md A.7), with shorter waits. (At 1 ms the client's gRPC hangs now and then.)
RETRIES = (
    "grpc.service_config",
    json.dumps(
        {
            "methodConfig": [
                {
                    "name": [{"service": "recordings.v1.RecordingService"}],
                    "retryPolicy": {
                        "maxAttempts": 4,
                        "initialBackoff": "0.01s",
                        "maxBackoff": "0.02s",
                        "backoffMultiplier": 2,
                        "retryableStatusCodes": ["UNAVAILABLE"],
                    },
                }
            ]
        }
    ),
)

ENQUEUE = enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING)


def stub_with_retries(server: RunningServer) -> Any:
    return recording_service_pb2_grpc.RecordingServiceStub(server.connect(RETRIES))


def raw(server: RunningServer, method: str, request: bytes) -> Any:
    """Calls a unary method with any bytes."""
    multi_callable: Any = server.channel.unary_unary(f"/recordings.v1.RecordingService/{method}")
    return multi_callable(request)


def test_every_method_of_the_contract_has_a_handler_of_its_kind(service: FakeRecordingService) -> None:
    handlers = methods.method_handlers(servicer(service), MEBIBYTE)

    assert {name: handler.response_streaming for name, handler in handlers.items()} == {
        method.name: method.server_streaming for method in methods.SERVICE.methods
    }


def test_a_servicer_that_lacks_a_method_is_refused(monkeypatch: pytest.MonkeyPatch, service: Any) -> None:
    monkeypatch.delattr(RecordingServicer, "GetRecording")

    with pytest.raises(AttributeError, match="GetRecording"):
        methods.method_handlers(servicer(service), MEBIBYTE)


def test_the_channel_retries_a_failed_enqueue(server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    server.service.answers["enqueue"] = errors.EnqueueFailed(None)

    with pytest.raises(grpc.RpcError) as caught:
        stub_with_retries(server).EnqueueRecording(ENQUEUE)

    found = refusal_of(caught.value)
    assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")
    assert found.enqueue == enqueue_pb2.EnqueueRecordingResponse(reason=enqueue_pb2.ENQUEUE_REASON_ERROR)
    assert len(server.service.asked("enqueue")) == 4
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_without_our_serializer_the_channel_would_not_retry(service: FakeRecordingService) -> None:
    # The reason for `methods`: what generated code registers sends the response before the status.
    service.answers["enqueue"] = errors.EnqueueFailed(None)
    ordinary = grpc.server(ThreadPoolExecutor(2), interceptors=[AccessGate(None)], options=[("grpc.so_reuseport", 0)])
    ours: Any = servicer(service)
    recording_service_pb2_grpc.add_RecordingServiceServicer_to_server(ours, ordinary)
    port = ordinary.add_insecure_port("127.0.0.1:0")
    ordinary.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[RETRIES]) as channel:
            stub: Any = recording_service_pb2_grpc.RecordingServiceStub(channel)
            with pytest.raises(grpc.RpcError):
                stub.EnqueueRecording(ENQUEUE)
    finally:
        ordinary.stop(None)

    assert len(service.asked("enqueue")) == 1


def test_an_enqueue_that_succeeds_on_a_later_attempt_is_ok(server: RunningServer) -> None:
    succeeds = server.service.answers["enqueue"]
    attempts = iter([errors.EnqueueFailed(None), errors.CatalogueUnavailable(), succeeds])

    def attempt(request: Any) -> Any:
        outcome = next(attempts)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    server.service.answers["enqueue"] = attempt

    response = stub_with_retries(server).EnqueueRecording(ENQUEUE)

    assert response.reason == enqueue_pb2.ENQUEUE_REASON_DUPLICATE


def test_the_channel_retries_other_methods_too(server: RunningServer) -> None:
    server.service.answers["get"] = errors.CatalogueUnavailable()

    with pytest.raises(grpc.RpcError):
        stub_with_retries(server).GetRecording(lookup_pb2.GetRecordingRequest(recording_sid=RECORDING))

    assert len(server.service.asked("get")) == 4


def test_the_channel_retries_a_stream_that_was_refused_before_its_first_message(server: RunningServer) -> None:
    server.service.answers["open_range"] = errors.StorageUnavailable()

    with pytest.raises(grpc.RpcError):
        list(stub_with_retries(server).StreamRecording(lookup_pb2.GetRecordingRequest(recording_sid=RECORDING)))

    assert len(server.service.asked("open_range")) == 4


@pytest.mark.parametrize("method", ["EnqueueRecording", "GetRecording"])
@pytest.mark.parametrize("size", [MEBIBYTE + 1, 4 * MEBIBYTE])
def test_a_request_that_is_too_large_is_refused_with_a_reason(
    server: RunningServer, caplog: pytest.LogCaptureFixture, method: str, size: int
) -> None:
    found = refused(lambda: raw(server, method, b"x" * size))

    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert found.fields == ["request"]
    assert f"{size} bytes" in found.message
    assert caplog.records == []


def test_a_request_of_exactly_the_limit_is_read(server: RunningServer) -> None:
    padding = MEBIBYTE - 5 - ENQUEUE.ByteSize()
    request = enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING, source="x" * (padding + 1))
    assert request.ByteSize() == MEBIBYTE

    found = refused(lambda: server.stub.EnqueueRecording(request))

    assert found.fields == ["source"]


def test_a_request_that_is_larger_still_is_refused_by_grpc_without_a_trace(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        raw(server, "EnqueueRecording", b"x" * (4 * MEBIBYTE + 1))

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caplog.records == []


@pytest.mark.parametrize("method", ["EnqueueRecording", "GetRecording", "BatchEnqueueRecordings"])
def test_a_request_that_can_not_be_read_is_refused_with_a_reason(
    server: RunningServer, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    found = refused(lambda: raw(server, method, b"\xff\xff\xff"))

    assert (found.code, found.reason, found.fields) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
        ["request"],
    )
    assert f"{method}Request" in found.message
    assert caplog.records == []


def test_a_stream_request_that_can_not_be_read_is_refused_with_a_reason(server: RunningServer) -> None:
    stream: Any = server.channel.unary_stream("/recordings.v1.RecordingService/StreamRecording")

    found = refused(lambda: stream(b"\xff\xff\xff"))

    assert (found.code, found.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["request"])
