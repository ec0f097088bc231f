"""Every method of the contract on one channel, with this package's errors. `RecordingsClient` stands on it."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakSet

import grpc

from recordings._channel import CHANNEL_OPTIONS, call_metadata
from recordings._checksum import hashing_threads
from recordings._message_stream import MessageStream
from recordings._stalls import StallWatch
from recordings._translation import error_of
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

Metadata = Sequence[tuple[str, str]]
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")

_SERVICE: Final = "recordings.v1.RecordingService"
#: How long the end of a stream is waited for once every byte is here, in seconds.
_FINISH_SECONDS: Final = 1.0


class Connection:
    """One channel. Threads may share it.

    Calls raise `RecordingsError`. `timeout` is in seconds; None stands for the one of the options, and for none at all
    where the answer is a stream. An `authorization` in `metadata` takes the place of the token.

    Attributes:
        hashing: computes the checksums of its readers. It has no threads before it is used.
    """

    def __init__(self, target: str, credentials: grpc.ChannelCredentials | None, options: ClientOptions) -> None:
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
        self._options = options
        self._service = RecordingServiceStub(self._channel)
        # By hand: without a deserializer messages stay the bytes that came.
        self._stream: Any = self._channel.unary_stream(
            f"/{_SERVICE}/StreamRecording", request_serializer=StreamRecordingRequest.SerializeToString
        )
        # Weakly: their owners are theirs to keep.
        self._streams: WeakSet[MessageStream[Any]] = WeakSet()
        self._stalls = StallWatch()
        self.hashing = hashing_threads()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def close(self) -> None:
        """Cancel all that is under way, and close the channel. Idempotent."""
        with self._lock:
            already = self._closed.is_set()
            self._closed.set()
            streams = list(self._streams)
        if already:
            return
        for stream in streams:
            stream.cancel()
        self._stalls.close()
        # What is being hashed is no more than a megabyte.
        self.hashing.shutdown(wait=False)
        self._channel.close()

    def pause(self, seconds: float) -> None:
        """Wait, unless the client is closed meanwhile: ClientClosed."""
        if self._closed.wait(seconds):
            raise ClientClosed("the client is closed")

    def enqueue(
        self, request: EnqueueRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> EnqueueRecordingResponse:
        """Enqueue a recording. Idempotent. The answer's reason is for the caller to judge."""
        return self._ask(self._service.EnqueueRecording, request, timeout, metadata)

    def batch_enqueue(
        self, request: BatchEnqueueRecordingsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> BatchEnqueueRecordingsResponse:
        """Enqueue many. Idempotent. The results' reasons are for the caller to judge."""
        return self._ask(self._service.BatchEnqueueRecordings, request, timeout, metadata)

    def report_unavailable(
        self, request: ReportRecordingUnavailableRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> ReportRecordingUnavailableResponse:
        """Report that Twilio has no such recording. Idempotent."""
        return self._ask(self._service.ReportRecordingUnavailable, request, timeout, metadata)

    def get(
        self, request: GetRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> GetRecordingResponse:
        """Look a recording up."""
        return self._ask(self._service.GetRecording, request, timeout, metadata)

    def list_page(
        self, request: ListRecordingsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> ListRecordingsResponse:
        """A page of recordings."""
        return self._ask(self._service.ListRecordings, request, timeout, metadata)

    def create_playback_url(
        self, request: CreatePlaybackUrlRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> CreatePlaybackUrlResponse:
        """Make a URL by which the recording can be played."""
        return self._ask(self._service.CreatePlaybackUrl, request, timeout, metadata)

    def waveform(
        self, request: GetWaveformRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> GetWaveformResponse:
        """What is seen of a recording's sound."""
        return self._ask(self._service.GetWaveform, request, timeout, metadata)

    def transcript(
        self, request: GetTranscriptRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> GetTranscriptResponse:
        """What is said in a recording."""
        return self._ask(self._service.GetTranscript, request, timeout, metadata)

    def delete(
        self, request: DeleteRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> DeleteRecordingResponse:
        """Delete a recording for good. Idempotent with `allow_missing`."""
        return self._ask(self._service.DeleteRecording, request, timeout, metadata)

    def watch(
        self, request: WatchRecordingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> MessageStream[WatchRecordingResponse]:
        """Open one watch of a recording."""
        return self._opened(self._service.WatchRecording, request, timeout, metadata)

    def watch_many(
        self, request: WatchRecordingsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> MessageStream[WatchRecordingsResponse]:
        """Open one watch of whatever matches."""
        return self._opened(self._service.WatchRecordings, request, timeout, metadata)

    def stream(self, request: StreamRecordingRequest, *, metadata: Metadata = ()) -> MessageStream[bytes]:
        """Open one stream of a recording's bytes, whose messages come as the bytes that they are."""
        stream: MessageStream[bytes] = self._opened(self._stream, request, None, metadata)
        self._stalls.add(stream, self._options.stall_timeout)
        return stream

    def let_end(self, stream: MessageStream[bytes]) -> None:
        """From now on it has a second, and not the stall time-out: all it had to bring is here."""
        self._stalls.add(stream, _FINISH_SECONDS)

    def _ask(
        self, method: Callable[..., _Response], request: object, timeout: float | None, metadata: Metadata
    ) -> _Response:
        self._check_open()
        within = self._options.timeout if timeout is None else timeout
        try:
            return method(request, timeout=within, metadata=call_metadata(self._options, tuple(metadata)))
        except grpc.RpcError as error:
            # A channel that is closed cancels what is under way.
            self._check_open()
            raise error_of(error) from error
        except ValueError:
            # gRPC's own, of a channel that another thread has closed just now; else it is about the arguments.
            self._check_open()
            raise

    def _opened(self, method: Any, request: object, timeout: float | None, metadata: Metadata) -> MessageStream[Any]:
        with self._lock:
            self._check_open()
            call = method(request, timeout=timeout, metadata=call_metadata(self._options, tuple(metadata)))
            stream: MessageStream[Any] = MessageStream(call)
            self._streams.add(stream)
        return stream

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ClientClosed("the client is closed")
