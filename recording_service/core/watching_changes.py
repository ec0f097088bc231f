"""Which recordings have changed that nobody has told of: the catalogue is asked, in spans that overlap.

A row may become visible seconds after the `update_time` it carries, and several hosts' clocks write it down. So each
span begins well before the last one was read, and what was told already is left out of it by its revision.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from recording_service.core.model import Recording, RecordingKey
from recording_service.core.ports import Catalogue, Clock, RowChange

#: How far spans overlap: more than a transaction may take (seconds, by the catalogue's timeouts) and than the clocks of
#: hosts that keep time differ. A change that is dated later is found when its time has come. One that is dated earlier
#: still, by a host whose clock is slow, is heard of by the feed or at the recording's next change.
OVERLAP = timedelta(seconds=30)
#: How many rows are asked for at once.
PIECE_SIZE = 1000


class ChangeWindow:
    """What has changed lately, and how much of it was told. Not for use by several threads at once."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        """Begins now: what is in the catalogue already counts as told. Raises CatalogueUnavailable."""
        self._catalogue = catalogue
        self._clock = clock
        self._read_time = self._reading_time = clock.now()
        self._told: dict[RecordingKey, RowChange] = {}
        self.note(self._changes(self._read_time - OVERLAP, self._read_time + OVERLAP))

    def missed(self) -> list[RowChange]:
        """What has changed and was not told; it is found again until it was, and this span was settled.

        Raises CatalogueUnavailable.
        """
        now = self._reading_time = self._clock.now()
        since = min(now, self._read_time) - OVERLAP
        # Where the wall clock was set back, what was dated before it was is looked for once.
        before = now + OVERLAP if now >= self._read_time else None
        missed = [change for change in self._changes(since, before) if self.is_news(change.key, change.revision)]
        if before is not None:
            # What is no part of this span can't be found again.
            self._told = {key: told for key, told in self._told.items() if since <= told.update_time < before}
        return missed

    def settle(self) -> None:
        """What `missed` found last was told: the next span need not begin before it."""
        self._read_time = self._reading_time

    def is_news(self, key: RecordingKey, revision: int) -> bool:
        """Whether that was not told, as far as is remembered."""
        told = self._told.get(key)
        return told is None or revision > told.revision

    def note(self, changes: Iterable[RowChange]) -> None:
        """Remembers that these were told."""
        self._told.update((change.key, change) for change in changes if self.is_news(change.key, change.revision))

    def _changes(self, since: datetime, before: datetime | None) -> Iterator[RowChange]:
        after: RowChange | None = None
        while True:
            piece = self._catalogue.changed(since, before, PIECE_SIZE, after)
            yield from piece
            if len(piece) < PIECE_SIZE:
                return
            after = piece[-1]


def change_of(recording: Recording) -> RowChange:
    """The recording's last change."""
    return RowChange(recording.update_time, recording.key, recording.revision)
