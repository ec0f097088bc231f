"""The scrub: stored bytes are read again, slowly and for ever, and held against the SHA-256 of their row.

What a disk has forgotten or altered is found before somebody wants to hear it, while Twilio may still have it
(reliability.md B3 #29). Done in small pieces between the dispatcher's other work; how far it has come is in the
catalogue (`verified_time`), so that whoever dispatches next goes on from there.
"""

import logging
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

from recording_service.core.errors import ObjectMissing, StorageUnavailable
from recording_service.core.model import Recording
from recording_service.core.object_digest import ObjectDigest
from recording_service.core.playback import Shelf
from recording_service.core.ports import Catalogue, Clock, NamedObject, Storage

_log = logging.getLogger(__name__)

#: Rows that are asked for at once.
ROWS = 200
#: So many objects in a row that can't be read: more than one of them has trouble, the disk perhaps.
UNREADABLE_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class ScrubSettings:
    """How fast, how often, and how considerate; times in seconds."""

    #: 0: nothing is ever read.
    bytes_per_second: int = 4 * 1024**2
    #: What was not read in time is made up for at most so far: a dispatcher's tick.
    burst_seconds: float = 1.0
    #: No further piece is begun in the same call after this long: leases and the election must not wait.
    busy_seconds: float = 0.25
    #: What was verified less than this ago is not read again, nor is what could not be read.
    interval_seconds: float = 24 * 3600.0
    #: Nothing is read for so long after everything has been verified, or where one object after another can't be read.
    rest_seconds: float = 60.0


class ShelfScrub:
    """Verifies one object after another. For one thread; holds nothing open between two calls."""

    def __init__(
        self,
        catalogue: Catalogue,
        storage: Storage,
        clock: Clock,
        settings: ScrubSettings = ScrubSettings(),
    ) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._clock = clock
        self._settings = settings
        self._shelf = Shelf(catalogue, storage, clock)
        self._rows: deque[Recording] = deque()
        #: The object that is being read, and the row that named it.
        self._current: tuple[Recording, ObjectDigest] | None = None
        #: Read to the end and found whole, but not noted yet.
        self._verified: list[NamedObject] = []
        #: Objects that can't be read, and until when they are left alone.
        self._unreadable: dict[str, float] = {}
        self._unreadable_in_a_row = 0
        self._allowance_bytes = 0.0
        self._called_at = clock.monotonic()
        self._resting_until = self._called_at

    def scrub(self) -> None:
        """Reads on, as far as the time since the last call allows, and notes what has been verified.

        Raises CatalogueUnavailable; what was found and could not be noted is found, or noted, again.
        """
        settings, now = self._settings, self._clock.monotonic()
        earned = (now - self._called_at) * settings.bytes_per_second
        most = settings.burst_seconds * settings.bytes_per_second
        self._allowance_bytes = min(self._allowance_bytes + earned, most)
        self._called_at = now
        self._note_verified()
        while self._resting_until <= self._clock.monotonic() <= now + settings.busy_seconds:
            if self._allowance_bytes < 1:
                break
            self._read_piece()
        self._note_verified()

    def _read_piece(self) -> None:
        if self._current is None:
            row = self._next_row()
            if row is None:
                self._rest()
                return
            self._current = row, ObjectDigest(self._storage, row.object_key)
        row, digest = self._current
        try:
            # Opening an object costs something too, though it be empty.
            self._allowance_bytes -= max(1, digest.read(int(self._allowance_bytes)))
        except ObjectMissing:
            self._unreadable_in_a_row = 0
            self._current = None
            self._shelf.lost(row)
        except StorageUnavailable:
            self._leave_alone(row)
        else:
            self._unreadable_in_a_row = 0
            if digest.is_at_end or digest.read_bytes > (row.size_bytes or 0):
                self._current = None
                self._judge(row, digest)

    def _judge(self, row: Recording, digest: ObjectDigest) -> None:
        if digest.sha256 == row.sha256:
            self._verified.append(NamedObject(row.key, row.object_key))
            return
        _log.warning(
            "%d stored bytes are not the %s that were downloaded recording_sid=%s object_key=%s",
            digest.read_bytes,
            row.size_bytes,
            row.recording_sid,
            row.object_key,
        )
        self._shelf.lost(row, is_damaged=True)

    def _leave_alone(self, row: Recording) -> None:
        # No reason to fetch it again: the disk may be back in a minute. Others must not wait behind it either, and it
        # would be asked for first each time: those that were never verified are.
        _log.warning(
            "a stored object can't be read; it will be verified later recording_sid=%s object_key=%s",
            row.recording_sid,
            row.object_key,
        )
        self._current = None
        self._unreadable[row.object_key] = self._clock.monotonic() + self._settings.interval_seconds
        self._unreadable_in_a_row += 1
        if self._unreadable_in_a_row >= UNREADABLE_IN_A_ROW:
            self._unreadable_in_a_row = 0
            self._rest()

    def _rest(self) -> None:
        self._resting_until = self._clock.monotonic() + self._settings.rest_seconds

    def _next_row(self) -> Recording | None:
        """The row whose object was least recently verified; None if there is none whose time has come."""
        if not self._rows:
            # What is not noted yet would be found again.
            self._note_verified()
            monotonic, now = self._clock.monotonic(), self._clock.now()
            self._unreadable = {key: until for key, until in self._unreadable.items() if until > monotonic}
            due = now - timedelta(seconds=self._settings.interval_seconds)
            rows = self._catalogue.least_verified(due, now, ROWS + len(self._unreadable))
            self._rows.extend(row for row in rows if row.object_key not in self._unreadable)
        return self._rows.popleft() if self._rows else None

    def _note_verified(self) -> None:
        if self._verified:
            self._catalogue.mark_verified(self._verified, self._clock.now())
            self._verified = []
