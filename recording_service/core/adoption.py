"""Objects without a row that names them: read, recognised, and adopted where nothing speaks against it.

A catalogue that was restored from yesterday does not know today's recordings, and a recording that could not be fetched
again may have lain on the shelf all the time. Twilio may have them no more, so the shelf's bytes are the only ones.
Nothing is ever removed here.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

from recording_service.core import transitions
from recording_service.core.audio import Audio, recognise
from recording_service.core.errors import ObjectMissing, StorageUnavailable
from recording_service.core.model import Recording, RecordingState, StoredObject
from recording_service.core.object_digest import PIECE_BYTES, ObjectDigest
from recording_service.core.ports import Amended, Catalogue, Clock, ObjectEntry, Storage
from recording_service.core.shelf_entries import ShelfEntry

_log = logging.getLogger(__name__)


class _Found(NamedTuple):
    """What an object turned out to be; None if it is no audio."""

    stored: StoredObject
    audio: Audio | None


class Adoption:
    """Makes recordings READY with what the shelf has of them. For one thread. Idempotent.

    Every change is decided on by `transitions.adopted` with the row as it is then: whoever enqueues, downloads or
    deletes the recording meanwhile wins.
    """

    def __init__(self, catalogue: Catalogue, storage: Storage, clock: Clock) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._clock = clock
        #: What was read in the last round and in this one, and could not be adopted: not to be read each time.
        self._refused_before: dict[ObjectEntry, _Found] = {}
        self._refused: dict[ObjectEntry, _Found] = {}

    def begin_round(self) -> None:
        """Forgets objects that the last round did not meet."""
        self._refused_before, self._refused = self._refused, {}

    def adopt(self, orphans: Sequence[ShelfEntry]) -> Iterator[None]:
        """Adopts the latest object of one recording for which that may be done; yields after each small step.

        Raises CatalogueUnavailable. What has an object that can't be read is left for the next round.
        """
        for orphan in sorted(orphans, key=lambda orphan: orphan.bell.attempt, reverse=True):
            try:
                found = self._refused_before.get(orphan.entry) or (yield from self._read(orphan))
            except StorageUnavailable:
                # An older one in its place would have it removed.
                _log.warning(
                    "an object without a recording can't be read; trying again later recording_sid=%s object_key=%s",
                    orphan.bell.recording_sid,
                    orphan.entry.object_key,
                )
                return
            if found is None:
                continue
            row, changed = self._decide(orphan, found)
            if changed or (row is not None and row.state is not RecordingState.FAILED):
                return
            self._refused[orphan.entry] = found
            _log.warning(
                "an object without a recording is kept, but not adopted: %s recording_sid=%s object_key=%s",
                "its bytes are not those that the recording had" if found.audio else "it is not audio",
                orphan.bell.recording_sid,
                orphan.entry.object_key,
            )
            yield

    def _read(self, orphan: ShelfEntry) -> Generator[None, None, _Found | None]:
        """What the object is; None if it is gone. Raises StorageUnavailable."""
        digest = ObjectDigest(self._storage, orphan.entry.object_key)
        try:
            while not digest.is_at_end:
                digest.read(PIECE_BYTES)
                yield
        except ObjectMissing:
            return None
        stored = StoredObject(digest.object_key, digest.read_bytes, digest.sha256)
        return _Found(stored, recognise(digest.head))

    def _decide(self, orphan: ShelfEntry, found: _Found) -> Amended:
        """The row as it is now, and whether it has been made READY with the object."""
        key, now = orphan.bell.key, self._clock.now()

        def decide(row: Recording | None) -> Recording | None:
            if found.audio is None:
                return None
            return transitions.adopted(row, orphan.bell, found.stored, found.audio, now)

        amended = self._catalogue.amend([(key, decide)])[0]
        if amended.changed:
            _log.warning(
                "adopted an object that no recording named size_bytes=%d recording_sid=%s object_key=%s",
                found.stored.size_bytes,
                key.recording_sid,
                found.stored.object_key,
            )
        return amended
