"""Watching one recording: level-triggered, the latest look wins, the catalogue is the truth (grpc.md A.1).

One thread serves all watches of a process, those of lists (`watching_lists`) and of events (`watching_events`) too. It
hears of changes from the feed, reads each changed row once, and hands it to whoever watches it; every few seconds it
reads all watched rows anyway, and looks for what has changed in lists, because the feed may lose a word or be down.
"""

import logging
import math
import threading
from collections.abc import Collection, Mapping
from enum import StrEnum

from recording_service.core.errors import CatalogueUnavailable, QueueUnavailable
from recording_service.core.model import ProcessingState, Recording, RecordingFilter, RecordingKey, RecordingState
from recording_service.core.ports import Catalogue, ChangeFeed, ChangeSubscription, Clock
from recording_service.core.watching_events import FEED_INTERVAL_SECONDS, EventWatch, EventWatches
from recording_service.core.watching_lists import ListWatch, ListWatches

#: How often all watched rows are read, whatever the feed says.
LOOK_INTERVAL_SECONDS = 2.0
#: How many rows are read, and held, at once.
_PIECE_SIZE = 500

_log = logging.getLogger(__name__)


class WatchUntil(StrEnum):
    """How long to watch. FAILED and DELETED end every watch."""

    READY = "ready"
    PROCESSED = "processed"


def _ends(recording: Recording, until: WatchUntil) -> bool:
    """Whether the recording is as far as the watch goes; READY will do where nobody asked for its processing."""
    if recording.state is RecordingState.READY:
        is_being_processed = recording.processing.state in (ProcessingState.PENDING, ProcessingState.RUNNING)
        return until is WatchUntil.READY or not is_being_processed
    return recording.state in (RecordingState.FAILED, RecordingState.DELETED)


class Watch:
    """One watcher's place. `next` is for one thread; `close` and `offer` for any."""

    def __init__(self, hub: "WatchHub", key: RecordingKey, until: WatchUntil) -> None:
        self.key = key
        self.until = until
        #: Whether the recording that was handed out last ended the watch.
        self.finished = False
        self._hub = hub
        self._news = threading.Condition()
        self._latest: Recording | None = None
        self._revision = 0
        self._closed = False

    def offer(self, recording: Recording) -> None:
        """Puts a look at the recording in place, if it is newer than what was handed out."""
        with self._news:
            seen = self._revision if self._latest is None else self._latest.revision
            if recording.revision > seen and not self._closed:
                self._latest = recording
                self._news.notify()

    def next(self, timeout_seconds: float) -> Recording | None:
        """The recording as it was last seen to change; None if it did not in that time, or the watch was closed."""
        with self._news:
            self._news.wait_for(lambda: self._latest is not None or self._closed, timeout_seconds)
            recording, self._latest = self._latest, None
            if recording is None or self._closed:
                return None
            self._revision = recording.revision
            self.finished = _ends(recording, self.until)
            return recording

    def close(self) -> None:
        """Ends the watch and wakes whoever waits for it, at once. Idempotent."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._hub.forget(self)


class WatchHub:
    """All watches of one process. Owns its thread, which lives while there is something to watch."""

    def __init__(
        self,
        catalogue: Catalogue,
        changes: ChangeFeed,
        clock: Clock,
        *,
        look_interval_seconds: float = LOOK_INTERVAL_SECONDS,
    ) -> None:
        self._catalogue = catalogue
        self._changes = changes
        self._clock = clock
        self._look_interval_seconds = look_interval_seconds
        self._lock = threading.Lock()
        self._watches: dict[RecordingKey, set[Watch]] = {}
        self._lists = ListWatches(catalogue, clock)
        self._events = EventWatches(catalogue)
        self._thread: threading.Thread | None = None
        self._subscription: ChangeSubscription | None = None
        self._stop = threading.Event()

    def watch(self, key: RecordingKey, until: WatchUntil) -> Watch:
        """A new watch, in place before anything is read: what changes from now on is not missed.

        Of a hub that is closed, one that is closed too.
        """
        watch = Watch(self, key, until)
        with self._lock:
            closed = self._stop.is_set()
            if not closed:
                self._watches.setdefault(key, set()).add(watch)
                self._start()
        if closed:
            watch.close()
        return watch

    def watch_many(self, matching: RecordingFilter, snapshot_size: int) -> ListWatch:
        """A new watch of a list, in place before anything of it is read.

        Of a hub that is closed, one that is closed too. Raises CatalogueUnavailable.
        """
        watch = ListWatch(self._catalogue, matching, snapshot_size, self._lists.discard)
        window = self._lists.window()
        with self._lock:
            closed = self._stop.is_set()
            if not closed:
                self._lists.add(watch, window)
                self._start()
        if closed:
            watch.close()
        return watch

    def watch_events(self, matching: RecordingFilter, after_revision: int) -> EventWatch:
        """A new watch of the events after that revision.

        Of a hub that is closed, one that is closed too. Raises RevisionPruned, RevisionAhead, CatalogueUnavailable.
        """
        watch, position = self._events.open(matching, after_revision)
        with self._lock:
            closed = self._stop.is_set()
            if not closed:
                self._events.add(watch, position)
                self._start()
        if closed:
            watch.close()
        return watch

    def forget(self, watch: Watch) -> None:
        """Takes a watch off the list. Idempotent."""
        with self._lock:
            watches = self._watches.get(watch.key)
            if watches is not None:
                watches.discard(watch)
                if not watches:
                    del self._watches[watch.key]

    def close(self) -> None:
        """Ends every watch and the thread. Idempotent."""
        self._stop.set()
        with self._lock:
            watches = [watch for group in self._watches.values() for watch in group]
            thread, subscription = self._thread, self._subscription
        for watch in watches:
            watch.close()
        for listing in self._lists.all():
            listing.close()
        for feed in self._events.all():
            feed.close()
        if subscription is not None:
            # The thread may be waiting there.
            subscription.close()
        if thread is not None:
            thread.join(timeout=5 * self._look_interval_seconds)

    def _start(self) -> None:
        """Has the thread run, which is for whoever holds the lock."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watch-hub", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        subscription = self._changes.subscribe()
        with self._lock:
            self._subscription = subscription
        looked_at = -math.inf
        try:
            while not self._stop.is_set():
                left = looked_at + self._look_interval_seconds - self._clock.monotonic()
                if left <= 0:
                    looked_at = self._clock.monotonic()
                    self._look(None)
                else:
                    # Events are told of within a second, whether the feed of hints works or not.
                    patience = min(left, FEED_INTERVAL_SECONDS) if self._events else left
                    self._look(self._heard(subscription, patience))
                with self._lock:
                    if not self._watches and not self._lists and not self._events:
                        self._thread = None
                        return
        finally:
            subscription.close()

    def _heard(self, subscription: ChangeSubscription, seconds: float) -> set[RecordingKey]:
        """Which recordings have changed, as far as the feed says; waits that long for the first."""
        try:
            heard = subscription.next(seconds)
        except Exception as error:
            if not isinstance(error, QueueUnavailable):
                _log.error("listening for changes failed unexpectedly", exc_info=error)
            self._stop.wait(seconds)
            return set()
        return {RecordingKey(change.account_sid, change.recording_sid) for change in heard}

    def _look(self, heard: Collection[RecordingKey] | None) -> None:
        """Reads what has changed of what is watched, and hands it out. None: nobody has said what has changed."""
        try:
            self._lists.begin_reading()
            listed = self._lists.missed() if heard is None else self._lists.concerned(heard)
            with self._lock:
                watched = {key for key in (self._watches if heard is None else heard) if key in self._watches}
            wanted = list(watched | listed)
            for begin in range(0, len(wanted), _PIECE_SIZE):
                rows = self._catalogue.get_many(wanted[begin : begin + _PIECE_SIZE])
                self._offer(rows)
                self._lists.offer([row for key, row in rows.items() if key in listed])
            if heard is None:
                self._lists.settle()
            self._events.look()
        except CatalogueUnavailable:
            _log.warning("the catalogue did not answer; watches wait for it")
        except Exception:
            # Every watch of the process hangs on this thread: a bug is logged and looked at again, not died of.
            _log.exception("reading watched recordings failed unexpectedly")

    def _offer(self, rows: Mapping[RecordingKey, Recording]) -> None:
        with self._lock:
            offers = [(watch, row) for key, row in rows.items() for watch in self._watches.get(key, ())]
        for watch, row in offers:
            watch.offer(row)
