"""Watching many recordings, for lists on a screen: what matches a filter now, then each change of one.

Level-triggered as `watching` is: of several changes of a recording the latest is handed out, and never an older look
after a newer one. Lists go by the catalogue: whether the shelf still has a READY recording's bytes is not looked at.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from recording_service.core.errors import WatchOverrun
from recording_service.core.model import PagePosition, Recording, RecordingFilter, RecordingKey
from recording_service.core.ports import Catalogue, Clock
from recording_service.core.watching_changes import ChangeWindow, change_of

#: How many rows of the snapshot are read, and held, at once.
SNAPSHOT_PAGE_SIZE = 200
#: Of how many different recordings changes may wait for a watcher.
MAX_PENDING = 2000


class ListLook(NamedTuple):
    """One look at a recording; without one, the word that the snapshot is complete."""

    recording: Recording | None
    matches: bool
    #: With that word: the revision of the feed of events after which there are all events that the snapshot lacks.
    feed_revision: int = 0

    @property
    def snapshot_complete(self) -> bool:
        """Whether everything that matched at the beginning has been handed out."""
        return self.recording is None


class ListWatch:
    """One watcher's place. `next` is for one thread, `offer` and `begin_reading` for the hub's, `close` for any."""

    #: A list is never at its end.
    finished = False

    def __init__(
        self,
        catalogue: Catalogue,
        matching: RecordingFilter,
        snapshot_size: int,
        forget: Callable[["ListWatch"], None],
        *,
        max_pending: int = MAX_PENDING,
    ) -> None:
        """Hands out what matches, of which `snapshot_size` (0: all) at the beginning."""
        self.matching = matching
        self._catalogue = catalogue
        self._forget = forget
        self._max_pending = max_pending
        self._news = threading.Condition()
        self._closed = False
        self._overrun = False
        #: The latest look at each recording that has changed, in the order in which they first did.
        self._pending: dict[RecordingKey, Recording] = {}
        #: Revisions in the snapshot since the hub last began to read: what it is reading now may be older.
        self._recent: dict[RecordingKey, int] = {}
        self._page: deque[Recording] = deque()
        self._position: PagePosition | None = None
        self._unread: int | None = snapshot_size or None
        self._all_read = False
        self._snapshot_complete = False
        #: How far the feed of events had come before anything of the snapshot was read.
        self._feed_revision: int | None = None

    def concerns(self, account_sid: str) -> bool:
        """Whether changes of the account's recordings are to be offered."""
        return not self.matching.account_sids or account_sid in self.matching.account_sids

    def begin_reading(self) -> None:
        """Says that the hub begins to read: from now on it can't find less than the snapshot has."""
        with self._news:
            self._recent.clear()

    def offer(self, recordings: Iterable[Recording]) -> None:
        """Puts looks in place, whatever their states, if they are newer than what was handed out."""
        with self._news:
            if self._closed or self._overrun:
                return
            for recording in recordings:
                if self._is_in_scope(recording) and recording.revision > self._known_revision(recording.key):
                    self._pending[recording.key] = recording
            if len(self._pending) > self._max_pending:
                self._overrun = True
                self._pending.clear()
            if self._pending or self._overrun:
                self._news.notify()

    def next(self, timeout_seconds: float) -> ListLook | None:
        """What is to be shown next; None if nothing has changed in that time, or the watch was closed.

        Raises WatchOverrun, and CatalogueUnavailable while the snapshot is read.
        """
        if not self._snapshot_complete:
            return self._next_of_snapshot()
        with self._news:
            self._news.wait_for(lambda: self._pending or self._is_over(), timeout_seconds)
            if self._is_over() or not self._pending:
                return None
            recording = self._pending.pop(next(iter(self._pending)))
        return ListLook(recording, self.matching.matches(recording))

    def close(self) -> None:
        """Ends the watch and wakes whoever waits for it, at once. Idempotent."""
        with self._news:
            self._closed = True
            self._pending.clear()
            self._news.notify_all()
        self._forget(self)

    def _next_of_snapshot(self) -> ListLook | None:
        if not self._page and not self._all_read:
            self._read_page()
        with self._news:
            if self._is_over():
                return None
        if self._page:
            return ListLook(self._page.popleft(), True)
        self._snapshot_complete = True
        return ListLook(None, False, self._feed_revision or 0)

    def _read_page(self) -> None:
        """Reads on in the snapshot, a page."""
        if self._feed_revision is None:
            self._feed_revision = self._catalogue.feed_position().revision
        size = SNAPSHOT_PAGE_SIZE if self._unread is None else min(SNAPSHOT_PAGE_SIZE, self._unread)
        rows = self._catalogue.page(self.matching, size, self._position)
        with self._news:
            for row in rows:
                pending = self._pending.get(row.key)
                if pending is not None and pending.revision <= row.revision:
                    del self._pending[row.key]
                self._recent[row.key] = row.revision
        self._page.extend(rows)
        if self._unread is not None:
            self._unread -= len(rows)
        self._all_read = len(rows) < size or self._unread == 0
        if rows:
            last = rows[-1]
            self._position = PagePosition(last.create_time, last.account_sid, last.recording_sid)

    def _is_in_scope(self, recording: Recording) -> bool:
        """Whether it is of the accounts and calls asked for."""
        call_sids = self.matching.call_sids
        return self.concerns(recording.account_sid) and (not call_sids or recording.call.call_sid in call_sids)

    def _known_revision(self, key: RecordingKey) -> int:
        pending = self._pending.get(key)
        return max(self._recent.get(key, 0), 0 if pending is None else pending.revision)

    def _is_over(self) -> bool:
        """Whether it was closed. WatchOverrun if too much has changed before it was taken."""
        if self._overrun and not self._closed:
            raise WatchOverrun(self._max_pending)
        return self._closed


class ListWatches:
    """The watches of lists of one hub, and what has changed that nobody told them of.

    A window on the changes is open while anybody watches, and is shared by all: one query, however many they are. Safe
    to use from many threads, but what reads and offers is for the hub's alone.
    """

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._lock = threading.Lock()
        self._watches: set[ListWatch] = set()
        self._window: ChangeWindow | None = None
        self._looked_through: ChangeWindow | None = None

    def __bool__(self) -> bool:
        """Whether anybody watches a list."""
        with self._lock:
            return bool(self._watches)

    def window(self) -> ChangeWindow | None:
        """A window for the first watch, to be opened before it is added; None where one is open.

        So a watch is not told of what has changed before it began: its snapshot, read later, has that. Raises
        CatalogueUnavailable.
        """
        return None if self else ChangeWindow(self._catalogue, self._clock)

    def add(self, watch: ListWatch, window: ChangeWindow | None) -> None:
        """Puts a watch on the list; before its snapshot is read, so that what changes meanwhile is not missed."""
        with self._lock:
            # The window of watches that have just gone is still good: it goes on where it was read last.
            if window is not None and not self._watches:
                self._window = window
            self._watches.add(watch)

    def discard(self, watch: ListWatch) -> None:
        """Takes a watch off the list. Idempotent."""
        with self._lock:
            self._watches.discard(watch)

    def all(self) -> list[ListWatch]:
        """The watches."""
        with self._lock:
            return list(self._watches)

    def begin_reading(self) -> None:
        """Says that the hub begins to read."""
        for watch in self.all():
            watch.begin_reading()

    def concerned(self, keys: Collection[RecordingKey]) -> set[RecordingKey]:
        """Those of the recordings whose changes anybody may want to hear of."""
        watches = self.all()
        return {key for key in keys if any(watch.concerns(key.account_sid) for watch in watches)}

    def missed(self) -> set[RecordingKey]:
        """Which recordings have changed unheard; none, and without a query, where nobody watches.

        Raises CatalogueUnavailable.
        """
        with self._lock:
            window = self._looked_through = self._window if self._watches else None
        if window is None:
            return set()
        missed = window.missed()
        concerned = self.concerned([change.key for change in missed])
        # A watch that comes later reads them in its snapshot.
        window.note(change for change in missed if change.key not in concerned)
        return concerned

    def offer(self, recordings: Collection[Recording]) -> None:
        """Hands what is news to whoever watches it."""
        with self._lock:
            window, watches = self._window, list(self._watches)
        if window is None or not recordings:
            return
        news = [recording for recording in recordings if window.is_news(recording.key, recording.revision)]
        for watch in watches:
            watch.offer(news)
        window.note(change_of(recording) for recording in news)

    def settle(self) -> None:
        """What `missed` found has been offered."""
        if self._looked_through is not None:
            self._looked_through.settle()
