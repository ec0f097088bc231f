"""A real gRPC server with a recording service whose answers, faults and pace a test decides."""

# ruff: noqa: N802 - methods are named by the contract

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from recordings.v1.deletion_pb2 import DeleteRecordingResponse
from recordings.v1.enqueue_pb2 import (
    BatchEnqueueRecordingsResponse,
    BatchEnqueueRecordingsResult,
    EnqueueReason,
    EnqueueRecordingResponse,
    ReportRecordingUnavailableResponse,
)
from recordings.v1.lookup_pb2 import GetRecordingResponse, ListRecordingsResponse, TranscriptMatch
from recordings.v1.playback_url_pb2 import CreatePlaybackUrlResponse
from recordings.v1.recording_pb2 import Recording, RecordingState
from recordings.v1.recording_service_pb2_grpc import (
    RecordingServiceServicer,
    add_RecordingServiceServicer_to_server,
)
from recordings.v1.results_pb2 import GetTranscriptResponse, GetWaveformResponse
from recordings.v1.stream_pb2 import ContentRange, StreamRecordingRequest, StreamRecordingResponse
from recordings.v1.watch_pb2 import WatchRecordingResponse, WatchRecordingsResponse

ACCOUNT = "AC" + "0a" * 16
RECORDING = "RE" + "1B" * 16
#: Tue, 03 Mar 2026 10:00:00 GMT
READY_SECONDS = 1772532000

#: How long a hanging call hangs at most, in seconds: longer than any test.
HANG_SECONDS = 60.0


class Hang:
    """An answer that doesn't come until the caller gives up or the test ends."""


@dataclass(frozen=True)
class Failure:
    """A status that is not OK, with its details."""

    code: grpc.StatusCode
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    retry_seconds: int | None = None
    fields: Sequence[str] = ()
    #: A further detail.
    detail: Message | None = None

    def end(self, context: grpc.ServicerContext) -> None:
        """End a stream like this."""
        status = self.status()
        context.set_code(self.code)
        context.set_details(status.message)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))

    def status(self) -> status_pb2.Status:
        """The status with its details."""
        status = status_pb2.Status(code=self.code.value[0], message="text with 10.0.0.1:50051 and a secret in it")
        status.details.add().Pack(
            error_details_pb2.ErrorInfo(domain="recording-service", reason=self.reason, metadata=self.metadata)
        )
        if self.retry_seconds is not None:
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=self.retry_seconds)))
        if self.fields:
            bad = error_details_pb2.BadRequest()
            for name in self.fields:
                bad.field_violations.add(field=name, description="is not right")
            status.details.add().Pack(bad)
        if self.detail is not None:
            status.details.add().Pack(self.detail)
        return status


@dataclass
class Cut:
    """What becomes of one stream: after so many of its bytes it ends like this. `None` = with OK, short."""

    after_bytes: int
    how: Failure | Hang | None


@dataclass
class Asked:
    """One call that arrived."""

    method: str
    request: Any
    metadata: dict[str, str]


class FakeRecordings(RecordingServiceServicer, health_pb2_grpc.HealthServicer):
    """Serves `contents`; `answers` overrides what a method says, once for each element, the last one for ever."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self._changed = threading.Condition()
        self._watchers = 0
        #: Grows when all that are open are to end.
        self._watches = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything; whatever hangs goes on."""
        self.released.set()
        self.released = threading.Event()
        self.asked: list[Asked] = []
        self.checked: list[Any] = []
        self.health_metadata: dict[str, Any] = {}
        self.answers: dict[str, list[Any]] = {}
        self.recordings: dict[str, Recording] = {}
        #: What a search shows of recordings, by their SIDs.
        self.said: dict[str, TranscriptMatch] = {}
        #: The SIDs of recordings that no search finds.
        self.silent: set[str] = set()
        self.contents: dict[str, bytes] = {}
        self.waveforms: dict[str, GetWaveformResponse] = {}
        self.transcripts: dict[str, GetTranscriptResponse] = {}
        self.cuts: list[Cut] = []
        #: Sent as they are instead of the content, if there are any.
        self.messages: list[StreamRecordingResponse] = []
        #: The token that callers have to show; empty: none.
        self.token = ""
        self._streams: list[Any] = []
        self._changes: list[Recording] = []
        #: Changes that were given to gRPC for those who watch.
        self.looks_sent = 0
        self.chunk_bytes = 64 * 1024
        #: Between the last chunk of a stream and its end.
        self.linger_seconds = 0.0
        self.chunks_sent = 0
        #: How each stream ended that has: "finished" by itself, or "cancelled".
        self.ended: list[str] = []
        #: The recordings of the watches that have ended, however.
        self.watches_ended: list[str] = []
        #: How each WatchRecording that has sent a look ends.
        self.cut_watches: Failure | None = None
        self.serving: int = health_pb2.HealthCheckResponse.SERVING
        self.health_details: tuple[tuple[str, str], ...] = ()

    def add(self, content: bytes, recording_sid: str = RECORDING, **fields: Any) -> Recording:
        """A READY recording, or what `fields` make of it."""
        recording = Recording(
            account_sid=ACCOUNT,
            recording_sid=recording_sid,
            state=RecordingState.RECORDING_STATE_READY,
            size_bytes=len(content),
            etag="e1",
            content_type="audio/mpeg",
        )
        recording.ready_time.seconds = READY_SECONDS
        for name, value in fields.items():
            if isinstance(value, Message):
                getattr(recording, name).CopyFrom(value)
            else:
                setattr(recording, name, value)
        self.recordings[recording_sid] = recording
        self.contents[recording_sid] = content
        return recording

    def change(self, recording_sid: str, **fields: Any) -> None:
        """Change a recording as the service would: those who watch are told."""
        recording = Recording()
        recording.CopyFrom(self.recordings[recording_sid])
        for name, value in fields.items():
            setattr(recording, name, value)
        recording.revision += 1
        self.tell(recording)

    def tell(self, recording: Recording) -> None:
        """Take a recording as it is now; those who watch are told."""
        with self._changed:
            self.recordings[recording.recording_sid] = recording
            self._changes.append(recording)
            self._changed.notify_all()

    def end_watches(self) -> None:
        """End every WatchRecordings, with OK."""
        with self._changed:
            self._watches += 1
            self._changed.notify_all()

    @property
    def watchers(self) -> int:
        """How many watch now."""
        with self._changed:
            return self._watchers

    def of(self, method: str) -> list[Any]:
        """The requests of every call of a method."""
        return [call.request for call in self.asked if call.method == method]

    def cancel_streams(self) -> None:
        """Cancel every stream, as the service does with those that make no progress."""
        for context in self._streams:
            context.cancel()

    def EnqueueRecording(self, request: Any, context: Any) -> Any:
        return self._answer("EnqueueRecording", request, context, self._enqueued)

    def ReportRecordingUnavailable(self, request: Any, context: Any) -> Any:
        return self._answer(
            "ReportRecordingUnavailable", request, context, lambda _request: ReportRecordingUnavailableResponse()
        )

    def GetRecording(self, request: Any, context: Any) -> Any:
        return self._answer("GetRecording", request, context, self._got)

    def BatchEnqueueRecordings(self, request: Any, context: Any) -> Any:
        return self._answer("BatchEnqueueRecordings", request, context, _batch_enqueued)

    def ListRecordings(self, request: Any, context: Any) -> Any:
        return self._answer("ListRecordings", request, context, self._listed)

    def WatchRecordings(self, request: Any, context: Any) -> Iterator[WatchRecordingsResponse]:
        self._note("WatchRecordings", request, context)
        answer = self._scripted("WatchRecordings", context)
        if isinstance(answer, Hang):
            self._hang(context, self.released)
        elif isinstance(answer, Failure):
            answer.end(context)
        else:
            yield from self._looks(request, context)

    def WatchRecording(self, request: Any, context: Any) -> Iterator[WatchRecordingResponse]:
        """Sends the recording whenever it is another one than before, and ends as the real service does."""
        released, ended = self.released, self.watches_ended
        self._note("WatchRecording", request, context)
        context.add_callback(lambda: ended.append(request.recording_sid))
        answer = self._scripted("WatchRecording", context)
        seen: Recording | None = None
        while answer is None and context.is_active() and not released.is_set():
            recording = self._find(request)
            if recording is None:
                answer = _NOT_FOUND
            elif recording is not seen:
                seen = recording
                yield WatchRecordingResponse(recording=recording)
                if recording.state not in _ON_ITS_WAY:
                    return
            elif self.cut_watches is not None:
                answer = self.cut_watches
            released.wait(0.01)
        if isinstance(answer, Failure):
            answer.end(context)
        elif answer is not None:
            self._hang(context, released)

    def CreatePlaybackUrl(self, request: Any, context: Any) -> Any:
        url = f"https://recordings.example.com/recordings/{request.recording_sid}/stream"
        return self._answer("CreatePlaybackUrl", request, context, lambda _request: CreatePlaybackUrlResponse(url=url))

    def GetWaveform(self, request: Any, context: Any) -> Any:
        return self._answer(
            "GetWaveform", request, context, lambda request: self._made("WAVEFORM", self.waveforms, request)
        )

    def GetTranscript(self, request: Any, context: Any) -> Any:
        return self._answer(
            "GetTranscript", request, context, lambda request: self._made("TRANSCRIPT", self.transcripts, request)
        )

    def DeleteRecording(self, request: Any, context: Any) -> Any:
        return self._answer("DeleteRecording", request, context, self._deleted)

    def StreamRecording(self, request: Any, context: Any) -> Iterator[StreamRecordingResponse]:
        released = self.released
        self._note("StreamRecording", request, context)
        self._streams.append(context)
        finished = False
        # This test's list: the callback of a stream may come during the next one.
        all_ended = self.ended

        def ended() -> None:
            all_ended.append("finished" if finished else "cancelled")

        context.add_callback(ended)
        answer = self._scripted("StreamRecording", context)
        if isinstance(answer, Hang):
            self._hang(context, released)
        elif isinstance(answer, Failure):
            answer.end(context)
        elif answer is not None:
            yield answer
        elif self.messages:
            yield from self.messages
        else:
            yield from self._stream(request, context, released)
            released.wait(self.linger_seconds)
        finished = context.is_active()

    def Check(self, request: Any, context: Any) -> Any:
        self.checked.append(request)
        self.health_metadata = dict(context.invocation_metadata())
        context.set_trailing_metadata(self.health_details)
        return self._answer(
            "Check", request, context, lambda _request: health_pb2.HealthCheckResponse(status=self.serving)
        )

    def _stream(
        self, request: StreamRecordingRequest, context: grpc.ServicerContext, released: threading.Event
    ) -> Iterator[StreamRecordingResponse]:
        recording = self._find(request)
        failure = _refusal(request, recording)
        if failure is not None or recording is None:
            (failure or _NOT_FOUND).end(context)
            return
        content = self.contents[request.recording_sid]
        end = len(content) if not request.length else min(request.offset + request.length, len(content))
        cut = self.cuts.pop(0) if self.cuts else None
        stop = end if cut is None else min(end, request.offset + cut.after_bytes)
        position = request.offset
        first = True
        while first or position < stop:
            data = content[position : min(position + self.chunk_bytes, stop)]
            message = StreamRecordingResponse(data=data, offset=position)
            if first:
                message.recording.CopyFrom(recording)
                message.content_range.CopyFrom(
                    ContentRange(start=request.offset, end=end, complete_length=recording.size_bytes)
                )
            yield message
            self.chunks_sent += 1
            first = False
            position += len(data)
        if cut is not None and isinstance(cut.how, Failure):
            cut.how.end(context)
        elif cut is not None and cut.how is not None:
            self._hang(context, released)

    def _answer(self, method: str, request: Any, context: Any, default: Callable[[Any], Any]) -> Any:
        released = self.released
        if method != "Check":
            self._note(method, request, context)
        answer = self._scripted(method, context)
        if isinstance(answer, Hang):
            self._hang(context, released)
            answer = None
        answer = default(request) if answer is None else answer
        if isinstance(answer, Failure):
            # Trailers only, as the real service: a message would keep the channel from retrying.
            context.abort_with_status(rpc_status.to_status(answer.status()))
        return answer

    def _note(self, method: str, request: Any, context: Any) -> None:
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        self.asked.append(Asked(method, request, metadata))

    def _scripted(self, method: str, context: Any) -> Any:
        if self.token and ("authorization", f"Bearer {self.token}") not in tuple(context.invocation_metadata()):
            return _UNAUTHENTICATED
        answers = self.answers.get(method, [])
        return answers.pop(0) if len(answers) > 1 else answers[0] if answers else None

    def _hang(self, context: Any, released: threading.Event) -> None:
        given_up = threading.Event()
        if context.add_callback(given_up.set):
            while context.is_active() and not released.is_set():
                given_up.wait(0.05)

    def _find(self, request: Any) -> Recording | None:
        recording = self.recordings.get(request.recording_sid)
        if recording is None or request.account_sid not in {"", recording.account_sid}:
            return None
        return recording

    def _looks(self, request: Any, context: Any) -> Iterator[WatchRecordingsResponse]:
        released = self.released
        with self._changed:
            self._watchers += 1
            told = len(self._changes)
            watches = self._watches
        try:
            snapshot = [each for each in self._newest_first() if _matches(request, each)]
            for recording in snapshot[: request.snapshot_size or None]:
                yield WatchRecordingsResponse(recording=recording, matches=True)
            yield WatchRecordingsResponse(snapshot_complete=True)
            while context.is_active() and not released.is_set() and watches == self._watches:
                with self._changed:
                    if len(self._changes) == told:
                        self._changed.wait(timeout=0.05)
                    news, told = self._changes[told:], len(self._changes)
                for recording in news:
                    self.looks_sent += 1
                    yield WatchRecordingsResponse(recording=recording, matches=_matches(request, recording))
        finally:
            with self._changed:
                self._watchers -= 1

    def _listed(self, request: Any) -> ListRecordingsResponse:
        matching = [
            each
            for each in self._newest_first()
            if _matches(request, each) and not (request.words and each.recording_sid in self.silent)
        ]
        start = int(request.page_token or 0)
        end = start + (request.page_size or 50)
        said = [self.said[each.recording_sid] for each in matching[start:end] if each.recording_sid in self.said]
        return ListRecordingsResponse(
            recordings=matching[start:end],
            next_page_token=str(end) if end < len(matching) else "",
            transcript_matches=said if request.words else (),
        )

    def _newest_first(self) -> list[Recording]:
        return sorted(self.recordings.values(), key=lambda each: -each.create_time.ToNanoseconds())

    def _enqueued(self, request: Any) -> EnqueueRecordingResponse:
        return EnqueueRecordingResponse(reason=EnqueueReason.ENQUEUE_REASON_ENQUEUED, recording=self._find(request))

    def _deleted(self, request: Any) -> Any:
        recording = self._find(request)
        if recording is None:
            return DeleteRecordingResponse() if request.allow_missing else _NOT_FOUND
        return DeleteRecordingResponse(recording=recording)

    def _made(self, step: str, results: dict[str, Any], request: Any) -> Any:
        """What a step has made; of a recording that nobody wants processed there is nothing."""
        if self._find(request) is None:
            return _NOT_FOUND
        return results.get(request.recording_sid) or Failure(_PRECONDITION, "STEP_WITHOUT_RESULT", {"step": step})

    def _got(self, request: Any) -> Any:
        recording = self._find(request)
        return _NOT_FOUND if recording is None else GetRecordingResponse(recording=recording)


_UNAUTHENTICATED = Failure(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
_ON_ITS_WAY = (RecordingState.RECORDING_STATE_QUEUED, RecordingState.RECORDING_STATE_DOWNLOADING)
_NOT_FOUND = Failure(grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND")
DELETED = RecordingState.RECORDING_STATE_DELETED
_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


def _batch_enqueued(request: Any) -> BatchEnqueueRecordingsResponse:
    queued = BatchEnqueueRecordingsResult(reason=EnqueueReason.ENQUEUE_REASON_ENQUEUED)
    return BatchEnqueueRecordingsResponse(results=[queued] * len(request.requests))


def _matches(request: Any, recording: Recording) -> bool:
    return (
        (recording.state in request.states if request.states else recording.state != DELETED)
        and (not request.account_sids or recording.account_sid in request.account_sids)
        and (not request.call_sids or recording.call_sid in request.call_sids)
    )


def _refusal(request: StreamRecordingRequest, recording: Recording | None) -> Failure | None:
    """What the real service says to a range that can't be streamed."""
    if recording is None:
        return _NOT_FOUND
    if recording.state == RecordingState.RECORDING_STATE_FAILED:
        return Failure(_PRECONDITION, "RECORDING_FAILED", {"failureReason": "SOURCE_ABSENT"})
    if recording.state != RecordingState.RECORDING_STATE_READY:
        return Failure(_PRECONDITION, "RECORDING_NOT_READY", retry_seconds=2)
    if request.etag not in {"", recording.etag}:
        return Failure(grpc.StatusCode.ABORTED, "ETAG_MISMATCH", {"etag": recording.etag})
    if request.offset > recording.size_bytes:
        return Failure(grpc.StatusCode.OUT_OF_RANGE, "OFFSET_PAST_END", {"sizeBytes": str(recording.size_bytes)})
    return None


class FakeServer:
    """`FakeRecordings` on a free port of loopback; it can be stopped and started again on the same one."""

    def __init__(self) -> None:
        self.recordings = FakeRecordings()
        self.port = 0
        self.start()

    def start(self) -> None:
        """Listen."""
        self._server = grpc.server(
            # Streams of paused players hold one thread each.
            futures.ThreadPoolExecutor(max_workers=32),
            options=[("grpc.so_reuseport", 0)],
        )
        add_RecordingServiceServicer_to_server(self.recordings, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self.recordings, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        """Cut every call and listen no more."""
        # None cancels before it returns, 0 a little later; and what waits would end with OK if it were released before.
        stopped = self._server.stop(None)
        self.recordings.released.set()
        stopped.wait()

    @property
    def target(self) -> str:
        """Where it listens, as gRPC names it."""
        return f"127.0.0.1:{self.port}"
