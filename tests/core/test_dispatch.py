"""The dispatcher: whatever is due comes to be done, whoever has died or forgotten."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.core import dispatch as dispatch_module
from recording_service.core.dispatch import BATCH, Dispatcher, DispatchSettings
from recording_service.core.errors import (
    CatalogueUnavailable,
    EnqueueFailed,
    EnqueueStorageFull,
    QueueUnavailable,
    SourceNotFound,
    SourceRateLimited,
    SourceUnauthorized,
    StorageUnavailable,
)
from recording_service.core.model import (
    Bell,
    Priority,
    ProcessingState,
    RecordingKey,
    RecordingState,
    StepReason,
    WaitingReason,
    Work,
)
from recording_service.core.next_bells import AccountLimits
from recording_service.core.ports import Catalogue, DispatcherRow
from tests.support.core_world import ACCOUNT, AUDIO, OTHER_ACCOUNT, WORKER, World, a_key, a_request
from tests.support.failing_port import Faults, once, raising
from tests.support.steps import RUNNERS
from tests.support.waiting import eventually

SETTINGS = DispatchSettings()
#: A row that was touched this long ago is nobody's any more, in seconds.
PAST_GRACE = SETTINGS.grace_seconds + 2 * SETTINGS.tick_seconds
#: Longest wait for what should come about at once, in seconds.
SOON = 10.0


def keys(count: int) -> list[RecordingKey]:
    return [a_key(number) for number in range(1, count + 1)]


def commit_unrung(world: World, count: int = 1) -> list[RecordingKey]:
    """Rows whose callers could not ring."""
    world.queue.fail_with = QueueUnavailable()
    enqueuer = world.enqueuer()
    for key in keys(count):
        with pytest.raises(EnqueueFailed):
            enqueuer.enqueue(a_request(key))
    world.queue.fail_with = None
    return keys(count)


def commit_rung(world: World, count: int = 1) -> list[RecordingKey]:
    for key in keys(count):
        world.enqueuer().enqueue(a_request(key))
    return keys(count)


def commit_half_of_them_urgent(world: World) -> None:
    """Twenty rows; the first ten are rung for first, and are less urgent."""
    for key in keys(20):
        priority = Priority.BULK if key in keys(10) else Priority.PLAYBACK
        world.enqueuer().enqueue(a_request(key, priority=priority))


def ready(world: World, count: int) -> bool:
    return all(world.row(key).state is RecordingState.READY for key in keys(count))


# Due and unrung


def test_a_row_that_nobody_rang_for_is_rung_for_after_the_grace(world: World) -> None:
    dispatcher = world.dispatcher()
    commit_unrung(world)
    world.let_pass(SETTINGS.grace_seconds - 0.1, dispatcher, tick_seconds=SETTINGS.grace_seconds - 0.1)
    assert (world.queue.waiting(), world.row().rung_time) == (0, None)
    world.let_pass(0.2, dispatcher, tick_seconds=0.2)
    assert (world.queue.waiting(), world.row().rung_time) == (1, world.clock.now())
    world.let_pass(10.0, dispatcher)
    assert world.queue.waiting() == 1
    assert world.row().attempt == 1


def test_a_row_that_was_just_touched_is_left_to_whoever_touched_it(world: World) -> None:
    dispatcher = world.dispatcher()
    for _ in range(20):
        commit_unrung(world)
        world.let_pass(1.0, dispatcher)
        if world.row().rung_time is not None:
            break
    else:
        pytest.fail("nobody rang")
    assert world.clock.now() - world.row().create_time >= timedelta(seconds=SETTINGS.grace_seconds)


def test_a_retry_is_rung_for_when_its_time_has_come_and_not_before(world: World) -> None:
    world.script(SourceRateLimited("429", 100.0), AUDIO)
    commit_rung(world)
    dispatcher = world.dispatcher()
    world.work()
    world.let_pass(99.0, dispatcher)
    assert (world.queue.waiting(), world.row().rung_time) == (0, None)
    world.let_pass(5.0, dispatcher)
    assert world.queue.waiting() == 1
    world.work()
    assert world.row().state is RecordingState.READY


def test_the_most_urgent_are_rung_for_first(world: World) -> None:
    world.queue.fail_with = QueueUnavailable()
    for number, priority in ((1, Priority.BULK), (2, Priority.PLAYBACK), (3, Priority.NORMAL), (4, Priority.PLAYBACK)):
        with pytest.raises(EnqueueFailed):
            world.enqueuer().enqueue(a_request(a_key(number), priority=priority))
        world.clock.advance(0.001)
    world.queue.fail_with = None
    world.let_pass(PAST_GRACE, world.dispatcher())
    heard = []
    while (bell := world.queue.hear()) is not None:
        heard.append(bell.key)
    assert heard == [a_key(2), a_key(4), a_key(3), a_key(1)]


def test_any_number_of_rows_are_rung_for_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch_module, "BATCH", 10)
    commit_unrung(world, 35)
    world.clock.advance(PAST_GRACE)
    sizes: list[int] = []
    world.bells.before["ring"] = lambda bells: sizes.append(len(bells))
    world.dispatcher().tick()
    assert sizes == [10, 10, 10, 5]
    assert world.queue.waiting() == 35


def test_a_batch_is_no_larger_than_a_push_should_be() -> None:
    assert BATCH <= 1000


def test_however_many_rows_are_due_a_round_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch_module, "BATCH", 10)
    commit_unrung(world, 100)
    world.clock.advance(PAST_GRACE)
    dispatcher = world.dispatcher()
    # Each push takes as long as a whole tick may.
    world.bells.before["ring"] = lambda bells: world.clock.advance(SETTINGS.tick_seconds)
    dispatcher.tick()
    assert 0 < world.queue.waiting() <= 20
    world.bells.mend()
    world.let_pass(30.0, dispatcher)
    assert world.queue.waiting() == 100


# Leases


def test_a_lease_that_stands_still_ends_its_attempt_and_the_next_one_begins(world: World) -> None:
    world.script(AUDIO)
    commit_rung(world)
    dispatcher = world.dispatcher()
    world.claim()
    world.let_pass(SETTINGS.lease_seconds, dispatcher)
    assert world.row().state is RecordingState.DOWNLOADING
    world.let_pass(2.0, dispatcher)
    assert (world.row().state, world.row().failures) == (RecordingState.QUEUED, 1)
    world.let_pass(10.0, dispatcher)
    world.work()
    assert (world.row().state, world.row().attempt) == (RecordingState.READY, 2)


def test_a_lease_that_is_raised_lasts(world: World) -> None:
    commit_rung(world)
    dispatcher, bell = world.dispatcher(), world.claim().bell
    for _ in range(20):
        world.let_pass(SETTINGS.lease_seconds - 1, dispatcher)
        assert world.catalogue.adapter.raise_lease(bell, 0, world.clock.now())
    assert (world.row().state, world.row().attempt) == (RecordingState.DOWNLOADING, 1)


@pytest.mark.parametrize("jump_seconds", [2 * 3600.0, -2 * 3600.0, 365 * 86400.0])
def test_a_jump_of_the_wall_clock_ends_no_lease_and_prolongs_none(world: World, jump_seconds: float) -> None:
    commit_rung(world)
    dispatcher = world.dispatcher()
    world.claim()
    world.let_pass(10.0, dispatcher)
    world.clock.jump(jump_seconds)
    world.let_pass(SETTINGS.lease_seconds - 12.0, dispatcher)
    assert world.row().state is RecordingState.DOWNLOADING
    world.let_pass(5.0, dispatcher)
    assert (world.row().state, world.row().attempt) == (RecordingState.QUEUED, 2)


def test_a_dispatcher_that_was_stopped_itself_ends_nobodys_lease(world: World) -> None:
    commit_rung(world)
    dispatcher, bell = world.dispatcher(), world.claim().bell
    world.let_pass(20.0, dispatcher)
    world.clock.advance(3600.0)
    dispatcher.tick()
    assert world.row().state is RecordingState.DOWNLOADING
    assert world.catalogue.adapter.raise_lease(bell, 0, world.clock.now())


def test_a_worker_that_comes_back_too_late_is_told_so(world: World) -> None:
    commit_rung(world)
    bell = world.claim().bell
    world.let_pass(SETTINGS.lease_seconds + 2, world.dispatcher())
    assert not world.catalogue.adapter.raise_lease(bell, 0, world.clock.now())


# Lost bells


def test_bells_that_the_queue_has_forgotten_are_rung_anew_at_once(world: World) -> None:
    commit_rung(world, 20)
    dispatcher = world.dispatcher()
    dispatcher.tick()
    for key in keys(20):
        world.twilio.script(key, [AUDIO])
    world.clock.advance(0.5)
    world.queue.forget()
    dispatcher.tick()
    assert world.queue.waiting() == 20
    world.work()
    assert ready(world, 20)
    assert sorted(world.twilio.asked) == keys(20)


def test_a_bell_that_got_lost_among_others_is_rung_anew(world: World) -> None:
    commit_rung(world, 10)
    dispatcher = world.dispatcher()
    world.let_pass(6.0, dispatcher)
    for _ in range(3):
        assert world.queue.hear() is not None
    world.let_pass(2 * SETTINGS.bell_check_seconds, dispatcher)
    assert world.queue.waiting() == 10


def test_a_bell_that_the_queue_remembers_but_does_not_ring_gets_a_new_name(world: World) -> None:
    commit_rung(world)
    (heard,) = [world.queue.hear()]
    assert heard == world.row().bell
    world.queue.ring([heard])
    assert world.queue.waiting() == 0
    world.let_pass(20.0, world.dispatcher())
    assert world.row().attempt == 2
    assert world.queue.hear() == world.row().bell


def test_bells_that_wait_are_left_alone_however_long_they_do(world: World) -> None:
    commit_rung(world, 10)
    world.let_pass(300.0, world.dispatcher())
    assert world.queue.waiting() == 10
    assert {world.row(key).attempt for key in keys(10)} == {1}


def test_bells_are_interchangeable_and_not_rung_for_more_often_than_there_are_rows(world: World) -> None:
    # Bells are heard in the order in which they rang, and bring the most urgent rows: so the bells that are left are
    # not those of the rows that are left.
    commit_half_of_them_urgent(world)
    dispatcher = world.dispatcher()
    world.let_pass(6.0, dispatcher)
    for _ in range(10):
        bell = world.queue.hear()
        assert bell is not None
        claimed = world.take(bell)
        assert claimed is not None
        assert claimed.key != bell.key
    world.let_pass(SETTINGS.lease_seconds - 5, dispatcher)
    assert world.queue.waiting() == 10
    assert {world.row(a_key(number)).attempt for number in range(1, 11)} == {1}


def test_no_more_bells_are_rung_anew_than_are_missing(world: World) -> None:
    commit_half_of_them_urgent(world)
    dispatcher = world.dispatcher()
    world.let_pass(6.0, dispatcher)
    for _ in range(10):
        bell = world.queue.hear()
        assert bell is not None
        world.take(bell)
    # One of the ten that are left gets lost.
    assert world.queue.hear() is not None
    world.let_pass(SETTINGS.lease_seconds - 10, dispatcher)
    assert world.queue.waiting() == 10
    assert sum(world.row(a_key(number)).attempt - 1 for number in range(1, 11)) == 1


def test_a_bell_that_is_just_being_heard_is_not_lost(world: World) -> None:
    commit_rung(world)
    dispatcher = world.dispatcher()
    world.let_pass(6.0, dispatcher)
    commit_late = a_key(2)
    world.enqueuer().enqueue(a_request(commit_late))
    world.queue.hear()
    world.queue.hear()
    world.let_pass(SETTINGS.bell_check_seconds - 1, dispatcher)
    assert world.row(commit_late).attempt == 1


def test_an_old_bell_is_lost_only_when_it_is_missing_twice_in_a_row(world: World) -> None:
    dispatcher = world.dispatcher()
    commit_rung(world)
    world.let_pass(4 * SETTINGS.bell_check_seconds, dispatcher)
    world.queue.hear()  # by a worker that claims a moment later, or dies
    attempts = []
    for _ in range(3):
        world.let_pass(SETTINGS.bell_check_seconds, dispatcher, tick_seconds=SETTINGS.bell_check_seconds)
        attempts.append(world.row().attempt)
    assert attempts == [1, 2, 2]
    assert world.queue.waiting() == 1


def test_a_search_for_lost_bells_goes_on_in_the_next_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch_module, "BATCH", 10)
    commit_rung(world, 45)
    dispatcher = world.dispatcher()
    dispatcher.tick()
    world.clock.advance(0.5)
    world.queue.forget()
    world.bells.before["ring"] = lambda bells: world.clock.advance(SETTINGS.tick_seconds)
    found = []
    for _ in range(5):
        dispatcher.tick()
        found.append(world.queue.waiting())
    assert found == [10, 20, 30, 40, 45]
    assert {world.row(key).attempt for key in keys(45)} == {2}


def test_rows_that_have_moved_on_by_themselves_are_not_rung_for_before_their_time(world: World) -> None:
    world.script(SourceRateLimited("429", 600.0))
    commit_rung(world)
    dispatcher, bell = world.dispatcher(), world.queue.hear()
    assert bell is not None
    world.let_pass(6.0)
    # Heard, claimed and put off between the dispatcher's look and its own change.
    world.catalogue.after["due_rung"] = once(lambda *_: world.downloader().answer(bell, WORKER))
    dispatcher.tick()
    row = world.row()
    assert (row.waiting_reason, row.attempt, row.rung_time) == (WaitingReason.RATE_LIMITED, 2, None)
    assert world.queue.waiting() == 0


# Accounts


def pause_by_refusal(world: World, count: int = 3) -> None:
    for key in keys(count):
        world.twilio.script(key, [SourceUnauthorized("401")])
        world.enqueuer().enqueue(a_request(key))
    world.work()
    assert [account.account_sid for account in world.catalogue.adapter.paused()] == [ACCOUNT]


def drive(world: World, seconds: float, dispatcher: Dispatcher) -> None:
    """Lets time pass with the dispatcher and a worker at work."""
    for _ in range(round(seconds)):
        world.let_pass(1.0, dispatcher)
        world.work()


def test_a_paused_account_is_probed_once_a_minute(world: World) -> None:
    dispatcher = world.dispatcher()
    pause_by_refusal(world)
    asked = len(world.twilio.asked)
    drive(world, 600, dispatcher)
    assert 8 <= len(world.twilio.asked) - asked <= 10
    assert {world.row(key).state for key in keys(3)} == {RecordingState.QUEUED}
    assert {world.row(key).failures for key in keys(3)} == {0}


def test_everything_resumes_by_itself_when_the_account_is_accepted_again(world: World) -> None:
    dispatcher = world.dispatcher()
    pause_by_refusal(world)
    drive(world, 90, dispatcher)
    for key in keys(3):
        world.twilio.script(key, [AUDIO])
    drive(world, 75, dispatcher)
    assert ready(world, 3)
    assert list(world.catalogue.adapter.paused()) == []


def test_what_comes_while_the_account_is_paused_waits_and_says_so_and_resumes(world: World) -> None:
    dispatcher = world.dispatcher()
    pause_by_refusal(world, 1)
    late = a_key(50)
    world.enqueuer().enqueue(a_request(late))
    drive(world, 3, dispatcher)
    assert world.row(late).waiting_reason is WaitingReason.ACCOUNT_UNAUTHORIZED
    for key in (a_key(1), late):
        world.twilio.script(key, [AUDIO])
    drive(world, 90, dispatcher)
    assert world.row(late).state is RecordingState.READY


def test_another_account_goes_on_while_one_is_paused(world: World) -> None:
    dispatcher = world.dispatcher()
    pause_by_refusal(world)
    other = a_key(1, OTHER_ACCOUNT)
    world.twilio.script(other, [AUDIO])
    world.enqueuer().enqueue(a_request(other))
    drive(world, 1, dispatcher)
    assert world.row(other).state is RecordingState.READY


def test_without_workers_probes_do_not_pile_up(world: World) -> None:
    dispatcher = world.dispatcher()
    pause_by_refusal(world)
    world.let_pass(3600.0, dispatcher)
    assert world.queue.waiting() == 1
    assert world.row(a_key(1)).attempt <= 4


def test_a_probe_whose_bell_got_lost_is_rung_for_again(world: World) -> None:
    dispatcher = world.dispatcher()
    pause_by_refusal(world, 1)
    world.script(AUDIO)
    world.let_pass(62.0, dispatcher)
    assert world.queue.waiting() == 1
    world.queue.forget()
    drive(world, 30, dispatcher)
    assert world.row().state is RecordingState.READY


# The election


def test_of_two_dispatchers_one_is_elected(world: World) -> None:
    first, second = world.dispatcher("first"), world.dispatcher("second")
    for _ in range(100):
        world.clock.advance(1.0)
        assert (first.tick(), second.tick()) == (True, False)


def test_a_dispatcher_that_is_gone_is_succeeded_after_its_office_stood_still(world: World) -> None:
    first, second = world.dispatcher("first"), world.dispatcher("second")
    world.clock.advance(1.0)
    assert (first.tick(), second.tick()) == (True, False)
    elected = []
    for _ in range(12):
        world.clock.advance(1.0)
        elected.append(second.tick())
    assert elected == [False] * 9 + [True] * 3
    assert first.tick() is False


def test_only_one_of_many_succeeds(world: World) -> None:
    first = world.dispatcher("first")
    first.tick()
    others = [world.dispatcher(f"other-{number}") for number in range(5)]
    for _ in range(30):
        world.clock.advance(1.0)
        elected = [other.tick() for other in others]
    assert sum(elected) == 1


def test_a_dispatcher_that_was_succeeded_and_comes_back_stands_by(world: World) -> None:
    first, second = world.dispatcher("first"), world.dispatcher("second")
    first.tick()
    second.tick()
    for _ in range(15):
        world.clock.advance(1.0)
        second.tick()
    for _ in range(30):
        world.clock.advance(1.0)
        assert (first.tick(), second.tick()) == (False, True)


def test_a_jump_of_the_wall_clock_elects_nobody(world: World) -> None:
    first, second = world.dispatcher("first"), world.dispatcher("second")
    first.tick()
    second.tick()
    world.clock.jump(86400.0)
    assert (second.tick(), first.tick()) == (False, True)


def test_a_dispatcher_that_leaves_is_succeeded_at_once(world: World) -> None:
    settings = DispatchSettings(tick_seconds=0.001)
    first, second = world.dispatcher("first", settings), world.dispatcher("second")
    stop = threading.Event()
    thread = threading.Thread(target=first.run, args=(stop,))
    thread.start()
    eventually(lambda: world.catalogue.adapter.look().holder == "first", within=SOON)
    assert second.tick() is False
    stop.set()
    thread.join(SOON)
    assert second.tick() is True


def test_a_dispatcher_that_stands_by_leaves_the_office_to_its_holder(world: World) -> None:
    first, second = world.dispatcher("first"), world.dispatcher("second")
    first.tick()
    stop = threading.Event()
    stop.set()
    second.run(stop)
    assert world.catalogue.adapter.look().holder == "first"


def test_leaving_without_the_catalogue_is_no_error(world: World) -> None:
    dispatcher, stop = world.dispatcher(), threading.Event()
    dispatcher.tick()
    stop.set()
    world.catalogue.fail(CatalogueUnavailable(), "look", "take")
    dispatcher.run(stop)
    assert world.catalogue.adapter.look().holder == "dispatcher-1"


class OpenOffice(MemoryCatalogue):
    """A catalogue in which everyone who looks is elected."""

    def __init__(self) -> None:
        super().__init__()
        self.looking = ""

    def look(self) -> DispatcherRow:
        return DispatcherRow(self.looking, 0)

    def hold(self, holder: str) -> bool:
        return True


def test_two_dispatchers_at_once_do_no_harm() -> None:
    catalogue = OpenOffice()
    world = World(catalogue=Faults[Catalogue](catalogue))
    for key in commit_unrung(world, 30):
        world.twilio.script(key, [SourceNotFound("404"), AUDIO])
    dispatchers = {name: world.dispatcher(name) for name in ("first", "second")}
    for _ in range(60):
        world.clock.advance(1.0)
        for catalogue.looking, dispatcher in dispatchers.items():
            assert dispatcher.tick()
        world.work()
    assert ready(world, 30)
    assert len(world.twilio.asked) == 60


# A dependency that is down


def everything_at_once(world: World) -> None:
    """Something to do for every step: an unrung row, an expired lease, a lost bell, a paused account, a lost object."""
    world.script(AUDIO)
    commit_rung(world)
    world.work()
    world.shelf.lose(world.row().object_key)
    for number in (2, 3):
        world.enqueuer().enqueue(a_request(a_key(number)))
    claimed = world.queue.hear()
    assert claimed is not None
    world.take(claimed)
    world.queue.fail_with = QueueUnavailable()
    with pytest.raises(EnqueueFailed):
        world.enqueuer().enqueue(a_request(a_key(4)))
    world.queue.fail_with = None
    refused = a_key(5, OTHER_ACCOUNT)
    world.enqueuer().enqueue(a_request(refused))
    now = world.clock.now()
    world.catalogue.adapter.pause(OTHER_ACCOUNT, now, now + timedelta(minutes=1))
    world.queue.forget()


#: After this long the walk over the shelf has begun anew, in seconds.
SHELF_ROUND_SECONDS = 610.0


@pytest.mark.parametrize(
    ("break_it", "still_done"),
    [
        (lambda world: setattr(world.queue, "fail_with", QueueUnavailable()), {"lease", "object"}),
        (lambda world: world.bells.fail(RuntimeError("a bug"), "ring"), {"lease", "object"}),
        (lambda world: world.storage.fail(StorageUnavailable(), "size", "open"), {"lease", "unrung", "bell", "probe"}),
        (lambda world: world.catalogue.fail(CatalogueUnavailable(), "claimed"), {"unrung", "bell", "probe", "object"}),
        (lambda world: world.catalogue.fail(CatalogueUnavailable(), "paused"), {"lease", "unrung", "bell", "object"}),
        (lambda world: world.catalogue.fail(KeyError("a bug"), "due_unrung"), {"lease", "bell", "probe", "object"}),
        (
            lambda world: world.storage.fail(RuntimeError("a bug"), "check_room"),
            {"lease", "unrung", "bell", "probe", "object"},
        ),
        (lambda world: setattr(world.shelf, "room_bytes", 0), {"lease", "object"}),
        (lambda world: world.bells.fail(QueueUnavailable(), "incarnation"), {"lease", "unrung", "probe", "object"}),
        (
            lambda world: world.catalogue.fail(CatalogueUnavailable(), "stored", "least_verified"),
            {"lease", "unrung", "bell", "probe"},
        ),
        # What the scrub would find, the sweep finds too.
        (
            lambda world: world.catalogue.fail(CatalogueUnavailable(), "least_verified"),
            {"lease", "unrung", "bell", "probe", "object"},
        ),
    ],
    ids=[
        "queue",
        "bug in the queue",
        "shelf",
        "claimed",
        "paused",
        "bug in due_unrung",
        "bug in check_room",
        "room",
        "incarnation",
        "rows",
        "scrub",
    ],
)
def test_a_dependency_that_is_down_costs_only_its_own_step(
    world: World, break_it: Callable[[World], None], still_done: set[str]
) -> None:
    def rung_anew(key: RecordingKey) -> bool:
        return world.row(key).attempt > 1 and world.row(key).rung_time is not None

    everything_at_once(world)
    break_it(world)
    dispatcher = world.dispatcher()
    world.let_pass(100.0, dispatcher)
    done = {
        "lease": world.row(a_key(2)).attempt > 1,
        "bell": rung_anew(a_key(3)),
        "unrung": world.row(a_key(4)).rung_time is not None,
        "probe": rung_anew(a_key(5, OTHER_ACCOUNT)),
        "object": world.row(a_key(1)).attempt > 1,
    }
    assert {name for name, was_done in done.items() if was_done} >= still_done
    assert {name for name, was_done in done.items() if not was_done} == {*done} - still_done
    world.queue.fail_with = None
    world.shelf.room_bytes = None
    for faulty in (world.catalogue, world.storage, world.bells):
        faulty.mend()
    wanted = [*keys(4), a_key(5, OTHER_ACCOUNT)]
    for key in wanted:
        world.twilio.script(key, [AUDIO])
    drive(world, SHELF_ROUND_SECONDS, dispatcher)
    assert {world.row(key).state for key in wanted} == {RecordingState.READY}
    assert world.row(a_key(1)).attempt > 1


def test_without_the_catalogue_nobody_is_elected_and_nothing_is_raised(world: World) -> None:
    dispatcher = world.dispatcher()
    assert dispatcher.tick() is True
    world.catalogue.fail(CatalogueUnavailable(), "look", "hold", "take")
    assert dispatcher.tick() is False
    world.catalogue.mend()
    assert dispatcher.tick() is True


def test_rows_that_were_committed_while_redis_was_down_are_rung_for_when_it_is_back(world: World) -> None:
    dispatcher = world.dispatcher()
    for key in commit_unrung(world, 20):
        world.twilio.script(key, [AUDIO])
    world.queue.fail_with = QueueUnavailable()
    world.let_pass(120.0, dispatcher)
    world.queue.fail_with = None
    world.let_pass(1.0, dispatcher)
    assert world.queue.waiting() == 20
    world.work()
    assert ready(world, 20)


def test_a_bell_that_rang_but_could_not_be_noted_rings_once(world: World) -> None:
    dispatcher = world.dispatcher()
    commit_unrung(world)
    world.catalogue.before["mark_rung"] = once(raising(CatalogueUnavailable()))
    world.let_pass(10.0, dispatcher)
    assert world.row().rung_time is not None
    assert world.queue.waiting() == 1


def test_a_dispatcher_that_dies_between_two_steps_leaves_nothing_undone(world: World) -> None:
    class Killed(BaseException):
        pass

    world.script(AUDIO)
    commit_rung(world)
    world.queue.forget()
    world.let_pass(6.0)
    # It has made the new attempt, and not rung for it.
    world.bells.before["ring"] = once(raising(Killed()))
    with pytest.raises(Killed):
        world.dispatcher("first").tick()
    assert (world.row().attempt, world.row().rung_time) == (2, None)
    world.let_pass(20.0, world.dispatcher("second"))
    world.work()
    assert world.row().state is RecordingState.READY


# A full shelf (reliability.md B3 #15)

#: All is READY within this time after there is room again, in seconds.
HEALED_SECONDS = 75.0


def test_while_there_is_no_room_no_attempt_wears_on_and_afterwards_all_come_to_be_ready(world: World) -> None:
    dispatcher = world.dispatcher()
    for key in keys(30):
        world.twilio.script(key, [AUDIO])
    for key in commit_rung(world, 10):
        assert world.row(key).rung_time is not None
    world.shelf.room_bytes = 0
    for key in keys(30)[10:]:
        with pytest.raises(EnqueueStorageFull):
            world.enqueuer().enqueue(a_request(key))
    drive(world, 1800.0, dispatcher)
    assert world.twilio.asked == []
    for key in keys(30):
        was_rung = key in keys(10)
        assert world.row(key).attempt == (2 if was_rung else 1)
        assert world.row(key).waiting_reason is (WaitingReason.STORAGE_UNAVAILABLE if was_rung else None)
        assert world.row(key).failures == 0
    world.shelf.room_bytes = None
    drive(world, HEALED_SECONDS, dispatcher)
    assert ready(world, 30)
    assert all(world.row(key).attempt <= 2 for key in keys(30))


def test_bells_lost_while_there_was_no_room_are_rung_anew_afterwards(world: World) -> None:
    dispatcher = world.dispatcher()
    world.script(AUDIO)
    commit_rung(world)
    world.shelf.room_bytes = 0
    world.let_pass(60.0, dispatcher)
    world.queue.forget()
    world.let_pass(60.0, dispatcher)
    assert world.row().attempt == 1
    world.shelf.room_bytes = None
    drive(world, HEALED_SECONDS, dispatcher)
    assert world.row().state is RecordingState.READY


def test_a_paused_account_is_not_probed_while_there_is_no_room_and_at_once_afterwards(world: World) -> None:
    dispatcher = world.dispatcher()
    world.script(SourceUnauthorized("401"), AUDIO)
    commit_rung(world)
    world.work()
    world.shelf.room_bytes = 0
    drive(world, 600.0, dispatcher)
    assert len(world.twilio.asked) == 1
    world.shelf.room_bytes = None
    drive(world, SETTINGS.probe_patience_seconds, dispatcher)
    assert world.row().state is RecordingState.READY
    assert world.catalogue.adapter.paused() == []


def test_a_bug_in_looking_for_room_keeps_nothing_from_being_done_though_there_was_none_before(world: World) -> None:
    dispatcher = world.dispatcher()
    world.shelf.room_bytes = 0
    world.let_pass(5.0, dispatcher)
    commit_unrung(world)
    world.storage.fail(RuntimeError("a bug"), "check_room")
    world.let_pass(PAST_GRACE, dispatcher)
    assert world.row().rung_time is not None


def test_a_full_shelf_is_said_once_when_it_begins_and_once_when_it_ends(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = world.dispatcher()
    world.let_pass(5.0, dispatcher)
    for _ in range(2):
        caplog.clear()
        world.shelf.room_bytes = 0
        world.let_pass(300.0, dispatcher)
        assert [record.getMessage().startswith("the storage is full") for record in caplog.records] == [True]
        caplog.clear()
        world.shelf.room_bytes = None
        world.let_pass(300.0, dispatcher)
        assert [record.getMessage() for record in caplog.records] == ["dispatching goes on step=_check_room"]


# Processing


def to_be_processed(world: World, count: int = 1) -> list[Bell]:
    """Recordings that are here; the bells of their processing wait."""
    for key in keys(count):
        world.twilio.script(key, [AUDIO])
        world.enqueuer().enqueue(a_request(key))
    world.work()
    return [world.row(key).processing_bell for key in keys(count)]


def processed(world: World, count: int) -> bool:
    return all(world.row(key).processing.summary is ProcessingState.DONE for key in keys(count))


def test_processing_that_nobody_rang_for_is_rung_for_after_the_grace(world: World) -> None:
    dispatcher = world.dispatcher()
    world.bells.before["ring"] = lambda bells: bells[0].work is Work.DOWNLOAD or raising(QueueUnavailable())()
    to_be_processed(world)
    world.bells.mend()
    assert world.row().processing.rung_time is None
    world.let_pass(PAST_GRACE, dispatcher)
    assert (world.queue.waiting(Work.PROCESSING), world.row().processing.attempt) == (1, 1)
    world.let_pass(60.0, dispatcher)
    assert world.queue.waiting(Work.PROCESSING) == 1


def test_a_lease_of_processing_that_stands_still_ends_its_attempt_and_the_next_one_begins(world: World) -> None:
    to_be_processed(world)
    dispatcher = world.dispatcher()
    heard = world.queue.hear(Work.PROCESSING)
    assert heard is not None
    world.take_processing(heard)
    world.let_pass(SETTINGS.lease_seconds, dispatcher)
    assert world.row().processing.state is ProcessingState.RUNNING
    world.let_pass(2.0, dispatcher)
    processing = world.row().processing
    assert (world.row().state, processing.state) == (RecordingState.READY, ProcessingState.PENDING)
    assert processing.failures_by_reason == {StepReason.WORKER_CRASHED: 1}
    world.let_pass(10.0, dispatcher)
    world.process(world.processor(RUNNERS))
    assert (processed(world, 1), world.row().processing.attempt) == (True, 2)


def test_a_lease_of_processing_that_is_raised_lasts(world: World) -> None:
    (bell,) = to_be_processed(world)
    dispatcher = world.dispatcher()
    world.take_processing(bell)
    for _ in range(10):
        world.let_pass(SETTINGS.lease_seconds - 1, dispatcher)
        assert world.catalogue.adapter.raise_lease(bell, 0, world.clock.now())
    assert world.row().processing.attempt == 1


def test_bells_of_processing_that_the_queue_has_forgotten_are_rung_anew_at_once(world: World) -> None:
    to_be_processed(world, 20)
    dispatcher = world.dispatcher()
    dispatcher.tick()
    world.clock.advance(0.5)
    world.queue.forget()
    dispatcher.tick()
    assert world.queue.waiting(Work.PROCESSING) == 20
    assert {world.row(key).processing.attempt for key in keys(20)} == {2}
    assert {world.row(key).attempt for key in keys(20)} == {1}
    world.process(world.processor(RUNNERS))
    assert processed(world, 20)


def test_a_bell_of_processing_that_got_lost_among_others_is_rung_anew(world: World) -> None:
    to_be_processed(world, 10)
    dispatcher = world.dispatcher()
    world.let_pass(6.0, dispatcher)
    for _ in range(3):
        assert world.queue.hear(Work.PROCESSING) is not None
    world.let_pass(2 * SETTINGS.bell_check_seconds, dispatcher)
    assert world.queue.waiting(Work.PROCESSING) == 10


def test_bells_of_one_kind_of_work_stand_for_none_of_the_other(world: World) -> None:
    to_be_processed(world, 3)
    for number in range(11, 21):
        world.enqueuer().enqueue(a_request(a_key(number)))
    dispatcher = world.dispatcher()
    world.let_pass(6.0, dispatcher)
    while world.queue.hear(Work.PROCESSING) is not None:
        pass
    world.let_pass(2 * SETTINGS.bell_check_seconds + 1, dispatcher)
    assert (world.queue.waiting(Work.PROCESSING), world.queue.waiting()) == (3, 10)


def test_a_full_shelf_holds_no_processing_back(world: World) -> None:
    to_be_processed(world, 2)
    dispatcher = world.dispatcher()
    dispatcher.tick()
    world.shelf.room_bytes = 0
    world.queue.forget()
    world.let_pass(3.0, dispatcher)
    assert world.queue.waiting(Work.PROCESSING) == 2
    world.process(world.processor(RUNNERS))
    assert processed(world, 2)


@pytest.mark.parametrize("method", ["count_due_rung", "due_unrung"])
def test_a_bug_in_ringing_for_one_kind_of_work_keeps_nobody_from_ringing_for_the_other(
    world: World, method: str
) -> None:
    to_be_processed(world)
    commit_late = a_key(2)
    world.enqueuer().enqueue(a_request(commit_late))
    world.queue.forget()

    def fail_for_downloads(*arguments: object, **named: object) -> None:
        if Work.DOWNLOAD in (*arguments, *named.values()):
            raise RuntimeError("a bug")

    world.catalogue.before[method] = fail_for_downloads
    world.let_pass(PAST_GRACE, world.dispatcher())
    assert world.queue.waiting(Work.PROCESSING) == 1


# Limits

ONE_AT_A_TIME = AccountLimits(downloads=1, processing=1)


@pytest.mark.parametrize("work", Work)
def test_what_is_held_back_does_not_make_the_dispatcher_ring_for_ever(work: Work) -> None:
    world = World(limits=ONE_AT_A_TIME)
    if work is Work.PROCESSING:
        to_be_processed(world, 10)
    else:
        for key in keys(10):
            world.enqueuer().enqueue(a_request(key))
    dispatcher = world.dispatcher()
    first = world.queue.hear(work)
    assert first is not None
    taken = (
        world.take_processing(first)
        if work is Work.PROCESSING
        else world.catalogue.adapter.claim(first, WORKER, world.clock.now(), timedelta(minutes=1), limit=1)
    )
    assert taken is not None
    bell = taken.bell if work is Work.DOWNLOAD else taken.processing_bell
    # The others are heard in vain.
    while world.queue.hear(work) is not None:
        pass
    rung_before = world.bells.calls["ring"]
    for _ in range(20):
        world.let_pass(SETTINGS.lease_seconds - 1, dispatcher)
        assert world.catalogue.adapter.raise_lease(bell, 0, world.clock.now())
    assert world.bells.calls["ring"] == rung_before
    attempts = [
        world.row(key).attempt if work is Work.DOWNLOAD else world.row(key).processing.attempt for key in keys(10)
    ]
    assert attempts == [1] * 10


@pytest.mark.parametrize("work", Work)
def test_what_was_held_back_is_rung_for_though_nobody_did_when_there_was_room_again(work: Work) -> None:
    """Whoever was to ring has died: of ten that are held back, one after the other is found to lack a bell."""
    world = World(limits=ONE_AT_A_TIME)
    count = 4
    for key in keys(count):
        world.twilio.script(key, [AUDIO])
        world.enqueuer().enqueue(a_request(key))
    if work is Work.PROCESSING:
        world.work()
    # All are heard, by workers that die.
    while world.queue.hear(work) is not None:
        pass
    dispatcher = world.dispatcher()
    for _ in range(120):
        world.let_pass(1.0, dispatcher)
        world.work()
        world.process(world.processor(RUNNERS))
    assert processed(world, count)
