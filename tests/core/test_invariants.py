"""In whatever order things happen, the invariants of reliability.md B2 hold; when faults stop, all comes to an end.

I1 no false duplicate, I2 no loss, I3 no double effect, I4 no lying answer, I5 integrity. They hold for the processing
that follows the download as they do for the download, with limits on what an account may have running and without.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.core.dispatch import Dispatcher
from recording_service.core.enqueueing import EnqueueResult, Outcome
from recording_service.core.errors import (
    CatalogueUnavailable,
    EnqueueFailed,
    QueueUnavailable,
    RecordingDeleted,
    RecordingNotFound,
    SourceError,
    SourceNotAudio,
    SourceNotFound,
    SourceRateLimited,
    SourceTooLarge,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
    StepImpossible,
    StorageFull,
    StorageUnavailable,
)
from recording_service.core.model import (
    IN_FLIGHT,
    Bell,
    EnqueueReason,
    Priority,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingKey,
    RecordingState,
    Step,
    StepReason,
    UnavailableReason,
    UnavailableReport,
    Work,
)
from recording_service.core.next_bells import NO_LIMITS, AccountLimits
from recording_service.core.ports import Catalogue
from recording_service.core.processor import Made, StepRunner
from recording_service.core.requests import Target
from tests.support.core_world import AUDIO, OTHER_ACCOUNT, World, a_key, a_request
from tests.support.failing_port import Faults
from tests.support.media import ScriptedSource
from tests.support.steps import RUNNERS, Doing, made_of

KEYS = [*(a_key(number) for number in range(1, 5)), a_key(1, OTHER_ACCOUNT)]
WORKERS = ["worker-1", "worker-2"]
PROCESSORS = ["processor-1", "processor-2"]
SHA256 = hashlib.sha256(AUDIO).hexdigest()
#: What may also come, where it is not the recording that was lost.
OTHER_AUDIO = AUDIO[:-1] + b"!"

TERMINAL = frozenset({RecordingState.READY, RecordingState.FAILED, RecordingState.DELETED})
#: Once faults have stopped, everything is at its end within this time: the longest back-off of a few failures, a lease,
#: and a few probes, in seconds.
LONGEST_SECONDS = 600.0

#: Calls that may fail without having been made, or though they were.
CATALOGUE_CALLS = ("amend", "mark_rung", "pause", "resume", "get_many")

OUTCOMES: list[bytes | SourceError] = [
    AUDIO,
    OTHER_AUDIO,
    SourceNotFound("404"),
    SourceUnavailable("503"),
    SourceRateLimited("429", None),
    SourceUnauthorized("401"),
    SourceTruncated("cut"),
    SourceNotAudio("html"),
    SourceTooLarge("too large"),
]

#: What may become of a step.
STEP_OUTCOMES: list[Exception | None] = [
    None,
    StepImpossible(StepReason.MEDIA_BROKEN, "broken"),
    StorageUnavailable(),
    RuntimeError("a bug"),
]
BEING_PROCESSED = frozenset({ProcessingState.PENDING, ProcessingState.RUNNING})


def _queue_down(error: Exception) -> Callable[[World], None]:
    return lambda world: world.bells.fail(error, "ring", "waiting", "unheard", "incarnation")


def _call_fails(method: str) -> Callable[[World], None]:
    return lambda world: world.catalogue.fail(CatalogueUnavailable(), method)


def _answer_gets_lost(method: str) -> Callable[[World], None]:
    return lambda world: world.catalogue.lose_answer(CatalogueUnavailable(), method)


def _shelf_fails(method: str) -> Callable[[World], None]:
    return lambda world: world.storage.fail(StorageUnavailable(), method)


#: What may break, by its name.
BREAKDOWNS: dict[str, Callable[[World], None]] = {
    "the queue": _queue_down(QueueUnavailable()),
    "the queue, by a bug of ours": _queue_down(AttributeError("'int' object has no attribute 'max'")),
    "the queue's answers": lambda world: None,
    **{f"{method} of the catalogue": _call_fails(method) for method in CATALOGUE_CALLS},
    **{f"answers to {method} of the catalogue": _answer_gets_lost(method) for method in CATALOGUE_CALLS},
    "the claim": _call_fails("claim"),
    "the room on the shelf": lambda world: world.storage.fail(StorageFull(), "check_room"),
    **{
        f"{method} of the shelf": _shelf_fails(method)
        for method in ("create", "open", "size", "remove", "remove_others")
    },
}

keys = st.sampled_from(KEYS)
workers = st.sampled_from(WORKERS)
processors = st.sampled_from(PROCESSORS)
step_outcomes = st.dictionaries(st.sampled_from(Step), st.sampled_from(STEP_OUTCOMES))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of outages a second need no log."""
    caplog.set_level(logging.CRITICAL, "recording_service")


class JournallingCatalogue(MemoryCatalogue):
    """Remembers which attempts were claimed."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[Bell] = []

    def claim(
        self,
        heard: Bell | None,
        claimed_by: str,
        now: datetime,
        probe_interval: timedelta,
        *,
        work: Work = Work.DOWNLOAD,
        limit: int | None = None,
    ) -> Recording | None:
        """Claims, and remembers."""
        claimed = super().claim(heard, claimed_by, now, probe_interval, work=work, limit=limit)
        if claimed is not None:
            self.claims.append(claimed.bell if work is Work.DOWNLOAD else claimed.processing_bell)
        return claimed


class Service(RuleBasedStateMachine):
    """Callers, workers and dispatchers over one world, and everything that may befall them."""

    limits: AccountLimits = NO_LIMITS

    def __init__(self) -> None:
        super().__init__()
        self.journal = JournallingCatalogue()
        self.world = World(catalogue=Faults[Catalogue](self.journal), limits=self.limits)
        self.enqueuer = self.world.enqueuer()
        self.dispatchers: list[Dispatcher] = [self.world.dispatcher("dispatcher-0")]
        self.dispatchers_made = 1
        #: Bells that the queue has taken: whoever rang, and whatever the queue said to that.
        self.rung: set[Bell] = set()
        #: Bells that workers have heard, and not answered yet.
        self.heard: list[Bell] = []
        self.heard_of_processing: list[Bell] = []
        #: Bells by which a call was answered ENQUEUED.
        self.enqueued: set[Bell] = set()
        #: The attempt with which each recording was last begun: new, after FAILED, or after its object was lost.
        self.begun: dict[RecordingKey, int] = {}
        #: The same of its processing: wanted at all, again, or of bytes that are back.
        self.processing_begun: dict[RecordingKey, int] = {}
        #: Recordings whose processing was begun by their download: the bell that rang for the one rang for both.
        self.goes_on: set[RecordingKey] = set()
        #: Recordings for which a FULL job was answered as it should be.
        self.wanted_in_full: set[RecordingKey] = set()
        #: Recordings whose object was damaged behind everyone's back, until somebody notices.
        self.damaged: set[str] = set()
        self.last: dict[RecordingKey, Recording] = {}
        self.faulty = False
        #: How far the wall clock was set, all in all: so much later rows may come to be due. Forwards too: what is put
        #: off between two jumps that no dispatcher has looked between is moved along with both.
        self.set_seconds = 0.0
        self.world.bells.after["ring"] = self._note_rung

    # Callers

    @initialize(wanted=st.sets(keys, min_size=2), are_here=st.booleans())
    def begin(self, wanted: set[RecordingKey], are_here: bool) -> None:
        for key in sorted(wanted):
            self.enqueue(key, RecordingJob.FULL, 1)
        if are_here:
            self.work(AUDIO, "worker-1")

    @rule(key=keys, job=st.sampled_from(RecordingJob), times=st.integers(1, 3))
    def enqueue(self, key: RecordingKey, job: RecordingJob, times: int) -> None:
        for outcome in self.enqueuer.enqueue_batch([a_request(key, job)] * times):
            self._observe()
            self._check_answer(key, job, outcome)

    @rule(
        key=keys,
        meanwhile=st.sampled_from(
            ["ring", "fetch", "claim", "give back", "fail", "process", "fail to process", "delete", "enqueue"]
        ),
    )
    def enqueue_while_something_happens(self, key: RecordingKey, meanwhile: str) -> None:
        """Something happens after this call has rung, and before it has noted that."""

        def happen(bells: list[Bell]) -> None:
            self.world.bells.after["ring"] = note
            self._note_rung(bells)
            self._observe()
            self._try(lambda: self._meanwhile(meanwhile, bells))
            self._observe()

        note, self.world.bells.after["ring"] = self.world.bells.after["ring"], happen
        (outcome,) = self.enqueuer.enqueue_batch([a_request(key)])
        self.world.bells.after["ring"] = note
        self._observe()
        if isinstance(outcome, EnqueueFailed) and meanwhile in ("give back", "fail to process"):
            return  # The next attempt is nobody's yet: an error that is no fault.
        self._check_answer(
            key, RecordingJob.FULL, outcome, ended=meanwhile in ("fetch", "fail", "process", "fail to process")
        )

    @rule(key=keys, deleted=st.booleans())
    def end(self, key: RecordingKey, deleted: bool) -> None:
        """Somebody deletes it, or Twilio says that it is absent."""
        if deleted:
            self._try(lambda: self.world.service().delete(Target(*key), allow_missing=True))
        else:
            report = UnavailableReport(key, UnavailableReason.ABSENT)
            self._try(lambda: self.world.service().report_unavailable(report))

    # Workers

    @rule(outcome=st.sampled_from(OUTCOMES), worker=workers)
    def work(self, outcome: bytes | SourceError, worker: str) -> None:
        """A worker answers every bell, as long as nothing is wrong with the catalogue."""
        self._twilio_says(outcome)
        while (bell := self.world.queue.hear()) is not None:
            self._answer(bell, worker)

    @rule()
    def hear(self) -> None:
        bell = self.world.queue.hear()
        if bell is not None:
            self.heard.append(bell)

    @precondition(lambda self: self.heard)
    @rule()
    def die_before_the_claim(self) -> None:
        self.heard.pop()

    @precondition(lambda self: self.heard or self.world.queue.waiting())
    @rule(outcome=st.sampled_from(OUTCOMES), worker=workers)
    def answer(self, outcome: bytes | SourceError, worker: str) -> None:
        self._twilio_says(outcome)
        self._answer(self._next_heard(Work.DOWNLOAD), worker)

    @precondition(lambda self: self.heard or self.world.queue.waiting())
    @rule(seconds=st.sampled_from([1.0, 20.0, 50.0]), worker=workers, successor_finishes=st.booleans())
    def answer_slowly(self, seconds: float, worker: str, successor_finishes: bool) -> None:
        """The worker stands still in the middle of a download, and goes on as if nothing had happened."""
        twilio = self.world.source.adapter

        def pieces() -> Iterator[bytes]:
            yield AUDIO[:1000]
            self.world.source.adapter = twilio
            self.world.let_pass(seconds, *self.dispatchers)
            self._twilio_says(AUDIO)
            self._observe()
            if (other := self.world.queue.hear()) is not None:
                if successor_finishes:
                    self._answer(other, "worker-3")
                else:
                    self._claim(other, "worker-3")
            yield AUDIO[1000:]

        self.world.source.adapter = ScriptedSource(pieces, content_length=len(AUDIO))
        self._answer(self._next_heard(Work.DOWNLOAD), worker)
        self.world.source.adapter = twilio

    @precondition(lambda self: self.heard or self.world.queue.waiting())
    @rule(worker=workers)
    def die_after_the_claim(self, worker: str) -> None:
        self._claim(self._next_heard(Work.DOWNLOAD), worker)

    @rule(worker=st.sampled_from(WORKERS + PROCESSORS), clean=st.booleans())
    def end_a_worker(self, worker: str, clean: bool) -> None:
        attempts = self.world.attempts()
        self._try(lambda: attempts.release(worker) if clean else attempts.crashed_under(worker))

    # Workers that process

    @rule(outcomes=step_outcomes, processor=processors)
    def process(self, outcomes: dict[Step, Exception | None], processor: str) -> None:
        """A worker answers every bell, as long as nothing is wrong with the catalogue."""
        while (bell := self.world.queue.hear(Work.PROCESSING)) is not None:
            self._process(bell, processor, outcomes)

    @precondition(lambda self: self._undamaged())
    @rule(data=st.data(), outcome=st.sampled_from([AUDIO, OTHER_AUDIO]))
    def lose_and_fetch_again(self, data: st.DataObject, outcome: bytes) -> None:
        """Bytes are lost whose processing is at any point, and the same or others come in their place."""
        object_key = data.draw(st.sampled_from(self._undamaged()))
        self._lose(object_key)
        self.enqueue(next(row.key for row in self.last.values() if row.object_key == object_key), RecordingJob.FULL, 1)
        self.work(outcome, "worker-1")

    @rule()
    def hear_of_processing(self) -> None:
        bell = self.world.queue.hear(Work.PROCESSING)
        if bell is not None:
            self.heard_of_processing.append(bell)

    @precondition(lambda self: self.heard_of_processing)
    @rule()
    def die_before_the_claim_of_processing(self) -> None:
        self.heard_of_processing.pop()

    @precondition(lambda self: self.heard_of_processing or self.world.queue.waiting(Work.PROCESSING))
    @rule(processor=processors)
    def die_after_the_claim_of_processing(self, processor: str) -> None:
        self._claim_processing(self._next_heard(Work.PROCESSING), processor)

    @precondition(lambda self: self.heard_of_processing or self.world.queue.waiting(Work.PROCESSING))
    @rule(outcomes=step_outcomes, processor=processors)
    def answer_of_processing(self, outcomes: dict[Step, Exception | None], processor: str) -> None:
        self._process(self._next_heard(Work.PROCESSING), processor, outcomes)

    @precondition(lambda self: self.heard_of_processing or self.world.queue.waiting(Work.PROCESSING))
    @rule(
        step=st.sampled_from(Step),
        seconds=st.sampled_from([1.0, 20.0, 50.0]),
        processor=processors,
        other=st.sampled_from(["finishes", "claims", "loses the bytes", "loses others", "deletes", "wants it again"]),
    )
    def process_slowly(self, step: Step, seconds: float, processor: str, other: str) -> None:
        """The worker stands still in the middle of a step, and goes on as if nothing had happened."""

        def happen(recording: Recording) -> None:
            self.world.let_pass(seconds, *self.dispatchers)
            self._observe()
            self._try(lambda: self._meanwhile_processing(other, recording))
            self._observe()

        self._process(self._next_heard(Work.PROCESSING), processor, {}, slow=step, happen=happen)

    # Time, and dispatchers

    @rule(seconds=st.sampled_from([1.0, 3.0, 10.0, 40.0, 90.0]))
    def let_pass(self, seconds: float) -> None:
        self.world.let_pass(seconds, *self.dispatchers)

    @rule(seconds=st.sampled_from([-600.0, -5.0, 5.0, 600.0]))
    def set_the_clock(self, seconds: float) -> None:
        self.world.clock.jump(seconds)
        self.set_seconds += abs(seconds)

    @rule(count=st.integers(1, 2))
    def have_other_dispatchers(self, count: int) -> None:
        """Those that were there are gone without a word."""
        self.dispatchers.clear()
        for _ in range(count):
            self._add_dispatcher()

    # Faults

    @rule(what=st.sampled_from(sorted(BREAKDOWNS)))
    def break_down(self, what: str) -> None:
        self.faulty = True
        BREAKDOWNS[what](self.world)
        if what == "the queue's answers":
            self.world.bells.after["ring"] = self._note_rung_and_fail

    @rule()
    def mend(self) -> None:
        self.faulty = False
        for faults in (self.world.catalogue, self.world.storage, self.world.bells):
            faults.mend()
        self.world.bells.after["ring"] = self._note_rung

    @precondition(lambda self: self.faulty)
    @rule()
    def mend_soon(self) -> None:
        """Things are not broken most of the time."""
        self.mend()

    @rule()
    def flush_redis(self) -> None:
        self.world.queue.forget()

    @precondition(lambda self: self._undamaged())
    @rule(data=st.data(), lost=st.booleans())
    def damage(self, data: st.DataObject, lost: bool) -> None:
        object_key = data.draw(st.sampled_from(self._undamaged()))
        self.damaged.add(object_key)
        if lost:
            self.world.shelf.lose(object_key)
        else:
            self.world.shelf.truncate(object_key, len(AUDIO) // 2)

    # What holds at all times

    @invariant()
    def what_always_holds(self) -> None:
        self._observe()
        for row in self.last.values():
            is_ready = row.state is RecordingState.READY
            assert is_ready == bool(row.object_key)
            if is_ready and row.object_key not in self.damaged:
                stored = self.world.shelf.open(row.object_key).read_at(0, 10**6)
                assert stored in (AUDIO, OTHER_AUDIO)
                assert (row.size_bytes, row.sha256) == (len(stored), hashlib.sha256(stored).hexdigest())
            assert (row.state is RecordingState.FAILED) == (row.failure_reason is not None)
            self._check_processing(row)
        assert len(set(self.journal.claims)) == len(self.journal.claims), "an attempt was claimed twice"
        self._check_limits()

    def _check_processing(self, row: Recording) -> None:
        processing = row.processing
        if processing.state is not None:
            assert row.state is RecordingState.READY, "what is not here is being processed"
            assert (processing.state is ProcessingState.DONE) == (processing.next_step is None)
            assert processing.state is not ProcessingState.PENDING or processing.claimed_by == ""
        sha256 = row.sha256 or row.expected_sha256
        media = AUDIO if sha256 == SHA256 else OTHER_AUDIO
        for step in Step:
            artefact = self.journal.artefact(row.key, step)
            if step in processing.ends and processing.ends[step].state is ProcessingState.DONE:
                assert artefact is not None, "a step is DONE and has left nothing"
                assert (artefact.media_sha256, artefact.content) == (sha256, made_of(step, media))
            assert artefact is None or row.state is not RecordingState.DELETED, "a tombstone has an artefact"

    def _check_limits(self) -> None:
        """Nothing that may be held back is running beyond the limit: nothing was when it was claimed."""
        for work in Work:
            limit = self.limits.of(work)
            assert limit is None or max(self._running(work).values(), default=0) <= limit, "beyond the limit"

    def _running(self, work: Work) -> Counter[str]:
        """How many that may be held back each account has running."""
        running = [self.last[attempt.bell.key] for attempt in self.journal.claimed() if attempt.bell.work is work]
        return Counter(row.account_sid for row in running if row.priority is not Priority.PLAYBACK)

    # When faults stop

    def teardown(self) -> None:
        self.mend()
        self._twilio_says(AUDIO)
        self._observe()
        self._add_dispatcher()
        passed = 0.0
        while not self._is_at_its_end():
            assert passed < LONGEST_SECONDS + self.set_seconds, f"not at their end: {self._unfinished()}"
            self.world.let_pass(1.0, *self.dispatchers)
            passed += 1.0
            for bell in self.heard:
                self.world.downloader().answer(bell, "worker-1")
            self.heard.clear()
            self.world.work()
            for bell in self.heard_of_processing:
                self.world.processor(RUNNERS).answer(bell, "processor-1")
            self.heard_of_processing.clear()
            self.world.process(self.world.processor(RUNNERS))
            self._observe()
        self.what_always_holds()
        for key in self.last:
            for job in RecordingJob:
                (outcome,) = self.enqueuer.enqueue_batch([a_request(key, job)])
                self._observe()
                self._check_answer(key, job, outcome)

    def _is_at_its_end(self) -> bool:
        return not self._unfinished()

    def _unfinished(self) -> list[Recording]:
        return [
            row
            for row in self.last.values()
            if row.state not in TERMINAL
            or row.processing.state in BEING_PROCESSED
            or (row.state is RecordingState.READY and row.key in self.wanted_in_full and row.processing.summary is None)
        ]

    # Keeping the books

    def _check_answer(self, key: RecordingKey, job: RecordingJob, outcome: Outcome, *, ended: bool = False) -> None:
        """Whether the answer is true. `ended`: the recording may have come to its end since."""
        row = self.journal.get(key)
        if isinstance(outcome, EnqueueFailed):
            assert self.faulty, "an enqueue failed though nothing was wrong"
            assert outcome.recording is None or row is not None, "an error names a row that is not there"
            return
        assert row is not None, "a row was not committed"
        if isinstance(outcome, RecordingDeleted):
            assert row.state is RecordingState.DELETED
            return
        assert isinstance(outcome, EnqueueResult)
        assert outcome.recording.revision <= row.revision
        told = outcome.recording
        if job is RecordingJob.FULL:
            self.wanted_in_full.add(key)
        if outcome.reason is EnqueueReason.ENQUEUED:
            # Of the recording while it is not here, and of its processing when it is.
            bell = told.bell if told.state in IN_FLIGHT else told.processing_bell
            if told.state not in IN_FLIGHT:
                assert (job, told.state) == (RecordingJob.FULL, RecordingState.READY)
                assert told.processing.state is ProcessingState.PENDING
            assert bell in self.rung, "ENQUEUED, and nobody rang"
            assert bell not in self.enqueued, "two callers enqueued one attempt"
            self.enqueued.add(bell)
        elif outcome.reason is EnqueueReason.DUPLICATE:
            if told.state in IN_FLIGHT:
                assert row.state in IN_FLIGHT or row.processing.state in BEING_PROCESSED or ended, (
                    "a duplicate of nothing"
                )
                assert self._has_rung(key, Work.DOWNLOAD, self.begun[key]), "DUPLICATE, and no bell has rung"
            else:
                assert (job, told.state) == (RecordingJob.FULL, RecordingState.READY)
                assert told.processing.state in BEING_PROCESSED
                assert row.processing.state in BEING_PROCESSED or ended, "a duplicate of nothing"
                assert self._has_rung(key, Work.PROCESSING, self.processing_begun[key]) or (
                    key in self.goes_on and self._has_rung(key, Work.DOWNLOAD, self.begun[key])
                ), "DUPLICATE, and no bell has rung"
        else:
            assert outcome.reason is EnqueueReason.CACHED
            assert self.world.shelf.size(row.object_key) == row.size_bytes == len(AUDIO)
            if job is RecordingJob.FULL:
                assert row.processing.state is ProcessingState.DONE, "CACHED, and it is not processed"
                assert row.processing.summary is not ProcessingState.FAILED, "CACHED, and a step has failed"

    def _has_rung(self, key: RecordingKey, work: Work, begun: int) -> bool:
        return any(
            bell.key == key and bell.work is work and bell.attempt >= begun and bell.is_own for bell in self.rung
        )

    def _observe(self) -> None:
        for key in KEYS:
            row, before = self.journal.get(key), self.last.get(key)
            if row is None:
                assert before is None, "a row has vanished"
                continue
            if before is not None:
                assert (row.revision, row.attempt) >= (before.revision, before.attempt)
                assert row.attempt >= before.attempt
                assert row.processing.attempt >= before.processing.attempt
                assert before.state is not RecordingState.DELETED or row == before, "a tombstone has changed"
                # The scrub's mark is no change of the recording: nobody is told of it.
                marked = replace(before, verified_time=row.verified_time)
                assert row == marked or row.revision > before.revision
            if row.state in IN_FLIGHT and (before is None or before.state not in IN_FLIGHT):
                self.begun[key] = row.attempt
            was_processed = before is not None and before.processing.state in BEING_PROCESSED
            if row.processing.state in BEING_PROCESSED and (
                not was_processed or (before is not None and before.object_key != row.object_key)
            ):
                self.processing_begun[key] = row.processing.attempt
                self.goes_on.discard(key)
                if before is not None and before.state in IN_FLIGHT:
                    self.goes_on.add(key)
            self.last[key] = row

    def _note_rung(self, bells: list[Bell]) -> None:
        self.rung.update(bells)

    def _note_rung_and_fail(self, bells: list[Bell]) -> None:
        self._note_rung(bells)
        raise QueueUnavailable

    def _undamaged(self) -> list[str]:
        """The objects of READY rows that nobody has damaged."""
        rows = (self.journal.get(key) for key in KEYS)
        return [row.object_key for row in rows if row and row.object_key and row.object_key not in self.damaged]

    def _twilio_says(self, outcome: bytes | SourceError) -> None:
        for key in KEYS:
            self.world.twilio.script(key, [outcome])

    def _next_heard(self, work: Work) -> Bell:
        """What a worker has heard, or hears now."""
        heard = self.heard if work is Work.DOWNLOAD else self.heard_of_processing
        bell = heard.pop(0) if heard else self.world.queue.hear(work)
        assert bell is not None
        return bell

    def _answer(self, bell: Bell, worker: str) -> None:
        self._try(lambda: self.world.downloader().answer(bell, worker))

    def _claim(self, bell: Bell, worker: str) -> None:
        """A claim, and no more."""
        limit = self.limits.of(Work.DOWNLOAD)
        self.journal.claim(bell, worker, self.world.clock.now(), timedelta(minutes=1), limit=limit)

    def _process(
        self,
        bell: Bell,
        processor: str,
        outcomes: dict[Step, Exception | None],
        slow: Step | None = None,
        happen: Callable[[Recording], None] = lambda recording: None,
    ) -> None:
        """Answers a bell; `happen` is called in the midst of the slow step, which it may take the bytes from."""

        def doing(step: Step) -> StepRunner:
            def run(recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
                content = media.read()
                assert len(content) == recording.size_bytes
                if step is slow:
                    happen(recording)
                if (error := outcomes.get(step)) is not None:
                    raise error.with_traceback(None)
                return Made(made_of(step, content))

            return Doing(run)

        processor_of_them = self.world.processor({step: doing(step) for step in Step})
        self._try(lambda: processor_of_them.answer(bell, processor))

    def _claim_processing(self, bell: Bell, processor: str) -> None:
        """A claim, and no more."""
        limit = self.limits.of(Work.PROCESSING)
        self.journal.claim(bell, processor, self.world.clock.now(), timedelta(0), work=Work.PROCESSING, limit=limit)

    def _meanwhile_processing(self, what: str, recording: Recording) -> None:
        """What others do while a worker is at this recording."""
        if what in ("finishes", "claims"):
            bell = self.world.queue.hear(Work.PROCESSING)
            if bell is not None and what == "finishes":
                self._process(bell, "processor-3", {})
            elif bell is not None:
                self._claim_processing(bell, "processor-3")
        elif what == "deletes":
            self.world.service().delete(Target(*recording.key), allow_missing=True)
        elif what == "wants it again":
            self.enqueue(recording.key, RecordingJob.FULL, 1)
        elif recording.object_key in self._undamaged():
            self._lose(recording.object_key)
            self._twilio_says(AUDIO if what == "loses the bytes" else OTHER_AUDIO)
            self.enqueue(recording.key, RecordingJob.DOWNLOAD_ONLY, 1)
            while (bell := self.world.queue.hear()) is not None:
                self._answer(bell, "worker-3")

    def _lose(self, object_key: str) -> None:
        self.damaged.add(object_key)
        self.world.shelf.lose(object_key)

    def _meanwhile(self, what: str, bells: list[Bell]) -> None:
        if what in ("process", "fail to process"):
            if (heard := self.world.queue.hear(Work.PROCESSING)) is not None:
                self._process(heard, "processor-3", {} if what == "process" else {Step.WAVEFORM: RuntimeError("a bug")})
            return
        bell = self.world.queue.hear() if what in ("fetch", "fail", "claim", "give back") else None
        if what == "ring":
            self.journal.mark_rung(bells, self.world.clock.now())
        elif what == "enqueue":
            for outcome in self.enqueuer.enqueue_batch([a_request(bells[0].key)]):
                self._observe()
                self._check_answer(bells[0].key, RecordingJob.FULL, outcome)
        elif what == "delete":
            self.world.service().delete(Target(*bells[0].key), allow_missing=True)
        elif bell is not None and what in ("fetch", "fail"):
            self._twilio_says(AUDIO if what == "fetch" else SourceNotFound("404"))
            self._answer(bell, "worker-3")
        elif bell is not None:
            self._claim(bell, "worker-3")
            if what == "give back":
                self.world.attempts().release("worker-3")

    def _add_dispatcher(self) -> None:
        self.dispatchers.append(self.world.dispatcher(f"dispatcher-{self.dispatchers_made}"))
        self.dispatchers_made += 1

    def _try(self, do: Callable[[], object]) -> None:
        """Does something that may fail while something is broken, and only then."""
        try:
            do()
        except (CatalogueUnavailable, StorageUnavailable):
            assert self.faulty
        except RecordingNotFound:
            pass


class LimitedService(Service):
    """The same where an account may have one of each kind running."""

    limits = AccountLimits(downloads=1, processing=1)


#: An order of things that breaks a promise is made shorter before it is shown, and that may take minutes.
pytestmark = pytest.mark.timeout(900)

SETTINGS = settings(
    max_examples=150,
    stateful_step_count=50,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

TestService = Service.TestCase
TestService.settings = SETTINGS
TestLimitedService = LimitedService.TestCase
TestLimitedService.settings = SETTINGS
