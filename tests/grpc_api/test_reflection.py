"""Reflection tells the contract where it is switched on, and only there."""

from queue import Queue
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from recording_service.grpc_api.reflection import REFLECTION_CALLS
from tests.support.grpc_server import RunningServer, refused, running_server
from tests.support.grpc_service import FakeRecordingService

LIST_SERVICES = reflection_pb2.ServerReflectionRequest(list_services="")


def reflection_stub(server: RunningServer) -> Any:
    return reflection_pb2_grpc.ServerReflectionStub(server.channel)


def test_reflection_is_off_by_default(server: RunningServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(reflection_stub(server).ServerReflectionInfo(iter([LIST_SERVICES])))

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_reflection_lists_the_services_and_describes_ours() -> None:
    symbol = reflection_pb2.ServerReflectionRequest(file_containing_symbol="recordings.v1.RecordingService")
    with running_server(FakeRecordingService(), reflection=True) as server:
        listed, described = reflection_stub(server).ServerReflectionInfo(iter([LIST_SERVICES, symbol]))

    assert {service.name for service in listed.list_services_response.service} == {
        "recordings.v1.RecordingService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert described.file_descriptor_response.file_descriptor_proto


def test_idle_reflection_calls_can_not_take_all_threads() -> None:
    with running_server(FakeRecordingService(), reflection=True) as server:
        stub = reflection_stub(server)
        idle = [_Idle(stub) for _ in range(REFLECTION_CALLS)]

        found = refused(lambda: stub.ServerReflectionInfo(iter([LIST_SERVICES])))

        assert (found.code, found.metadata["resource"]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "reflection calls")
        for call in idle:
            call.end()


class _Idle:
    """A reflection call that has asked once, and stays open."""

    def __init__(self, stub: Any) -> None:
        self._requests: Queue[Any] = Queue()
        self._requests.put(LIST_SERVICES)
        self._call = stub.ServerReflectionInfo(iter(self._requests.get, None))
        next(self._call)

    def end(self) -> None:
        self._requests.put(None)
        list(self._call)
