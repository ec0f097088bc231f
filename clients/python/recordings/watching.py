"""Watches one recording, or events, across streams that end before they should."""

from recordings._connection import Connection, Metadata
from recordings._message_stream import MessageStream
from recordings._resuming_watch import ResumingWatch
from recordings._watched_events import EventPlace
from recordings.errors import ContractBroken
from recordings.options import ClientOptions
from recordings.v1.recording_pb2 import Recording
from recordings.v1.watch_pb2 import (
    WatchRecordingRequest,
    WatchRecordingResponse,
    WatchRecordingsRequest,
    WatchRecordingsResponse,
)


class RecordingWatch(ResumingWatch[WatchRecordingResponse, Recording]):
    """The recording as it is, then after each change: an iterator that ends when the service says so.

    Close it, or use it as a context manager: it has a stream open. It never polls. One thread iterates; any may close.

    Parameters:
        timeout: of the whole watch, in seconds: it goes on in spite of all breaks until then. None: it has no end, and
            gives up once `resume_attempts` streams in a row have brought nothing.

    Raises:
        DeadlineExceeded: the time is over.
        RecordingsError: the service refuses, or can't be reached any more.
    """

    def __init__(
        self,
        connection: Connection,
        request: WatchRecordingRequest,
        options: ClientOptions,
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> None:
        super().__init__(connection, options, timeout)
        self._request = request
        self._metadata = metadata
        self._last_revision: int | None = None

    def _open(self, within: float) -> MessageStream[WatchRecordingResponse]:
        return self._connection.watch(self._request, timeout=within, metadata=self._metadata)

    def _look_of(self, message: WatchRecordingResponse) -> Recording | None:
        if message.recording.revision == self._last_revision:
            return None
        self._last_revision = message.recording.revision
        return message.recording

    def _check_end(self) -> None:
        if self._last_revision is None:
            raise ContractBroken("a watch that ends before its first look")


class EventWatch(ResumingWatch[WatchRecordingsResponse, WatchRecordingsResponse]):
    """Each event after a revision, in order and none left out, whatever breaks: an iterator without an end.

    Without a revision, what matches now comes first (`recording` without `event`), then one message with
    `snapshot_complete`, then the events since. A message with neither says that the feed has moved on. After each
    message, its `after_revision`, if it is not 0, is what to go on after: keep it once the message is dealt with, and
    nothing is missed, and nothing but the last message comes twice, over restarts of either side.

    Close it, or use it as a context manager: it has a stream open. It never polls. One thread iterates; any may close.

    Parameters:
        timeout: of the whole watch, in seconds: it goes on in spite of all breaks until then. None: it has no end, and
            gives up once `resume_attempts` streams in a row could not be had. A quiet one is none of them.

    Raises:
        RevisionLost: events after that revision are not to be had: begin anew, without a revision.
        DeadlineExceeded: the time is over.
        RecordingsError: the service refuses, or can't be reached any more.
    """

    may_be_quiet = True

    def __init__(
        self,
        connection: Connection,
        request: WatchRecordingsRequest,
        options: ClientOptions,
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> None:
        super().__init__(connection, options, timeout)
        self._place = EventPlace(request)
        self._metadata = metadata

    def _open(self, within: float) -> MessageStream[WatchRecordingsResponse]:
        return self._connection.watch_many(self._place.request(), timeout=within, metadata=self._metadata)

    def _look_of(self, message: WatchRecordingsResponse) -> WatchRecordingsResponse | None:
        if self._place.take(message):
            # Changes of the list would come next; events are what is wanted.
            self._give_up()
        return message

    def _check_end(self) -> None:
        raise ContractBroken("a watch of events that ends")
