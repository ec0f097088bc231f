"""Watching one recording: the latest look wins, and nothing is missed for longer than the look interval."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from recording_service.core.clock import SystemClock
from recording_service.core.errors import CatalogueUnavailable, QueueUnavailable, SourceTooLarge
from recording_service.core.model import ProcessingState, Recording, RecordingJob, RecordingKey, RecordingState
from recording_service.core.ports import Change, ChangeFeed
from recording_service.core.requests import Target
from recording_service.core.service import RecordingService
from recording_service.core.watching import Watch, WatchHub, WatchUntil
from tests.support.core_world import AUDIO, KEY, World, a_key, a_request
from tests.support.steps import RUNNERS
from tests.support.waiting import eventually

#: Longest wait for what should come about at once, in seconds.
SOON = 10.0
#: A look interval that a test can wait for, and one that it can't, in seconds.
SHORT, LONG = 0.05, 600.0


class Watching:
    """A hub over a world, and what it has handed out."""

    def __init__(self, world: World, look_interval_seconds: float) -> None:
        self.world = world
        self.hub = WatchHub(
            world.catalogue.port,
            world.changes.port,
            SystemClock(),
            look_interval_seconds=look_interval_seconds,
        )

    def watch(self, key: RecordingKey = KEY) -> Watch:
        """A watch as the service makes one."""
        watch = self.hub.watch(key, WatchUntil.READY)
        watch.offer(self.world.row(key))
        return watch

    def settled(self) -> None:
        """Returns once the hub has looked at everything once, and listens."""
        eventually(lambda: self.world.catalogue.calls["get_many"] >= 1, within=SOON)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def watching(world: World, stack: ExitStack, look_interval_seconds: float = LONG) -> Watching:
    made = Watching(world, look_interval_seconds)
    stack.enter_context(closing(made.hub))
    return made


@pytest.fixture
def service(world: World) -> Iterator[RecordingService]:
    with closing(world.service()) as service:
        yield service


def change(world: World, key: RecordingKey = KEY, *, told: bool = True) -> Recording:
    """The recording makes progress; whether the feed says so."""

    def decide(row: Recording | None) -> Recording | None:
        assert row is not None
        return replace(row, received_bytes=row.received_bytes + 1, revision=row.revision + 1)

    row = world.catalogue.adapter.amend([(key, decide)])[0].recording
    assert row is not None
    if told:
        world.changes.adapter.publish([Change(*key, row.revision)])
    return row


# One watch


def test_the_current_state_is_there_at_once(world: World, service: RecordingService) -> None:
    service.enqueue(a_request())
    with closing(service.watch(Target(*KEY), WatchUntil.READY)) as watch:
        assert watch.next(0.0) == world.row()
        assert not watch.finished
        assert watch.next(0.0) is None


def test_a_recording_may_be_watched_by_its_sid_alone(world: World, service: RecordingService) -> None:
    service.enqueue(a_request())
    with closing(service.watch(Target("", KEY.recording_sid), WatchUntil.READY)) as watch:
        assert watch.next(0.0) == world.row()


@pytest.mark.parametrize("state", [RecordingState.READY, RecordingState.FAILED])
def test_a_recording_that_is_at_its_end_is_handed_out_once_and_finished(
    world: World, service: RecordingService, state: RecordingState
) -> None:
    world.script(AUDIO if state is RecordingState.READY else SourceTooLarge("too large"))
    service.enqueue(a_request())
    world.work()
    world.process(world.processor(RUNNERS))
    for until in WatchUntil:
        with closing(service.watch(Target(*KEY), until)) as watch:
            seen = watch.next(0.0)
            assert seen is not None
            assert (seen.state, watch.finished) == (state, True)


def test_until_processed_a_watch_goes_on_beyond_ready(world: World, service: RecordingService) -> None:
    world.script(AUDIO)
    service.enqueue(a_request())
    world.work()
    with closing(service.watch(Target(*KEY), WatchUntil.PROCESSED)) as watch:
        first = watch.next(0.0)
        assert first is not None
        assert (first.state, first.processing.state) == (RecordingState.READY, ProcessingState.PENDING)
        world.process(world.processor(RUNNERS))
        seen = [first]
        while not watch.finished:
            one = watch.next(SOON)
            assert one is not None
            seen.append(one)
    # Else it would have been finished with the first.
    assert len(seen) > 1
    assert seen[-1].processing.state is ProcessingState.DONE


def test_a_recording_that_nobody_wants_processed_is_as_far_as_it_gets_when_it_is_ready(
    world: World, service: RecordingService
) -> None:
    world.script(AUDIO)
    service.enqueue(a_request(job=RecordingJob.DOWNLOAD_ONLY))
    world.work()
    with closing(service.watch(Target(*KEY), WatchUntil.PROCESSED)) as watch:
        assert watch.next(0.0) is not None
        assert watch.finished


def test_from_queued_to_ready(world: World, service: RecordingService) -> None:
    service.enqueue(a_request())
    world.script(AUDIO)
    with closing(service.watch(Target(*KEY), WatchUntil.READY)) as watch:
        seen = [watch.next(SOON)]
        world.work()
        while not watch.finished:
            seen.append(watch.next(SOON))
            assert seen[-1] is not None
    revisions = [recording.revision for recording in seen if recording is not None]
    assert revisions == sorted(set(revisions))
    assert seen[0] is not None
    assert seen[0].state is RecordingState.QUEUED
    assert seen[-1] == world.row()
    assert world.row().state is RecordingState.READY


def test_a_deletion_ends_the_watch(world: World, service: RecordingService) -> None:
    service.enqueue(a_request())
    with closing(service.watch(Target(*KEY), WatchUntil.READY)) as watch:
        watch.next(0.0)
        service.delete(Target(*KEY), allow_missing=False)
        seen = watch.next(SOON)
        assert seen is not None
        assert (seen.state, watch.finished) == (RecordingState.DELETED, True)


def test_the_latest_look_wins_and_older_ones_are_not_handed_out(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    row = world.row()
    watch = watching(world, stack).hub.watch(KEY, WatchUntil.READY)
    newest, older = replace(row, revision=row.revision + 5), replace(row, revision=row.revision + 4)
    watch.offer(newest)
    watch.offer(older)
    assert watch.next(0.0) == newest
    watch.offer(older)
    watch.offer(newest)
    assert watch.next(0.0) is None


def test_looks_that_nobody_took_are_skipped(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watched = watching(world, stack)
    watch = watched.watch()
    watched.settled()
    for _ in range(5):
        last = change(world)

    def caught_up() -> bool:
        seen = watch.next(SOON)
        return seen is not None and seen.revision == last.revision

    eventually(caught_up, within=SOON)


def test_closing_wakes_whoever_waits_at_once(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watch = watching(world, stack).watch()
    watch.next(0.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(watch.next, LONG)
        watch.close()
        assert waiting.result(SOON) is None


def test_a_closed_watch_hands_nothing_out(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watch = watching(world, stack).watch()
    watch.close()
    watch.close()
    assert watch.next(LONG) is None
    watch.offer(replace(world.row(), revision=99))
    assert watch.next(LONG) is None


# The hub


def test_a_change_is_heard_of_long_before_the_next_look(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watched = watching(world, stack)
    watch = watched.watch()
    watch.next(0.0)
    watched.settled()
    assert change(world) == watch.next(SOON)


def test_a_change_that_nobody_told_of_is_found_at_the_next_look(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watched = watching(world, stack, SHORT)
    watch = watched.watch()
    watch.next(0.0)
    watched.settled()
    assert change(world, told=False) == watch.next(SOON)


@pytest.mark.parametrize("error", [QueueUnavailable(), RuntimeError("a bug")])
def test_without_the_feed_changes_are_found_by_looking(world: World, stack: ExitStack, error: Exception) -> None:
    world.enqueuer().enqueue(a_request())
    subscribe = world.changes.adapter.subscribe

    class DeafSubscription:
        """Cannot hear."""

        def __init__(self) -> None:
            self._subscription = subscribe()

        def next(self, timeout_seconds: float) -> Sequence[Change]:
            raise error

        def close(self) -> None:
            self._subscription.close()

    class DeafFeed:
        """Tells, and does not hear."""

        publish = world.changes.adapter.publish
        close = world.changes.adapter.close

        def subscribe(self) -> DeafSubscription:
            return DeafSubscription()

    feed: ChangeFeed = DeafFeed()
    hub = stack.enter_context(closing(WatchHub(world.catalogue.port, feed, SystemClock(), look_interval_seconds=SHORT)))
    watch = hub.watch(KEY, WatchUntil.READY)
    watch.offer(world.row())
    watch.next(0.0)
    for _ in range(3):
        assert change(world) == watch.next(SOON)


@pytest.mark.parametrize("error", [CatalogueUnavailable(), RuntimeError("a bug")])
def test_watches_go_on_when_the_catalogue_is_back(world: World, stack: ExitStack, error: Exception) -> None:
    world.enqueuer().enqueue(a_request())
    watched = watching(world, stack, SHORT)
    watch = watched.watch()
    watch.next(0.0)
    world.catalogue.fail(error, "get_many")
    row = change(world)
    failed = world.catalogue.calls["get_many"]
    eventually(lambda: world.catalogue.calls["get_many"] >= failed + 2, within=SOON)
    assert watch.next(0.0) is None
    world.catalogue.mend()
    assert watch.next(SOON) == row


def test_one_thread_serves_all_watches_and_reads_each_row_once(world: World, stack: ExitStack) -> None:
    keys = [a_key(number) for number in range(1, 21)]
    for key in keys:
        world.enqueuer().enqueue(a_request(key))
    watched = watching(world, stack)
    watches = [watched.watch(key) for key in keys for _ in range(5)]
    for watch in watches:
        watch.next(0.0)
    watched.settled()
    threads = [thread for thread in threading.enumerate() if thread.name == "watch-hub"]
    assert len(threads) == 1
    asked: list[Sequence[RecordingKey]] = []
    world.catalogue.before["get_many"] = asked.append
    row = change(world, keys[3])
    assert [watch.next(SOON) for watch in watches if watch.key == keys[3]] == [row] * 5
    assert asked == [[keys[3]]]
    assert [watch.next(0.0) for watch in watches if watch.key != keys[3]] == [None] * 95


def test_changes_that_nobody_watches_cost_no_read(world: World, stack: ExitStack) -> None:
    for number in (1, 2):
        world.enqueuer().enqueue(a_request(a_key(number)))
    watched = watching(world, stack)
    watch = watched.watch(a_key(1))
    watch.next(0.0)
    watched.settled()
    asked: list[Sequence[RecordingKey]] = []
    world.catalogue.before["get_many"] = asked.append
    change(world, a_key(2))
    assert change(world, a_key(1)) == watch.next(SOON)
    assert all(a_key(2) not in keys for keys in asked)


def test_where_nothing_is_watched_there_is_no_thread_and_a_new_watch_starts_one(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watched = watching(world, stack, SHORT)
    for _ in range(2):
        watch = watched.watch()
        watch.next(0.0)
        assert change(world) == watch.next(SOON)
        watch.close()
        eventually(lambda: "watch-hub" not in {thread.name for thread in threading.enumerate()}, within=SOON)


def test_closing_the_hub_ends_every_watch_and_its_thread_at_once(world: World) -> None:
    world.enqueuer().enqueue(a_request())
    watched = Watching(world, LONG)
    watches = [watched.watch() for _ in range(3)]
    for watch in watches:
        watch.next(0.0)
    watched.settled()
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(watch.next, LONG) for watch in watches]
        watched.hub.close()
        assert [future.result(SOON) for future in waiting] == [None] * 3
    assert "watch-hub" not in {thread.name for thread in threading.enumerate()}
    watched.hub.close()


def test_a_watch_of_a_closed_hub_is_closed(world: World) -> None:
    world.enqueuer().enqueue(a_request())
    watched = Watching(world, LONG)
    watched.hub.close()
    watch = watched.watch()
    assert watch.next(LONG) is None
    assert "watch-hub" not in {thread.name for thread in threading.enumerate()}


def test_many_watchers_who_come_and_go_hear_of_the_end(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watched = watching(world, stack, SHORT)
    done = threading.Event()

    def watch_to_the_end(number: int) -> RecordingState:
        while True:
            with closing(watched.watch()) as watch:
                for _ in range(number % 3 + 1):
                    seen = watch.next(SOON)
                    if seen is not None and watch.finished:
                        return seen.state

    def make_progress() -> None:
        while not done.wait(0.001):
            change(world)

    world.script(AUDIO)
    with ThreadPoolExecutor(17) as pool:
        progress = pool.submit(make_progress)
        ends = [pool.submit(watch_to_the_end, number) for number in range(16)]
        done.wait(0.05)
        done.set()
        progress.result(SOON)
        world.work()
        assert {end.result(2 * SOON) for end in ends} == {RecordingState.READY}
