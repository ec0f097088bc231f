"""The asyncio client. Its twin without asyncio is `recordings.RecordingsClient`."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from types import TracebackType
from typing import Self

from recordings._answers import accepted, ready, results_of
from recordings._channel import channel_credentials
from recordings._defaults import DEFAULTS
from recordings._reading import Range
from recordings._requests import enqueue_request, playback_url_request, timestamp
from recordings.aio.connection import Connection, Metadata
from recordings.aio.reader import AsyncRecordingReader
from recordings.aio.watching import RecordingWatch
from recordings.errors import ClientClosed, ContractBroken
from recordings.options import ClientOptions
from recordings.v1.deletion_pb2 import DeleteRecordingRequest
from recordings.v1.enqueue_pb2 import (
    BatchEnqueueRecordingsRequest,
    BatchEnqueueRecordingsResult,
    EnqueueRecordingRequest,
    EnqueueRecordingResponse,
    ReportRecordingUnavailableRequest,
    UnavailableReason,
)
from recordings.v1.lookup_pb2 import GetRecordingRequest, ListRecordingsRequest
from recordings.v1.playback_url_pb2 import CreatePlaybackUrlResponse
from recordings.v1.recording_pb2 import FailureReason, Priority, Recording, RecordingJob, RecordingState
from recordings.v1.watch_pb2 import WatchRecordingRequest, WatchUntil


class RecordingsClient:
    """Calls the recording service. One client for a program is enough; it connects when it is first used.

    Calls raise `RecordingsError`, and `ClientClosed` once it is closed. Each takes `metadata` of its own, where an
    `authorization` takes the place of the token; those with one answer take a `timeout` in seconds as well (None: the
    client's). Use it in one event loop, and close it there: `async with` does.

    Parameters:
        target: as gRPC names it: `127.0.0.1:50051`, `dns:///…`, `unix:/…`.
        wait_for_ready: calls wait for a service that can't be reached until their timeout, instead of failing once
            gRPC's retries are used up.

    The others are described by `ClientOptions`.

    Raises:
        InvalidOption: an option can't be.
    """

    def __init__(
        self,
        target: str,
        *,
        token: str = "",
        tls: bool | None = None,
        ca_file: str | PathLike[str] | None = None,
        client_certificate_file: str | PathLike[str] | None = None,
        client_key_file: str | PathLike[str] | None = None,
        timeout: float = DEFAULTS.timeout,
        stall_timeout: float = DEFAULTS.stall_timeout,
        resume_attempts: int = DEFAULTS.resume_attempts,
        resume_initial_backoff: float = DEFAULTS.resume_initial_backoff,
        resume_max_backoff: float = DEFAULTS.resume_max_backoff,
        wait_for_ready: bool = False,
    ) -> None:
        self._target = target
        self._options = ClientOptions(
            token=token,
            tls=tls,
            ca_file=ca_file,
            client_certificate_file=client_certificate_file,
            client_key_file=client_key_file,
            timeout=timeout,
            stall_timeout=stall_timeout,
            resume_attempts=resume_attempts,
            resume_initial_backoff=resume_initial_backoff,
            resume_max_backoff=resume_max_backoff,
        )
        self._credentials = channel_credentials(target, self._options)
        self._wait_for_ready = wait_for_ready
        self._connection: Connection | None = None
        self._closed = False

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
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> EnqueueRecordingResponse:
        """Ask for a recording: ENQUEUED, CACHED or DUPLICATE. Idempotent.

        Raises:
            EnqueueFailed: anything else. It is not certain that the recording is queued; asking again is safe.
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
        page_size: int = 0,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> AsyncGenerator[Recording, None]:
        """Every recording that matches, newest first, a page at a time and only as far as is asked for.

        Values of one filter are alternatives; different filters must all hold. `timeout` is that of a page.
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
        )
        while True:
            page = await self._connected.list_page(request, timeout=timeout, metadata=metadata)
            for recording in page.recordings:
                yield recording
            if not page.next_page_token:
                return
            if page.next_page_token == request.page_token:
                raise ContractBroken("a page that names itself as the next one")
            request.page_token = page.next_page_token

    def watch(
        self,
        recording_sid: str,
        *,
        account_sid: str = "",
        until: WatchUntil = WatchUntil.WATCH_UNTIL_READY,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> RecordingWatch:
        """The recording as it is, then after each change, until it is READY (or as asked), FAILED or DELETED.

        Parameters:
            timeout: of the whole watch, in seconds: see `RecordingWatch`.
        """
        request = WatchRecordingRequest(account_sid=account_sid, recording_sid=recording_sid, until=until)
        return RecordingWatch(self._connected, request, self._options, timeout=timeout, metadata=metadata)

    async def wait_until_ready(
        self, recording_sid: str, timeout: float | None, *, account_sid: str = "", metadata: Metadata = ()
    ) -> Recording:
        """Wait until a recording is READY, at most so many seconds (None: for as long as it takes).

        Raises:
            RecordingFailed: it will not come: `failure_reason` says why.
            RecordingNotFound: it is unknown, or was deleted.
            DeadlineExceeded: the time is over. Waiting again is fine.
        """
        async with self.watch(recording_sid, account_sid=account_sid, timeout=timeout, metadata=metadata) as watch:
            async for recording in watch:
                if ready(recording) is not None:
                    return recording
        raise ContractBroken("a watch that ends before the recording is READY")

    def open(
        self,
        recording_sid: str,
        *,
        account_sid: str = "",
        offset: int = 0,
        length: int | None = None,
        etag: str = "",
        wait: bool = False,
        wait_timeout: float | None = None,
        metadata: Metadata = (),
    ) -> AsyncRecordingReader:
        """Open a recording's bytes: a file to read from, and to seek in. Asks for nothing before it is used.

        Parameters:
            offset: where to begin, in bytes.
            length: how many bytes at most; None: to the end.
            etag: of the version to read; empty: the one that is current then.
            wait: a recording that is not READY is waited for first, for `wait_timeout` seconds (None: for as long as
                it takes).

        Raises:
            ValueError: offset or length is negative.
        """
        wanted = Range(recording_sid=recording_sid, account_sid=account_sid, offset=offset, length=length, etag=etag)

        async def prepare() -> None:
            if wait:
                await self.wait_until_ready(recording_sid, wait_timeout, account_sid=account_sid, metadata=metadata)

        return AsyncRecordingReader(self._connected, wanted, self._options, metadata=metadata, prepare=prepare)

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

    async def close(self) -> None:
        """Cancel all that is under way, readers and watches too, and close the channel. Idempotent."""
        self._closed = True
        if self._connection is not None:
            await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def _connected(self) -> Connection:
        """The connection, made where the loop runs: gRPC binds it to that."""
        if self._closed:
            raise ClientClosed("the client is closed")
        if self._connection is None:
            self._connection = Connection(
                self._target, self._credentials, self._options, wait_for_ready=self._wait_for_ready
            )
        return self._connection
