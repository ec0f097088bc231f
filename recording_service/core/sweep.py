"""The walk over the shelf: READY rows whose object has gone go back to be fetched, and what no row names is removed.

Done in small pieces between the dispatcher's other work; a round over everything begins at a configured interval.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import Recording, RecordingKey, RecordingState
from recording_service.core.playback import Shelf
from recording_service.core.ports import Catalogue, Clock, ObjectEntry, Storage

_log = logging.getLogger(__name__)

#: Rows or objects that are looked at in one piece.
PIECE = 200

#: `<account_sid>/<recording_sid>/<attempt>.<ext>`, or the remains of an upload of it
#: (`.<attempt>.<ext>.<random>.part`).
_OBJECT_KEY = re.compile(
    r"(?P<account_sid>AC[0-9a-fA-F]{32})/(?P<recording_sid>RE[0-9a-fA-F]{32})/\.?(?P<attempt>\d+)\..+"
)


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """How often, and how careful, in seconds."""

    #: From the end of one round to the beginning of the next.
    interval_seconds: float = 600.0
    #: Nothing younger is removed: its row may be about to name it.
    orphan_age_seconds: float = 3600.0


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
        self._round: Iterator[None] = self._walk()
        self._ended_at: float | None = None

    def advance(self) -> None:
        """The next piece of the round, if it is time. CatalogueUnavailable or StorageUnavailable end the round."""
        if self._ended_at is not None:
            if self._clock.monotonic() - self._ended_at < self._settings.interval_seconds:
                return
            self._ended_at, self._round = None, self._walk()
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
                if self._storage.size(row.object_key) != row.size_bytes:
                    self._shelf.lost(row)
            after = rows[-1].key
            yield

    def _walk_objects(self) -> Iterator[None]:
        entries = self._storage.entries()
        while piece := list(islice(entries, PIECE)):
            now, age = self._clock.now(), timedelta(seconds=self._settings.orphan_age_seconds)
            # From far in the future: the clock was wrong then, and what it wrote must not stay until that time comes.
            old = [entry for entry in piece if not now - age <= entry.modify_time <= now + age]
            self._remove_orphans(old)
            yield

    def _remove_orphans(self, entries: list[ObjectEntry]) -> None:
        named = [(entry.object_key, _OBJECT_KEY.fullmatch(entry.object_key)) for entry in entries]
        ours = [(key, RecordingKey(m["account_sid"], m["recording_sid"]), int(m["attempt"])) for key, m in named if m]
        rows = self._catalogue.get_many(list({key for _, key, _ in ours}))
        for object_key, key, attempt in ours:
            if not _is_wanted(rows.get(key), object_key, attempt):
                _log.warning("removing an object that no recording names object_key=%s", object_key)
                failpoint(Failpoint.SWEEP_BEFORE_ORPHAN_REMOVED)
                self._storage.remove(object_key)


def _is_wanted(row: Recording | None, object_key: str, attempt: int) -> bool:
    """Whether the row names the object, or is being downloaded by the attempt that would write it."""
    if row is None:
        return False
    return row.object_key == object_key or (row.state is RecordingState.DOWNLOADING and row.attempt == attempt)
