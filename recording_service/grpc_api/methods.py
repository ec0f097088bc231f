"""Hands the servicer's methods to gRPC: our own handlers in place of the generated ones, for three things.

StreamRecording's chunks are written directly (`frames`). A refused call has no message on the wire, trailers alone:
with a message before them the channel's retry policy would never fire (grpc.md A.1). A request that can't be read is
refused with a reason; gRPC would answer INTERNAL and log a traceback.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from recording_service.core.errors import InvalidRequest
from recording_service.core.model import EnqueueReason
from recording_service.grpc_api.edge import UnreadableRequest
from recording_service.grpc_api.enums import ENQUEUE_REASON_NUMBERS
from recording_service.grpc_api.servicer import RecordingServicer
from recordings.v1 import enqueue_pb2, recording_service_pb2

SERVICE = recording_service_pb2.DESCRIPTOR.services_by_name["RecordingService"]

_ERROR = ENQUEUE_REASON_NUMBERS[EnqueueReason.ERROR]

#: grpc's class is generic in its stubs only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Deserializer = Callable[[bytes], Message | UnreadableRequest]


def register(servicer: RecordingServicer, server: grpc.Server, max_request_bytes: int) -> None:
    """Adds the service to a server that has not been started."""
    handlers = method_handlers(servicer, max_request_bytes)
    # Both, as generated code does: registered methods spare gRPC the look-up by name.
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE.full_name, handlers),))
    server.add_registered_method_handlers(SERVICE.full_name, handlers)


def method_handlers(servicer: RecordingServicer, max_request_bytes: int) -> dict[str, Handler]:
    """A handler for every method of the contract; AttributeError if the servicer lacks one."""
    return {method.name: _handler(method, servicer, max_request_bytes) for method in SERVICE.methods}


def _handler(method: MethodDescriptor, servicer: RecordingServicer, max_request_bytes: int) -> Handler:
    deserializer = _deserializer(GetMessageClass(method.input_type), max_request_bytes)
    if method.name == "StreamRecording":
        return grpc.unary_stream_rpc_method_handler(servicer.stream_frames, deserializer, None)
    behaviour = getattr(servicer, method.name)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(behaviour, deserializer, _serialized)
    serializer = _serialized_enqueue if method.name == "EnqueueRecording" else _serialized
    return grpc.unary_unary_rpc_method_handler(behaviour, deserializer, serializer)


def _deserializer(message_class: type[Message], max_request_bytes: int) -> Deserializer:
    def deserialized(data: bytes) -> Message | UnreadableRequest:
        if len(data) > max_request_bytes:
            problem = f"has {len(data)} bytes; at most {max_request_bytes} are allowed"
            return UnreadableRequest(InvalidRequest.of("request", problem))
        try:
            return message_class.FromString(data)
        except DecodeError:
            return UnreadableRequest(InvalidRequest.of("request", f"is not a {message_class.DESCRIPTOR.name}"))

    return deserialized


# Typed Any, because grpc's stubs know of no serializer that gives None: gRPC then ends the call with the status that
# was set (INTERNAL if none was) and no message before it, in `_serialize_response` of grpc/_server.py.
def _serialized(response: Message | None) -> Any:
    """The response; None for a call that was refused."""
    return None if response is None else response.SerializeToString()


def _serialized_enqueue(response: enqueue_pb2.EnqueueRecordingResponse | None) -> Any:
    """The same for an enqueue, which returns a response even where it is refused."""
    return None if response is None or response.reason == _ERROR else response.SerializeToString()
