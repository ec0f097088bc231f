"""One attempt at the processing: claim, do the steps that are left, note each as it ends; READY throughout."""

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

import pytest

from recording_service.core.enqueueing import EnqueueResult
from recording_service.core.errors import (
    CatalogueUnavailable,
    ObjectMissing,
    QueueUnavailable,
    StepImpossible,
    StorageUnavailable,
    TranscriptionTooSlow,
    WorkerCrashed,
)
from recording_service.core.model import (
    Bell,
    EnqueueReason,
    Priority,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
    WaitingReason,
    Work,
)
from recording_service.core.ports import Artefact, Change
from recording_service.core.processor import Made, StepRunner
from recording_service.core.requests import Target
from recording_service.core.retry import STEP_RETRY_RULES
from tests.support.core_world import AUDIO, KEY, PROCESSOR, World, a_key, a_request
from tests.support.failing_port import Hook, raising
from tests.support.steps import RUNNERS, Doing, Reading, made_of
from tests.support.waiting import eventually

SHA256 = hashlib.sha256(AUDIO).hexdigest()
#: Other bytes, as long as AUDIO.
OTHER_AUDIO = AUDIO[:-1] + b"!"
#: Longest wait for what should come about at once, in seconds.
SOON = 10.0

PROBE, WAVEFORM, TRANSCRIPT = Step.PROBE, Step.WAVEFORM, Step.TRANSCRIPT
PENDING, RUNNING, ENDED = ProcessingState.PENDING, ProcessingState.RUNNING, ProcessingState.DONE
DONE = StepEnd(ProcessingState.DONE)
BROKEN = StepImpossible(StepReason.MEDIA_BROKEN, "frame 7 has no end")


def rung(world: World, number: int = 1) -> Bell:
    """The bell of a recording that is here and is to be processed."""
    world.script(AUDIO, key=a_key(number))
    world.enqueuer().enqueue(a_request(a_key(number)))
    world.work()
    bell = world.queue.hear(Work.PROCESSING)
    assert bell == world.row(a_key(number)).processing_bell
    return bell


def runners(**other: object) -> dict[Step, StepRunner]:
    """Those who do every step, and in the place of some an error that they meet, or what they do."""
    all_of_them: dict[Step, StepRunner] = {step: Reading(step) for step in Step}
    for name, does in other.items():
        step = Step(name)
        if isinstance(does, Exception):
            all_of_them[step] = Doing(raising(does))  # type: ignore[arg-type]
        else:
            all_of_them[step] = Doing(does)  # type: ignore[arg-type]
    return all_of_them


def meanwhile(step: Step, happen: Callable[[], object]) -> Doing:
    """Does the step, after something has happened."""

    def run(_: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        happen()
        return Made(made_of(step, media.read()))

    return Doing(run)


def made(world: World, key: object = KEY) -> dict[Step, Artefact]:
    """What there is of the recording."""
    found = {step: world.catalogue.adapter.artefact(key, step) for step in Step}  # type: ignore[arg-type]
    return {step: artefact for step, artefact in found.items() if artefact is not None}


def whole(*steps: Step, media: bytes = AUDIO) -> dict[Step, Artefact]:
    """What these steps make of those bytes."""
    sha256 = hashlib.sha256(media).hexdigest()
    return {step: Artefact(KEY, step, sha256, made_of(step, media)) for step in steps}


def take_over(world: World) -> Bell:
    """Ends the attempt that is under way, as the dispatcher does when its lease has expired, and begins the next."""
    (claimed,) = world.catalogue.adapter.claimed()
    assert world.attempts().crashed(claimed.bell) is not None
    world.clock.advance(21)
    successor = world.row().processing_bell
    world.catalogue.adapter.mark_rung([successor], world.clock.now())
    return successor


def claim(world: World, bell: Bell) -> Recording:
    """The claim alone."""
    taken = world.take_processing(bell)
    assert taken is not None
    return taken


# The steps


def test_every_step_is_done_in_its_order_and_what_it_makes_is_kept(world: World) -> None:
    bell = rung(world)
    before = world.row()
    assert world.processor(runners()).answer(bell, PROCESSOR) == bell
    row = world.row()
    assert (row.processing.state, row.processing.attempt, row.processing.claimed_by) == (ENDED, 1, "")
    assert row.processing.ends == dict.fromkeys(Step, DONE)
    assert list(row.processing.ends) == list(Step)
    assert made(world) == whole(*Step)
    # Nothing else has changed.
    alone = replace(row, processing=before.processing, revision=before.revision, update_time=before.update_time)
    assert alone == before


def test_each_steps_end_is_noted_at_once_with_what_it_has_made(world: World) -> None:
    looks: list[tuple[list[Step], list[Step], RecordingState]] = []

    def look(step: Step) -> Doing:
        return meanwhile(
            step,
            lambda: looks.append((list(world.row().processing.ends), list(made(world)), world.row().state)),
        )

    world.processor({step: look(step) for step in Step}).answer(rung(world), PROCESSOR)
    ready = RecordingState.READY
    assert looks == [
        ([], [], ready),
        ([PROBE], [PROBE], ready),
        ([PROBE, WAVEFORM], [PROBE, WAVEFORM], ready),
    ]


def test_everyone_is_told_of_the_claim_and_of_each_step(world: World) -> None:
    bell = rung(world)
    world.listening.next(0.0)
    revision = world.row().revision
    world.processor(runners()).answer(bell, PROCESSOR)
    assert world.listening.next(0.0) == [Change(*KEY, revision + number) for number in range(1, 5)]


@pytest.mark.parametrize("error", [QueueUnavailable(), RuntimeError("a bug")])
def test_an_attempt_goes_on_though_nobody_can_be_told(world: World, error: Exception) -> None:
    bell = rung(world)
    world.changes.fail(error, "publish")
    world.processor(runners()).answer(bell, PROCESSOR)
    assert world.row().processing.state is ENDED


def test_a_step_reads_the_stored_bytes_as_a_file_from_its_beginning(world: World) -> None:
    read: list[bytes] = []

    def run(_: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        media.seek(-5, 2)
        read.append(media.read())
        media.seek(0)
        read.append(media.read(4))
        return Made(b"")

    world.processor(runners(probe=run, waveform=run)).answer(rung(world), PROCESSOR)
    assert read == [AUDIO[-5:], AUDIO[:4]] * 2


def test_what_is_stored_is_closed_again_whatever_a_step_does_with_it(world: World) -> None:
    opened: list[object] = []
    world.storage.after["open"] = lambda key: opened.append(key)
    open_object = world.shelf.open
    closed: list[str] = []

    class Closing:
        def __init__(self, key: str) -> None:
            self._stored, self._key = open_object(key), key
            self.size_bytes = self._stored.size_bytes
            self.read_at = self._stored.read_at

        def close(self) -> None:
            closed.append(self._key)
            self._stored.close()

    world.shelf.open = Closing  # type: ignore[method-assign, assignment]
    world.processor(runners(waveform=BROKEN, transcript=RuntimeError("a bug"))).answer(rung(world), PROCESSOR)
    assert len(closed) == len(opened) == 3


# What is not done


def test_a_probe_that_fails_leaves_the_others_skipped_and_the_recording_ready(world: World) -> None:
    doing = runners(probe=BROKEN)
    world.processor(doing).answer(rung(world), PROCESSOR)
    row = world.row()
    assert (row.state, row.processing.state, row.processing.summary) == (
        RecordingState.READY,
        ENDED,
        ProcessingState.FAILED,
    )
    assert row.processing.ends[PROBE] == StepEnd(ProcessingState.FAILED, StepReason.MEDIA_BROKEN, BROKEN.message)
    for step in (WAVEFORM, TRANSCRIPT):
        end = row.processing.ends[step]
        assert (end.state, end.reason) == (ProcessingState.SKIPPED, StepReason.PROBE_FAILED)
        assert doing[step].runs == 0  # type: ignore[attr-defined]
    assert made(world) == {}
    assert world.shelf.open(row.object_key).read_at(0, 10**6) == AUDIO


def test_what_nobody_does_is_skipped_and_says_so(world: World) -> None:
    world.processor({PROBE: Reading(PROBE), WAVEFORM: Reading(WAVEFORM)}).answer(rung(world), PROCESSOR)
    processing = world.row().processing
    assert (processing.state, processing.summary) == (ENDED, ProcessingState.DONE)
    end = processing.ends[TRANSCRIPT]
    assert (end.state, end.reason) == (ProcessingState.SKIPPED, StepReason.NOT_CONFIGURED)
    assert made(world) == whole(PROBE, WAVEFORM)


def test_where_nobody_does_anything_nothing_is_read(world: World) -> None:
    bell = rung(world)
    world.storage.fail(StorageUnavailable(), "open")
    world.processor({}).answer(bell, PROCESSOR)
    assert world.row().processing.summary is ProcessingState.SKIPPED


@pytest.mark.parametrize("reason", sorted(set(StepReason) - {StepReason.NOT_CONFIGURED, StepReason.PROBE_FAILED}))
def test_a_step_that_is_impossible_is_failed_with_its_reason_and_the_others_go_on(
    world: World, reason: StepReason
) -> None:
    world.processor(runners(waveform=StepImpossible(reason, "so it is"))).answer(rung(world), PROCESSOR)
    processing = world.row().processing
    assert processing.ends == {
        PROBE: DONE,
        WAVEFORM: StepEnd(ProcessingState.FAILED, reason, "so it is"),
        TRANSCRIPT: DONE,
    }
    assert (processing.state, processing.summary, processing.attempt) == (ENDED, ProcessingState.FAILED, 1)
    assert made(world) == whole(PROBE, TRANSCRIPT)


# What goes wrong


def later(world: World, doing: dict[Step, StepRunner], seconds: float = 120.0) -> None:
    """Lets time pass with a dispatcher and a worker at work."""
    dispatcher = world.dispatcher()
    processor = world.processor(doing)
    for _ in range(round(seconds)):
        world.let_pass(1.0, dispatcher)
        world.work()
        world.process(processor)


@pytest.mark.parametrize("when", ["opened", "read"])
def test_while_the_shelf_is_down_a_step_is_put_off_and_nothing_is_spent(world: World, when: str) -> None:
    bell = rung(world)
    doing = runners()
    if when == "opened":
        world.storage.fail(StorageUnavailable(), "open")
        world.processor(doing).answer(bell, PROCESSOR)
    else:
        world.processor(runners(probe=StorageUnavailable())).answer(bell, PROCESSOR)
    row = world.row()
    processing = row.processing
    assert (row.state, processing.state, processing.attempt) == (RecordingState.READY, PENDING, 2)
    assert (processing.waiting_reason, processing.rung_time) == (WaitingReason.STORAGE_UNAVAILABLE, None)
    assert (processing.failures_by_reason, processing.ends, processing.claimed_by) == ({}, {}, "")
    later(world, doing, 3600.0)
    if when == "opened":
        assert (world.row().processing.state, world.row().processing.failures_by_reason) == (PENDING, {})
        world.storage.mend()
        later(world, doing, 75.0)
    assert world.row().processing.summary is ProcessingState.DONE


def test_an_unexpected_error_spends_of_a_budget_and_the_others_go_on_afterwards(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    budget = STEP_RETRY_RULES[WorkerCrashed].budget
    assert budget is not None
    tried: list[int] = []

    def run(recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        tried.append(recording.processing.attempt)
        raise ZeroDivisionError

    doing = runners(waveform=run)
    world.processor(doing).answer(rung(world), PROCESSOR)
    processing = world.row().processing
    assert (processing.state, processing.waiting_reason) == (PENDING, WaitingReason.RETRY)
    assert processing.failures_by_reason == {StepReason.WORKER_CRASHED: 1}
    assert "ZeroDivisionError" in caplog.text
    later(world, doing)
    processing = world.row().processing
    assert tried == list(range(1, budget + 1))
    assert (processing.state, processing.summary) == (ENDED, ProcessingState.FAILED)
    assert processing.ends[WAVEFORM].reason is StepReason.WORKER_CRASHED
    assert made(world) == whole(PROBE, TRANSCRIPT)
    # Nothing was done twice.
    assert [doing[step].runs for step in (PROBE, TRANSCRIPT)] == [1, 1]  # type: ignore[attr-defined]


def test_a_transcript_that_there_is_not_enough_time_for_is_tried_once_more_and_says_what_to_do(world: World) -> None:
    tried: list[int] = []

    def run(recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        tried.append(recording.processing.attempt)
        raise TranscriptionTooSlow(3600.0)

    doing = runners(transcript=run)
    world.processor(doing).answer(rung(world), PROCESSOR)
    later(world, doing)
    processing = world.row().processing
    assert tried == [1, 2]
    end = processing.ends[TRANSCRIPT]
    assert (end.state, end.reason) == (ProcessingState.FAILED, StepReason.TRANSCRIPTION_UNAVAILABLE)
    assert "raise RECORDING_PROCESSING_SECONDS" in end.message


def test_each_step_has_a_budget_of_its_own(world: World) -> None:
    budget = STEP_RETRY_RULES[WorkerCrashed].budget
    assert budget is not None
    left = dict.fromkeys(Step, budget - 1)

    def failing(step: Step) -> Doing:
        def run(_: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
            if left[step]:
                left[step] -= 1
                raise RuntimeError("a bug")
            return Made(made_of(step, media.read()))

        return Doing(run)

    rung(world)
    world.queue.forget()
    later(world, {step: failing(step) for step in Step}, 300.0)
    assert world.row().processing.summary is ProcessingState.DONE
    assert made(world) == whole(*Step)


def test_a_worker_that_dies_at_a_step_time_and_again_ends_it_and_says_of_what(world: World) -> None:
    bell = rung(world)
    dispatcher = world.dispatcher()
    while world.row().processing.state is not ENDED:
        heard = bell if bell == world.row().processing_bell else world.queue.hear(Work.PROCESSING)
        if heard is not None:
            claim(world, heard)
            world.attempts().crashed_under(PROCESSOR)
        world.let_pass(1.0, dispatcher)
        assert world.row().processing.attempt < 10
    processing = world.row().processing
    assert processing.ends[PROBE].reason is StepReason.WORKER_CRASHED
    # It fetched nothing.
    assert processing.ends[PROBE].message == "the process that was at it died"


def test_without_the_catalogue_nothing_is_claimed_and_the_queue_may_try_again(world: World) -> None:
    bell = rung(world)
    world.catalogue.fail(CatalogueUnavailable(), "claim")
    with pytest.raises(CatalogueUnavailable):
        world.processor(RUNNERS).answer(bell, PROCESSOR)
    assert world.row().processing.state is PENDING
    world.catalogue.mend()
    assert world.processor(RUNNERS).answer(bell, PROCESSOR) == bell


@pytest.mark.parametrize("error", [CatalogueUnavailable(), RuntimeError("a bug"), ObjectMissing("x")])
@pytest.mark.parametrize("waveform", [None, BROKEN, StorageUnavailable(), RuntimeError("another bug")])
def test_after_the_claim_nothing_is_raised_and_the_lease_ends_what_could_not_be_noted(
    world: World, error: Exception, waveform: Exception | None
) -> None:
    bell, dispatcher = rung(world), world.dispatcher()
    doing = runners(**({"waveform": waveform} if waveform else {}))
    world.catalogue.fail(error, "amend")
    assert world.processor(doing).answer(bell, PROCESSOR) == bell
    assert world.row().processing.state is RUNNING
    world.catalogue.mend()
    world.let_pass(40.0, dispatcher)
    assert (world.row().processing.state, world.row().processing.attempt) == (PENDING, 2)


def test_a_catalogue_that_does_not_answer_is_told_only_as_often_as_it_should_be_and_blames_no_step(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bell = rung(world)
    world.catalogue.calls.clear()
    world.catalogue.fail(CatalogueUnavailable(), "amend")
    world.processor(runners(), note_tries=5).answer(bell, PROCESSOR)
    assert world.catalogue.calls["amend"] == 5
    assert "could not be noted" in caplog.text
    assert "a step failed unexpectedly" not in caplog.text


def failing(times: int) -> Hook:
    """A hook that fails that many times."""
    left = iter(range(times))

    def hook(*_: object) -> None:
        if next(left, None) is not None:
            raise CatalogueUnavailable

    return hook


@pytest.mark.parametrize("answer_lost", [False, True])
def test_a_steps_end_is_told_again_until_the_catalogue_answers_and_nothing_is_done_twice(
    world: World, answer_lost: bool
) -> None:
    bell, doing = rung(world), runners()
    (world.catalogue.after if answer_lost else world.catalogue.before)["amend"] = failing(4)
    world.processor(doing, note_tries=5).answer(bell, PROCESSOR)
    assert (world.row().processing.state, world.row().processing.attempt) == (ENDED, 1)
    assert [doing[step].runs for step in Step] == [1, 1, 1]  # type: ignore[attr-defined]
    assert made(world) == whole(*Step)


@pytest.mark.parametrize("answer_lost", [False, True])
def test_a_failure_is_told_again_until_the_catalogue_answers_and_counts_once(world: World, answer_lost: bool) -> None:
    bell = rung(world)
    (world.catalogue.after if answer_lost else world.catalogue.before)["amend"] = failing(4)
    world.processor(runners(probe=RuntimeError("a bug")), note_tries=5).answer(bell, PROCESSOR)
    processing = world.row().processing
    assert (processing.state, processing.attempt) == (PENDING, 2)
    assert processing.failures_by_reason == {StepReason.WORKER_CRASHED: 1}


def test_the_end_of_a_last_step_whose_answer_got_lost_is_not_taken_for_another_attempts(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bell = rung(world)
    world.catalogue.lose_answer(CatalogueUnavailable(), "amend")
    processor = world.processor(runners(), note_tries=2)
    world.catalogue.after["amend"] = lambda *_: None
    world.catalogue.before["amend"] = lambda *_: None
    ends: list[int] = []

    def lose_the_third(*_: object) -> None:
        ends.append(1)
        if len(ends) == 3:
            raise CatalogueUnavailable

    world.catalogue.after["amend"] = lose_the_third
    processor.answer(bell, PROCESSOR)
    assert world.row().processing.state is ENDED
    assert "thrown away" not in caplog.text


def test_what_may_be_ended_is_a_thread_and_not_the_processing(world: World) -> None:
    class BeingEnded(BaseException):
        pass

    bell = rung(world)
    doing = runners()
    with pytest.raises(BeingEnded):
        world.processor(runners(waveform=raising(BeingEnded()))).answer(bell, PROCESSOR)
    assert (world.row().processing.state, made(world)) == (RUNNING, whole(PROBE))
    later(world, doing)
    assert world.row().processing.summary is ProcessingState.DONE
    assert [doing[step].runs for step in Step] == [0, 1, 1]  # type: ignore[attr-defined]


def test_the_lease_is_let_go_with_the_attempt(world: World) -> None:
    world.processor(RUNNERS, lease_interval_seconds=0.001).answer(rung(world), PROCESSOR)
    assert [thread for thread in threading.enumerate() if thread.name == "lease-keeper"] == []


def test_the_lease_is_raised_while_a_step_takes_long(world: World) -> None:
    seen: list[int] = []

    def wait() -> None:
        seen.append(eventually(lambda: world.row().processing.lease >= 3, within=SOON))

    bell = rung(world)
    received = world.row().received_bytes
    world.processor({PROBE: meanwhile(PROBE, wait)}, lease_interval_seconds=0.005).answer(bell, PROCESSOR)
    assert seen == [True]
    assert (world.row().processing.state, world.row().received_bytes) == (ENDED, received)


# Attempts that are superseded


@pytest.mark.parametrize("step", Step)
def test_an_attempt_that_was_taken_over_throws_away_what_it_has_made(world: World, step: Step) -> None:
    bell, doing = rung(world), runners()
    doing[step] = Doing(lambda *_: (claim(world, take_over(world)), Made(b"late"))[1])
    world.processor(doing).answer(bell, PROCESSOR)
    before = list(Step)[: list(Step).index(step)]
    processing = world.row().processing
    assert (processing.state, processing.attempt, list(processing.ends)) == (RUNNING, 2, before)
    assert made(world) == whole(*before)


def test_an_attempt_that_was_taken_over_stops_in_the_middle_of_a_step(world: World) -> None:
    deadline = threading.Event()
    timer = threading.Timer(SOON, deadline.set)
    bell = rung(world)

    def run(_: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        claim(world, take_over(world))
        while not deadline.wait(0.001):
            check()
        return Made(b"too late")

    timer.start()
    try:
        world.processor(runners(probe=run), lease_interval_seconds=0.005).answer(bell, PROCESSOR)
        assert not deadline.is_set()
    finally:
        timer.cancel()
        timer.join()
    assert (world.row().processing.attempt, made(world)) == (2, {})


def test_a_late_attempt_changes_nothing_of_what_its_successor_has_made(world: World) -> None:
    bell = rung(world)
    successor = runners()

    def be_overtaken() -> None:
        next_bell = take_over(world)
        assert world.processor(successor).answer(next_bell, "processor-2") == next_bell

    world.processor(runners(waveform=meanwhile(WAVEFORM, be_overtaken).run)).answer(bell, PROCESSOR)
    processing = world.row().processing
    assert (processing.state, processing.attempt) == (ENDED, 2)
    assert made(world) == whole(*Step)
    assert successor[PROBE].runs == 0  # type: ignore[attr-defined]


def test_a_failure_of_an_attempt_that_was_taken_over_is_nobodys(world: World) -> None:
    bell = rung(world)

    def run(*_: object) -> Made:
        claim(world, take_over(world))
        raise RuntimeError("a bug")

    world.processor(runners(waveform=run)).answer(bell, PROCESSOR)
    processing = world.row().processing
    assert (processing.state, processing.attempt) == (RUNNING, 2)
    assert processing.failures_by_reason == {StepReason.WORKER_CRASHED: 1}


# Bytes that are lost


def lose(world: World) -> None:
    world.shelf.lose(world.row().object_key)


def cut(world: World) -> None:
    world.shelf.truncate(world.row().object_key, len(AUDIO) // 2)


@pytest.mark.parametrize("damage", [lose, cut])
@pytest.mark.parametrize("back", [AUDIO, OTHER_AUDIO], ids=["the same bytes", "others"])
def test_bytes_that_are_lost_are_fetched_again_and_what_was_found_out_is_kept_for_the_same(
    world: World, damage: Callable[[World], None], back: bytes
) -> None:
    bell, doing = rung(world), runners()
    doing[PROBE] = meanwhile(PROBE, lambda: damage(world))
    world.script(back)
    if damage is cut:
        doing[PROBE] = Reading(PROBE)
        doing[WAVEFORM] = meanwhile(WAVEFORM, lambda: damage(world))
    world.processor(doing).answer(bell, PROCESSOR)
    row = world.row()
    assert (row.state, row.processing.state, row.attempt) == (RecordingState.QUEUED, None, 2)
    ended = [PROBE] if damage is lose else [PROBE, WAVEFORM]
    assert list(row.processing.ends) == ended
    again = runners()
    later(world, again, 20.0)
    assert (world.row().state, world.row().processing.summary) == (RecordingState.READY, ProcessingState.DONE)
    assert made(world) == whole(*Step, media=back)
    runs = {step: again[step].runs for step in Step}  # type: ignore[attr-defined]
    assert runs == {step: int(back is OTHER_AUDIO or step not in ended) for step in Step}


def test_a_recording_whose_bytes_are_lost_is_fetched_again_once_whoever_notices(world: World) -> None:
    bell = rung(world)
    lost = world.row().object_key

    def somebody_else_notices() -> None:
        lose(world)
        world.enqueuer().enqueue(a_request())
        world.work()
        assert world.row().object_key != lost

    world.processor(runners(probe=meanwhile(PROBE, somebody_else_notices).run)).answer(bell, PROCESSOR)
    row = world.row()
    assert (row.state, row.attempt, row.processing.state) == (RecordingState.READY, 2, PENDING)
    # Nothing that this attempt has made of what is gone is kept.
    assert (row.processing.ends, made(world)) == ({}, {})
    world.process(world.processor(RUNNERS))
    assert made(world) == whole(*Step)


def test_a_deleted_recording_leaves_nothing_of_what_was_made_of_it(world: World) -> None:
    world.processor(RUNNERS).answer(rung(world), PROCESSOR)
    assert made(world) == whole(*Step)
    world.service().delete(Target(*KEY), allow_missing=False)
    assert made(world) == {}


@pytest.mark.parametrize("step", Step)
def test_a_recording_that_is_deleted_meanwhile_leaves_nothing_behind(world: World, step: Step) -> None:
    bell, doing = rung(world), runners()
    doing[step] = meanwhile(step, lambda: world.service().delete(Target(*KEY), allow_missing=False))
    world.processor(doing).answer(bell, PROCESSOR)
    row = world.row()
    assert (row.state, row.processing.state, row.processing.ends) == (RecordingState.DELETED, None, {})
    assert made(world) == {}


# FULL again


def test_full_again_after_a_failure_runs_only_what_is_missing(world: World) -> None:
    world.processor(runners(waveform=BROKEN)).answer(rung(world), PROCESSOR)
    outcome = world.enqueuer().enqueue(a_request())
    assert isinstance(outcome, EnqueueResult)
    assert outcome.reason is EnqueueReason.ENQUEUED
    doing = runners()
    assert world.process(world.processor(doing)) == [world.row().processing_bell]
    assert [doing[step].runs for step in Step] == [0, 1, 0]  # type: ignore[attr-defined]
    assert made(world) == whole(*Step)
    assert world.enqueuer().enqueue(a_request()).reason is EnqueueReason.CACHED


def test_full_again_after_the_probe_has_failed_runs_everything(world: World) -> None:
    world.processor(runners(probe=BROKEN)).answer(rung(world), PROCESSOR)
    assert world.enqueuer().enqueue(a_request()).reason is EnqueueReason.ENQUEUED
    world.process(world.processor(RUNNERS))
    assert world.row().processing.summary is ProcessingState.DONE
    assert made(world) == whole(*Step)


# What is due, and to whom


def test_where_nothing_is_due_nothing_is_done(world: World) -> None:
    bell = rung(world)
    processor = world.processor(RUNNERS)
    processor.answer(bell, PROCESSOR)
    row = world.row()
    assert processor.answer(bell, PROCESSOR) is None
    assert processor.answer(Bell(*a_key(99), 1, Work.PROCESSING), PROCESSOR) is None
    assert world.row() == row


def test_a_bell_of_the_download_has_nothing_processed(world: World) -> None:
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request(job=RecordingJob.DOWNLOAD_ONLY))
    world.work()
    assert world.queue.hear(Work.PROCESSING) is None
    assert world.processor(RUNNERS).answer(world.row().bell, PROCESSOR) is None
    assert world.row().processing.state is None


def test_the_most_urgent_is_processed_first_whoever_it_was_rung_for(world: World) -> None:
    for number, priority in ((1, Priority.BULK), (2, Priority.NORMAL), (3, Priority.BULK)):
        world.script(AUDIO, key=a_key(number))
        world.enqueuer().enqueue(a_request(a_key(number), priority=priority))
    world.work()
    answered = world.process(world.processor(RUNNERS))
    assert [bell.key for bell in answered if bell] == [a_key(2), a_key(1), a_key(3)]


def test_many_workers_process_every_recording_once(world: World) -> None:
    keys = [a_key(number) for number in range(1, 41)]
    for key in keys:
        world.script(AUDIO, key=key)
        world.enqueuer().enqueue(a_request(key))
    world.work()
    doing = runners()
    threads = [threading.Thread(target=world.process, args=(world.processor(doing),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert {world.row(key).processing.summary for key in keys} == {ProcessingState.DONE}
    assert {world.row(key).processing.attempt for key in keys} == {1}


def test_processing_goes_on_while_the_account_is_paused(world: World) -> None:
    bell = rung(world)
    now = world.clock.now()
    world.catalogue.adapter.pause(KEY.account_sid, now, now)
    assert world.processor(RUNNERS).answer(bell, PROCESSOR) == bell
    assert world.row().processing.state is ENDED


def test_a_clean_stop_gives_the_processing_back_unspent(world: World) -> None:
    claim(world, rung(world))
    world.attempts().release(PROCESSOR)
    processing = world.row().processing
    assert (processing.state, processing.attempt, processing.failures_by_reason) == (PENDING, 2, {})
    assert (processing.rung_time, processing.next_attempt_time) == (None, world.clock.now())


def test_the_log_follows_the_request_and_says_how_each_step_ended(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request(request_id="request-7"))
    world.work()
    caplog.set_level(logging.INFO)
    caplog.clear()
    world.process(world.processor({PROBE: Reading(PROBE), WAVEFORM: Doing(raising(BROKEN))}))  # type: ignore[arg-type]
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split()[:2] for line in lines if "request_id=request-7" in line] == [
        ["probe", "done"],
        ["waveform", "failed:"],
        ["transcript", "skipped:"],
    ]
