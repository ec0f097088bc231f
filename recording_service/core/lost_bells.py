"""Which bells the queue has lost.

Bells are interchangeable: as long as at least as many wait as rows rely on them, no row is forgotten. So the two
numbers are compared, and only where bells are missing are rows asked for one by one.
"""

from collections.abc import Container, Iterator
from datetime import timedelta

from recording_service.core.model import Bell, Work
from recording_service.core.ports import BellQueue, Catalogue, Clock


class LostBells:
    """Looks for lost bells now and then, and at once when the queue's memory is another one. For one thread."""

    def __init__(
        self,
        catalogue: Catalogue,
        queue: BellQueue,
        clock: Clock,
        *,
        interval_seconds: float,
        work: Work = Work.DOWNLOAD,
        limit: int | None = None,
    ) -> None:
        """Looks for those of one kind of work, of which an account may have `limit` running at once."""
        self._work = work
        self._limit = limit
        self._catalogue = catalogue
        self._queue = queue
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._incarnation = ""
        self._looked_at = -interval_seconds
        self._missed_before = False
        #: How far a search has come that did not end within its time.
        self._searched_to: Bell | None = None

    def search(self, size: int, until: float) -> Iterator[list[Bell]]:
        """Bells that are lost, of at most `size` rows at a time; goes on at the next call if it is not done by `until`.

        The caller rings anew before it asks for more. Raises QueueUnavailable, CatalogueUnavailable.
        """
        monotonic = self._clock.monotonic()
        incarnation = self._queue.incarnation()
        forgotten = incarnation != self._incarnation
        begins = self._searched_to is None
        if begins and not forgotten and monotonic - self._looked_at < self._interval_seconds:
            return
        waiting = self._queue.waiting(self._work)
        now = self._clock.now()
        missing = self._catalogue.count_due_rung(self._work, self._limit) - waiting
        # A worker may just have heard a bell, and not claimed yet: a bell that is missing twice in a row is lost.
        is_certain = forgotten or self._missed_before or not begins
        rung_before = now if forgotten else now - timedelta(seconds=self._interval_seconds)
        unheard: Container[Bell] | None = None
        while missing > 0 and is_certain:
            rows = self._catalogue.due_rung(rung_before, now, size, self._searched_to, self._work)
            if not rows:
                break
            if unheard is None:
                unheard = self._queue.unheard(self._work)
            if lost := [bell for bell in rows if bell not in unheard][:missing]:
                missing -= len(lost)
                yield lost
            self._searched_to = rows[-1]
            if self._clock.monotonic() >= until:
                return
        self._incarnation, self._looked_at, self._searched_to = incarnation, monotonic, None
        self._missed_before = missing > 0
