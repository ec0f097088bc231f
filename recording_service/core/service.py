"""The use cases, one a method: what the gRPC servicer calls, and all it calls."""

import logging
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import NamedTuple

from recording_service.core import paging, transitions
from recording_service.core.changes import tell
from recording_service.core.enqueueing import Enqueuer, EnqueueResult, Outcome
from recording_service.core.errors import (
    CatalogueUnavailable,
    InvalidRequest,
    RecordingNotFound,
    StorageFull,
    StorageUnavailable,
)
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import (
    EnqueueRequest,
    Recording,
    RecordingFilter,
    RecordingKey,
    RecordingState,
    Step,
    UnavailableReport,
)
from recording_service.core.playback import OpenRange, Shelf
from recording_service.core.ports import BellQueue, Catalogue, ChangeFeed, Clock, Storage
from recording_service.core.requests import Target
from recording_service.core.results import Results
from recording_service.core.search import Snippet, WordSearch, snippet_of
from recording_service.core.sound import WaveformLevel
from recording_service.core.watching import Watch, WatchHub, WatchUntil
from recording_service.core.watching_events import EventWatch
from recording_service.core.watching_lists import ListWatch
from recording_service.transcripts.transcript import Transcript

_log = logging.getLogger(__name__)

#: What a list shows where no states are asked for.
_NOT_DELETED = frozenset(RecordingState) - {RecordingState.DELETED}
#: Of several recordings of one SID under different accounts, the one that is meant: READY before in flight before
#: FAILED.
_MEANT_FIRST = (
    RecordingState.READY,
    RecordingState.DOWNLOADING,
    RecordingState.QUEUED,
    RecordingState.FAILED,
    RecordingState.DELETED,
)
#: Of how many recordings what is said is read at once, and held: a day of talk is a megabyte.
_TEXTS_AT_ONCE = 50


class Page(NamedTuple):
    """A page of a list; `next_page_token` is empty at the end, and only there."""

    recordings: Sequence[Recording]
    next_page_token: str
    #: What is said in each about the words that were asked for; without one whose transcript has gone meanwhile.
    snippets: Mapping[RecordingKey, Snippet] = {}


class ServiceHealth(NamedTuple):
    """Whether reading works, how much is waiting, and whether the shelf is full (None where that could not be told)."""

    serving: bool
    queued: int | None
    oldest_due_seconds: float | None
    storage_full: bool | None = None


class RecordingService:
    """The recording service. Safe to use from many threads; the composition root closes what it was given."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        queue: BellQueue,
        storage: Storage,
        changes: ChangeFeed,
        clock: Clock,
        available_steps: Set[Step] = transitions.ALL_STEPS,
    ) -> None:
        """`available_steps`: those after the download that somebody is configured for."""
        self._catalogue = catalogue
        self._storage = storage
        self._changes = changes
        self._clock = clock
        self._enqueuer = Enqueuer(catalogue, queue, storage, clock, available_steps)
        self._shelf = Shelf(catalogue, storage, clock)
        self._results = Results(catalogue)
        self._hub = WatchHub(catalogue, changes, clock)

    def enqueue(self, request: EnqueueRequest) -> EnqueueResult:
        """Asks for a recording. Idempotent. Raises EnqueueFailed, RecordingDeleted."""
        return self._enqueuer.enqueue(request)

    def enqueue_batch(self, requests: Sequence[EnqueueRequest]) -> Sequence[Outcome]:
        """Asks for many recordings; a result or an error a request, in order. Idempotent."""
        return self._enqueuer.enqueue_batch(requests)

    def report_unavailable(self, report: UnavailableReport) -> Recording:
        """Notes that Twilio has no such recording, unless it is READY or DELETED. Idempotent."""
        now = self._clock.now()
        row, changed = self._catalogue.amend([(report.key, lambda row: transitions.unavailable(row, report, now))])[0]
        if row is None:
            raise RecordingNotFound(report.key.recording_sid)
        if changed:
            failpoint(Failpoint.REPORT_AFTER_ROW)
            tell(self._changes, row)
        return row

    def get(self, target: Target) -> Recording:
        """The recording as it is now: READY only with its object on the shelf.

        Raises RecordingNotFound, also for a tombstone; StorageUnavailable.
        """
        recording = self._shelf.looked_at(self._known(target))
        if recording is None or recording.state is RecordingState.DELETED:
            raise RecordingNotFound(target.recording_sid)
        return recording

    def list(self, matching: RecordingFilter, page_size: int, page_token: str) -> Page:
        """A page of recordings, newest first; tombstones only where they are asked for. Raises InvalidRequest."""
        size = paging.effective_page_size(page_size)
        if matching.words is not None:
            # Each transcript of the page is read for its snippet.
            size = min(size, paging.MAX_SEARCH_PAGE_SIZE)
        position = paging.position_of(page_token, matching)
        found = self._catalogue.page(_narrowed(matching), size + 1, position)
        token = "" if len(found) <= size else paging.token_after(found[size - 1], matching)
        return Page(found[:size], token, self._snippets(found[:size], matching.words))

    def watch(self, target: Target, until: WatchUntil) -> Watch:
        """Watches a recording: its current state is there at once. The caller closes it. Raises RecordingNotFound."""
        key = target.key or self._known(target).key
        watch = self._hub.watch(key, until)
        try:
            # Read after the watch is in place: what changes in between is seen here or heard of.
            watch.offer(self.get(Target(*key)))
        except BaseException:
            watch.close()
            raise
        return watch

    def watch_many(self, matching: RecordingFilter, snapshot_size: int) -> ListWatch:
        """Watches a list: what matches now (at most `snapshot_size`; 0: all), newest first, then each change.

        As in `list`, tombstones only match where they are asked for, and nothing asks the shelf. The caller closes it.
        Raises InvalidRequest, CatalogueUnavailable.
        """
        if snapshot_size < 0:
            raise InvalidRequest.of("snapshot_size", f"is {snapshot_size}; must be 0 or more")
        return self._hub.watch_many(_narrowed(matching), snapshot_size)

    def watch_events(self, matching: RecordingFilter, after_revision: int) -> EventWatch:
        """Watches the events after that revision of the feed, each one once, then those to come; deletions too.

        `states` are those that recordings had at the event. The caller closes it. Raises InvalidRequest,
        RevisionPruned, RevisionAhead, CatalogueUnavailable.
        """
        if after_revision < 0:
            raise InvalidRequest.of("after_revision", f"is {after_revision}; must be 0 or more")
        return self._hub.watch_events(matching, after_revision)

    def open_range(self, target: Target, offset: int, length: int, etag: str) -> OpenRange:
        """Opens a range of the stored bytes, everything checked. The caller closes it. Raises as `Shelf.open_range`."""
        return self._shelf.open_range(self._known(target), offset, length, etag)

    def waveform(self, target: Target, samples_per_pixel: int) -> tuple[Recording, WaveformLevel]:
        """The recording's waveform, at the zoom that fits. Raises InvalidRequest, RecordingNotFound, as `Results`."""
        if samples_per_pixel < 0:
            raise InvalidRequest.of("samples_per_pixel", f"is {samples_per_pixel}; must be 0 or more")
        recording = self._known(target)
        return recording, self._results.waveform(recording, samples_per_pixel)

    def transcript(self, target: Target) -> tuple[Recording, Transcript]:
        """What is said in the recording. Raises RecordingNotFound, as `Results`."""
        recording = self._known(target)
        return recording, self._results.transcript(recording)

    def delete(self, target: Target, allow_missing: bool) -> Recording | None:
        """Deletes a recording: first the row says so, then the bytes go (the dispatcher sweeps what a crash leaves).

        Idempotent with `allow_missing`; else raises RecordingNotFound where there is nothing. Raises StorageUnavailable
        if the bytes are still there: the row says DELETED, and asking again removes them. Bytes that no row knows, as
        beside a restored catalogue, go as well: they would be adopted.
        """
        found = self._find(target)
        if found is None and target.key is not None:
            self._storage.remove_others(target.key, keep=None)
        if found is None or (found.state is RecordingState.DELETED and not allow_missing):
            if allow_missing:
                return None
            raise RecordingNotFound(target.recording_sid)
        now = self._clock.now()
        row, changed = self._catalogue.amend([(found.key, lambda row: transitions.deleted(row, now))])[0]
        failpoint(Failpoint.DELETE_AFTER_ROW)
        self._storage.remove_others(found.key, keep=None)
        failpoint(Failpoint.DELETE_AFTER_BYTES)
        if changed and row is not None:
            tell(self._changes, row)
        return row

    def health(self) -> ServiceHealth:
        """Whether catalogue and shelf answer. Redis and a full shelf have no say: reading goes on."""
        try:
            self._catalogue.check()
            storage_full = self._is_full()
            backlog = self._catalogue.backlog(self._clock.now())
        except (CatalogueUnavailable, StorageUnavailable) as error:
            _log.warning("not serving: %s", error)
            return ServiceHealth(False, None, None)
        oldest = backlog.oldest_due_time
        waited = 0.0 if oldest is None else max(0.0, (self._clock.now() - oldest).total_seconds())
        return ServiceHealth(True, backlog.queued, waited, storage_full)

    def close(self) -> None:
        """Ends every watch. Idempotent."""
        self._hub.close()

    def _snippets(self, found: Sequence[Recording], words: WordSearch | None) -> Mapping[RecordingKey, Snippet]:
        if words is None:
            return {}
        snippets: dict[RecordingKey, Snippet] = {}
        for begin in range(0, len(found), _TEXTS_AT_ONCE):
            keys = [recording.key for recording in found[begin : begin + _TEXTS_AT_ONCE]]
            for key, text in self._catalogue.transcript_texts(keys).items():
                snippet = snippet_of(text, words)
                if snippet is not None:
                    snippets[key] = snippet
        return snippets

    def _is_full(self) -> bool:
        """Whether the shelf takes nothing more. Raises StorageUnavailable where it does not answer at all."""
        try:
            self._storage.check()
            self._storage.check_room()
        except StorageFull:
            return True
        return False

    def _known(self, target: Target) -> Recording:
        """The recording as the catalogue has it. Raises RecordingNotFound, also for a tombstone."""
        recording = self._find(target)
        if recording is None or recording.state is RecordingState.DELETED:
            raise RecordingNotFound(target.recording_sid)
        return recording

    def _find(self, target: Target) -> Recording | None:
        """The row that is meant, tombstones too; nothing where whoever asks may not touch its account."""
        if target.account_sid:
            return None if target.key is None else self._catalogue.get(target.key)
        rows = target.picked(self._catalogue.find(target.recording_sid))
        return min(rows, key=lambda row: (_MEANT_FIRST.index(row.state), row.create_time), default=None)


def _narrowed(matching: RecordingFilter) -> RecordingFilter:
    """The same, without tombstones where no states are asked for."""
    return matching if matching.states else replace(matching, states=_NOT_DELETED)
