"""Watching events: each one after a revision of the feed, in its order, then those to come, and how far it has come.

Nothing is skipped and nothing is kept for a watcher: whoever reads slowly, or comes back after days, reads from the
catalogue where they were, and whoever keeps up is given what the hub has read for all.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from recording_service.core.errors import RevisionAhead, RevisionPruned
from recording_service.core.event_ports import FeedPosition
from recording_service.core.events import Event
from recording_service.core.model import Recording, RecordingFilter
from recording_service.core.ports import Catalogue

#: How often the feed is looked at while anybody watches it, whatever hints there are, in seconds.
FEED_INTERVAL_SECONDS = 1.0
#: How many events are read, and held, for one watcher at once.
PIECE_SIZE = 200
#: The newest events, which are held for all.
TAIL_SIZE = 1000
#: How long a watcher is left without word of what the filter hides from it, in seconds.
PROGRESS_SECONDS = 10.0


class EventLook(NamedTuple):
    """One event, with the recording as it is by now; without one, the word how far the feed has come."""

    event: Event | None
    recording: Recording | None
    #: Whether the recording has one of the states that were asked for, as it is now.
    matches: bool
    #: Whoever goes on after this revision misses nothing.
    revision: int


class EventWatch:
    """One watcher's place. `next` is for one thread, `move_on` and `turn_back` for the hub's, `close` for any."""

    #: The feed has no end.
    finished = False

    def __init__(
        self, catalogue: Catalogue, feed: "EventWatches", matching: RecordingFilter, after_revision: int
    ) -> None:
        self._catalogue = catalogue
        self._feed = feed
        self._matching = matching
        self._news = threading.Condition()
        self._closed = False
        #: How far the feed has come.
        self._head = 0
        self._turned_back = False
        #: How far it was read, and of how much of that the watcher knows.
        self._position = self._told = after_revision
        self._hidden_since: float | None = None
        self._looks: deque[EventLook] = deque()

    def move_on(self, head: int) -> None:
        """Says how far the feed has come."""
        with self._news:
            if head > self._head:
                self._head = head
                self._news.notify()

    def turn_back(self, head: int) -> None:
        """Says that the feed has not come as far as it had: its database was restored."""
        with self._news:
            self._head = head
            self._turned_back = True
            self._news.notify()

    def next(self, timeout_seconds: float) -> EventLook | None:
        """The next event; None if there is none in that time, or the watch was closed.

        Raises RevisionPruned, RevisionAhead and CatalogueUnavailable: the watch is then over, and may be opened again
        after what was handed out last.
        """
        until = time.monotonic() + timeout_seconds
        while not self._is_closed():
            self._refuse_if_turned_back()
            if self._looks:
                return self._told_of(self._looks.popleft())
            if self._is_due():
                return self._told_of(EventLook(None, None, False, self._position))
            if self._head > self._position:
                self._read()
            elif not self._wait(until):
                return None
        return None

    def close(self) -> None:
        """Ends the watch and wakes whoever waits for it, at once. Idempotent."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._feed.discard(self)

    def _refuse_if_turned_back(self) -> None:
        with self._news:
            if self._turned_back and self._head < self._position:
                raise RevisionAhead(self._position, self._head)
            self._turned_back = False

    def _read(self) -> None:
        """Reads on in the feed, a piece, and the recordings of what is wanted of it."""
        events = self._feed.after(self._position, PIECE_SIZE)
        wanted = [event for event in events if event.is_wanted(self._matching)]
        rows = self._catalogue.get_many(list({event.key for event in wanted}))
        for event in wanted:
            row = rows.get(event.key)
            matches = row is not None and (not self._matching.states or row.state in self._matching.states)
            self._looks.append(EventLook(event, row, matches, event.revision))
        if events:
            self._position = events[-1].revision
        if self._hidden_since is None:
            self._hidden_since = time.monotonic()

    def _told_of(self, look: EventLook) -> EventLook:
        self._told = look.revision
        self._hidden_since = time.monotonic() if self._position > self._told else None
        return look

    def _is_due(self) -> bool:
        """Whether the watcher should hear that the feed has moved on, though with nothing for it."""
        hidden_since = self._hidden_since if self._position > self._told else None
        return hidden_since is not None and time.monotonic() >= hidden_since + PROGRESS_SECONDS

    def _wait(self, until: float) -> bool:
        """Waits for something to do; False if there is nothing to be done until then."""
        soonest = until
        if self._hidden_since is not None and self._position > self._told:
            soonest = min(until, self._hidden_since + PROGRESS_SECONDS)
        with self._news:
            moved = self._news.wait_for(self._is_news, max(0.0, soonest - time.monotonic()))
        return moved or soonest < until

    def _is_news(self) -> bool:
        return self._closed or self._turned_back or self._head > self._position

    def _is_closed(self) -> bool:
        with self._news:
            return self._closed


class EventWatches:
    """The watches of the feed of one hub, and the end of the feed, read once for all of them.

    Safe to use from many threads, but `look` is for the hub's alone.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._watches: set[EventWatch] = set()
        self._head = 0
        #: The newest revision that anybody has seen.
        self._seen = 0
        #: The newest events up to `_head`, without a gap.
        self._tail: Sequence[Event] = ()

    def __bool__(self) -> bool:
        """Whether anybody watches the feed."""
        with self._lock:
            return bool(self._watches)

    def open(self, matching: RecordingFilter, after_revision: int) -> tuple[EventWatch, FeedPosition]:
        """A new watch, not yet on the list, and how far the feed has come.

        Raises RevisionPruned, RevisionAhead, CatalogueUnavailable.
        """
        position = self._catalogue.number_events()
        _check(after_revision, position)
        return EventWatch(self._catalogue, self, matching, after_revision), position

    def add(self, watch: EventWatch, position: FeedPosition) -> None:
        """Puts a watch on the list, and says how far the feed has come."""
        with self._lock:
            self._watches.add(watch)
            self._seen = max(self._seen, position.revision)
            head = max(self._head, position.revision)
        watch.move_on(head)

    def discard(self, watch: EventWatch) -> None:
        """Takes a watch off the list. Idempotent."""
        with self._lock:
            self._watches.discard(watch)

    def all(self) -> list[EventWatch]:
        """The watches."""
        with self._lock:
            return list(self._watches)

    def look(self) -> None:
        """Looks how far the feed has come, and tells all who watch it. Raises CatalogueUnavailable."""
        if not self:
            return
        with self._lock:
            seen = self._seen
        head = self._catalogue.number_events().revision
        if head < seen:
            with self._lock:
                self._seen, self._head, self._tail = head, head, ()
            for watch in self.all():
                watch.turn_back(head)
        elif head > self._head:
            read = self._catalogue.events(max(self._head, head - TAIL_SIZE), TAIL_SIZE)
            with self._lock:
                joined = [*self._tail, *read] if _follows(read, self._head) else list(read)
                self._tail = joined[-TAIL_SIZE:]
                # Others number events, too: more may have been read than there were a moment ago.
                self._head = read[-1].revision if read else head
                self._seen = max(self._seen, self._head)
        for watch in self.all():
            watch.move_on(self._head)

    def after(self, revision: int, size: int) -> Sequence[Event]:
        """At most `size` events after that revision, without a gap: from memory, or from the catalogue.

        Raises RevisionPruned, RevisionAhead, CatalogueUnavailable.
        """
        with self._lock:
            tail = self._tail
        if tail and tail[0].revision <= revision + 1 <= tail[-1].revision:
            begin = revision + 1 - tail[0].revision
            return tail[begin : begin + size]
        events = self._catalogue.events(revision, size)
        if not _follows(events, revision):
            # Asked after the events were read: what was there then and is not now has been seen.
            _check(revision, self._catalogue.feed_position())
        return events


def _follows(events: Sequence[Event], revision: int) -> bool:
    """Whether they go on right after that revision: what is kept has no gaps."""
    return bool(events) and events[0].revision == revision + 1


def _check(after_revision: int, position: FeedPosition) -> None:
    if after_revision < position.pruned_revision:
        raise RevisionPruned(after_revision, position.pruned_revision + 1)
    if after_revision > position.revision:
        raise RevisionAhead(after_revision, position.revision)
