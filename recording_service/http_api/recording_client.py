"""The adapter's connection to the recording service: `recordings.aio`, on behalf of whoever asks."""

from types import TracebackType
from typing import Final, Self

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.settings import ClientTls
from recordings.aio import Connection, MessageReader, Range, RangeStream
from recordings.options import ClientOptions
from recordings.v1.enqueue_pb2 import (
    EnqueueRecordingRequest,
    EnqueueRecordingResponse,
    ReportRecordingUnavailableRequest,
)
from recordings.v1.lookup_pb2 import GetRecordingRequest, ListRecordingsRequest, ListRecordingsResponse
from recordings.v1.recording_pb2 import Recording
from recordings.v1.results_pb2 import (
    GetTranscriptRequest,
    GetTranscriptResponse,
    GetWaveformRequest,
    GetWaveformResponse,
)
from recordings.v1.watch_pb2 import (
    WatchRecordingRequest,
    WatchRecordingResponse,
    WatchRecordingsRequest,
    WatchRecordingsResponse,
)

#: The name that the service is registered under, for health checks as well.
SERVICE: Final = "recordings.v1.RecordingService"
_HealthCheck = grpc.aio.UnaryUnaryMultiCallable[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]

_CHANNEL_OPTIONS: Final = (
    # Browsers seek by dropping the connection. Probing lets 4 MiB of a stream be in flight then, without it 3 chunks.
    ("grpc.http2.bdp_probe", 0),
)


class RecordingClient:
    """One channel, opened by entering and closed by leaving the context; calls raise `RecordingsError`.

    Calls with a deadline wait for an unreachable service until then, so that a restart of it goes unnoticed.
    """

    def __init__(self, target: str, token: str = "", tls: ClientTls | None = None) -> None:
        """`token` is the adapter's own credential, for calls on its own behalf."""
        self._target = target
        self._tls = tls
        self._own = f"Bearer {token}" if token else ""

    async def __aenter__(self) -> Self:
        self._connection = Connection(
            self._target, self._credentials(), ClientOptions(), wait_for_ready=True, channel_options=_CHANNEL_OPTIONS
        )
        # By hand: the stub class of grpc_health has no types.
        self._check: _HealthCheck = self._connection.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._connection.close()

    def _credentials(self) -> grpc.ChannelCredentials | None:
        if self._tls is None:
            return None
        return grpc.ssl_channel_credentials(self._tls.authority, self._tls.key, self._tls.certificate)

    def _metadata(self, identity: CallIdentity) -> tuple[tuple[str, str], ...]:
        request_id = ("x-request-id", identity.request_id)
        authorization = identity.authorization or self._own
        return (request_id, ("authorization", authorization)) if authorization else (request_id,)

    @property
    def is_connected(self) -> bool:
        """Whether a call would go out at once."""
        return self._connection.is_connected

    async def enqueue(
        self, request: EnqueueRecordingRequest, identity: CallIdentity, timeout_seconds: float
    ) -> EnqueueRecordingResponse:
        """Enqueue a recording. Idempotent. The answer's reason is for the caller to judge."""
        return await self._connection.enqueue(request, timeout=timeout_seconds, metadata=self._metadata(identity))

    async def report_unavailable(
        self, request: ReportRecordingUnavailableRequest, identity: CallIdentity, timeout_seconds: float
    ) -> None:
        """Report that Twilio has no such recording. Idempotent."""
        await self._connection.report_unavailable(request, timeout=timeout_seconds, metadata=self._metadata(identity))

    async def get_recording(
        self, request: GetRecordingRequest, identity: CallIdentity, timeout_seconds: float
    ) -> Recording:
        """Look a recording up."""
        response = await self._connection.get(request, timeout=timeout_seconds, metadata=self._metadata(identity))
        return response.recording

    async def list_recordings(
        self, request: ListRecordingsRequest, identity: CallIdentity, timeout_seconds: float
    ) -> ListRecordingsResponse:
        """A page of recordings."""
        return await self._connection.list_page(request, timeout=timeout_seconds, metadata=self._metadata(identity))

    async def get_waveform(
        self, request: GetWaveformRequest, identity: CallIdentity, timeout_seconds: float
    ) -> GetWaveformResponse:
        """What is seen of a recording's sound."""
        return await self._connection.waveform(request, timeout=timeout_seconds, metadata=self._metadata(identity))

    async def get_transcript(
        self, request: GetTranscriptRequest, identity: CallIdentity, timeout_seconds: float
    ) -> GetTranscriptResponse:
        """What is said in a recording."""
        return await self._connection.transcript(request, timeout=timeout_seconds, metadata=self._metadata(identity))

    def watch(self, request: WatchRecordingRequest, identity: CallIdentity) -> MessageReader[WatchRecordingResponse]:
        """Watch a recording, without a deadline of its own: whoever watches cancels it."""
        return self._connection.watch(request, metadata=self._metadata(identity))

    def watch_recordings(
        self, request: WatchRecordingsRequest, identity: CallIdentity
    ) -> MessageReader[WatchRecordingsResponse]:
        """Watch recordings for as long as somebody looks."""
        return self._connection.watch_many(request, metadata=self._metadata(identity))

    def stream(
        self, wanted: Range, identity: CallIdentity, resuming: ClientOptions, read_ahead_from: int
    ) -> RangeStream:
        """The bytes of a range, without a deadline of its own: a player reads as slowly as it plays.

        Parameters:
            resuming: when a stream that breaks is opened again.
            read_ahead_from: as `RangeStream` has it.
        """
        return RangeStream(
            self._connection,
            wanted,
            resuming,
            metadata=self._metadata(identity),
            read_ahead_from=read_ahead_from,
        )

    async def check_health(self, identity: CallIdentity, timeout_seconds: float) -> tuple[str, dict[str, str]]:
        """The serving status by its name (`SERVING`, …), and the trailing metadata that came with it.

        If the check itself has failed, the name of gRPC's status code (`DEADLINE_EXCEEDED`, …).
        """
        call = self._check(
            health_pb2.HealthCheckRequest(service=SERVICE),
            timeout=timeout_seconds,
            metadata=self._metadata(identity),
        )
        try:
            response = await call
        except grpc.aio.AioRpcError as error:
            return error.code().name, {}
        trailing = await call.trailing_metadata()
        details = {key: value for key, value in trailing or () if isinstance(value, str)}
        return health_pb2.HealthCheckResponse.ServingStatus.Name(response.status), details
