"""Opening a range of a stored recording: everything is checked before the first byte, and every byte is counted."""

import logging

from recording_service.core import transitions
from recording_service.core.errors import (
    EtagMismatch,
    ObjectMissing,
    RecordingFailed,
    RecordingNotFound,
    RecordingNotReady,
    RecordingTruncated,
)
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import FailureReason, Recording, RecordingState
from recording_service.core.ports import Catalogue, Clock, Storage, StoredBytes
from recording_service.core.ranges import ByteRange, check_range, resolve_range

#: When a caller whose recording is on its way may look again, in seconds.
NOT_READY_RETRY_SECONDS = 2.0

#: Looked up once: in Python 3.11 that takes three times as long as a failpoint that is off.
_CHUNK_READ = Failpoint.STREAM_CHUNK_READ

_log = logging.getLogger(__name__)


class OpenRange:
    """A range of a stored recording, open for reading. For one thread; the opener closes it."""

    def __init__(self, shelf: "Shelf", recording: Recording, stored: StoredBytes, byte_range: ByteRange) -> None:
        self.recording = recording
        self.start, self.end, self.complete_length = byte_range
        self._shelf = shelf
        self._stored = stored
        self._position = byte_range.start

    @property
    def remaining(self) -> int:
        """How many promised bytes are still to be read."""
        return self.end - self._position

    def read(self, size: int) -> bytes:
        """The next bytes: at most `size`, at most what remains, and at least one unless nothing remains.

        Raises RecordingTruncated where the shelf has fewer than were promised (the recording then goes back to be
        fetched), StorageUnavailable if it can't be read.
        """
        size = min(size, self.remaining)
        if size <= 0:
            return b""
        data = self._stored.read_at(self._position, size)
        if not data:
            raise self._shelf.lost(self.recording)
        self._position += len(data)
        failpoint(_CHUNK_READ)
        return data

    def close(self) -> None:
        """Lets the object go. Idempotent."""
        self._stored.close()


class Shelf:
    """Opens what is stored, and sends back to be fetched what is not."""

    def __init__(self, catalogue: Catalogue, storage: Storage, clock: Clock) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._clock = clock

    def open_range(self, recording: Recording, offset: int, length: int, etag: str) -> OpenRange:
        """Opens a range, having checked all that can be checked.

        Raises InvalidRequest, RecordingNotReady, RecordingFailed, EtagMismatch, OffsetPastEnd, RecordingTruncated (the
        object is missing or has another size; the recording goes back to be fetched), StorageUnavailable.
        """
        check_range(offset, length)
        size_bytes = _stored_size(recording)
        if etag and etag != recording.etag:
            raise EtagMismatch(recording.recording_sid, recording.etag)
        byte_range = resolve_range(offset, length, size_bytes)
        try:
            stored = self._storage.open(recording.object_key)
        except ObjectMissing as error:
            raise self.lost(recording) from error
        if stored.size_bytes != size_bytes:
            stored.close()
            raise self.lost(recording)
        return OpenRange(self, recording, stored, byte_range)

    def looked_at(self, recording: Recording) -> Recording | None:
        """The recording as catalogue and shelf have it: one whose object is gone or short goes back to be fetched.

        None, or DELETED, if it was deleted meanwhile. Raises CatalogueUnavailable, StorageUnavailable.
        """
        found: Recording | None = recording
        while found is not None and found.state is RecordingState.READY:
            if self._storage.size(found.object_key) == found.size_bytes:
                break
            self.lost(found)
            found = self._catalogue.get(found.key)
        return found

    def lost(self, recording: Recording, *, is_damaged: bool = False) -> RecordingTruncated | RecordingNotFound:
        """Sends a recording whose object is not whole back to be fetched; the error to raise. Idempotent.

        `is_damaged`: its bytes are other ones than they were, and what steps have made of them is not to be kept.

        One that was deleted meanwhile has no bytes to be whole, and is not fetched again. Raises CatalogueUnavailable
        if that can't be noted: the dispatcher's walk over the shelf then finds it.
        """
        failpoint(Failpoint.SHELF_BEFORE_REFETCH)
        now = self._clock.now()
        object_key = recording.object_key
        row, changed = self._catalogue.amend(
            [(recording.key, lambda row: transitions.refetched(row, object_key, now, is_damaged=is_damaged))]
        )[0]
        if row is None or row.state is RecordingState.DELETED:
            return RecordingNotFound(recording.recording_sid)
        if changed:
            _log.warning(
                "a stored object is lost, short or damaged; fetching it again recording_sid=%s", recording.recording_sid
            )
        return RecordingTruncated(recording.recording_sid)


def _stored_size(recording: Recording) -> int:
    """The size of a READY recording; otherwise the error that says how far it is."""
    if recording.state is RecordingState.FAILED:
        reason = recording.failure_reason or FailureReason.SOURCE_UNAVAILABLE
        raise RecordingFailed(recording.recording_sid, reason)
    if recording.state is not RecordingState.READY or recording.size_bytes is None:
        raise RecordingNotReady(recording.recording_sid, recording.state, NOT_READY_RETRY_SECONDS)
    return recording.size_bytes
