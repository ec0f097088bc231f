"""The calls that have one answer, and the list, which is made of them."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from recordings._answers import accepted, results_of
from recordings._requests import enqueue_request, playback_url_request, timestamp
from recordings.aio.connection import Connection, Metadata
from recordings.errors import ContractBroken
from recordings.found import FoundRecording, found_in
from recordings.v1.deletion_pb2 import DeleteRecordingRequest
from recordings.v1.enqueue_pb2 import (
    BatchEnqueueRecordingsRequest,
    BatchEnqueueRecordingsResult,
    EncryptionDetails,
    EnqueueRecordingRequest,
    EnqueueRecordingResponse,
    ReportRecordingUnavailableRequest,
    UnavailableReason,
)
from recordings.v1.lookup_pb2 import GetRecordingRequest, ListRecordingsRequest, ListRecordingsResponse
from recordings.v1.playback_url_pb2 import CreatePlaybackUrlResponse
from recordings.v1.recording_pb2 import FailureReason, Priority, Recording, RecordingJob, RecordingState
from recordings.v1.results_pb2 import (
    GetTranscriptRequest,
    GetTranscriptResponse,
    GetWaveformRequest,
    GetWaveformResponse,
)


class Calls(ABC):
    """Part of `RecordingsClient`, which says what all calls have in common."""

    @property
    @abstractmethod
    def _connected(self) -> Connection:
        """What the calls are made on. Raises ClientClosed once it is closed."""

    async def enqueue(
        self,
        recording_sid: str,
        *,
        account_sid: str = "",
        call_sid: str = "",
        conference_sid: str = "",
        source_url: str = "",
        job: RecordingJob = RecordingJob.RECORDING_JOB_UNSPECIFIED,
        priority: Priority = Priority.PRIORITY_UNSPECIFIED,
        source: str = "",
        track: str = "",
        direction: str = "",
        channels: int = 0,
        start_time: datetime | None = None,
        duration: timedelta | None = None,
        from_number: str = "",
        to_number: str = "",
        labels: Mapping[str, str] | None = None,
        encryption_details: EncryptionDetails | None = None,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> EnqueueRecordingResponse:
        """Ask for a recording: ENQUEUED, CACHED or DUPLICATE. Idempotent.

        Raises:
            InvalidRequest, Unauthenticated, PermissionDenied: it can't be asked for like this.
            RecordingDeleted: it was deleted, and stays so.
            EnqueueFailed: any other answer. It is not certain that the recording is queued; asking again is safe.
        """
        request = enqueue_request(
            recording_sid,
            account_sid=account_sid,
            call_sid=call_sid,
            conference_sid=conference_sid,
            source_url=source_url,
            job=job,
            priority=priority,
            source=source,
            track=track,
            direction=direction,
            channels=channels,
            start_time=start_time,
            duration=duration,
            from_number=from_number,
            to_number=to_number,
            labels=labels,
            encryption_details=encryption_details,
        )
        return accepted(await self._connected.enqueue(request, timeout=timeout, metadata=metadata))

    async def batch_enqueue(
        self, requests: Sequence[EnqueueRecordingRequest], *, timeout: float | None = None, metadata: Metadata = ()
    ) -> list[BatchEnqueueRecordingsResult]:
        """Ask for up to 1000 recordings: one result for each, in order; ERROR is one of them. Idempotent.

        Raises:
            EnqueueFailed: a result has a reason that this client does not know.
        """
        asked = BatchEnqueueRecordingsRequest(requests=requests)
        answer = await self._connected.batch_enqueue(asked, timeout=timeout, metadata=metadata)
        return results_of(answer.results, len(asked.requests))

    async def report_unavailable(
        self,
        recording_sid: str,
        reason: UnavailableReason,
        *,
        account_sid: str = "",
        call_sid: str = "",
        error_code: int = 0,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> Recording:
        """Say that Twilio has no such recording; the recording as it is then. Idempotent."""
        request = ReportRecordingUnavailableRequest(
            account_sid=account_sid,
            recording_sid=recording_sid,
            call_sid=call_sid,
            reason=reason,
            error_code=error_code,
        )
        return (await self._connected.report_unavailable(request, timeout=timeout, metadata=metadata)).recording

    async def get(
        self, recording_sid: str, *, account_sid: str = "", timeout: float | None = None, metadata: Metadata = ()
    ) -> Recording:
        """Look a recording up. Raises RecordingNotFound for one that is unknown or deleted."""
        request = GetRecordingRequest(account_sid=account_sid, recording_sid=recording_sid)
        return (await self._connected.get(request, timeout=timeout, metadata=metadata)).recording

    async def list(
        self,
        *,
        states: Iterable[RecordingState] = (),
        failure_reasons: Iterable[FailureReason] = (),
        account_sids: Iterable[str] = (),
        call_sids: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        create_time_from: datetime | None = None,
        create_time_before: datetime | None = None,
        words: str = "",
        page_size: int = 0,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> AsyncGenerator[Recording, None]:
        """Every recording that matches, newest first, a page at a time and only as far as is asked for.

        Values of one filter are alternatives; different filters must all hold. `timeout` is that of a page.

        Parameters:
            words: what is to be said in it; `search` also says where.
        """
        request = ListRecordingsRequest(
            page_size=page_size,
            states=states,
            failure_reasons=failure_reasons,
            account_sids=account_sids,
            call_sids=call_sids,
            labels=labels,
            create_time_from=timestamp("create_time_from", create_time_from),
            create_time_before=timestamp("create_time_before", create_time_before),
            words=words,
        )
        async for page in self._pages(request, timeout, metadata):
            for recording in page.recordings:
                yield recording

    async def search(
        self,
        words: str,
        *,
        states: Iterable[RecordingState] = (),
        account_sids: Iterable[str] = (),
        call_sids: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        create_time_from: datetime | None = None,
        create_time_before: datetime | None = None,
        page_size: int = 0,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> AsyncGenerator[FoundRecording, None]:
        """Every recording in which all of these words are said, and what is said there; in pages, as `list`.

        Parameters:
            words: `"two words"` are a phrase, and `transcri*` is whatever begins like that. Case, accents and
                punctuation do not matter.

        Raises:
            InvalidRequest: there is no word in it, or more than can be searched for.
        """
        request = ListRecordingsRequest(
            page_size=page_size,
            states=states,
            account_sids=account_sids,
            call_sids=call_sids,
            labels=labels,
            create_time_from=timestamp("create_time_from", create_time_from),
            create_time_before=timestamp("create_time_before", create_time_before),
            words=words,
        )
        async for page in self._pages(request, timeout, metadata):
            for found in found_in(page):
                yield found

    async def create_playback_url(
        self,
        recording_sid: str,
        *,
        account_sid: str = "",
        ttl: timedelta | None = None,
        attachment: bool = False,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> CreatePlaybackUrlResponse:
        """Make a URL by which whoever has it may play the recording until it expires.

        Parameters:
            ttl: how long, from a second to 7 days; None: three times the recording's duration, and at least an hour.
            attachment: a browser saves the bytes instead of playing them.
        """
        request = playback_url_request(recording_sid, account_sid=account_sid, ttl=ttl, attachment=attachment)
        return await self._connected.create_playback_url(request, timeout=timeout, metadata=metadata)

    async def waveform(
        self,
        recording_sid: str,
        *,
        account_sid: str = "",
        samples_per_pixel: int = 0,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> GetWaveformResponse:
        """What is seen of a recording's sound: of each pixel, of each channel, the least and the greatest sample.

        Parameters:
            samples_per_pixel: at most so many: of the zooms that there are the coarsest that has no more; 0, or less
                than any has: the finest.

        Raises:
            StepNotDone: it is not drawn yet; `retry_delay` says when to ask again.
            StepWithoutResult: there is none, and none is on its way.
            RecordingNotReady, RecordingFailed: there are no bytes that could be drawn.
        """
        request = GetWaveformRequest(
            account_sid=account_sid, recording_sid=recording_sid, samples_per_pixel=samples_per_pixel
        )
        return await self._connected.waveform(request, timeout=timeout, metadata=metadata)

    async def transcript(
        self, recording_sid: str, *, account_sid: str = "", timeout: float | None = None, metadata: Metadata = ()
    ) -> GetTranscriptResponse:
        """What is said in a recording, by when it begins. One that is too large for a message has no words apart.

        Raises:
            StepNotDone: it is not written down yet; `retry_delay` says when to ask again.
            StepWithoutResult: there is none, and none is on its way.
            RecordingNotReady, RecordingFailed: there are no bytes that could be heard.
        """
        request = GetTranscriptRequest(account_sid=account_sid, recording_sid=recording_sid)
        return await self._connected.transcript(request, timeout=timeout, metadata=metadata)

    async def delete(
        self,
        recording_sid: str,
        *,
        account_sid: str = "",
        allow_missing: bool = False,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> Recording | None:
        """Delete a recording for good: the tombstone, None if it was never known. Idempotent with `allow_missing`.

        Not tried again by gRPC: the answer to the first try could be lost, and the second would say NOT_FOUND.

        Raises:
            RecordingNotFound: there is nothing to delete, and `allow_missing` is not set.
        """
        request = DeleteRecordingRequest(
            account_sid=account_sid, recording_sid=recording_sid, allow_missing=allow_missing
        )
        answer = await self._connected.delete(request, timeout=timeout, metadata=metadata)
        return answer.recording if answer.HasField("recording") else None

    async def _pages(
        self, request: ListRecordingsRequest, timeout: float | None, metadata: Metadata
    ) -> AsyncGenerator[ListRecordingsResponse, None]:
        """The pages from the request's on."""
        while True:
            page = await self._connected.list_page(request, timeout=timeout, metadata=metadata)
            yield page
            if not page.next_page_token:
                return
            if page.next_page_token == request.page_token:
                raise ContractBroken("a page that names itself as the next one")
            request.page_token = page.next_page_token
