"""A real gRPC server on loopback, and what its refusals say."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_status import rpc_status

from recording_service.core.requests import RequestChecker
from recording_service.grpc_api.server import RecordingGrpcServer
from recording_service.grpc_api.settings import GrpcServerSettings
from recording_service.signed_urls import SigningKey, UrlSigner
from recordings.v1 import enqueue_pb2, recording_service_pb2_grpc
from tests.support.grpc_service import ACCOUNT, FakeRecordingService

#: What signs playback URLs in tests, and what browsers call the adapter by.
SIGNING_KEY = SigningKey("k1", bytes(range(32)))
PUBLIC_URL = "https://recordings.example.com"


def checker() -> RequestChecker:
    """Checks for one configured account."""
    return RequestChecker(account_sids={ACCOUNT}, source_hosts=())


def signer() -> UrlSigner:
    """Signs playback URLs with a key of the tests."""
    return UrlSigner([SIGNING_KEY], PUBLIC_URL)


class RunningServer:
    """A started server, and a client of it with a connection of its own."""

    def __init__(self, service: FakeRecordingService, server: RecordingGrpcServer) -> None:
        self.service = service
        self.server = server
        self.port = server.start()
        self.channel = self.connect()
        self.stub: Any = recording_service_pb2_grpc.RecordingServiceStub(self.channel)
        self.health: Any = health_pb2_grpc.HealthStub(self.channel)

    def connect(self, *options: tuple[str, Any]) -> grpc.Channel:
        """A new connection."""
        return grpc.insecure_channel(
            f"127.0.0.1:{self.port}", options=[("grpc.use_local_subchannel_pool", 1), *options]
        )

    def close(self) -> None:
        """Ends both."""
        self.channel.close()
        self.server.stop(0)


@contextmanager
def running_server(service: FakeRecordingService, **settings: Any) -> Iterator[RunningServer]:
    """A server on any free port of loopback."""
    running = RunningServer(
        service,
        RecordingGrpcServer(service.facade, checker(), signer(), GrpcServerSettings(address="127.0.0.1:0", **settings)),
    )
    try:
        yield running
    finally:
        running.close()


class Refused(NamedTuple):
    """What a refused call says, taken apart."""

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: Mapping[str, str]
    retry_seconds: float | None
    fields: list[str]
    enqueue: enqueue_pb2.EnqueueRecordingResponse | None
    size: int
    everything: str


def refused(call: Callable[[], Any]) -> Refused:
    """Makes a call, which must be refused; a stream is read to its end."""
    try:
        response = call()
        if not isinstance(response, Message):
            list(response)
    except grpc.RpcError as error:
        return refusal_of(error)
    raise AssertionError("the call was not refused")


def drained(stream: Any) -> tuple[bytes, Refused | None]:
    """Reads StreamRecording to its end: the bytes that came, and how it was refused if it was."""
    received = b""
    try:
        for response in stream:
            received += response.data
    except grpc.RpcError as error:
        return received, refusal_of(error)
    return received, None


def takes_in(open_stream: Callable[[], Any]) -> bool:
    """Whether a stream is served, and not refused because all slots are taken; it is ended again."""
    stream = open_stream()
    try:
        next(stream)
    except grpc.RpcError as error:
        if refusal_of(error).code is not grpc.StatusCode.RESOURCE_EXHAUSTED:
            raise
        return False
    stream.cancel()
    return True


def refusal_of(error: Any) -> Refused:
    """Takes a refusal apart; code, text and details must agree, which `from_call` checks."""
    status = rpc_status.from_call(error)
    assert status is not None, f"no details: {error}"
    info = _detail(status, error_details_pb2.ErrorInfo)
    assert info is not None
    assert info.domain == "recording-service"
    retry = _detail(status, error_details_pb2.RetryInfo)
    bad_request = _detail(status, error_details_pb2.BadRequest)
    return Refused(
        code=error.code(),
        message=status.message,
        reason=info.reason,
        metadata=dict(info.metadata),
        retry_seconds=None if retry is None else retry.retry_delay.ToNanoseconds() / 1e9,
        fields=[] if bad_request is None else [violation.field for violation in bad_request.field_violations],
        enqueue=_detail(status, enqueue_pb2.EnqueueRecordingResponse),
        size=status.ByteSize(),
        everything=f"{status} {error.trailing_metadata()} {error.details()}",
    )


def _detail(status: Any, kind: type[Any]) -> Any:
    """The one detail of a kind (AIP-193: at most one); None if there is none."""
    found = [detail for detail in status.details if detail.Is(kind.DESCRIPTOR)]
    assert len(found) <= 1
    if not found:
        return None
    message = kind()
    found[0].Unpack(message)
    return message
