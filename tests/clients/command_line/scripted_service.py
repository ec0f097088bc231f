"""The generated service in this process, with one recording whose bytes come as a test says."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from recordings.v1.enqueue_pb2 import (
    BatchEnqueueRecordingsRequest,
    BatchEnqueueRecordingsResponse,
    BatchEnqueueRecordingsResult,
    EnqueueReason,
)
from recordings.v1.lookup_pb2 import (
    GetRecordingRequest,
    GetRecordingResponse,
    ListRecordingsRequest,
    ListRecordingsResponse,
)
from recordings.v1.recording_pb2 import ProcessingState, Recording, RecordingState
from recordings.v1.stream_pb2 import ContentRange, StreamRecordingRequest, StreamRecordingResponse
from recordings.v1.watch_pb2 import WatchRecordingRequest, WatchRecordingResponse

ACCOUNT_SID = "AC" + "a" * 32
RECORDING_SID = "RE" + "5" * 32

_CHUNK_BYTES = 65536
#: Longest wait of a held stream, in seconds.
_HOLD_SECONDS = 60.0


class ScriptedService:
    """Listens on loopback until `stop`.

    Attributes:
        media: the recording's bytes.
        sha256: what they are said to be.
        etag: of their version; a stream of another one is refused.
        hold_after: a stream stands still before this byte until `go_on`; None: it doesn't.
        tokens: what every look-up has shown.
        asked: every stream that was opened.
        abort_with: how a stream ends where it would be held.
        listed: how many recordings a list has.
        batches: the number of items of every batch.
        batch_failures: as many calls with a batch are UNAVAILABLE, after `good_batches` that were not.
    """

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self.media = bytes(range(256)) * 4096
        self.sha256 = hashlib.sha256(self.media).hexdigest()
        self.etag = "first"
        self.hold_after: int | None = None
        self.tokens: list[str] = []
        self.asked: list[StreamRecordingRequest] = []
        self.batches: list[int] = []
        self.batch_failures = 0
        self.good_batches = 0
        self.listed = 3
        self.abort_with: grpc.StatusCode | None = None
        self.reached = threading.Event()
        self._released = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        unary: dict[str, tuple[Any, Any, Any]] = {
            "GetRecording": (self._get, GetRecordingRequest, GetRecordingResponse),
            "ListRecordings": (self._list, ListRecordingsRequest, ListRecordingsResponse),
            "BatchEnqueueRecordings": (
                self._batch_enqueue,
                BatchEnqueueRecordingsRequest,
                BatchEnqueueRecordingsResponse,
            ),
        }
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(do, asked.FromString, answer.SerializeToString)
            for name, (do, asked, answer) in unary.items()
        }
        handlers["StreamRecording"] = grpc.unary_stream_rpc_method_handler(
            self._stream, StreamRecordingRequest.FromString, StreamRecordingResponse.SerializeToString
        )
        handlers["WatchRecording"] = grpc.unary_stream_rpc_method_handler(
            self._watch, WatchRecordingRequest.FromString, WatchRecordingResponse.SerializeToString
        )
        service = grpc.method_handlers_generic_handler("recordings.v1.RecordingService", handlers)
        self._server.add_generic_rpc_handlers((service,))
        if credentials is None:
            port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self.target = f"127.0.0.1:{port}"
        self._server.start()

    def stop(self) -> None:
        """Ends it, held streams too."""
        self.go_on()
        self._server.stop(None).wait(10)

    def go_on(self) -> None:
        """Lets held streams go on."""
        self.hold_after = None
        self._released.set()

    @property
    def recording(self) -> Recording:
        """The recording as it is now."""
        return Recording(
            account_sid=ACCOUNT_SID,
            recording_sid=RECORDING_SID,
            state=RecordingState.RECORDING_STATE_READY,
            etag=self.etag,
            sha256=self.sha256,
            size_bytes=len(self.media),
            content_type="audio/mpeg",
        )

    def _get(self, request: GetRecordingRequest, context: grpc.ServicerContext) -> GetRecordingResponse:
        """The one recording."""
        self.tokens += [str(value) for key, value in context.invocation_metadata() if key == "authorization"]
        return GetRecordingResponse(recording=self.recording)

    def _watch(self, request: WatchRecordingRequest, context: grpc.ServicerContext) -> Iterator[WatchRecordingResponse]:
        """One look at the recording, whose processing has failed."""
        recording = self.recording
        recording.revision = 1
        recording.processing_state = ProcessingState.PROCESSING_STATE_FAILED
        yield WatchRecordingResponse(recording=recording)

    def _list(self, request: ListRecordingsRequest, context: grpc.ServicerContext) -> ListRecordingsResponse:
        """The one recording, as often as there are to be."""
        return ListRecordingsResponse(recordings=[self.recording] * self.listed)

    def _batch_enqueue(
        self, request: BatchEnqueueRecordingsRequest, context: grpc.ServicerContext
    ) -> BatchEnqueueRecordingsResponse:
        """ENQUEUED each, once it is done with failing."""
        self.batches.append(len(request.requests))
        if self.good_batches:
            self.good_batches -= 1
        elif self.batch_failures:
            self.batch_failures -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        result = BatchEnqueueRecordingsResult(reason=EnqueueReason.ENQUEUE_REASON_ENQUEUED, recording=self.recording)
        return BatchEnqueueRecordingsResponse(results=[result] * len(request.requests))

    def _stream(
        self, request: StreamRecordingRequest, context: grpc.ServicerContext
    ) -> Iterator[StreamRecordingResponse]:
        """The range, if it is of the current version."""
        self.asked.append(request)
        if request.etag not in {"", self.etag}:
            context.abort(grpc.StatusCode.ABORTED, "another version")
        size = len(self.media)
        end = min(request.offset + request.length, size) if request.length else size
        answer = StreamRecordingResponse(
            offset=request.offset,
            recording=self.recording,
            content_range=ContentRange(start=request.offset, end=end, complete_length=size),
        )
        for offset in range(request.offset, end, _CHUNK_BYTES) or (request.offset,):
            if self.hold_after is not None and offset >= self.hold_after:
                self.reached.set()
                if self.abort_with is not None:
                    context.abort(self.abort_with, "not any more")
                self._released.wait(_HOLD_SECONDS)
            answer.offset, answer.data = offset, self.media[offset : min(offset + _CHUNK_BYTES, end)]
            yield answer
            answer = StreamRecordingResponse()
