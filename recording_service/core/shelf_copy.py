"""Copies the shelf onto another one, object by object, while the service goes on.

Objects are immutable and named by attempt: one that is there already, with the same size, is not copied again. What is
copied is compared with the catalogue that goes with it, so that a copy takes over no damage that is known.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice

from recording_service.core.errors import ObjectMissing, StorageUnavailable
from recording_service.core.model import Recording, RecordingKey, RecordingState
from recording_service.core.ports import ObjectEntry, RecordingRows, Storage, StoredBytes

_log = logging.getLogger(__name__)

#: Objects or rows that are looked at in one piece.
PIECE = 200

#: Bytes that are copied at a time.
READ_BYTES = 1 << 20


class TargetUnavailable(Exception):
    """Raised when the other shelf can't be read or written. Its cause says why."""


class _Damaged(Exception):
    """An object can't be copied, because this shelf has not, or not now, the bytes that it should have."""


@dataclass(slots=True)
class ShelfCopied:
    """What became of the objects."""

    copied: int = 0
    copied_bytes: int = 0
    #: Were there already.
    skipped: int = 0
    #: Were taken from the copy: objects of deleted recordings, and the remains of a copy that was cut short.
    removed: int = 0
    #: READY recordings whose object is not in the copy: it is gone, unreadable or damaged on the shelf.
    missing: int = 0


class ShelfCopier:
    """One copying. For one thread, and the only one that writes to `target` meanwhile."""

    def __init__(
        self,
        source: Storage,
        target: Storage,
        *,
        catalogue: RecordingRows | None,
        live: RecordingRows | None,
        looked_at: Callable[[], None],
    ) -> None:
        """`catalogue` goes with the copy, `live` has gone on; None where the catalogue is not copied.

        `looked_at` is called for each object.
        """
        self._source = source
        self._target = target
        self._catalogue = catalogue
        self._live = live
        self._looked_at = looked_at
        self._report = ShelfCopied()

    def copy(self) -> ShelfCopied:
        """Copies what is not there yet, and takes away what was deleted. Again does no harm.

        Raises StorageUnavailable or CatalogueUnavailable for this side, TargetUnavailable for the other.
        """
        for piece in _pieces(self._source.entries()):
            objects = [object_key for object_key in piece if not _is_remains(object_key)]
            rows = self._rows(objects)
            for object_key in objects:
                self._bring(object_key, rows.get(_key_of(object_key)))
                self._looked_at()
        with _of_target():
            self._take_away_deleted()
        self._count_missing()
        return self._report

    def _bring(self, object_key: str, row: Recording | None) -> None:
        if row is not None and row.state is RecordingState.DELETED:
            return
        try:
            with closing(self._opened(object_key)) as stored, _of_target():
                if self._target.size(object_key) == stored.size_bytes:
                    self._report.skipped += 1
                    return
                # What is there is no whole object, and nothing that is there is ever replaced.
                self._target.remove(object_key)
                self._transfer(object_key, stored, row)
        except ObjectMissing:
            # Its row has moved on since the walk found it, and what has taken its place is, or will be, found too.
            _log.debug("an object has gone meanwhile object_key=%s", object_key)
        except _Damaged as damaged:
            _log.warning("an object was not copied: %s object_key=%s", damaged, object_key)

    def _transfer(self, object_key: str, stored: StoredBytes, row: Recording | None) -> None:
        digest = hashlib.sha256()
        with self._target.create(object_key) as upload:
            for data in _read(stored):
                upload.write(data)
                digest.update(data)
            if upload.received_bytes != stored.size_bytes:
                raise _Damaged("it is shorter than it was")
            if row is not None and row.object_key == object_key and row.sha256 != digest.hexdigest():
                raise _Damaged("its bytes are not those that were downloaded")
            upload.publish()
        self._report.copied += 1
        self._report.copied_bytes += stored.size_bytes

    def _take_away_deleted(self) -> None:
        """Only what the catalogue calls DELETED: a shelf that is empty for want of a mount must not empty its copy."""
        for piece in _pieces(self._target.entries()):
            rows = self._rows(piece)
            for object_key in piece:
                row = rows.get(_key_of(object_key))
                if _is_remains(object_key) or (row is not None and row.state is RecordingState.DELETED):
                    self._target.remove(object_key)
                    self._report.removed += 1

    def _count_missing(self) -> None:
        """Counts the READY recordings that the copy has not, but those that have moved on since it was begun."""
        if self._catalogue is None or self._live is None:
            return
        after: RecordingKey | None = None
        while rows := self._catalogue.stored(PIECE, after):
            with _of_target():
                absent = [row for row in rows if self._target.size(row.object_key) != row.size_bytes]
            now = self._live.get_many([row.key for row in absent])
            for row in absent:
                current = now.get(row.key)
                if current is not None and current.object_key == row.object_key:
                    _log.warning("a READY recording has no whole object recording_sid=%s", row.recording_sid)
                    self._report.missing += 1
            after = rows[-1].key

    def _opened(self, object_key: str) -> StoredBytes:
        try:
            return self._source.open(object_key)
        except StorageUnavailable as error:
            raise _Damaged("it can't be read") from error

    def _rows(self, object_keys: Sequence[str]) -> Mapping[RecordingKey, Recording]:
        if self._catalogue is None:
            return {}
        return self._catalogue.get_many(list({_key_of(object_key) for object_key in object_keys}))


def _pieces(entries: Iterator[ObjectEntry]) -> Iterator[list[str]]:
    while piece := [entry.object_key for entry in islice(entries, PIECE)]:
        yield piece


def _read(stored: StoredBytes) -> Iterator[bytes]:
    """The bytes of an object of this shelf, in pieces."""
    offset = 0
    while True:
        try:
            data = stored.read_at(offset, READ_BYTES)
        except StorageUnavailable as error:
            raise _Damaged("it can't be read") from error
        if not data:
            return
        yield data
        offset += len(data)


@contextmanager
def _of_target() -> Iterator[None]:
    """What can't be done here can't be done on the other shelf."""
    try:
        yield
    except StorageUnavailable as error:
        raise TargetUnavailable from error


def _key_of(object_key: str) -> RecordingKey:
    account_sid, recording_sid, _ = object_key.split("/")
    return RecordingKey(account_sid, recording_sid)


def _is_remains(object_key: str) -> bool:
    """Whether it is an upload that was not, or not yet, finished (`ports.ObjectEntry`)."""
    return object_key.rpartition("/")[2].startswith(".")
