"""What a worker rings for when an attempt has ended."""

import pytest

from recording_service.core.errors import CatalogueUnavailable, QueueUnavailable
from recording_service.core.model import Bell, Priority, ProcessingState, RecordingJob, RecordingState, Work
from recording_service.core.next_bells import NO_LIMITS, AccountLimits
from tests.support.core_world import AUDIO, OTHER_ACCOUNT, PROCESSOR, World, a_key, a_request
from tests.support.steps import RUNNERS

ONE_AT_A_TIME = AccountLimits(downloads=1, processing=1)


@pytest.fixture
def limited() -> World:
    """A world in which an account may have one of each kind running."""
    return World(limits=ONE_AT_A_TIME)


def ready(world: World, *numbers: int, **fields: object) -> None:
    """Recordings that are here; the bells of their processing wait."""
    for number in numbers:
        world.script(AUDIO, key=a_key(number))
        world.enqueuer().enqueue(a_request(a_key(number), **fields))  # type: ignore[arg-type]
    world.work()


def test_each_kind_of_work_has_a_limit_of_its_own() -> None:
    limits = AccountLimits(downloads=3, processing=None)
    assert (limits.of(Work.DOWNLOAD), limits.of(Work.PROCESSING)) == (3, None)
    assert [NO_LIMITS.of(work) for work in Work] == [None, None]


# What is READY


def test_a_recording_that_is_ready_has_its_processing_rung_for(world: World) -> None:
    ready(world, 1)
    processing = world.row().processing
    assert (processing.state, processing.rung_time) == (ProcessingState.PENDING, world.clock.now())
    assert world.queue.hear(Work.PROCESSING) == world.row().processing_bell


def test_a_recording_that_nobody_wants_processed_is_not_rung_for(world: World) -> None:
    ready(world, 1, job=RecordingJob.DOWNLOAD_ONLY)
    assert (world.row().state, world.queue.waiting(Work.PROCESSING)) == (RecordingState.READY, 0)


def test_what_was_rung_for_rings_once_though_it_is_rung_again(world: World) -> None:
    ready(world, 1)
    row = world.row()
    world.next_bells().ready(row)
    assert (world.queue.waiting(Work.PROCESSING), world.row()) == (1, row)


@pytest.mark.parametrize(
    ("down", "error"),
    [("ring", QueueUnavailable()), ("ring", AttributeError("a bug")), ("mark_rung", CatalogueUnavailable())],
)
def test_what_could_not_be_rung_for_the_dispatcher_rings_for(world: World, down: str, error: Exception) -> None:
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    (world.catalogue if down == "mark_rung" else world.bells).fail(error, down)
    world.work()
    row = world.row()
    assert (row.state, row.processing.rung_time) == (RecordingState.READY, None)
    # The attempt has done all that it should all the same.
    assert world.storage.calls["remove_others"] == 1
    world.bells.mend()
    world.catalogue.mend()
    world.let_pass(5.0, world.dispatcher())
    assert world.row().processing.rung_time is not None
    world.process(world.processor(RUNNERS))
    assert (world.row().processing.summary, world.row().processing.attempt) == (ProcessingState.DONE, 1)


# What a limit has held back


def hold_back(world: World, count: int) -> tuple[Bell, list[Bell | None]]:
    """A worker is at the first of so many; the bells of the others are heard in vain."""
    ready(world, *range(1, count + 1))
    first = world.queue.hear(Work.PROCESSING)
    assert first is not None
    taken = world.take_processing(first)
    assert taken is not None
    return taken.processing_bell, world.process(world.processor(RUNNERS))


def test_what_was_heard_in_vain_while_the_account_had_all_that_it_may_is_rung_for_when_there_is_room(
    limited: World,
) -> None:
    bell, answered = hold_back(limited, 5)
    assert answered == [None] * 4
    limited.attempts().crashed(bell)
    limited.next_bells().ended(bell)
    # One after the other: each that ends rings for the next.
    answered = limited.process(limited.processor(RUNNERS))
    assert len([one for one in answered if one is not None]) == 4
    done = [limited.row(a_key(number)).processing.summary for number in range(1, 6)]
    assert done.count(ProcessingState.DONE) == 4


def test_the_same_is_true_of_downloads(limited: World) -> None:
    for number in range(1, 6):
        limited.script(AUDIO, key=a_key(number))
        limited.enqueuer().enqueue(a_request(a_key(number), priority=Priority.BULK))
    first = limited.claim(a_key(1)).bell
    downloader = limited.downloader()
    # All are heard while the first is being fetched.
    while (bell := limited.queue.hear()) is not None:
        assert downloader.answer(bell, "worker-2") is None
    limited.attempts().crashed(first)
    limited.next_bells().ended(first)
    limited.work(downloader)
    assert {limited.row(a_key(number)).state for number in range(2, 6)} == {RecordingState.READY}


def test_an_echo_is_of_no_row_and_is_heard_by_whoever_comes(limited: World) -> None:
    bell, _ = hold_back(limited, 3)
    limited.attempts().crashed(bell)
    limited.next_bells().ended(bell)
    assert limited.queue.hear(Work.PROCESSING) == bell.echo
    assert limited.processor(RUNNERS).answer(bell.echo, PROCESSOR) in (
        limited.row(a_key(2)).processing_bell,
        limited.row(a_key(3)).processing_bell,
    )


def test_nothing_more_is_rung_for_where_bells_wait_for_all_that_may_be_taken(limited: World) -> None:
    ready(limited, 1, 2)
    limited.next_bells().ended(limited.row().processing_bell)
    assert limited.queue.waiting(Work.PROCESSING) == 2


def test_nothing_more_is_rung_for_while_the_account_still_has_all_that_it_may(limited: World) -> None:
    bell, _ = hold_back(limited, 3)
    # An attempt of another account has ended.
    limited.next_bells().ended(bell._replace(account_sid=OTHER_ACCOUNT))
    assert limited.queue.waiting(Work.PROCESSING) == 0


def test_without_limits_nobody_is_asked_anything(world: World) -> None:
    ready(world, 1)
    world.catalogue.calls.clear()
    world.bells.calls.clear()
    for work in Work:
        world.next_bells().ended(world.row().bell._replace(work=work))
    assert (world.catalogue.calls, world.bells.calls) == ({}, {})


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("ring", QueueUnavailable()),
        ("waiting", QueueUnavailable()),
        ("count_due_rung", CatalogueUnavailable()),
        ("ring", AttributeError("a bug")),
        ("count_due_rung", RuntimeError("a bug")),
    ],
)
def test_an_attempt_ends_as_it_should_though_nobody_can_be_rung_for_and_the_dispatcher_does(
    limited: World, method: str, error: Exception
) -> None:
    ready(limited, 1, 2, 3)
    heard = [limited.queue.hear(Work.PROCESSING) for _ in range(3)]
    assert heard[0] is not None
    for faults in (limited.bells, limited.catalogue):
        faults.fail(error, method)
    assert limited.processor(RUNNERS).answer(heard[0], PROCESSOR) == heard[0]
    for faults in (limited.bells, limited.catalogue):
        faults.mend()
    dispatcher = limited.dispatcher()
    for _ in range(40):
        limited.let_pass(1.0, dispatcher)
        limited.process(limited.processor(RUNNERS))
    assert {limited.row(a_key(number)).processing.summary for number in (1, 2, 3)} == {ProcessingState.DONE}
