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
from recording_service.core.model import Bell, FailureReason, Recording, RecordingState, WaitingReason
from recording_service.core.ports import Change
from recording_service.core.retry import RETRY_RULES, GiveUp, PutOff, RetryPolicy
from tests.support.core_world import KEY, WORKER, World, a_key, a_request
from tests.support.failing_port import once


class FixedPolicy(RetryPolicy):
    """Puts every attempt off by ten seconds, or gives up at once."""

    def __init__(self, *, gives_up: bool = False) -> None:
        super().__init__()
        self._gives_up = gives_up

    def after(self, error: RecordingServiceError, recording: Recording) -> PutOff | GiveUp:
        if self._gives_up:
            return GiveUp(FailureReason.SOURCE_NOT_AUDIO)
        return PutOff(WaitingReason.RETRY, timedelta(seconds=10), FailureReason.SOURCE_UNAVAILABLE)


def claimed(world: World, number: int = 1) -> Bell:
    """An attempt that a worker is at."""
    world.enqueuer().enqueue(a_request(a_key(number)))
    return world.claim(a_key(number)).bell


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
