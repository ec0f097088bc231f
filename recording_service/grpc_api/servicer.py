"""The methods of the contract: each hands one use case what it asks for, and its result back."""

from collections.abc import Callable, Iterator
from contextlib import closing

from recording_service.core.callers import Scope
from recording_service.core.errors import EnqueueFailed
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import RecordingFilter
from recording_service.core.requests import RequestChecker, Target
from recording_service.core.service import RecordingService
from recording_service.grpc_api import playback_urls, requests
from recording_service.grpc_api.access import admitted_caller
from recording_service.grpc_api.batches import enqueue_batch, enqueue_error, succeeded
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.conversion import (
    MAX_RESPONSE_BYTES,
    enqueue_response,
    failed_enqueue_response,
    fill_event,
    fill_recording,
    keep_essentials,
)
from recording_service.grpc_api.edge import refuse, streaming, unary
from recording_service.grpc_api.frames import Chunk
from recording_service.grpc_api.processing import transcript_response, waveform_response
from recording_service.grpc_api.searching import fill_match
from recording_service.grpc_api.streams import RecordingStreams, Written
from recording_service.grpc_api.watches import RecordingWatches
from recording_service.signed_urls import UrlSigner
from recordings.v1 import (
    deletion_pb2,
    enqueue_pb2,
    lookup_pb2,
    playback_url_pb2,
    recording_pb2,
    results_pb2,
    stream_pb2,
    watch_pb2,
)

#: Samples a pixel that every waveform has fewer of.
COARSEST = 2**31 - 1
#: What no recording matches.
_NOTHING = RecordingFilter(account_sids=frozenset({""}))


def _keep_what_may_be_read(message: recording_pb2.Recording) -> None:
    """Leaves out of an answer to an enqueue what only whoever may read is to see of a recording that was there."""
    if Scope.READ not in admitted_caller().scopes:
        keep_essentials(message)


class RecordingServicer:
    """The recording service as gRPC sees it; `methods` finds each method by its name in the contract."""

    def __init__(
        self,
        service: RecordingService,
        checker: RequestChecker,
        signer: UrlSigner,
        streams: RecordingStreams,
        watches: RecordingWatches,
    ) -> None:
        self._service = service
        self._checker = checker
        self._signer = signer
        self._streams = streams
        self._watches = watches

    @unary
    def EnqueueRecording(  # noqa: N802
        self, request: enqueue_pb2.EnqueueRecordingRequest, call: Call
    ) -> enqueue_pb2.EnqueueRecordingResponse:
        """Asks for a recording. Where that fails, the response (reason ERROR) is returned, and in the status too."""
        try:
            failpoint(Failpoint.ENQUEUE_REQUEST_READ)
            wish = requests.enqueue_request(request, self._checker, call.request_id)
            admitted_caller().require_account(wish.key.account_sid)
            result = succeeded(self._service.enqueue(wish))
            failpoint(Failpoint.ENQUEUE_BEFORE_ANSWER)
        except Exception as raised:
            error = enqueue_error(raised)
            failed = failed_enqueue_response(error.recording if isinstance(error, EnqueueFailed) else None)
            refuse(call, error, failed)
            return failed
        response = enqueue_response(result.reason, result.recording)
        _keep_what_may_be_read(response.recording)
        return response

    @unary
    def BatchEnqueueRecordings(  # noqa: N802
        self, request: enqueue_pb2.BatchEnqueueRecordingsRequest, call: Call
    ) -> enqueue_pb2.BatchEnqueueRecordingsResponse:
        """Asks for many recordings."""
        try:
            failpoint(Failpoint.ENQUEUE_REQUEST_READ)
            response = enqueue_batch(request, self._service, self._checker, call, admitted_caller())
            failpoint(Failpoint.ENQUEUE_BEFORE_ANSWER)
            return response
        except Exception as raised:
            error = enqueue_error(raised)
            raise error from error.__cause__

    @unary
    def ReportRecordingUnavailable(  # noqa: N802
        self, request: enqueue_pb2.ReportRecordingUnavailableRequest, call: Call
    ) -> enqueue_pb2.ReportRecordingUnavailableResponse:
        """Says that Twilio has no such recording."""
        report = requests.unavailable_report(request, self._checker, call.request_id)
        admitted_caller().require_account(report.key.account_sid)
        response = enqueue_pb2.ReportRecordingUnavailableResponse()
        fill_recording(response.recording, self._service.report_unavailable(report))
        _keep_what_may_be_read(response.recording)
        return response

    @unary
    def GetRecording(  # noqa: N802
        self, request: lookup_pb2.GetRecordingRequest, call: Call
    ) -> lookup_pb2.GetRecordingResponse:
        """Looks one recording up."""
        response = lookup_pb2.GetRecordingResponse()
        fill_recording(response.recording, self._service.get(self._target(request)))
        return response

    @unary
    def ListRecordings(  # noqa: N802
        self, request: lookup_pb2.ListRecordingsRequest, call: Call
    ) -> lookup_pb2.ListRecordingsResponse:
        """Lists recordings. A page that would be larger than clients accept is a shorter one (AIP-158 allows it)."""
        matching = admitted_caller().narrowed(requests.recording_filter(request))
        if matching is None:
            return lookup_pb2.ListRecordingsResponse()
        size = request.page_size
        while True:
            page = self._service.list(matching, size, request.page_token)
            response = lookup_pb2.ListRecordingsResponse(next_page_token=page.next_page_token)
            for recording in page.recordings:
                fill_recording(response.recordings.add(), recording)
                if recording.key in page.snippets:
                    fill_match(response.transcript_matches.add(), recording.key, page.snippets[recording.key])
            if response.ByteSize() <= MAX_RESPONSE_BYTES or len(page.recordings) == 1:
                return response
            size = len(page.recordings) // 2

    @streaming("WatchRecording")
    def WatchRecording(  # noqa: N802
        self, request: watch_pb2.WatchRecordingRequest, call: Call
    ) -> Iterator[watch_pb2.WatchRecordingResponse]:
        """Watches one recording."""
        target, until = requests.watch_request(request, self._checker, admitted_caller())
        with closing(self._watches.looks(lambda: self._service.watch(target, until), call)) as looks:
            for recording in looks:
                response = watch_pb2.WatchRecordingResponse()
                fill_recording(response.recording, recording)
                yield response

    @streaming("WatchRecordings")
    def WatchRecordings(  # noqa: N802
        self, request: watch_pb2.WatchRecordingsRequest, call: Call
    ) -> Iterator[watch_pb2.WatchRecordingsResponse]:
        """Watches many recordings, or the events of them."""
        asked, snapshot_size = requests.list_watch_request(request)
        # Where nothing is left: an empty list that stays empty, as that of an account without recordings.
        matching = admitted_caller().narrowed(asked) or _NOTHING
        if request.HasField("after_revision"):
            yield from self._watch_events(matching, request.after_revision, call)
            return
        with closing(self._watches.looks(lambda: self._service.watch_many(matching, snapshot_size), call)) as looks:
            for look in looks:
                response = watch_pb2.WatchRecordingsResponse(
                    matches=look.matches, snapshot_complete=look.snapshot_complete, after_revision=look.feed_revision
                )
                if look.recording is not None:
                    fill_recording(response.recording, look.recording)
                yield response

    def _watch_events(
        self, matching: RecordingFilter, after_revision: int, call: Call
    ) -> Iterator[watch_pb2.WatchRecordingsResponse]:
        with closing(self._watches.looks(lambda: self._service.watch_events(matching, after_revision), call)) as looks:
            for look in looks:
                response = watch_pb2.WatchRecordingsResponse(matches=look.matches, after_revision=look.revision)
                if look.event is not None:
                    fill_event(response.event, look.event)
                if look.recording is not None:
                    fill_recording(response.recording, look.recording)
                yield response

    @streaming("StreamRecording")
    def stream_frames(self, request: stream_pb2.StreamRecordingRequest, call: Call) -> Iterator[bytes]:
        """StreamRecording as it goes over the wire: messages that are serialized already."""
        yield from self._stream(request, call, Chunk.frame)

    @streaming("StreamRecording")
    def StreamRecording(  # noqa: N802
        self, request: stream_pb2.StreamRecordingRequest, call: Call
    ) -> Iterator[stream_pb2.StreamRecordingResponse]:
        """Sends a range of the recording's bytes, as messages: for callers in the same process, and grpcio-testing."""
        yield from self._stream(request, call, Chunk.message)

    def _stream(
        self, request: stream_pb2.StreamRecordingRequest, call: Call, write: Callable[[Chunk], Written]
    ) -> Iterator[Written]:
        target = self._target(request)
        yield from self._streams.written(
            lambda: self._service.open_range(target, request.offset, request.length, request.etag), call, write
        )

    @unary
    def CreatePlaybackUrl(  # noqa: N802
        self, request: playback_url_pb2.CreatePlaybackUrlRequest, call: Call
    ) -> playback_url_pb2.CreatePlaybackUrlResponse:
        """Makes a URL that plays one recording for a while."""
        playback_urls.check(request)
        return playback_urls.playback_url(request, self._service.get(self._target(request)), self._signer)

    @unary
    def GetWaveform(  # noqa: N802
        self, request: results_pb2.GetWaveformRequest, call: Call
    ) -> results_pb2.GetWaveformResponse:
        """What is seen of a recording's sound. One that is larger than clients accept is the next coarser one."""
        target, samples_per_pixel = self._target(request), request.samples_per_pixel
        recording, level = self._service.waveform(target, samples_per_pixel)
        if len(level.peaks) > MAX_RESPONSE_BYTES:
            recording, level = self._service.waveform(target, COARSEST)
        return waveform_response(recording, level)

    @unary
    def GetTranscript(  # noqa: N802
        self, request: results_pb2.GetTranscriptRequest, call: Call
    ) -> results_pb2.GetTranscriptResponse:
        """What is said in a recording."""
        response = transcript_response(*self._service.transcript(self._target(request)))
        if response.ByteSize() > MAX_RESPONSE_BYTES:
            # The words are most of it.
            for segment in response.segments:
                segment.ClearField("words")
        return response

    @unary
    def DeleteRecording(  # noqa: N802
        self, request: deletion_pb2.DeleteRecordingRequest, call: Call
    ) -> deletion_pb2.DeleteRecordingResponse:
        """Deletes a recording."""
        recording = self._service.delete(self._target(request), request.allow_missing)
        response = deletion_pb2.DeleteRecordingResponse()
        if recording is not None:
            fill_recording(response.recording, recording)
        return response

    def _target(self, request: requests.TargetRequest) -> Target:
        return requests.target(request, self._checker, admitted_caller())
