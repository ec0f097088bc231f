"""The gRPC channel to the recording service and the calls that the adapter makes on it."""

import asyncio
import json
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from recording_service.http_api.failures import translated
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.message_reader import MessageReader
from recording_service.http_api.settings import ClientTls
from recordings.v1.enqueue_pb2 import (
    EnqueueRecordingRequest,
    EnqueueRecordingResponse,
    ReportRecordingUnavailableRequest,
)
from recordings.v1.lookup_pb2 import GetRecordingRequest, ListRecordingsRequest, ListRecordingsResponse
from recordings.v1.recording_pb2 import Recording
from recordings.v1.recording_service_pb2_grpc import RecordingServiceStub
from recordings.v1.stream_pb2 import StreamRecordingRequest
from recordings.v1.watch_pb2 import (
    WatchRecordingRequest,
    WatchRecordingResponse,
    WatchRecordingsRequest,
    WatchRecordingsResponse,
)

if TYPE_CHECKING:
    # Exists in the generated types alone.
    from recordings.v1.recording_service_pb2_grpc import RecordingServiceAsyncStub

#: The name that the service is registered under, for health checks as well.
SERVICE: Final = "recordings.v1.RecordingService"
_Stream = grpc.aio.UnaryStreamMultiCallable[StreamRecordingRequest, bytes]
_HealthCheck = grpc.aio.UnaryUnaryMultiCallable[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]


def _methods(*names: str) -> list[dict[str, str]]:
    return [{"service": SERVICE, "method": name} for name in names]


def _retries(attempts: int, first: str, longest: str) -> dict[str, object]:
    return {
        "maxAttempts": attempts,
        "initialBackoff": first,
        "maxBackoff": longest,
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }


#: How long streams that were cancelled may take to end before the channel is closed, in seconds.
_ENDING_SECONDS: Final = 1.0
#: Retries of gRPC itself, always within the call's deadline. StreamRecording has none: `range_stream` opens streams
#: again, and retrying in two layers multiplies.
_SERVICE_CONFIG: Final = json.dumps(
    {
        "methodConfig": [
            {
                "name": _methods("EnqueueRecording", "ReportRecordingUnavailable"),
                "retryPolicy": _retries(3, "0.1s", "0.5s"),
            },
            {"name": _methods("GetRecording", "ListRecordings"), "retryPolicy": _retries(4, "0.1s", "2s")},
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
)
_CHANNEL_OPTIONS: Final = (
    ("grpc.service_config", _SERVICE_CONFIG),
    # Browsers seek by dropping the connection. Probing lets 4 MiB of a stream be in flight then, without it 3 chunks.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # By default a service that was away for a while is tried again after up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


class RecordingClient:
    """One channel, opened by entering and closed by leaving the context; calls raise `ServiceFailure`.

    Calls with a deadline wait for an unreachable service until then, so that a restart of it goes unnoticed.
    """

    def __init__(self, target: str, token: str = "", tls: ClientTls | None = None) -> None:
        """`token` is the adapter's own credential, for calls on its own behalf."""
        self._target = target
        self._tls = tls
        self._own = f"Bearer {token}" if token else ""
        self._ending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._channel = self._opened()
        self._service: RecordingServiceAsyncStub = RecordingServiceStub(self._channel)
        # By hand: without a deserializer messages stay the bytes that came.
        self._stream: _Stream = self._channel.unary_stream(
            f"/{SERVICE}/StreamRecording", request_serializer=StreamRecordingRequest.SerializeToString
        )
        # By hand: the stub class of grpc_health has no types.
        self._check: _HealthCheck = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._ending:
            await asyncio.wait(self._ending, timeout=_ENDING_SECONDS)
        await self._channel.close()

    def _opened(self) -> grpc.aio.Channel:
        if self._tls is None:
            return grpc.aio.insecure_channel(self._target, options=_CHANNEL_OPTIONS)
        credentials = grpc.ssl_channel_credentials(self._tls.authority, self._tls.key, self._tls.certificate)
        return grpc.aio.secure_channel(self._target, credentials, options=_CHANNEL_OPTIONS)

    def _metadata(self, identity: CallIdentity) -> tuple[tuple[str, str], ...]:
        request_id = ("x-request-id", identity.request_id)
        authorization = identity.authorization or self._own
        return (request_id, ("authorization", authorization)) if authorization else (request_id,)

    @property
    def is_connected(self) -> bool:
        """Whether a call would go out at once."""
        return self._channel.get_state() is grpc.ChannelConnectivity.READY

    async def enqueue(
        self, request: EnqueueRecordingRequest, identity: CallIdentity, timeout_seconds: float
    ) -> EnqueueRecordingResponse:
        """Enqueue a recording. Idempotent. The answer's reason is for the caller to judge."""
        with translated():
            return await self._service.EnqueueRecording(
                request, timeout=timeout_seconds, metadata=self._metadata(identity), wait_for_ready=True
            )

    async def report_unavailable(
        self, request: ReportRecordingUnavailableRequest, identity: CallIdentity, timeout_seconds: float
    ) -> None:
        """Report that Twilio has no such recording. Idempotent."""
        with translated():
            await self._service.ReportRecordingUnavailable(
                request, timeout=timeout_seconds, metadata=self._metadata(identity), wait_for_ready=True
            )

    async def get_recording(
        self, request: GetRecordingRequest, identity: CallIdentity, timeout_seconds: float
    ) -> Recording:
        """Look a recording up."""
        with translated():
            response = await self._service.GetRecording(
                request, timeout=timeout_seconds, metadata=self._metadata(identity), wait_for_ready=True
            )
        return response.recording

    async def list_recordings(
        self, request: ListRecordingsRequest, identity: CallIdentity, timeout_seconds: float
    ) -> ListRecordingsResponse:
        """A page of recordings."""
        with translated():
            return await self._service.ListRecordings(
                request, timeout=timeout_seconds, metadata=self._metadata(identity), wait_for_ready=True
            )

    def watch(self, request: WatchRecordingRequest, identity: CallIdentity) -> MessageReader[WatchRecordingResponse]:
        """Watch a recording, without a deadline of its own: whoever watches cancels it."""
        call = self._service.WatchRecording(request, metadata=self._metadata(identity), wait_for_ready=True)
        return MessageReader(call, self._ending)

    def watch_recordings(
        self, request: WatchRecordingsRequest, identity: CallIdentity
    ) -> MessageReader[WatchRecordingsResponse]:
        """Watch recordings for as long as somebody looks."""
        call = self._service.WatchRecordings(request, metadata=self._metadata(identity), wait_for_ready=True)
        return MessageReader(call, self._ending)

    def stream(self, request: StreamRecordingRequest, identity: CallIdentity) -> MessageReader[bytes]:
        """Open a stream, without a deadline of its own: a player reads as slowly as it plays."""
        call = self._stream(request, metadata=self._metadata(identity), wait_for_ready=True)
        return MessageReader(call, self._ending)

    async def check_health(self, identity: CallIdentity, timeout_seconds: float) -> tuple[str, dict[str, str]]:
        """The serving status by its name (`SERVING`, …), and the trailing metadata that came with it."""
        with translated():
            call = self._check(
                health_pb2.HealthCheckRequest(service=SERVICE),
                timeout=timeout_seconds,
                metadata=self._metadata(identity),
            )
            response = await call
            trailing = await call.trailing_metadata()
        details = {key: value for key, value in trailing or () if isinstance(value, str)}
        return health_pb2.HealthCheckResponse.ServingStatus.Name(response.status), details
