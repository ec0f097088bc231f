"""What an enqueue answers, and that it is true (design.md §2 and §3)."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from recording_service.core import enqueueing
from recording_service.core.enqueueing import GROUP_LIMIT, Enqueuer, EnqueueResult, Outcome
from recording_service.core.errors import (
    CatalogueUnavailable,
    EnqueueBroken,
    EnqueueFailed,
    EnqueueStorageFull,
    QueueUnavailable,
    RecordingDeleted,
    SourceError,
    SourceNotFound,
    SourceRateLimited,
    SourceTooLarge,
    SourceUnauthorized,
    StorageUnavailable,
)
from recording_service.core.model import (
    Bell,
    CallDetails,
    EnqueueReason,
    EnqueueRequest,
    Priority,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingKey,
    RecordingState,
    WaitingReason,
    Work,
)
from recording_service.core.next_bells import AccountLimits
from recording_service.core.requests import Target
from tests.support.core_world import AUDIO, KEY, OTHER_ACCOUNT, WORKER, World, a_key, a_request
from tests.support.failing_port import once, raising
from tests.support.steps import RUNNERS
from tests.support.waiting import eventually

FULL, DOWNLOAD_ONLY = RecordingJob.FULL, RecordingJob.DOWNLOAD_ONLY
ENQUEUED, CACHED, DUPLICATE = EnqueueReason.ENQUEUED, EnqueueReason.CACHED, EnqueueReason.DUPLICATE

#: Longest wait for what should come about at once, in seconds.
SOON = 10.0


class BeingEnded(BaseException):
    """What ends a thread from outside, and is no Exception."""


def reasons(outcomes: Sequence[Outcome]) -> list[EnqueueReason | type[Exception]]:
    return [outcome.reason if isinstance(outcome, EnqueueResult) else type(outcome) for outcome in outcomes]


def refused(enqueuer: Enqueuer, request: EnqueueRequest) -> EnqueueFailed:
    with pytest.raises(EnqueueFailed) as failed:
        enqueuer.enqueue(request)
    return failed.value


def asked_by_many(enqueuer: Enqueuer, requests: Sequence[EnqueueRequest]) -> list[EnqueueReason | type[BaseException]]:
    """Each request in a thread of its own, all at once."""
    barrier = threading.Barrier(len(requests))

    def ask(request: EnqueueRequest) -> EnqueueReason | type[BaseException]:
        barrier.wait(SOON)
        try:
            return enqueuer.enqueue(request).reason
        except BaseException as error:
            return type(error)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(ask, requests))


# The table, cell by cell


def nothing(world: World) -> None:
    """There is no such recording."""


def queued(job: RecordingJob, world: World) -> None:
    world.enqueuer().enqueue(a_request(job=job, priority=Priority.BULK))


def downloading(job: RecordingJob, world: World) -> None:
    queued(job, world)
    world.claim()


def ready(job: RecordingJob, world: World) -> None:
    queued(job, world)
    world.script(AUDIO)
    world.work()
    assert world.row().state is RecordingState.READY


def being_processed(world: World) -> None:
    ready(FULL, world)
    bell = world.queue.hear(Work.PROCESSING)
    assert bell is not None
    claimed = world.catalogue.adapter.claim(bell, WORKER, world.clock.now(), timedelta(0), work=Work.PROCESSING)
    assert claimed is not None


def processed(world: World) -> None:
    ready(FULL, world)
    world.process(world.processor(RUNNERS))
    assert world.row().processing.summary is ProcessingState.DONE


def failed(world: World) -> None:
    queued(FULL, world)
    world.script(SourceTooLarge("too large"))
    world.work()
    assert world.row().state is RecordingState.FAILED


def deleted(world: World) -> None:
    queued(FULL, world)
    world.service().delete(Target(*KEY), allow_missing=False)


Situation = Callable[[World], None]

TABLE: list[tuple[RecordingJob, str, Situation, EnqueueReason | type[Exception], RecordingJob]] = [
    (FULL, "nothing yet", nothing, ENQUEUED, FULL),
    (FULL, "FULL queued", partial(queued, FULL), DUPLICATE, FULL),
    (FULL, "FULL downloading", partial(downloading, FULL), DUPLICATE, FULL),
    (FULL, "DOWNLOAD_ONLY queued", partial(queued, DOWNLOAD_ONLY), DUPLICATE, FULL),
    (FULL, "DOWNLOAD_ONLY downloading", partial(downloading, DOWNLOAD_ONLY), DUPLICATE, FULL),
    (FULL, "READY, processed", processed, CACHED, FULL),
    (FULL, "READY, to be processed", partial(ready, FULL), DUPLICATE, FULL),
    (FULL, "READY, processing runs", being_processed, DUPLICATE, FULL),
    (FULL, "READY, never processed", partial(ready, DOWNLOAD_ONLY), ENQUEUED, FULL),
    (FULL, "FAILED", failed, ENQUEUED, FULL),
    (FULL, "DELETED", deleted, RecordingDeleted, FULL),
    (DOWNLOAD_ONLY, "nothing yet", nothing, ENQUEUED, DOWNLOAD_ONLY),
    (DOWNLOAD_ONLY, "FULL queued", partial(queued, FULL), DUPLICATE, FULL),
    (DOWNLOAD_ONLY, "FULL downloading", partial(downloading, FULL), DUPLICATE, FULL),
    (DOWNLOAD_ONLY, "DOWNLOAD_ONLY queued", partial(queued, DOWNLOAD_ONLY), DUPLICATE, DOWNLOAD_ONLY),
    (DOWNLOAD_ONLY, "DOWNLOAD_ONLY downloading", partial(downloading, DOWNLOAD_ONLY), DUPLICATE, DOWNLOAD_ONLY),
    (DOWNLOAD_ONLY, "READY, processed", processed, CACHED, FULL),
    (DOWNLOAD_ONLY, "READY, to be processed", partial(ready, FULL), CACHED, FULL),
    (DOWNLOAD_ONLY, "READY, processing runs", being_processed, CACHED, FULL),
    (DOWNLOAD_ONLY, "READY, never processed", partial(ready, DOWNLOAD_ONLY), CACHED, DOWNLOAD_ONLY),
    (DOWNLOAD_ONLY, "FAILED", failed, ENQUEUED, FULL),
    (DOWNLOAD_ONLY, "DELETED", deleted, RecordingDeleted, FULL),
]


@pytest.mark.parametrize(
    ("job", "situation", "answer", "wanted"),
    [(job, situation, answer, wanted) for job, _, situation, answer, wanted in TABLE],
    ids=[f"{job.name} on {name}" for job, name, *_ in TABLE],
)
def test_the_enqueue_table_cell_by_cell(
    world: World,
    job: RecordingJob,
    situation: Situation,
    answer: EnqueueReason | type[Exception],
    wanted: RecordingJob,
) -> None:
    situation(world)
    before, rung_before = world.catalogue.adapter.get(KEY), world.bells.calls["ring"]
    (outcome,) = world.enqueuer().enqueue_batch([a_request(job=job)])
    row = world.row()
    assert reasons([outcome]) == [answer]
    assert row.job is wanted
    # What was rung for, and somebody waits for now, is rung for once more.
    is_waiting = before is not None and before.state is RecordingState.QUEUED and before.rung_time is not None
    raised = is_waiting and row.priority is Priority.PLAYBACK and answer is DUPLICATE
    assert world.bells.calls["ring"] == rung_before + (answer is ENQUEUED or raised)
    if answer is ENQUEUED and row.state is RecordingState.READY:
        # Only the processing: the recording stays playable.
        processing = row.processing
        assert (processing.state, processing.rung_time) == (ProcessingState.PENDING, world.clock.now())
        assert before is not None
        assert (row.state, row.attempt) == (before.state, before.attempt)
    elif answer is ENQUEUED:
        assert (row.state, row.rung_time) == (RecordingState.QUEUED, world.clock.now())
    elif before is not None:
        assert (row.state, row.attempt) == (before.state, before.attempt)
    if isinstance(outcome, EnqueueResult):
        # The row as it was committed: before its bell was noted.
        told = outcome.recording
        processing = replace(row.processing, rung_time=told.processing.rung_time)
        assert told == replace(row, rung_time=told.rung_time, revision=told.revision, processing=processing)


@pytest.mark.parametrize("situation", [partial(queued, FULL), partial(downloading, FULL)])
def test_download_only_raises_what_is_in_flight_to_its_priority(world: World, situation: Situation) -> None:
    situation(world)
    assert world.row().priority is Priority.BULK
    world.enqueuer().enqueue(a_request(job=DOWNLOAD_ONLY))
    assert world.row().priority is Priority.PLAYBACK


def test_a_tombstone_is_refused_and_stays_as_it_is(world: World) -> None:
    deleted(world)
    tombstone = world.row()
    with pytest.raises(RecordingDeleted) as met:
        world.enqueuer().enqueue(a_request(call=CallDetails(from_number="+49151")))
    assert met.value.recording_sid == KEY.recording_sid
    assert world.row() == tombstone


def test_a_failed_recording_that_is_wanted_again_begins_with_a_whole_budget(world: World) -> None:
    failed(world)
    assert world.row().failures == 1
    result = world.enqueuer().enqueue(a_request())
    assert (result.reason, result.recording.failures, result.recording.attempt) == (ENQUEUED, 0, 2)


# The founding bug: an enqueue that could not ring has not enqueued


RINGING_ERRORS = [
    AttributeError("'int' object has no attribute 'max'"),
    QueueUnavailable(),
    TimeoutError("timed out"),
    ConnectionRefusedError(111, "refused"),
    ValueError("a wrong argument"),
    RuntimeError("a bug"),
    KeyError("missing"),
]


@pytest.mark.parametrize("error", RINGING_ERRORS, ids=lambda error: type(error).__name__)
def test_an_enqueue_that_can_not_ring_fails_and_keeps_the_row_and_is_never_a_duplicate(
    world: World, error: Exception
) -> None:
    enqueuer = world.enqueuer()
    world.queue.fail_with = error
    for _ in range(5):
        failure = refused(enqueuer, a_request())
        assert type(failure) is (EnqueueFailed if isinstance(error, QueueUnavailable) else EnqueueBroken)
        assert failure.recording == world.row()
        assert failure.__cause__ is error
        assert "'int'" not in str(failure)
        assert (world.row().state, world.row().rung_time) == (RecordingState.QUEUED, None)
    world.queue.fail_with = None
    assert enqueuer.enqueue(a_request()).reason is ENQUEUED
    assert enqueuer.enqueue(a_request()).reason is DUPLICATE
    assert world.queue.waiting() == 1


@pytest.mark.parametrize("error", RINGING_ERRORS, ids=lambda error: type(error).__name__)
def test_a_row_that_nobody_could_ring_for_is_a_duplicate_once_the_dispatcher_has(
    world: World, error: Exception
) -> None:
    enqueuer, dispatcher = world.enqueuer(), world.dispatcher()
    world.queue.fail_with = error
    refused(enqueuer, a_request())
    world.let_pass(5.0, dispatcher)
    refused(enqueuer, a_request())
    world.queue.fail_with = None
    world.let_pass(5.0, dispatcher)
    assert enqueuer.enqueue(a_request()).reason is DUPLICATE
    world.script(AUDIO)
    world.work()
    assert world.row().state is RecordingState.READY


def test_a_bug_is_logged_with_its_traceback_and_an_outage_is_not(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    enqueuer = world.enqueuer()
    world.queue.fail_with = QueueUnavailable()
    refused(enqueuer, a_request())
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    world.queue.fail_with = AttributeError("'int' object has no attribute 'max'")
    refused(enqueuer, a_request())
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[1] is world.queue.fail_with


def test_a_ring_whose_answer_got_lost_is_an_error_first_and_then_enqueued_with_one_bell(world: World) -> None:
    world.bells.lose_answer(QueueUnavailable(), "ring")
    refused(world.enqueuer(), a_request())
    assert world.queue.waiting() == 1
    world.bells.mend()
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED
    assert world.queue.waiting() == 1


def test_a_bell_that_could_not_be_noted_is_an_error_first_and_then_enqueued_with_one_bell(world: World) -> None:
    world.catalogue.fail(CatalogueUnavailable(), "mark_rung")
    failure = refused(world.enqueuer(), a_request())
    assert failure.recording == world.row()
    world.catalogue.mend()
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED
    assert world.queue.waiting() == 1


def test_without_the_catalogue_nothing_is_committed_and_nothing_is_rung(world: World) -> None:
    world.catalogue.fail(CatalogueUnavailable(), "amend")
    failure = refused(world.enqueuer(), a_request())
    assert (type(failure), failure.recording) == (EnqueueFailed, None)
    assert world.catalogue.adapter.get(KEY) is None
    assert world.bells.calls["ring"] == 0


def test_a_commit_whose_answer_got_lost_is_an_error_first_and_then_enqueued(world: World) -> None:
    world.catalogue.lose_answer(CatalogueUnavailable(), "amend")
    assert refused(world.enqueuer(), a_request()).recording is None
    world.catalogue.mend()
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED


def test_a_bug_in_the_catalogue_is_an_internal_error(world: World) -> None:
    world.catalogue.fail(TypeError("a bug"), "amend")
    assert type(refused(world.enqueuer(), a_request())) is EnqueueBroken


# Who hears ENQUEUED


def test_of_500_simultaneous_callers_exactly_one_hears_enqueued(world: World) -> None:
    answers = Counter(asked_by_many(world.enqueuer(), [a_request()] * 500))
    assert answers == {ENQUEUED: 1, DUPLICATE: 499}
    assert world.queue.waiting() == 1


def test_of_500_simultaneous_callers_exactly_one_hears_enqueued_while_a_worker_is_at_it(world: World) -> None:
    world.script(AUDIO)
    stop, downloader = threading.Event(), world.downloader()

    def work() -> None:
        while not stop.wait(0.001):
            if (bell := world.queue.hear()) is not None:
                downloader.answer(bell, WORKER)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        answers = Counter(asked_by_many(world.enqueuer(), [a_request()] * 500))
    finally:
        stop.set()
        worker.join(SOON)
    assert answers[ENQUEUED] == 1
    assert answers[ENQUEUED] + answers[DUPLICATE] + answers[CACHED] == 500
    assert world.twilio.asked == [KEY]


def test_of_callers_at_several_servers_exactly_one_hears_enqueued(world: World) -> None:
    servers = [world.enqueuer() for _ in range(4)]
    barrier = threading.Barrier(80)

    def ask(number: int) -> EnqueueReason:
        barrier.wait(SOON)
        return servers[number % 4].enqueue(a_request()).reason

    with ThreadPoolExecutor(80) as pool:
        answers = Counter(pool.map(ask, range(80)))
    assert answers == {ENQUEUED: 1, DUPLICATE: 79}


def test_who_comes_after_the_dispatcher_is_a_duplicate(world: World) -> None:
    # The dispatcher rings between this call's commit and its own ring.
    world.bells.before["ring"] = once(lambda bells: world.catalogue.adapter.mark_rung(bells, world.clock.now()))
    assert world.enqueuer().enqueue(a_request()).reason is DUPLICATE


def test_a_recording_that_was_fetched_before_its_bell_was_noted_was_enqueued_by_this_call(world: World) -> None:
    world.script(AUDIO)
    world.bells.after["ring"] = once(lambda bells: world.work())
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED
    assert world.row().state is RecordingState.READY


def test_a_recording_that_failed_before_its_bell_was_noted_waits_for_its_next_attempt(world: World) -> None:
    world.script(SourceNotFound("404"))
    world.bells.after["ring"] = once(lambda bells: world.work())
    result = world.enqueuer().enqueue(a_request())
    assert (result.reason, result.recording) == (DUPLICATE, world.row())
    assert result.recording.waiting_reason is WaitingReason.RETRY


def test_an_attempt_that_begins_while_the_one_before_is_rung_for_is_rung_for_as_well(world: World) -> None:
    def begin_a_new_attempt(_: object) -> None:
        world.claim()
        world.attempts().release(WORKER)

    world.bells.after["ring"] = once(begin_a_new_attempt)
    result = world.enqueuer().enqueue(a_request())
    assert (result.reason, result.recording.attempt) == (ENQUEUED, 2)
    assert world.row().rung_time is not None
    assert world.claim().attempt == 2


def test_an_attempt_that_nobody_has_rung_for_is_no_duplicate(world: World) -> None:
    def begin_a_new_attempt(_: object) -> None:
        world.claim()
        world.attempts().release(WORKER)

    # Each time that it is rung for.
    world.bells.after["ring"] = begin_a_new_attempt
    failure = refused(world.enqueuer(), a_request())
    assert failure.recording == world.row()
    assert world.row().attempt == 3
    world.bells.after.clear()
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED


def test_what_became_ready_while_its_download_was_rung_for_goes_on_and_is_no_new_enqueue(world: World) -> None:
    def fetch(_: object) -> None:
        # Another caller has rung as well, and noted it first.
        world.catalogue.adapter.mark_rung([world.row().bell], world.clock.now())
        world.work()
        world.catalogue.adapter.amend([(KEY, unrung)])

    def unrung(row: Recording | None) -> Recording | None:
        """As if the worker had not noted yet that it has rung."""
        assert row is not None
        return replace(row, revision=row.revision + 1, processing=replace(row.processing, rung_time=None))

    world.script(AUDIO)
    world.bells.after["ring"] = once(fetch)
    result = world.enqueuer().enqueue(a_request())
    assert (result.reason, result.recording.state) == (DUPLICATE, RecordingState.READY)
    world.queue.forget()
    world.let_pass(10.0, world.dispatcher())
    world.process(world.processor(RUNNERS))
    assert world.row().processing.summary is ProcessingState.DONE


def test_what_could_not_be_rung_for_when_its_download_was_ready_is_in_hand_all_the_same(world: World) -> None:
    """The bell of the download rang for the whole job; the dispatcher rings for what is left of it."""
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    world.bells.fail(QueueUnavailable(), "ring")
    world.work()
    assert world.enqueuer().enqueue(a_request()).reason is DUPLICATE
    assert (world.row().processing.state, world.row().processing.rung_time) == (ProcessingState.PENDING, None)
    world.bells.mend()
    world.let_pass(10.0, world.dispatcher())
    world.process(world.processor(RUNNERS))
    assert world.enqueuer().enqueue(a_request()).reason is CACHED


def test_a_recording_that_is_deleted_while_it_is_rung_for_is_refused(world: World) -> None:
    def delete(_: object) -> None:
        world.service().delete(Target(*KEY), allow_missing=False)

    world.bells.after["ring"] = once(delete)
    with pytest.raises(RecordingDeleted):
        world.enqueuer().enqueue(a_request())


# What there is already


@pytest.mark.parametrize(
    ("outcome", "waiting_reason"),
    [
        (SourceNotFound("404"), WaitingReason.RETRY),
        (SourceRateLimited("429", 60.0), WaitingReason.RATE_LIMITED),
    ],
)
def test_a_recording_in_back_off_is_a_duplicate_and_is_not_rung_for(
    world: World, outcome: SourceError, waiting_reason: WaitingReason
) -> None:
    world.enqueuer().enqueue(a_request())
    world.script(outcome)
    world.work()
    assert world.row().waiting_reason is waiting_reason
    world.queue.fail_with = QueueUnavailable()
    assert world.enqueuer().enqueue(a_request()).reason is DUPLICATE
    assert world.row().rung_time is None


def test_a_recording_that_waits_for_room_on_the_shelf_is_a_duplicate(world: World) -> None:
    world.enqueuer().enqueue(a_request())
    world.script(AUDIO)
    world.storage.fail(StorageUnavailable(), "create")
    world.work()
    assert world.row().waiting_reason is WaitingReason.STORAGE_UNAVAILABLE
    assert world.enqueuer().enqueue(a_request()).reason is DUPLICATE


def test_a_recording_that_waits_for_its_account_is_rung_for(world: World) -> None:
    world.enqueuer().enqueue(a_request())
    world.script(SourceUnauthorized("401"))
    world.work()
    assert world.row().waiting_reason is WaitingReason.ACCOUNT_UNAUTHORIZED
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED
    assert world.enqueuer().enqueue(a_request()).reason is DUPLICATE
    assert world.queue.waiting() == 1


def test_a_new_recording_of_a_paused_account_is_enqueued_like_any_other(world: World) -> None:
    now = world.clock.now()
    world.catalogue.adapter.pause(KEY.account_sid, now, now + timedelta(minutes=1))
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED


def lose(world: World) -> None:
    world.shelf.lose(world.row().object_key)


def truncate(world: World) -> None:
    world.shelf.truncate(world.row().object_key, 10)


@pytest.mark.parametrize("damage", [lose, truncate])
def test_ready_without_its_whole_object_is_not_cached_but_fetched_again(
    world: World, damage: Callable[[World], None]
) -> None:
    ready(FULL, world)
    damage(world)
    result = world.enqueuer().enqueue(a_request())
    assert (result.reason, result.recording.state) == (ENQUEUED, RecordingState.QUEUED)
    world.work()
    row = world.row()
    assert (row.state, row.attempt) == (RecordingState.READY, 2)
    assert world.shelf.open(row.object_key).read_at(0, 10_000) == AUDIO
    assert world.enqueuer().enqueue(a_request(job=DOWNLOAD_ONLY)).reason is CACHED


def test_of_many_callers_who_find_the_object_lost_exactly_one_hears_enqueued(world: World) -> None:
    ready(FULL, world)
    lose(world)
    answers = Counter(asked_by_many(world.enqueuer(), [a_request()] * 100))
    assert answers == {ENQUEUED: 1, DUPLICATE: 99}
    assert world.row().attempt == 2


def test_nothing_is_called_cached_that_could_not_be_looked_at(world: World) -> None:
    ready(FULL, world)
    world.storage.fail(StorageUnavailable(), "size")
    failure = refused(world.enqueuer(), a_request())
    assert (type(failure), failure.recording) == (EnqueueFailed, world.row())


def test_cached_needs_no_queue(world: World) -> None:
    processed(world)
    world.queue.fail_with = QueueUnavailable()
    for job in RecordingJob:
        assert world.enqueuer().enqueue(a_request(job=job)).reason is CACHED


def test_two_recordings_of_one_call_are_two(world: World) -> None:
    call = CallDetails(call_sid="CA" + "1" * 32)
    for key in (a_key(1), a_key(2)):
        assert world.enqueuer().enqueue(a_request(key, call=call)).reason is ENQUEUED
        world.twilio.script(key, [AUDIO])
    world.work()
    for key in (a_key(1), a_key(2)):
        assert world.row(key).state is RecordingState.READY
        assert world.enqueuer().enqueue(a_request(key, DOWNLOAD_ONLY, call=call)).reason is CACHED


def test_one_sid_under_two_accounts_is_two_recordings(world: World) -> None:
    foreign = KEY._replace(account_sid=OTHER_ACCOUNT)
    assert world.enqueuer().enqueue(a_request(foreign)).reason is ENQUEUED
    assert world.enqueuer().enqueue(a_request(KEY)).reason is ENQUEUED
    assert world.queue.waiting() == 2
    world.script(AUDIO)
    world.work()
    assert world.row(KEY).state is RecordingState.READY
    assert world.row(foreign).state is RecordingState.QUEUED


def test_a_later_request_fills_what_was_not_known_and_overwrites_nothing(world: World) -> None:
    first = CallDetails(call_sid="CA" + "1" * 32, from_number="+49151", labels={"tenant": "7"})
    second = CallDetails(
        call_sid="CA" + "9" * 32, from_number="+49999", to_number="+4930", channels=2, labels={"team": "sales"}
    )
    world.enqueuer().enqueue(a_request(call=first, request_id="first"))
    result = world.enqueuer().enqueue(a_request(call=second, request_id="second"))
    assert result.recording.call == CallDetails(
        call_sid="CA" + "1" * 32,
        from_number="+49151",
        to_number="+4930",
        channels=2,
        labels={"tenant": "7", "team": "sales"},
    )
    assert world.row().request_id == "first"


# Batches


def test_the_same_recording_twice_in_one_batch_is_enqueued_once(world: World) -> None:
    outcomes = world.enqueuer().enqueue_batch(
        [a_request(job=DOWNLOAD_ONLY), a_request(a_key(2)), a_request(job=FULL), a_request(job=FULL)]
    )
    assert reasons(outcomes) == [ENQUEUED, ENQUEUED, DUPLICATE, DUPLICATE]
    assert world.row().job is FULL
    assert world.queue.waiting() == 2


def test_a_batch_answers_every_item_in_order(world: World) -> None:
    processed(world)
    enqueuer = world.enqueuer()
    enqueuer.enqueue(a_request(a_key(2)))
    enqueuer.enqueue(a_request(a_key(3)))
    world.service().delete(Target(*a_key(3)), allow_missing=False)
    outcomes = enqueuer.enqueue_batch([a_request(a_key(number)) for number in (4, 3, 2, 1)])
    assert reasons(outcomes) == [ENQUEUED, RecordingDeleted, DUPLICATE, CACHED]
    recordings = [outcome.recording.key for outcome in outcomes if isinstance(outcome, EnqueueResult)]
    assert recordings == [a_key(4), a_key(2), a_key(1)]


def test_an_empty_batch_has_no_answers(world: World) -> None:
    assert world.enqueuer().enqueue_batch([]) == []


def test_a_batch_is_committed_and_rung_for_in_groups(world: World) -> None:
    requests = [a_request(a_key(number)) for number in range(1, 2 * GROUP_LIMIT + 2)]
    assert reasons(world.enqueuer().enqueue_batch(requests)) == [ENQUEUED] * len(requests)
    assert (world.catalogue.calls["amend"], world.bells.calls["ring"]) == (3, 3)


def test_in_a_batch_only_what_needs_the_queue_fails_without_it(world: World) -> None:
    processed(world)
    enqueuer = world.enqueuer()
    enqueuer.enqueue(a_request(a_key(2)))
    world.queue.fail_with = QueueUnavailable()
    outcomes = enqueuer.enqueue_batch([a_request(a_key(number)) for number in (1, 2, 3)])
    assert reasons(outcomes) == [CACHED, DUPLICATE, EnqueueFailed]
    (failure,) = [outcome for outcome in outcomes if isinstance(outcome, EnqueueFailed)]
    assert failure.recording == world.row(a_key(3))


def test_a_batch_whose_groups_fail_does_not_hide_those_that_did_not(world: World) -> None:
    requests = [a_request(a_key(number)) for number in range(1, 2 * GROUP_LIMIT + 1)]
    world.bells.before["ring"] = once(raising(QueueUnavailable()))
    outcomes = world.enqueuer().enqueue_batch(requests)
    assert reasons(outcomes) == [EnqueueFailed] * GROUP_LIMIT + [ENQUEUED] * GROUP_LIMIT


# Groups: callers who come at once share a transaction


class Crowd:
    """A leader who is held in its commit, and callers who wait behind it. `go_on` lets the leader go on."""

    def __init__(self, world: World) -> None:
        self.enqueuer = world.enqueuer()
        self._pool = ThreadPoolExecutor(2 * GROUP_LIMIT)
        self._held, self._open = threading.Event(), threading.Event()
        world.catalogue.before["amend"] = once(self._hold)
        self.leader = self.ask(a_key(1))
        assert self._held.wait(SOON)

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()
        self._pool.shutdown(wait=True)

    def ask(self, key: RecordingKey) -> "Future[EnqueueResult]":
        return self._pool.submit(self.enqueuer.enqueue, a_request(key))

    def follow(self, *numbers: int) -> "list[Future[EnqueueResult]]":
        """Callers for these recordings, who wait in this order."""
        return [self._follow(number) for number in numbers]

    def follow_at_once(self, *numbers: int) -> "list[Future[EnqueueResult]]":
        """Callers for these recordings, who wait in any order."""
        futures = [self.ask(a_key(number)) for number in numbers]
        eventually(lambda: len(self.enqueuer._waiting) == len(numbers), within=SOON)
        return futures

    def go_on(self) -> None:
        self._open.set()

    def _hold(self, *_: object) -> None:
        self._held.set()
        assert self._open.wait(SOON)

    def _follow(self, number: int) -> "Future[EnqueueResult]":
        # Nothing public shows that a caller waits.
        waiting = len(self.enqueuer._waiting) + 1
        future = self.ask(a_key(number))
        eventually(lambda: len(self.enqueuer._waiting) == waiting, within=SOON)
        return future


def error_of(future: "Future[EnqueueResult]") -> type[BaseException | None]:
    return type(future.exception(SOON))


def test_callers_who_come_at_once_share_a_commit_and_a_push(world: World) -> None:
    with Crowd(world) as crowd:
        followers = crowd.follow(*range(2, 20))
        crowd.go_on()
        results = [future.result(SOON) for future in (crowd.leader, *followers)]
    assert [result.reason for result in results] == [ENQUEUED] * 19
    assert [result.recording.key for result in results] == [a_key(number) for number in range(1, 20)]
    assert (world.catalogue.calls["amend"], world.bells.calls["ring"]) == (2, 2)
    assert world.queue.waiting() == 19


def test_many_distinct_recordings_from_many_threads_are_all_enqueued(world: World) -> None:
    requests = [a_request(a_key(number)) for number in range(1, 301)]
    assert asked_by_many(world.enqueuer(), requests) == [ENQUEUED] * 300
    assert world.queue.waiting() == 300


def test_a_group_has_a_limit(world: World) -> None:
    sizes: list[int] = []
    with Crowd(world) as crowd:
        followers = crowd.follow_at_once(*range(2, GROUP_LIMIT + 12))
        world.catalogue.before["amend"] = lambda changes: sizes.append(len(changes))
        crowd.go_on()
        assert {future.result(SOON).reason for future in followers} == {ENQUEUED}
    assert sizes == [GROUP_LIMIT, 10]


def test_callers_gather_while_the_group_before_them_rings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueueing, "GATHER_SECONDS", SOON)
    ringing, answered = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        ringing.set()
        assert answered.wait(SOON)

    world.bells.before["ring"] = once(hold)
    enqueuer = world.enqueuer()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(enqueuer.enqueue, a_request(a_key(1)))
        assert ringing.wait(SOON)
        others = [pool.submit(enqueuer.enqueue, a_request(a_key(number))) for number in range(2, 9)]
        eventually(lambda: len(enqueuer._waiting) == 7, within=SOON)
        answered.set()
        assert [future.result(SOON).reason for future in (first, *others)] == [ENQUEUED] * 8
    assert world.catalogue.calls["amend"] == 2


def test_the_same_recording_asked_for_twice_within_a_group_is_enqueued_once(world: World) -> None:
    with Crowd(world) as crowd:
        followers = crowd.follow(2, 2, 3)
        crowd.go_on()
        assert [future.result(SOON).reason for future in followers] == [ENQUEUED, DUPLICATE, ENQUEUED]


@pytest.mark.parametrize(
    ("method", "error", "kind"),
    [
        ("amend", CatalogueUnavailable(), EnqueueFailed),
        ("amend", TypeError("a bug"), EnqueueBroken),
        ("mark_rung", CatalogueUnavailable(), EnqueueFailed),
        ("mark_rung", TypeError("a bug"), EnqueueBroken),
    ],
)
def test_when_a_group_fails_everyone_in_it_hears_of_it_and_the_next_goes_on(
    world: World, method: str, error: Exception, kind: type[EnqueueFailed]
) -> None:
    with Crowd(world) as crowd:
        followers = crowd.follow(2, 3, 4)
        world.catalogue.fail(error, method)
        crowd.go_on()
        assert [error_of(future) for future in followers] == [kind] * 3
        world.catalogue.mend()
        assert crowd.enqueuer.enqueue(a_request(a_key(5))).reason is ENQUEUED


@pytest.mark.parametrize("method", ["amend", "mark_rung"])
def test_when_the_leader_is_ended_in_the_middle_its_group_hears_at_once_and_the_next_goes_on(
    world: World, method: str
) -> None:
    with Crowd(world) as crowd:
        leader, *others = crowd.follow(2, 3, 4)
        world.catalogue.fail(BeingEnded(), method)
        crowd.go_on()
        assert error_of(leader) is BeingEnded
        assert [error_of(future) for future in others] == [EnqueueFailed] * 2
        world.catalogue.mend()
        assert crowd.enqueuer.enqueue(a_request(a_key(5))).reason is ENQUEUED


def test_whoever_waits_too_long_for_its_turn_is_told_so_and_nothing_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Crowd(world) as crowd:
        monkeypatch.setattr(enqueueing, "GROUP_DEADLINE_SECONDS", 0.05)
        impatient = crowd.ask(a_key(2))
        assert error_of(impatient) is EnqueueFailed
        crowd.go_on()
        assert crowd.leader.result(SOON).reason is ENQUEUED
        assert crowd.enqueuer.enqueue(a_request(a_key(3))).reason is ENQUEUED
    assert world.catalogue.adapter.get(a_key(2)) is None


def test_whoever_waits_too_long_for_its_group_is_told_so_and_its_row_is_rung_for_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ringing, answered = threading.Event(), threading.Event()

    def hang(bells: Sequence[Bell]) -> None:
        ringing.set()
        assert answered.wait(SOON)

    with Crowd(world) as crowd:
        (leader,) = crowd.follow(2)
        monkeypatch.setattr(enqueueing, "GROUP_DEADLINE_SECONDS", 1.0)
        (impatient,) = crowd.follow(3)
        world.bells.before["ring"] = lambda bells: hang(bells) if bells[0].key == a_key(2) else None
        crowd.go_on()
        assert error_of(impatient) is EnqueueFailed
        assert ringing.wait(SOON)
        answered.set()
        assert leader.result(SOON).reason is ENQUEUED
        assert crowd.enqueuer.enqueue(a_request(a_key(3))).reason is DUPLICATE


def test_a_queue_that_hangs_holds_up_nobody_who_comes_later(world: World) -> None:
    hanging, answered = threading.Event(), threading.Event()

    def hang(_: object) -> None:
        hanging.set()
        assert answered.wait(SOON)

    world.bells.before["ring"] = once(hang)
    enqueuer = world.enqueuer()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(enqueuer.enqueue, a_request(a_key(1)))
        assert hanging.wait(SOON)
        assert enqueuer.enqueue(a_request(a_key(2))).reason is ENQUEUED
        answered.set()
        assert held.result(SOON).reason is ENQUEUED


# A full shelf (reliability.md B3 #15)


def test_what_nobody_can_fetch_for_want_of_room_is_kept_not_rung_for_and_refused(world: World) -> None:
    enqueuer = world.enqueuer()
    world.shelf.room_bytes = 0
    for _ in range(3):
        failure = refused(enqueuer, a_request())
        assert isinstance(failure, EnqueueStorageFull)
        assert failure.recording == world.row()
        assert (world.row().state, world.row().rung_time, world.row().attempt) == (RecordingState.QUEUED, None, 1)
        assert world.queue.waiting() == 0
    world.shelf.room_bytes = None
    assert enqueuer.enqueue(a_request()).reason is ENQUEUED


def test_a_failed_recording_wanted_again_is_not_rung_for_while_there_is_no_room(world: World) -> None:
    failed(world)
    world.shelf.room_bytes = 0
    assert isinstance(refused(world.enqueuer(), a_request()), EnqueueStorageFull)
    assert (world.row().state, world.row().rung_time) == (RecordingState.QUEUED, None)


def test_what_needs_no_bell_is_answered_truly_while_there_is_no_room(world: World) -> None:
    processed(world)
    enqueuer = world.enqueuer()
    enqueuer.enqueue(a_request(a_key(2)))
    world.shelf.room_bytes = 0
    world.storage.calls.clear()
    assert enqueuer.enqueue(a_request()).reason is CACHED
    assert enqueuer.enqueue(a_request(a_key(2))).reason is DUPLICATE
    assert world.storage.calls["check_room"] == 0


def test_a_group_looks_at_the_room_once_and_refuses_only_what_needs_it(world: World) -> None:
    queued(FULL, world)
    world.shelf.room_bytes = 0
    world.storage.calls.clear()
    outcomes = world.enqueuer().enqueue_batch([a_request(a_key(number)) for number in range(1, 11)])
    assert reasons(outcomes) == [DUPLICATE, *[EnqueueStorageFull] * 9]
    assert world.storage.calls["check_room"] == 1


def test_a_ready_recording_whose_object_is_gone_is_not_cached_nor_rung_for_while_there_is_no_room(
    world: World,
) -> None:
    ready(FULL, world)
    world.shelf.lose(world.row().object_key)
    world.shelf.room_bytes = 0
    assert isinstance(refused(world.enqueuer(), a_request()), EnqueueStorageFull)
    assert (world.row().state, world.row().rung_time) == (RecordingState.QUEUED, None)


def test_a_shelf_that_does_not_say_whether_there_is_room_is_a_failed_enqueue_and_no_full_one(world: World) -> None:
    world.storage.fail(StorageUnavailable(), "check_room")
    assert type(refused(world.enqueuer(), a_request())) is EnqueueFailed
    world.storage.mend()
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED


def test_a_full_shelf_fails_what_is_to_be_fetched_and_has_what_is_here_processed(world: World) -> None:
    ready(DOWNLOAD_ONLY, world)
    world.shelf.room_bytes = 0
    enqueuer = world.enqueuer()
    outcomes = enqueuer.enqueue_batch([a_request(a_key(2)), a_request(), a_request(a_key(3)), a_request()])
    assert reasons(outcomes) == [EnqueueStorageFull, ENQUEUED, EnqueueStorageFull, DUPLICATE]
    assert (world.queue.waiting(), world.queue.waiting(Work.PROCESSING)) == (0, 1)
    assert world.row().processing.rung_time == world.clock.now()
    assert enqueuer.enqueue(a_request()).reason is DUPLICATE


def test_nothing_is_enqueued_for_processing_that_could_not_be_rung_for(world: World) -> None:
    ready(DOWNLOAD_ONLY, world)
    world.queue.fail_with = QueueUnavailable()
    for _ in range(2):
        with pytest.raises(EnqueueFailed):
            world.enqueuer().enqueue(a_request())
    assert world.row().processing.rung_time is None
    world.queue.fail_with = None
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED
    assert world.queue.waiting(Work.PROCESSING) == 1


def test_processing_that_waits_for_its_next_attempt_was_rung_for_before(world: World) -> None:
    being_processed(world)
    world.attempts().crashed_under(WORKER)
    processing = world.row().processing
    assert (processing.state, processing.waiting_reason) == (ProcessingState.PENDING, WaitingReason.RETRY)
    assert world.enqueuer().enqueue(a_request()).reason is DUPLICATE
    assert world.queue.waiting(Work.PROCESSING) == 0


def test_processing_that_a_worker_gave_back_is_rung_for(world: World) -> None:
    being_processed(world)
    world.attempts().release(WORKER)
    assert world.enqueuer().enqueue(a_request()).reason is ENQUEUED
    assert world.queue.hear(Work.PROCESSING) == world.row().processing_bell


# What somebody waits to hear


@pytest.fixture
def full() -> World:
    """An account that has all that it may: one download, while the bells of two others have been heard in vain."""
    world = World(limits=AccountLimits(downloads=1))
    keys = [a_key(number) for number in range(1, 4)]
    for key in keys:
        world.script(AUDIO, key=key)
        world.enqueuer().enqueue(a_request(key))
    world.claim(keys[0])
    world.work()
    assert [world.row(key).state for key in keys[1:]] == [RecordingState.QUEUED] * 2
    return world


def test_what_is_held_back_is_taken_at_once_when_somebody_waits_for_it(full: World) -> None:
    waited_for = a_key(3)
    result = full.enqueuer().enqueue(a_request(waited_for, priority=Priority.PLAYBACK))
    assert result.reason is DUPLICATE
    full.work()
    assert full.row(waited_for).state is RecordingState.READY
    assert full.row(a_key(2)).state is RecordingState.QUEUED


def test_it_is_rung_for_once_more_and_not_again_and_again(full: World) -> None:
    waited_for = a_request(a_key(3), priority=Priority.PLAYBACK)
    rung = full.bells.calls["ring"]
    full.enqueuer().enqueue_batch([waited_for] * 3)
    full.enqueuer().enqueue(waited_for)
    assert (full.bells.calls["ring"], full.queue.waiting()) == (rung + 1, 1)


@pytest.mark.parametrize("error", [QueueUnavailable(), AttributeError("a bug")], ids=str)
def test_that_it_is_waited_for_is_true_though_nobody_could_ring_and_the_dispatcher_does(
    full: World, error: Exception
) -> None:
    full.bells.fail(error, "ring")
    result = full.enqueuer().enqueue(a_request(a_key(3), priority=Priority.PLAYBACK))
    assert (result.reason, result.recording.priority) == (DUPLICATE, Priority.PLAYBACK)
    full.bells.mend()
    full.let_pass(15.0, full.dispatcher())
    full.work()
    assert full.row(a_key(3)).state is RecordingState.READY


def test_the_processing_that_is_held_back_is_taken_at_once_when_somebody_waits_for_it() -> None:
    world = World(limits=AccountLimits(processing=1))
    for number in range(1, 4):
        world.script(AUDIO, key=a_key(number))
        world.enqueuer().enqueue(a_request(a_key(number)))
    world.work()
    heard = world.queue.hear(Work.PROCESSING)
    assert heard is not None
    assert world.take_processing(heard) is not None
    world.process(world.processor(RUNNERS))

    result = world.enqueuer().enqueue(a_request(a_key(3), priority=Priority.PLAYBACK))
    assert result.reason is DUPLICATE
    world.process(world.processor(RUNNERS))
    summaries = [world.row(a_key(number)).processing.summary for number in (2, 3)]
    assert summaries == [ProcessingState.PENDING, ProcessingState.DONE]


def test_the_end_of_what_was_waited_for_rings_for_what_is_held_back_as_any_end(full: World) -> None:
    first = full.row(a_key(1)).bell
    full.enqueuer().enqueue(a_request(a_key(3), priority=Priority.PLAYBACK))
    full.attempts().crashed(first)
    full.work()
    assert full.row(a_key(3)).state is RecordingState.READY
    assert full.row(a_key(2)).state is RecordingState.READY


def test_what_has_lost_its_bytes_is_fetched_again_as_urgently_as_it_is_asked_for(world: World) -> None:
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request(priority=Priority.BULK))
    world.work()
    world.shelf.lose(world.row().object_key)
    result = world.enqueuer().enqueue(a_request(job=DOWNLOAD_ONLY))
    assert (result.reason, result.recording.priority) == (ENQUEUED, Priority.PLAYBACK)
    assert (world.row().priority, world.row().rung_time) == (Priority.PLAYBACK, world.clock.now())
