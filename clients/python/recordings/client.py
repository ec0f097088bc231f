"""The synchronous client. Its twin for asyncio is `recordings.aio.RecordingsClient`."""

import io
from collections.abc import Iterable
from os import PathLike
from types import TracebackType
from typing import Final, Self

from recordings._answers import ready
from recordings._calls import Calls
from recordings._channel import channel_credentials
from recordings._connection import Connection, Metadata
from recordings._defaults import DEFAULTS
from recordings._reading import Range
from recordings.errors import ContractBroken
from recordings.options import ClientOptions
from recordings.reader import RecordingReader
from recordings.v1.recording_pb2 import Recording, RecordingState
from recordings.v1.watch_pb2 import WatchRecordingRequest, WatchRecordingsRequest, WatchUntil
from recordings.watching import EventWatch, RecordingWatch

#: Of the buffer of a reader, in bytes: the size of the first messages.
BUFFER_BYTES: Final = 64 * 1024


class RecordingsClient(Calls):
    """Calls the recording service. One client for a program is enough; it connects when it is first used.

    Calls raise `RecordingsError`, and `ClientClosed` once it is closed. Each takes `metadata` of its own, where an
    `authorization` takes the place of the token; those with one answer take a `timeout` in seconds as well (None: the
    client's). Threads may share it; close it, or use it as a context manager. One that was made before a fork works in
    the parent alone.

    Parameters:
        target: as gRPC names it: `127.0.0.1:50051`, `dns:///…`, `unix:/…`.

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
    ) -> None:
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
        self._connection = Connection(target, channel_credentials(target, self._options), self._options)

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
        return RecordingWatch(self._connection, request, self._options, timeout=timeout, metadata=metadata)

    def watch_events(
        self,
        *,
        after_revision: int | None = None,
        states: Iterable[RecordingState] = (),
        account_sids: Iterable[str] = (),
        call_sids: Iterable[str] = (),
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> EventWatch:
        """Each event (READY, FAILED, DELETED), in order and none left out, over breaks and restarts of either side.

        Values of one filter are alternatives; different filters must all hold.

        Parameters:
            after_revision: the `after_revision` of the last message that was dealt with; None: what matches now comes
                first, and then the events since.
            states: that recordings had at the event.
            timeout: of the whole watch, in seconds: see `EventWatch`.
        """
        request = WatchRecordingsRequest(
            after_revision=after_revision, states=states, account_sids=account_sids, call_sids=call_sids
        )
        return EventWatch(self._connection, request, self._options, timeout=timeout, metadata=metadata)

    def wait_until_ready(
        self, recording_sid: str, timeout: float | None, *, account_sid: str = "", metadata: Metadata = ()
    ) -> Recording:
        """Wait until a recording is READY, at most so many seconds (None: for as long as it takes).

        Raises:
            RecordingFailed: it will not come: `failure_reason` says why.
            RecordingNotFound: it is unknown, or was deleted.
            DeadlineExceeded: the time is over. Waiting again is fine.
        """
        with self.watch(recording_sid, account_sid=account_sid, timeout=timeout, metadata=metadata) as watch:
            for recording in watch:
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
        buffer_size: int = BUFFER_BYTES,
        metadata: Metadata = (),
    ) -> io.BufferedReader:
        """Open a recording's bytes: a file to read from, and to seek in. Its `raw` is the `RecordingReader`.

        Parameters:
            offset: where to begin, in bytes.
            length: how many bytes at most; None: to the end.
            etag: of the version to read; empty: the one that is current now.
            wait: a recording that is not READY is waited for first, for `wait_timeout` seconds (None: for as long as
                it takes).
            buffer_size: of the buffer, in bytes. Larger reads go past it.

        Raises:
            ValueError: offset or length is negative.
            RecordingsError: it can't be read, or not now.
        """
        wanted = Range(recording_sid=recording_sid, account_sid=account_sid, offset=offset, length=length, etag=etag)
        if wait:
            self.wait_until_ready(recording_sid, wait_timeout, account_sid=account_sid, metadata=metadata)
        reader = RecordingReader(self._connection, wanted, self._options, metadata=metadata)
        return io.BufferedReader(reader, buffer_size)

    def close(self) -> None:
        """Cancel all that is under way, readers and watches too, and close the channel. Idempotent."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _connected(self) -> Connection:
        return self._connection
