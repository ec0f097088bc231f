"""How an attempt ends that did not bring the recording."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from recording_service.core.errors import (
    CatalogueUnavailable,
    QueueUnavailable,
    RecordingServiceError,
    SourceNotAudio,
    SourceTooLarge,
    SourceUnavailable,
    WorkerCrashed,
)
from recording_service.core.model import (
    Bell,
    FailureReason,
    Processing,
    ProcessingState,
    Recording,
    RecordingState,
    Step,
    StepReason,
    WaitingReason,
    Work,
)
from recording_service.core.ports import Change
from recording_service.core.retry import RETRY_RULES, GiveUp, PutOff, RetryPolicy
from tests.support.core_world import AUDIO, KEY, PROCESSOR, WORKER, World, a_key, a_request
from tests.support.failing_port import once


class FixedPolicy(RetryPolicy):
    """Puts every attempt off by ten seconds, or gives up at once."""

    def __init__(self, *, gives_up: bool = False) -> None:
        super().__init__()
        self._gives_up = gives_up

    def after(
        self, error: RecordingServiceError, recording: Recording
    ) -> PutOff[FailureReason] | GiveUp[FailureReason]:
        if self._gives_up:
            return GiveUp(FailureReason.SOURCE_NOT_AUDIO)
        return PutOff(WaitingReason.RETRY, timedelta(seconds=10), FailureReason.SOURCE_UNAVAILABLE)

    def after_step(
        self, error: RecordingServiceError, processing: Processing
    ) -> PutOff[StepReason] | GiveUp[StepReason]:
        if self._gives_up:
            return GiveUp(StepReason.MEDIA_BROKEN)
        return PutOff(WaitingReason.RETRY, timedelta(seconds=10), StepReason.WORKER_CRASHED)


def claimed(world: World, number: int = 1) -> Bell:
    """An attempt that a worker is at."""
    world.enqueuer().enqueue(a_request(a_key(number)))
    return world.claim(a_key(number)).bell


def claimed_for_processing(world: World, number: int = 1) -> Bell:
    """An attempt at the processing of a recording that is here, that a worker is at."""
    world.script(AUDIO, key=a_key(number))
    world.enqueuer().enqueue(a_request(a_key(number)))
    world.work()
    bell = world.queue.hear(Work.PROCESSING)
    assert bell is not None
    taken = world.take_processing(bell)
    assert taken is not None
    told(world)
    return taken.processing_bell


def told(world: World) -> list[Change]:
    """What was told since the feed was listened to last."""
    return list(world.listening.next(0.0))


def test_an_attempt_that_failed_is_put_off_and_everyone_is_told(world: World) -> None:
    bell = claimed(world)
    world.clock.advance(3)
    row = world.attempts(FixedPolicy()).fail(bell, SourceUnavailable("503"), "Twilio did not send it (503)")
    assert row == world.row()
    assert (row.state, row.attempt, row.rung_time) == (RecordingState.QUEUED, 2, None)
    assert (row.failures, row.waiting_reason) == (1, WaitingReason.RETRY)
    assert row.failure_message == "Twilio did not send it (503)"
    assert row.next_attempt_time == world.clock.now() + timedelta(seconds=10)
    assert told(world) == [Change(*KEY, row.revision)]


def test_an_attempt_that_spends_the_budget_is_the_end_and_everyone_is_told(world: World) -> None:
    row = world.attempts(FixedPolicy(gives_up=True)).fail(claimed(world), SourceNotAudio("html"), "no audio")
    assert row == world.row()
    assert (row.state, row.failure_reason) == (RecordingState.FAILED, FailureReason.SOURCE_NOT_AUDIO)
    assert told(world) == [Change(*KEY, row.revision)]


def test_an_attempt_ends_once(world: World) -> None:
    bell, attempts = claimed(world), world.attempts()
    assert attempts.fail(bell, SourceUnavailable("503"), "503") is not None
    row = world.row()
    told(world)
    assert attempts.fail(bell, SourceUnavailable("503"), "503") is None
    assert attempts.crashed(bell) is None
    attempts.release(WORKER)
    attempts.crashed_under(WORKER)
    assert world.row() == row
    assert told(world) == []


def test_an_attempt_of_a_recording_that_is_not_there_does_not_end(world: World) -> None:
    assert world.attempts().fail(Bell(*KEY, 1), SourceUnavailable("503"), "503") is None
    assert world.catalogue.adapter.get(KEY) is None


def test_the_verdict_is_on_the_row_as_it_is_when_it_is_written(world: World) -> None:
    bell = claimed(world)
    adapter = world.catalogue.adapter

    def spend_the_budget(_: object) -> None:
        def decide(row: Recording | None) -> Recording | None:
            assert row is not None
            spent = {FailureReason.SOURCE_UNAVAILABLE: 10_000}
            return replace(row, failures_by_reason=spent, revision=row.revision + 1)

        adapter.amend([(KEY, decide)])

    world.catalogue.before["amend"] = once(spend_the_budget)
    row = world.attempts().fail(bell, SourceUnavailable("503"), "503")
    assert row is not None
    assert row.state is RecordingState.FAILED


def test_a_crash_spends_of_the_budget_so_that_poison_comes_to_an_end(world: World) -> None:
    budget = RETRY_RULES[WorkerCrashed].budget
    assert budget is not None
    world.enqueuer().enqueue(a_request())
    dispatcher = world.dispatcher()
    for crash in range(1, budget + 1):
        claim = world.claim()
        assert world.attempts().crashed(claim.bell) == world.row()
        assert world.row().failures == crash
        if crash < budget:
            world.let_pass(70, dispatcher)
    assert (world.row().state, world.row().failure_reason) == (RecordingState.FAILED, FailureReason.WORKER_CRASHED)
    assert world.row().failure_message == "the process that fetched it died"


def test_a_worker_whose_horse_died_loses_what_it_was_at_and_nobody_else_does(world: World) -> None:
    mine, other = claimed(world, 1), claimed(world, 2)
    row = world.row(other.key)
    adapter = world.catalogue.adapter
    adapter.amend([(other.key, lambda row: row and replace(row, claimed_by="worker-2", revision=row.revision + 1))])
    world.attempts().crashed_under(WORKER)
    assert (world.row(mine.key).state, world.row(mine.key).failures) == (RecordingState.QUEUED, 1)
    assert (world.row(other.key).state, world.row(other.key).attempt) == (RecordingState.DOWNLOADING, row.attempt)


def test_a_clean_stop_gives_back_unspent_what_a_worker_was_at(world: World) -> None:
    claimed(world)
    world.attempts().release("worker-2")
    assert world.row().state is RecordingState.DOWNLOADING
    told(world)
    world.attempts().release(WORKER)
    row = world.row()
    assert (row.state, row.attempt, row.failures, row.rung_time) == (RecordingState.QUEUED, 2, 0, None)
    assert (row.next_attempt_time, row.waiting_reason) == (world.clock.now(), None)
    assert told(world) == [Change(*KEY, row.revision)]


@pytest.mark.parametrize("error", [QueueUnavailable(), RuntimeError("a bug")])
def test_an_attempt_ends_though_nobody_can_be_told(world: World, error: Exception) -> None:
    bell = claimed(world)
    world.changes.fail(error, "publish")
    assert world.attempts().fail(bell, SourceUnavailable("503"), "503") == world.row()
    assert world.row().state is RecordingState.QUEUED


def test_without_the_catalogue_an_attempt_does_not_end(world: World) -> None:
    bell = claimed(world)
    world.catalogue.fail(CatalogueUnavailable(), "amend", "claimed")
    attempts = world.attempts()
    with pytest.raises(CatalogueUnavailable):
        attempts.fail(bell, SourceUnavailable("503"), "503")
    with pytest.raises(CatalogueUnavailable):
        attempts.crashed_under(WORKER)
    with pytest.raises(CatalogueUnavailable):
        attempts.release(WORKER)
    assert world.row().state is RecordingState.DOWNLOADING


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (SourceUnavailable("503"), logging.WARNING, "waiting_reason=retry"),
        (SourceTooLarge("too large"), logging.ERROR, "failure_reason=source_too_large"),
    ],
)
def test_the_log_says_what_follows_and_whose_request_it_was(
    world: World, caplog: pytest.LogCaptureFixture, error: RecordingServiceError, level: int, said: str
) -> None:
    world.enqueuer().enqueue(a_request(request_id="request-7"))
    world.attempts().fail(world.claim().bell, error, str(error))
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.levelno == level
    for part in (said, KEY.recording_sid, "request_id=request-7", str(error)):
        assert part in record.getMessage()


# Processing


def test_an_attempt_at_processing_that_failed_is_put_off_and_everyone_is_told(world: World) -> None:
    bell = claimed_for_processing(world)
    row = world.attempts(FixedPolicy()).fail(bell, WorkerCrashed(), "it died")
    assert row == world.row()
    processing = row.processing
    assert (row.state, processing.state, processing.attempt) == (RecordingState.READY, ProcessingState.PENDING, 2)
    assert processing.failures_by_reason == {StepReason.WORKER_CRASHED: 1}
    assert processing.next_attempt_time == world.clock.now() + timedelta(seconds=10)
    assert told(world) == [Change(*KEY, row.revision)]


def test_a_step_that_spends_its_budget_is_given_up_and_the_recording_is_not(world: World) -> None:
    bell = claimed_for_processing(world)
    row = world.attempts(FixedPolicy(gives_up=True)).fail(bell, WorkerCrashed(), "it died")
    assert row is not None
    assert (row.state, row.failure_reason, row.failures) == (RecordingState.READY, None, 0)
    end = row.processing.ends[Step.PROBE]
    assert (end.state, end.reason, end.message) == (ProcessingState.FAILED, StepReason.MEDIA_BROKEN, "it died")
    assert told(world) == [Change(*KEY, row.revision)]


def test_an_attempt_at_processing_ends_once(world: World) -> None:
    bell, attempts = claimed_for_processing(world), world.attempts()
    assert attempts.crashed(bell) is not None
    row = world.row()
    told(world)
    assert attempts.crashed(bell) is None
    assert attempts.crashed(bell._replace(work=Work.DOWNLOAD)) is None
    attempts.release(PROCESSOR)
    attempts.crashed_under(PROCESSOR)
    assert (world.row(), told(world)) == (row, [])


def test_a_worker_ends_what_it_was_at_of_whichever_kind(world: World) -> None:
    processing = claimed_for_processing(world, 1)
    download = claimed(world, 2)
    world.attempts().crashed_under(PROCESSOR)
    assert world.row(processing.key).processing.failures_by_reason == {StepReason.WORKER_CRASHED: 1}
    assert world.row(download.key).state is RecordingState.DOWNLOADING
    world.attempts().release(WORKER)
    assert (world.row(download.key).state, world.row(download.key).failures) == (RecordingState.QUEUED, 0)


@pytest.mark.parametrize("gives_up", [False, True])
def test_the_log_says_what_follows_for_the_processing(
    world: World, caplog: pytest.LogCaptureFixture, gives_up: bool
) -> None:
    bell = claimed_for_processing(world)
    caplog.clear()
    world.attempts(FixedPolicy(gives_up=gives_up)).fail(bell, WorkerCrashed(), "it died")
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.levelno == (logging.ERROR if gives_up else logging.WARNING)
    said = "the step is given up" if gives_up else "next_attempt_time="
    for part in (said, KEY.recording_sid, "it died"):
        assert part in record.getMessage()
