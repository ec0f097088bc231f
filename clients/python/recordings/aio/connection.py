"""Every method of the contract on one channel, with this package's errors. `RecordingsClient` stands on it."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakSet

import grpc
import grpc.aio

from recordings._channel import CHANNEL_OPTIONS, call_metadata
from recordings._checksum import hashing_threads
from recordings._translation import translated
from recordings.aio.message_reader import MessageReader
from recordings.errors import ClientClosed
from recordings.options import ClientOptions
from recordings.v1.deletion_pb2 import DeleteRecordingRequest, DeleteRecordingResponse
from recordings.v1.enqueue_pb2 import (
    BatchEnqueueRecordingsRequest,
    BatchEnqueueRecordingsResponse,
    EnqueueRecordingRequest,
    EnqueueRecordingResponse,
    ReportRecordingUnavailableRequest,
    ReportRecordingUnavailableResponse,
)
from recordings.v1.lookup_pb2 import (
    GetRecordingRequest,
    GetRecordingResponse,
    ListRecordingsRequest,
    ListRecordingsResponse,
)
from recordings.v1.playback_url_pb2 import CreatePlaybackUrlRequest, CreatePlaybackUrlResponse
from recordings.v1.recording_service_pb2_grpc import RecordingServiceStub
from recordings.v1.results_pb2 import (
    GetTranscriptRequest,
    GetTranscriptResponse,
    GetWaveformRequest,
    GetWaveformResponse,
)
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

Metadata = Sequence[tuple[str, str]]
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")

#: The name that the service is registered under.
SERVICE: Final = "recordings.v1.RecordingService"
#: How long streams that were cancelled may take to end before the channel is closed, in seconds.
_ENDING_SECONDS: Final = 1.0


class Connection:
    """One channel. To be made where a loop runs, and closed there.

    Each call takes `metadata` of its own (an `authorization` in it takes the place of the token), and a `timeout` in
    seconds; None stands for the one of the options, and for none at all where the answer is a stream. Calls raise
    `RecordingsError`.

    Parameters:
        credentials: of TLS; None: in the clear.
        wait_for_ready: calls wait for a service that can't be reached until their deadline, instead of failing once
            gRPC's own retries are used up: a restart of it goes unnoticed.
        channel_options: further ones of gRPC's, for this channel.

    Attributes:
        channel: gRPC's own, for services beside this one.
        hashing: computes the checksums of its readers. It has no threads before it is used.
    """

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials | None,
        options: ClientOptions,
        *,
        wait_for_ready: bool = False,
        channel_options: Sequence[tuple[str, str | int]] = (),
    ) -> None:
        every_option = (*CHANNEL_OPTIONS, *channel_options)
        if credentials is None:
            self.channel = grpc.aio.insecure_channel(target, options=every_option)
        else:
            self.channel = grpc.aio.secure_channel(target, credentials, options=every_option)
        self._options = options
        self._wait_for_ready = wait_for_ready
        self._service: RecordingServiceAsyncStub = RecordingServiceStub(self.channel)
        # By hand: without a deserializer messages stay the bytes that came.
        self._stream: grpc.aio.UnaryStreamMultiCallable[StreamRecordingRequest, bytes] = self.channel.unary_stream(
            f"/{SERVICE}/StreamRecording", request_serializer=StreamRecordingRequest.SerializeToString
        )
        # Weakly: their owners are theirs to keep.
        self._readers: WeakSet[MessageReader[Any]] = WeakSet()
        self._ending: set[asyncio.Task[None]] = set()
        self.hashing = hashing_threads()
        self._closed = False

    async def close(self) -> None:
        """Cancel all that is under way, and close the channel. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for reader in tuple(self._readers):
            reader.cancel()
        # What is being hashed is no more than a megabyte.
        self.hashing.shutdown(wait=False)
        if self._ending:
            await asyncio.wait(self._ending, timeout=_ENDING_SECONDS)
        await self.channel.close()

    @property
    def is_connected(self) -> bool:
        """Whether a call would go out at once."""
        return not self._closed and self.channel.get_state() is grpc.ChannelConnectivity.READY

    async def enqueue(
        self, request: EnqueueRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> EnqueueRecordingResponse:
        """Enqueue a recording. Idempotent. The answer's reason is for the caller to judge."""
        return await self._ask(self._service.EnqueueRecording, request, timeout, metadata)

    async def batch_enqueue(
        self, request: BatchEnqueueRecordingsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> BatchEnqueueRecordingsResponse:
        """Enqueue many. Idempotent. The results' reasons are for the caller to judge."""
        return await self._ask(self._service.BatchEnqueueRecordings, request, timeout, metadata)

    async def report_unavailable(
        self, request: ReportRecordingUnavailableRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> ReportRecordingUnavailableResponse:
        """Report that Twilio has no such recording. Idempotent."""
        return await self._ask(self._service.ReportRecordingUnavailable, request, timeout, metadata)

    async def get(
        self, request: GetRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> GetRecordingResponse:
        """Look a recording up."""
        return await self._ask(self._service.GetRecording, request, timeout, metadata)

    async def list_page(
        self, request: ListRecordingsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> ListRecordingsResponse:
        """A page of recordings."""
        return await self._ask(self._service.ListRecordings, request, timeout, metadata)

    async def create_playback_url(
        self, request: CreatePlaybackUrlRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> CreatePlaybackUrlResponse:
        """Make a URL by which the recording can be played."""
        return await self._ask(self._service.CreatePlaybackUrl, request, timeout, metadata)

    async def waveform(
        self, request: GetWaveformRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> GetWaveformResponse:
        """What is seen of a recording's sound."""
        return await self._ask(self._service.GetWaveform, request, timeout, metadata)

    async def transcript(
        self, request: GetTranscriptRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> GetTranscriptResponse:
        """What is said in a recording."""
        return await self._ask(self._service.GetTranscript, request, timeout, metadata)

    async def delete(
        self, request: DeleteRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> DeleteRecordingResponse:
        """Delete a recording for good. Idempotent with `allow_missing`."""
        return await self._ask(self._service.DeleteRecording, request, timeout, metadata)

    def watch(
        self, request: WatchRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> MessageReader[WatchRecordingResponse]:
        """Open one watch of a recording."""
        return self._read(self._service.WatchRecording, request, timeout, metadata)

    def watch_many(
        self, request: WatchRecordingsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> MessageReader[WatchRecordingsResponse]:
        """Open one watch of whatever matches."""
        return self._read(self._service.WatchRecordings, request, timeout, metadata)

    def stream(
        self, request: StreamRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> MessageReader[bytes]:
        """Open one stream of a recording's bytes. Its messages come as the bytes that they are."""
        return self._read(self._stream, request, timeout, metadata)

    async def _ask(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        timeout: float | None,
        metadata: Metadata,
    ) -> _Response:
        self._check_open()
        within = self._options.timeout if timeout is None else timeout
        try:
            with translated():
                return await method(
                    request,
                    timeout=within,
                    metadata=call_metadata(self._options, tuple(metadata)),
                    wait_for_ready=self._wait_for_ready,
                )
        except asyncio.CancelledError:
            # Closing cancels the call, and that looks as if the caller had been.
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise ClientClosed("the client was closed before the answer came") from None
            raise

    def _read(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[_Request, _Response],
        request: _Request,
        timeout: float | None,
        metadata: Metadata,
    ) -> MessageReader[_Response]:
        self._check_open()
        call = method(
            request,
            timeout=timeout,
            metadata=call_metadata(self._options, tuple(metadata)),
            wait_for_ready=self._wait_for_ready,
        )
        reader = MessageReader(call, self._ending)
        self._readers.add(reader)
        return reader

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("the client is closed")
