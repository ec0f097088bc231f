"""Copies the shelf onto another one, object by object, while the service goes on.

Objects are immutable and named by attempt: one that is there already, with its row's size, is not copied again. What is
copied is compared with the catalogue that goes with it, so that a copy takes over no damage that is known; and what the
copy has is replaced by bytes only that were proven to be those of its row, for it may be the last whole copy.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from recording_service.core.errors import ObjectMissing, StorageUnavailable
from recording_service.core.model import Recording, RecordingKey, RecordingState
from recording_service.core.ports import RecordingRows, Storage, StoredBytes
from recording_service.core.shelf_entries import pieces

_log = logging.getLogger(__name__)

#: Objects or rows that are looked at in one piece.
PIECE = 200

#: Bytes that are copied at a time.
READ_BYTES = 1 << 20


class TargetUnavailable(Exception):
    """Raised when the other shelf can't be read or written. Its cause says why."""


class _Damaged(Exception):
    """An object can't be copied, because this shelf has not the bytes that it should have."""


class _Unreadable(_Damaged):
    """An object can't be copied, because this shelf does not, or not now, give its bytes."""


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
    #: Objects known by a walk, by the catalogue or by the copy that this shelf could not give now, missing or not.
    unreadable: int = 0
    #: Objects that no row names and that have another size in the copy: which one is whole is not known. Left there.
    differing: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the copy has everything, as far as can be known."""
        return not (self.missing or self.unreadable or self.differing)


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
        #: What could not be copied, so that it is neither tried nor counted twice.
        self._failed: set[str] = set()

    def copy(self) -> ShelfCopied:
        """Copies what is not there yet, and takes away what was deleted. Again does no harm.

        What of this side can't be read is counted and left out, unless nothing of it can be walked over.
        Raises StorageUnavailable or CatalogueUnavailable for this side, TargetUnavailable for the other.
        """
        for piece in pieces(self._source.entries(), PIECE):
            rows = self._rows(list(piece))
            for key, found_of_one in piece.items():
                for found in found_of_one:
                    if found.is_object:
                        self._bring(found.entry.object_key, rows.get(key))
                        self._looked_at()
        with _of_target():
            self._look_over_copy()
        self._look_over_rows()
        return self._report

    def _bring(self, object_key: str, row: Recording | None) -> None:
        """Copies an object unless the copy has it, or its recording is deleted. TargetUnavailable."""
        if row is not None and row.state is RecordingState.DELETED:
            return
        try:
            if row is not None and row.object_key == object_key:
                self._bring_named(row)
            else:
                self._bring_unnamed(object_key)
        except ObjectMissing:
            # Its row has moved on since it was found, and what has taken its place is, or will be, found too.
            _log.debug("an object has gone meanwhile object_key=%s", object_key)
        except _Damaged as damaged:
            self._fail(object_key, damaged)

    def _bring_named(self, row: Recording) -> None:
        """What the row says decides what is whole, here and in the copy, whose size alone is looked at."""
        with _of_target():
            there = self._target.size(row.object_key)
        if there == row.size_bytes:
            self._report.skipped += 1
            return
        with closing(self._opened(row.object_key)) as stored:
            if stored.size_bytes != row.size_bytes:
                raise _Damaged("it has not the size that was downloaded")
            self._transfer(row.object_key, stored, sha256=row.sha256, is_there=there is not None)

    def _bring_unnamed(self, object_key: str) -> None:
        """Nothing says what is whole: what is in the copy stays as it is."""
        with closing(self._opened(object_key)) as stored:
            with _of_target():
                there = self._target.size(object_key)
            if there is None:
                self._transfer(object_key, stored, sha256=None, is_there=False)
            elif there == stored.size_bytes:
                self._report.skipped += 1
            else:
                _log.warning("an object has another size in the copy, and stays there object_key=%s", object_key)
                self._report.differing += 1

    def _transfer(self, object_key: str, stored: StoredBytes, *, sha256: str | None, is_there: bool) -> None:
        digest = hashlib.sha256()
        with _of_target(), self._target.create(object_key) as upload:
            for data in _read(stored):
                upload.write(data)
                digest.update(data)
            if upload.received_bytes != stored.size_bytes:
                raise _Unreadable("it is shorter than it was")
            if sha256 is not None and sha256 != digest.hexdigest():
                raise _Damaged("its bytes are not those that were downloaded")
            if is_there:
                upload.replace()
            else:
                upload.publish()
        self._report.copied += 1
        self._report.copied_bytes += stored.size_bytes

    def _look_over_copy(self) -> None:
        """Takes away remains, and what the catalogue calls DELETED; counts what this shelf does not give any more.

        Only that: a shelf that is empty for want of a mount must not empty its copy.
        """
        for piece in pieces(self._target.entries(), PIECE):
            rows = self._rows(list(piece))
            for key, found_of_one in piece.items():
                row = rows.get(key)
                for found in found_of_one:
                    if not found.is_object or (row is not None and row.state is RecordingState.DELETED):
                        self._target.remove(found.entry.object_key)
                        self._report.removed += 1
                    else:
                        self._require_readable(found.entry.object_key)

    def _require_readable(self, object_key: str) -> None:
        """Counts an object whose folder a walk has left out, though the copy has it."""
        try:
            self._source.size(object_key)
        except StorageUnavailable:
            self._fail(object_key, _Unreadable("it can't be looked at"))

    def _look_over_rows(self) -> None:
        """Counts the READY recordings that the copy has not, but those that have moved on since it was begun.

        What a walk has left out, for its folder can't be read, is tried by its name before.
        """
        if self._catalogue is None or self._live is None:
            return
        after: RecordingKey | None = None
        while rows := self._catalogue.stored(PIECE, after):
            absent = self._absent(rows)
            for row in absent:
                if row.object_key not in self._failed:
                    self._bring(row.object_key, row)
            self._count_missing(self._absent(absent), self._live)
            after = rows[-1].key

    def _count_missing(self, absent: Sequence[Recording], live: RecordingRows) -> None:
        now = live.get_many([row.key for row in absent])
        for row in absent:
            current = now.get(row.key)
            if current is not None and current.object_key == row.object_key:
                _log.warning("a READY recording has no whole object recording_sid=%s", row.recording_sid)
                self._report.missing += 1

    def _absent(self, rows: Sequence[Recording]) -> list[Recording]:
        with _of_target():
            return [row for row in rows if self._target.size(row.object_key) != row.size_bytes]

    def _fail(self, object_key: str, damaged: _Damaged) -> None:
        if object_key in self._failed:
            return
        _log.warning("an object was not copied: %s object_key=%s", damaged, object_key)
        self._failed.add(object_key)
        if isinstance(damaged, _Unreadable):
            self._report.unreadable += 1

    def _opened(self, object_key: str) -> StoredBytes:
        try:
            return self._source.open(object_key)
        except StorageUnavailable as error:
            raise _Unreadable("it can't be read") from error

    def _rows(self, keys: Sequence[RecordingKey]) -> Mapping[RecordingKey, Recording]:
        return {} if self._catalogue is None else self._catalogue.get_many(keys)


def _read(stored: StoredBytes) -> Iterator[bytes]:
    """The bytes of an object of this shelf, in pieces."""
    offset = 0
    while True:
        try:
            data = stored.read_at(offset, READ_BYTES)
        except StorageUnavailable as error:
            raise _Unreadable("it can't be read") from error
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
