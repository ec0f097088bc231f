"""grpcio-testing over a servicer: no connection, no interceptors, no serialization (grpc.md B.4)."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import grpc

from recording_service.core.callers import EVERYONE
from recording_service.grpc_api.access import admit
from recording_service.grpc_api.methods import SERVICE
from recording_service.grpc_api.servicer import RecordingServicer
from recording_service.grpc_api.slots import Slots
from recording_service.grpc_api.stalls import StallSweeper
from recording_service.grpc_api.streams import RecordingStreams
from recording_service.grpc_api.watches import RecordingWatches
from tests.support.grpc_server import checker, signer
from tests.support.grpc_service import DEADLINE_SECONDS, FakeRecordingService

STALL_SECONDS = 60.0


@contextmanager
def _root_logger_left_alone() -> Iterator[None]:
    """Importing and using grpcio-testing calls `logging.basicConfig()`, which would print every test's logs."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    try:
        yield
    finally:
        root.handlers[:] = handlers


with _root_logger_left_alone():
    import grpc_testing


class _Admitted:
    """A servicer behind a gate that lets everyone in: grpcio-testing has no interceptors, and so no gate of its own."""

    def __init__(self, servicer: RecordingServicer) -> None:
        self._servicer = servicer

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._servicer, name)

        def unary(request: Any, context: Any) -> Any:
            admit(EVERYONE)
            return method(request, context)

        def streaming(request: Any, context: Any) -> Iterator[Any]:
            admit(EVERYONE)
            yield from method(request, context)

        return streaming if SERVICE.methods_by_name[name].server_streaming else unary


class Answer(NamedTuple):
    """What a call ended with. A stream has all its responses in a list."""

    response: Any
    code: grpc.StatusCode
    details: str
    metadata: Sequence[tuple[str, str | bytes]]

    def trailing_metadata(self) -> Sequence[tuple[str, str | bytes]]:
        return self.metadata


def servicer(service: FakeRecordingService) -> RecordingServicer:
    stalls = StallSweeper(STALL_SECONDS)
    return RecordingServicer(
        service.facade,
        checker(),
        signer(),
        RecordingStreams(Slots("streams", 2), stalls),
        RecordingWatches(Slots("watchers", 2), stalls),
    )


def invoke(
    service: FakeRecordingService, method: str, request: Any, *, metadata: Sequence[tuple[str, str]] = ()
) -> Answer:
    """Calls a method of a servicer over the service, and waits for its end."""
    descriptor = SERVICE.methods_by_name[method]
    with _root_logger_left_alone():
        server = grpc_testing.server_from_dictionary(
            {SERVICE: _Admitted(servicer(service))}, grpc_testing.strict_fake_time(0)
        )
    if not descriptor.server_streaming:
        return Answer(*_unary_end(server.invoke_unary_unary(descriptor, metadata, request, DEADLINE_SECONDS)))
    call = server.invoke_unary_stream(descriptor, metadata, request, DEADLINE_SECONDS)
    trailing, code, details = call.termination()
    responses: list[Any] = []
    while True:
        try:
            responses.append(call.take_response())
        except ValueError:
            return Answer(responses, code, details, trailing)


def _unary_end(call: Any) -> tuple[Any, grpc.StatusCode, str, Any]:
    response, trailing, code, details = call.termination()
    return response, code, details, trailing
