"""Enqueue: commit, then ring, then say what is true (design.md §2, "What the answers mean").

Concurrent calls share one transaction and one push (group commit): one at a time they would cost a flush and two round
trips each. Callers gather while the group before them commits and rings. Committing is done by one group at a time at
any rate, but ringing by several at once where it takes long: a Redis that hangs delays nobody by more than its own
time-out.
"""

import logging
import threading
import time
from collections.abc import Sequence, Set
from datetime import datetime
from itertools import zip_longest
from typing import NamedTuple

from recording_service.core import transitions
from recording_service.core.errors import (
    DependencyUnavailable,
    EnqueueBroken,
    EnqueueFailed,
    EnqueueStorageFull,
    RecordingDeleted,
    StorageFull,
)
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import (
    IN_FLIGHT,
    Bell,
    EnqueueReason,
    EnqueueRequest,
    Priority,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingState,
    Step,
    WaitingReason,
    Work,
)
from recording_service.core.ports import BellQueue, Catalogue, Clock, Decide, Storage

#: Most requests that share one transaction.
GROUP_LIMIT = 64
#: How long a leader lets more callers gather, if the group before was more than one: that costs each of them a moment,
#: and saves them a flush and many changes of threads (as PostgreSQL's commit_delay and commit_siblings do).
GATHER_SECONDS = 0.001
#: Longest wait for the group before to have rung: many times what that takes, and little against a time-out of Redis.
RING_PATIENCE_SECONDS = 0.05
#: Longest wait for the group to be answered; every step within has a shorter deadline of its own.
GROUP_DEADLINE_SECONDS = 15.0

#: Reasons to wait that an earlier attempt has left behind: its bell has rung, and the dispatcher rings for the next.
_RUNG_BEFORE = frozenset({WaitingReason.RETRY, WaitingReason.RATE_LIMITED, WaitingReason.STORAGE_UNAVAILABLE})

_log = logging.getLogger(__name__)


class EnqueueResult(NamedTuple):
    """What became of one request, and the row as it was committed."""

    reason: EnqueueReason
    recording: Recording


#: What became of one request: a result, or the error that it ends in.
Outcome = EnqueueResult | EnqueueFailed | RecordingDeleted


class _Committed(NamedTuple):
    """What one transaction has made of a group of requests."""

    #: The rows as they were committed, or why they were not; one a request, in order.
    rows: "list[Recording | EnqueueFailed]"
    #: Bells that rang before somebody came to wait for the recording (see `_ring_again`).
    raised: Sequence[Bell] = ()


class _Ticket:
    """One caller's request, waiting to be answered or to be told to lead."""

    __slots__ = ("baton", "outcome", "request")

    def __init__(self, request: EnqueueRequest) -> None:
        self.request = request
        self.outcome: Outcome | None = None
        # A lock that is held until there is news: the cheapest thing in Python that can be waited for.
        self.baton = threading.Lock()
        self.baton.acquire()


class Enqueuer:
    """Answers enqueues. Safe to use from many threads."""

    def __init__(
        self,
        catalogue: Catalogue,
        queue: BellQueue,
        storage: Storage,
        clock: Clock,
        available: Set[Step] = transitions.ALL_STEPS,
    ) -> None:
        """`available`: the steps after the download that somebody is configured for."""
        self._available = available
        self._catalogue = catalogue
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._led = False
        #: Whether the group that was taken last was more than one.
        self._had_company = False
        #: Held by the group that commits and rings, as long as nobody has lost patience with it.
        self._belfry = threading.Lock()

    def enqueue(self, request: EnqueueRequest) -> EnqueueResult:
        """Enqueues one recording, together with whoever else is asking now. Idempotent.

        Raises EnqueueFailed if it could not be both committed and rung for, RecordingDeleted for a tombstone.
        """
        ticket = _Ticket(request)
        with self._lock:
            self._waiting.append(ticket)
            leads, self._led = not self._led, True
        if not leads:
            self._wait(ticket)
        if ticket.outcome is None:
            self._lead()
        # Read once: a leader who was too late for the deadline may write to it even now.
        outcome = ticket.outcome
        if not isinstance(outcome, EnqueueResult):
            raise outcome or EnqueueFailed(None)
        return outcome

    def enqueue_batch(self, requests: Sequence[EnqueueRequest]) -> list[Outcome]:
        """Enqueues many recordings; one outcome a request, in order."""
        outcomes: list[Outcome] = []
        for start in range(0, len(requests), GROUP_LIMIT):
            group = requests[start : start + GROUP_LIMIT]
            committed = self._commit(group)
            outcomes += self._ring(group, committed.rows)
            self._ring_again(committed.raised)
        return outcomes

    def _wait(self, ticket: _Ticket) -> None:
        """Returns when the ticket has its outcome, or (without one) is to lead the next group."""
        if ticket.baton.acquire(timeout=GROUP_DEADLINE_SECONDS):
            return
        with self._lock:
            if ticket.baton.acquire(blocking=False):
                return
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        ticket.outcome = EnqueueFailed(None)

    def _lead(self) -> None:
        """Answers the group that gathers; the caller's own ticket is its first."""
        has_belfry = self._belfry.acquire(timeout=RING_PATIENCE_SECONDS)
        try:
            self._answer(self._gathered())
        finally:
            if has_belfry:
                self._belfry.release()

    def _answer(self, group: Sequence[_Ticket]) -> None:
        outcomes: list[Outcome] = []
        try:
            requests = [ticket.request for ticket in group]
            try:
                committed = self._commit(requests)
            finally:
                self._hand_over()
            outcomes = self._ring(requests, committed.rows)
            self._ring_again(committed.raised)
        finally:
            # Also where this thread is being ended: those who wait for it must not wait for their deadline.
            for ticket, outcome in zip_longest(group, outcomes):
                ticket.outcome = outcome or EnqueueFailed(None)
                ticket.baton.release()

    def _gathered(self) -> list[_Ticket]:
        """The next group."""
        if self._had_company:
            time.sleep(GATHER_SECONDS)
        with self._lock:
            group = self._waiting[:GROUP_LIMIT]
            del self._waiting[:GROUP_LIMIT]
        self._had_company = len(group) > 1
        return group

    def _hand_over(self) -> None:
        """Lets the first who waits lead the next group, as soon as this one has rung, or takes too long over it."""
        with self._lock:
            if self._waiting:
                self._waiting[0].baton.release()
            else:
                self._led = False

    def _commit(self, requests: Sequence[EnqueueRequest]) -> _Committed:
        now = self._clock.now()
        try:
            failpoint(Failpoint.ENQUEUE_BEFORE_COMMIT)
            amended = self._catalogue.amend([(request.key, self._decision(request, now)) for request in requests])
            failpoint(Failpoint.ENQUEUE_AFTER_COMMIT)
        except Exception as error:
            return _Committed([_failure(error, None) for _ in requests])
        return _Committed(
            [
                EnqueueFailed(None) if row is None else self._shelved(row, request)
                for request, (row, _) in zip(requests, amended, strict=True)
            ],
            [
                bell
                for request, (row, changed) in zip(requests, amended, strict=True)
                if changed and row is not None and request.priority is Priority.PLAYBACK
                for bell in _rung_before(row)
            ],
        )

    def _shelved(self, recording: Recording, request: EnqueueRequest) -> Recording | EnqueueFailed:
        """The row; put back to be fetched if it says READY and its object is not there, whole."""
        if recording.state is not RecordingState.READY:
            return recording
        try:
            if self._storage.size(recording.object_key) == recording.size_bytes:
                return recording
            _log.warning("a stored object is gone; fetching it again recording_sid=%s", recording.recording_sid)
            failpoint(Failpoint.SHELF_BEFORE_REFETCH)
            lost, now = recording.object_key, self._clock.now()

            def fetched_again(row: Recording | None) -> Recording | None:
                again = transitions.refetched(row, lost, now)
                # While it was READY its priority was of no matter.
                return again and (transitions.enqueued(again, request, now, self._available) or again)

            amended = self._catalogue.amend([(recording.key, fetched_again)])
            return amended[0].recording or EnqueueFailed(None)
        except Exception as error:
            return _failure(error, recording)

    def _decision(self, request: EnqueueRequest, now: datetime) -> Decide:
        return lambda existing: transitions.enqueued(existing, request, now, self._available)

    def _ring(
        self, requests: Sequence[EnqueueRequest], rows: "Sequence[Recording | EnqueueFailed]", *, is_last: bool = False
    ) -> list[Outcome]:
        """Rings for the rows that nobody has rung for yet; what is true of every row then.

        A row may have moved on meanwhile and need another bell: a new attempt has begun, or it is READY and waits to be
        processed. That one is rung in a second round, which is the last.
        """
        asked = [(request.job, row) for request, row in zip(requests, rows, strict=True)]
        needed = [None if isinstance(row, EnqueueFailed) else _needed_bell(job, row) for job, row in asked]
        bells = list(dict.fromkeys(bell for bell in needed if bell is not None))
        if not bells:
            return [row if isinstance(row, EnqueueFailed) else _settled(job, row) for job, row in asked]
        if any(bell.work is Work.DOWNLOAD for bell in bells):
            try:
                # A row that nobody can fetch now is the dispatcher's to ring for, once there is room.
                self._storage.check_room()
            except Exception as error:
                # What is here is processed all the same.
                return self._ring(requests, _refused(error, rows, needed), is_last=is_last)
        try:
            self._queue.ring(bells)
            failpoint(Failpoint.ENQUEUE_AFTER_BELL)
            rung = self._catalogue.mark_rung(bells, self._clock.now())
            failpoint(Failpoint.ENQUEUE_AFTER_MARK)
            missed = [bell.key for bell in bells if bell not in rung]
            looked_up = self._catalogue.get_many(missed) if missed else {}
        except Exception as error:
            return [
                row if isinstance(row, EnqueueFailed) else _settled(job, row) if bell is None else _failure(error, row)
                for (job, row), bell in zip(asked, needed, strict=True)
            ]
        outcomes: list[Outcome] = []
        first = set(rung)
        moved_on: dict[int, Recording] = {}
        for (job, row), bell in zip(asked, needed, strict=True):
            if isinstance(row, EnqueueFailed):
                outcomes.append(row)
            elif bell in first:
                first.remove(bell)
                outcomes.append(EnqueueResult(EnqueueReason.ENQUEUED, row))
            elif bell in rung:
                outcomes.append(EnqueueResult(EnqueueReason.DUPLICATE, row))
            else:
                now = looked_up.get(row.key, row)
                if _needed_bell(job, now) not in (None, bell):
                    moved_on[len(outcomes)] = now
                outcomes.append(_settled(job, now))
        if moved_on and not is_last:
            again = self._ring([requests[place] for place in moved_on], list(moved_on.values()), is_last=True)
            for place, outcome in zip(moved_on, again, strict=True):
                outcomes[place] = outcome
        return outcomes

    def _ring_again(self, bells: Sequence[Bell]) -> None:
        """Rings for what somebody waits to hear now, whose own bell may have been heard in vain.

        It was, if the account had all that it may then: what is PLAYBACK is not held back any more. With a name of its
        own: the echo of the same attempt may be wanted soon, and RQ remembers names for a minute.
        Raises nothing: the answer is true without it, and the dispatcher finds the bell missing.
        """
        if not bells:
            return
        try:
            self._queue.ring(list(dict.fromkeys(bells)))
        except DependencyUnavailable as error:
            _log.warning("%s; the dispatcher rings for what somebody waits for", error)
        except Exception:
            _log.exception("ringing for what somebody waits for failed unexpectedly")


def _rung_before(recording: Recording) -> list[Bell]:
    """The bell to ring once more, of a row that waits and whose own one has rung."""
    if recording.state is RecordingState.QUEUED and recording.rung_time is not None:
        return [recording.bell.again]
    processing = recording.processing
    if processing.state is ProcessingState.PENDING and processing.rung_time is not None:
        return [recording.processing_bell.again]
    return []


def _needed_bell(job: RecordingJob, recording: Recording) -> Bell | None:
    """The bell that nobody has rung yet, of what the job asks for; None if there is none to be rung.

    What waits for its next attempt was rung for before.
    """
    if recording.state in IN_FLIGHT:
        is_due = recording.rung_time is None and recording.waiting_reason not in _RUNG_BEFORE
        return recording.bell if is_due else None
    processing = recording.processing
    if job is RecordingJob.FULL and processing.state is ProcessingState.PENDING:
        is_due = processing.rung_time is None and processing.waiting_reason is None
        # What was asked for with the download was rung for with it: that it goes on is nobody's new enqueue.
        return recording.processing_bell if is_due and not processing.follows_download else None
    return None


def _refused(
    error: Exception, rows: "Sequence[Recording | EnqueueFailed]", needed: Sequence[Bell | None]
) -> "list[Recording | EnqueueFailed]":
    """The rows, with a failure in the place of those that need a bell of the download."""
    return [
        _failure(error, row)
        if not isinstance(row, EnqueueFailed) and bell is not None and bell.work is Work.DOWNLOAD
        else row
        for row, bell in zip(rows, needed, strict=True)
    ]


def _settled(job: RecordingJob, recording: Recording) -> Outcome:
    """What is true of a row that this call need not ring for, or that another one has rung for."""
    if recording.state is RecordingState.DELETED:
        return RecordingDeleted(recording.recording_sid)
    is_being_processed = recording.processing.state in (ProcessingState.PENDING, ProcessingState.RUNNING)
    if recording.state is RecordingState.READY and (job is RecordingJob.DOWNLOAD_ONLY or not is_being_processed):
        return EnqueueResult(EnqueueReason.CACHED, recording)
    if _needed_bell(job, recording) is not None:
        # A new attempt began while this call rang for the one before: nobody has rung for it yet.
        return EnqueueFailed(recording)
    return EnqueueResult(EnqueueReason.DUPLICATE, recording)


def _failure(error: Exception, recording: Recording | None) -> EnqueueFailed:
    """What a caller is told of an error on the way; an unexpected one is a bug, and is logged as one."""
    failure: EnqueueFailed
    if isinstance(error, StorageFull):
        failure = EnqueueStorageFull(recording)
    elif isinstance(error, DependencyUnavailable):
        failure = EnqueueFailed(recording)
    else:
        _log.error("an enqueue failed unexpectedly", exc_info=error)
        failure = EnqueueBroken(recording)
    failure.__cause__ = error
    return failure
