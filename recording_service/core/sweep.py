"""The walk over the shelf: READY rows whose object has gone go back to be fetched, and objects find their rows.

What a row has no more use for is removed: remains of uploads, objects that a READY row does not name, objects of the
deleted. Everything else is evidence and stays, or is adopted (`adoption`).

Done in small pieces between the dispatcher's other work; a round over everything begins at a configured interval.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from recording_service.core.adoption import Adoption
from recording_service.core.errors import StorageUnavailable
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import Recording, RecordingKey, RecordingState
from recording_service.core.playback import Shelf
from recording_service.core.ports import Catalogue, Clock, Storage
from recording_service.core.shelf_entries import ShelfEntry, pieces

_log = logging.getLogger(__name__)

#: So many objects out of reach in a row may be the shelf's own trouble.
MOST_UNREADABLE = 5
#: Rows or objects that are looked at in one piece.
PIECE = 200


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """How often, and how careful, in seconds."""

    #: From the end of one round to the beginning of the next.
    interval_seconds: float = 600.0
    #: Nothing younger is removed or adopted: its row may be about to name it.
    orphan_age_seconds: float = 3600.0
    #: Objects to be adopted are read for so long at a time: leases and the election must not wait.
    busy_seconds: float = 0.25


class ShelfSweep:
    """Walks over rows, then over objects. For one thread."""

    def __init__(
        self,
        catalogue: Catalogue,
        storage: Storage,
        clock: Clock,
        settings: SweepSettings = SweepSettings(),
    ) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._clock = clock
        self._settings = settings
        self._shelf = Shelf(catalogue, storage, clock)
        self._adoption = Adoption(catalogue, storage, clock)
        self._round: Iterator[None] = self._walk()
        self._ended_at: float | None = None
        #: How many objects in a row could not be reached just now.
        self._unreadable = 0

    def advance(self) -> None:
        """The next piece of the round, if it is time. CatalogueUnavailable or StorageUnavailable end the round."""
        if self._ended_at is not None:
            if self._clock.monotonic() - self._ended_at < self._settings.interval_seconds:
                return
            self._ended_at, self._round = None, self._walk()
            self._unreadable = 0
        try:
            if next(self._round, self) is self:
                self._ended_at = self._clock.monotonic()
        except BaseException:
            # A generator that has raised is at its end: the next round begins at the interval.
            self._ended_at = self._clock.monotonic()
            raise

    def _walk(self) -> Iterator[None]:
        yield from self._walk_rows()
        yield from self._walk_objects()

    def _walk_rows(self) -> Iterator[None]:
        after: RecordingKey | None = None
        while rows := self._catalogue.stored(PIECE, after):
            for row in rows:
                with self._skipping_unreadable(row.object_key):
                    if self._storage.size(row.object_key) != row.size_bytes:
                        self._shelf.lost(row)
            after = rows[-1].key
            yield

    def _walk_objects(self) -> Iterator[None]:
        self._adoption.begin_round()
        for piece in pieces(self._storage.entries(), PIECE):
            rows = self._catalogue.get_many(list(piece))
            for key, entries in piece.items():
                self._remove_unwanted(entries, rows.get(key))
            yield from self._in_turns(
                step
                for key, entries in piece.items()
                if self._may_be_adopted(entries, rows.get(key))
                for step in self._adoption.adopt([found for found in entries if found.is_object])
            )
            yield

    def _remove_unwanted(self, entries: Sequence[ShelfEntry], row: Recording | None) -> None:
        for found in entries:
            if self._is_at_rest(found) and not _is_wanted(row, found):
                _log.warning("removing an object that no recording names object_key=%s", found.entry.object_key)
                failpoint(Failpoint.SWEEP_BEFORE_ORPHAN_REMOVED)
                with self._skipping_unreadable(found.entry.object_key):
                    self._storage.remove(found.entry.object_key)

    @contextmanager
    def _skipping_unreadable(self, object_key: str) -> Iterator[None]:
        """Goes on with the next object if one is out of reach; after several in a row the shelf itself is looked at."""
        try:
            yield
        except StorageUnavailable:
            self._unreadable += 1
            if self._unreadable >= MOST_UNREADABLE:
                self._storage.check()
                self._unreadable = 0
            _log.warning("an object can't be reached; going on with the next object_key=%s", object_key)
        else:
            self._unreadable = 0

    def _may_be_adopted(self, entries: Sequence[ShelfEntry], row: Recording | None) -> bool:
        """Whether no attempt will fetch the recording, and nothing of it was written just now."""
        will_not_come = row is None or row.state is RecordingState.FAILED
        return will_not_come and all(map(self._is_at_rest, entries))

    def _is_at_rest(self, found: ShelfEntry) -> bool:
        now, age = self._clock.now(), timedelta(seconds=self._settings.orphan_age_seconds)
        # From far in the future: the clock was wrong then, and what it wrote must not stay until that time comes.
        return not now - age <= found.entry.modify_time <= now + age

    def _in_turns(self, steps: Iterable[None]) -> Iterator[None]:
        """Takes small steps, as many at a time as fit between two ticks."""
        begun_at = self._clock.monotonic()
        for _ in steps:
            if self._clock.monotonic() - begun_at >= self._settings.busy_seconds:
                yield
                begun_at = self._clock.monotonic()


def _is_wanted(row: Recording | None, found: ShelfEntry) -> bool:
    """Whether something may come of it yet: bytes stay until their recording is READY with others, or deleted."""
    if not found.is_object:
        return row is not None and row.state is RecordingState.DOWNLOADING and row.attempt == found.bell.attempt
    if row is None or row.state not in (RecordingState.READY, RecordingState.DELETED):
        return True
    return row.object_key == found.entry.object_key
