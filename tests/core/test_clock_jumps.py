"""A wall clock that is set, or is another host's, makes nobody wait for ever, nor hurry (reliability.md B3 #30)."""

from datetime import datetime, timedelta

import pytest

from recording_service.core.clock_jumps import MOST_JUMPS, ClockJumps
from recording_service.core.dispatch import Dispatcher, DispatchSettings
from recording_service.core.enqueueing import Enqueuer
from recording_service.core.errors import (
    CatalogueUnavailable,
    EnqueueFailed,
    QueueUnavailable,
    SourceRateLimited,
    SourceUnauthorized,
)
from recording_service.core.model import RecordingKey, RecordingState, WaitingReason
from recording_service.core.retry import LONGEST_DELAY_SECONDS, RETRY_AFTER_CAP_SECONDS, RETRY_RULES
from tests.support.clocks import START, HandDrivenClock
from tests.support.core_world import AUDIO, World, a_key, a_request
from tests.support.failing_port import once, raising

SETTINGS = DispatchSettings()
#: Within this, whatever is due comes to be done (docs/reliability.md), in seconds.
RECOVERY_SECONDS = 75
JUMPS = [2 * 3600.0, -2 * 3600.0, 300.0, -300.0, 365 * 86400.0, -365 * 86400.0]
RUNG, UNRUNG, WAITING = a_key(1), a_key(2), a_key(3)
#: What Twilio asked the one that waits to wait for, in seconds.
ASKED_SECONDS = 600.0


def drive(world: World, seconds: float, *dispatchers: Dispatcher) -> None:
    """Lets time pass with dispatchers and a worker at work."""
    for _ in range(round(seconds)):
        world.let_pass(1.0, *dispatchers)
        world.work()


def commit_unrung(world: World, key: RecordingKey, enqueuer: Enqueuer | None = None) -> None:
    world.queue.fail_with = QueueUnavailable()
    with pytest.raises(EnqueueFailed):
        (enqueuer or world.enqueuer()).enqueue(a_request(key))
    world.queue.fail_with = None


def one_of_each(world: World, dispatcher: Dispatcher) -> None:
    """A recording that waits for Twilio, one that was rung for, and one that was not."""
    world.script(SourceRateLimited("429", ASKED_SECONDS), AUDIO, key=WAITING)
    for key in (RUNG, UNRUNG):
        world.script(AUDIO, key=key)
    world.enqueuer().enqueue(a_request(WAITING))
    dispatcher.tick()
    world.work()
    world.enqueuer().enqueue(a_request(RUNG))
    commit_unrung(world, UNRUNG)
    assert world.row(WAITING).waiting_reason is WaitingReason.RATE_LIMITED


def states(world: World) -> list[RecordingState]:
    return [world.row(key).state for key in (RUNG, UNRUNG, WAITING)]


@pytest.mark.parametrize("seconds", JUMPS)
def test_what_is_due_comes_to_be_done_and_what_waits_waits_its_time(world: World, seconds: float) -> None:
    dispatcher = world.dispatcher()
    one_of_each(world, dispatcher)
    world.clock.jump(seconds)
    drive(world, 10, dispatcher)
    assert states(world) == [RecordingState.READY, RecordingState.READY, RecordingState.QUEUED]
    drive(world, ASKED_SECONDS - 20, dispatcher)
    assert world.row(WAITING).state is RecordingState.QUEUED
    assert world.twilio.asked.count(WAITING) == 1
    drive(world, 20, dispatcher)
    assert states(world) == 3 * [RecordingState.READY]
    assert sorted(world.twilio.asked) == [RUNG, UNRUNG, WAITING, WAITING]


@pytest.mark.parametrize("seconds", JUMPS)
@pytest.mark.parametrize("step", ["claimed", "paused", "shift_waits"])
def test_a_clock_that_is_set_amid_a_round_makes_no_difference(world: World, seconds: float, step: str) -> None:
    dispatcher = world.dispatcher()
    one_of_each(world, dispatcher)
    if step == "shift_waits":  # twice in one round
        world.clock.jump(-60.0)
    world.catalogue.before[step] = once(lambda *_: world.clock.jump(seconds))
    drive(world, ASKED_SECONDS - 20, dispatcher)
    assert states(world) == [RecordingState.READY, RecordingState.READY, RecordingState.QUEUED]
    assert world.twilio.asked.count(WAITING) == 1
    drive(world, 40, dispatcher)
    assert sorted(world.twilio.asked) == [RUNG, UNRUNG, WAITING, WAITING]


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_clock_that_is_set_and_set_right_again_makes_no_difference(world: World, seconds: float) -> None:
    dispatcher = world.dispatcher()
    one_of_each(world, dispatcher)
    due = world.row(WAITING).next_attempt_time
    world.clock.jump(seconds)
    dispatcher.tick()
    assert world.row(WAITING).next_attempt_time == due + timedelta(seconds=seconds)
    world.clock.jump(-seconds)
    world.let_pass(2.0, dispatcher)
    assert world.row(WAITING).next_attempt_time == due


def test_watchers_see_that_the_time_has_changed(world: World) -> None:
    dispatcher = world.dispatcher()
    one_of_each(world, dispatcher)
    before = world.row(WAITING)
    world.clock.jump(-7200.0)
    dispatcher.tick()
    after = world.row(WAITING)
    assert (after.revision, after.update_time) == (before.revision + 1, world.clock.now())


def test_a_dispatcher_that_was_stopped_saw_no_clock_jump(world: World) -> None:
    dispatcher = world.dispatcher()
    one_of_each(world, dispatcher)
    due = world.row(WAITING).next_attempt_time
    world.clock.advance(300.0)
    dispatcher.tick()
    assert world.row(WAITING).next_attempt_time == due


def test_small_corrections_of_the_clock_are_no_jump(world: World) -> None:
    dispatcher = world.dispatcher()
    one_of_each(world, dispatcher)
    due = world.row(WAITING).next_attempt_time
    for seconds in (0.9, -0.9, 4.0, -4.0):
        world.clock.jump(seconds)
        world.let_pass(1.0, dispatcher)
    assert world.row(WAITING).next_attempt_time == due


def test_what_began_to_wait_by_the_new_clock_is_left_alone(world: World) -> None:
    dispatcher = world.dispatcher()
    dispatcher.tick()
    world.script(SourceRateLimited("429", ASKED_SECONDS), key=WAITING)
    world.enqueuer().enqueue(a_request(WAITING))
    world.clock.advance(0.5)
    world.clock.jump(7200.0)
    world.work()
    due = world.row(WAITING).next_attempt_time
    world.clock.advance(0.5)
    dispatcher.tick()
    assert world.row(WAITING).next_attempt_time == due


@pytest.mark.parametrize("seconds", [7200.0, -7200.0])
def test_a_jump_that_could_not_be_mended_at_once_is_mended_later_and_once(world: World, seconds: float) -> None:
    dispatcher = world.dispatcher()
    one_of_each(world, dispatcher)
    due = world.row(WAITING).next_attempt_time
    world.clock.jump(seconds)
    world.catalogue.fail(CatalogueUnavailable(), "hold", "shift_waits")  # as where SQLite is locked
    world.let_pass(5.0, dispatcher)
    world.catalogue.mend()
    world.catalogue.after["shift_waits"] = once(raising(CatalogueUnavailable()))  # done, and nobody was told
    world.let_pass(5.0, dispatcher)
    assert world.row(WAITING).next_attempt_time == due + timedelta(seconds=seconds)


@pytest.mark.parametrize("first", [3600.0, -3600.0])
@pytest.mark.parametrize("second", [1800.0, -1800.0, 7200.0, -7200.0])
@pytest.mark.parametrize("was_moved", [True, False])
def test_of_jumps_that_could_not_be_mended_at_once_each_is_mended_once(
    world: World, first: float, second: float, was_moved: bool
) -> None:
    def begin_to_wait(number: int) -> datetime:
        world.script(SourceRateLimited("429", ASKED_SECONDS), key=a_key(number))
        world.enqueuer().enqueue(a_request(a_key(number)))
        world.work()
        return world.row(a_key(number)).next_attempt_time

    dispatcher = world.dispatcher()
    one_of_each(world, dispatcher)
    world.let_pass(2.0, dispatcher)
    before = world.row(WAITING).next_attempt_time
    world.clock.jump(first)
    if was_moved:
        world.catalogue.lose_answer(CatalogueUnavailable(), "shift_waits")
    else:
        world.catalogue.fail(CatalogueUnavailable(), "hold", "shift_waits")
    world.let_pass(1.0, dispatcher)
    between = begin_to_wait(4)
    world.clock.jump(second)
    world.catalogue.fail(CatalogueUnavailable(), "hold", "shift_waits")
    world.let_pass(1.0, dispatcher)
    after = begin_to_wait(5)
    world.catalogue.mend()
    world.let_pass(3.0, dispatcher)
    assert world.row(WAITING).next_attempt_time == before + timedelta(seconds=first + second)
    assert world.row(a_key(4)).next_attempt_time == between + timedelta(seconds=second)
    assert world.row(a_key(5)).next_attempt_time == after


def test_of_a_clock_that_is_set_all_the_time_no_more_than_so_many_jumps_are_remembered(world: World) -> None:
    dispatcher = world.dispatcher()
    dispatcher.tick()
    world.catalogue.fail(CatalogueUnavailable(), "shift_waits")
    for number in range(3 * MOST_JUMPS):
        world.clock.jump(60.0 if number % 2 else -60.0)
        world.let_pass(1.0, dispatcher)
    world.catalogue.mend()
    told = world.catalogue.calls["shift_waits"]
    world.let_pass(5.0, dispatcher)
    assert world.catalogue.calls["shift_waits"] == told + MOST_JUMPS


@pytest.mark.parametrize("seconds", [7200.0, -7200.0])
def test_of_two_dispatchers_one_mends_a_jump(world: World, seconds: float) -> None:
    first, second = world.dispatcher("first"), world.dispatcher("second")
    one_of_each(world, first)
    second.tick()
    due = world.row(WAITING).next_attempt_time
    world.clock.jump(seconds)
    first.tick()
    second.tick()
    for _ in range(20):  # the first is gone, and the second takes over
        world.let_pass(1.0, second)
    assert world.catalogue.adapter.look().holder == "second"
    assert world.row(WAITING).next_attempt_time == due + timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [-3 * 3600.0, -365 * 86400.0])
def test_a_jump_while_nobody_dispatched_is_bounded(world: World, seconds: float) -> None:
    one_of_each(world, world.dispatcher("gone"))
    world.clock.jump(seconds)
    drive(world, RECOVERY_SECONDS, world.dispatcher("next"))
    assert states(world) == 3 * [RecordingState.READY]


@pytest.mark.parametrize("skew_seconds", [300.0, -300.0])
def test_hosts_whose_clocks_differ_keep_nothing_waiting_that_is_due(world: World, skew_seconds: float) -> None:
    other_host = HandDrivenClock(START + timedelta(seconds=skew_seconds))
    enqueuer = Enqueuer(world.catalogue.port, world.bells.port, world.storage.port, other_host)
    for key in (RUNG, UNRUNG):
        world.script(AUDIO, key=key)
    enqueuer.enqueue(a_request(RUNG))
    commit_unrung(world, UNRUNG, enqueuer)
    dispatcher = world.dispatcher()
    dispatcher.tick()
    world.work()
    assert world.row(RUNG).state is RecordingState.READY
    drive(world, RECOVERY_SECONDS, dispatcher)
    assert world.row(UNRUNG).state is RecordingState.READY


def test_a_bell_of_a_host_whose_clock_goes_before_is_found_when_it_is_lost(world: World) -> None:
    other_host = HandDrivenClock(START + timedelta(seconds=300.0))
    world.script(AUDIO, key=RUNG)
    Enqueuer(world.catalogue.port, world.bells.port, world.storage.port, other_host).enqueue(a_request(RUNG))
    world.queue.forget()
    drive(world, RECOVERY_SECONDS, world.dispatcher())
    assert world.row(RUNG).state is RecordingState.READY


@pytest.mark.parametrize("seconds", JUMPS)
@pytest.mark.parametrize("while_nobody_dispatched", [False, True])
def test_a_paused_account_is_probed_though_the_clock_was_set(
    world: World, seconds: float, while_nobody_dispatched: bool
) -> None:
    dispatcher = world.dispatcher()
    world.script(SourceUnauthorized("401"), AUDIO, key=RUNG)
    world.enqueuer().enqueue(a_request(RUNG))
    dispatcher.tick()
    world.work()
    assert len(world.catalogue.adapter.paused()) == 1
    world.clock.jump(seconds)
    if while_nobody_dispatched:
        dispatcher = world.dispatcher("next")
    # A jump that nobody noticed and that is no more than hosts' clocks may differ is waited for.
    patience = RECOVERY_SECONDS + (300 if while_nobody_dispatched else 0)
    drive(world, patience, dispatcher)
    assert world.row(RUNG).state is RecordingState.READY


def test_a_paused_account_is_not_asked_more_often_because_the_clock_is_set_all_the_time(world: World) -> None:
    dispatcher = world.dispatcher()
    world.script(SourceUnauthorized("401"), key=RUNG)
    world.enqueuer().enqueue(a_request(RUNG))
    for number in range(60):
        world.clock.jump(60.0 if number % 2 else -60.0)
        drive(world, 10, dispatcher)
    assert len(world.twilio.asked) <= 60


class InterruptedClock(HandDrivenClock):
    """The process is stopped between a look at the one clock and a look at the other."""

    stops = 0

    def now(self) -> datetime:
        """The wall clock."""
        now = super().now()
        if self.stops:
            self.stops -= 1
            self.advance(60.0)
        return now


def test_a_process_that_is_stopped_between_two_looks_at_the_clocks_sees_no_jump(world: World) -> None:
    clock = InterruptedClock()
    jumps = ClockJumps(
        world.catalogue.port,
        clock,
        longest_wait_seconds=3600.0,
        longest_probe_wait_seconds=60.0,
        interval_seconds=30.0,
    )
    jumps.look()
    clock.stops = 1
    jumps.look()
    jumps.mend()
    assert world.catalogue.calls["shift_waits"] == 0


def test_the_longest_wait_is_as_long_as_any_that_is_asked_for() -> None:
    assert SETTINGS.longest_wait_seconds == LONGEST_DELAY_SECONDS
    assert all(rule.cap_seconds <= LONGEST_DELAY_SECONDS for rule in RETRY_RULES.values())
    assert all(RETRY_AFTER_CAP_SECONDS + rule.base_seconds <= LONGEST_DELAY_SECONDS for rule in RETRY_RULES.values())
