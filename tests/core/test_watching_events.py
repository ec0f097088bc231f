"""Watching the feed of events: everything after a revision, in order and once, whoever is slow or comes back late."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count

import pytest

from recording_service.core import watching_events
from recording_service.core.errors import CatalogueUnavailable, InvalidRequest, RevisionAhead, RevisionPruned
from recording_service.core.event_ports import FeedPosition
from recording_service.core.model import FailureReason, RecordingFilter, RecordingState
from recording_service.core.ports import Change
from recording_service.core.requests import Target
from recording_service.core.service import RecordingService
from recording_service.core.watching import WatchHub
from recording_service.core.watching_events import EventLook, EventWatch
from tests.support.core_world import AUDIO, OTHER_ACCOUNT, World, a_key, a_request
from tests.support.events import DELETED, FAILED, READY, add_events, fail, forget_oldest, ready
from tests.support.recordings import another, change, put
from tests.support.waiting import eventually
from tests.support.watched_lists import WorldTime

#: Longest wait for what should come about at once, in seconds.
SOON = 10.0
EVERYTHING = RecordingFilter()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recording_service.core.watching.FEED_INTERVAL_SECONDS", 0.02)


def hub_of(world: World, stack: ExitStack) -> WatchHub:
    hub = WatchHub(world.catalogue.port, world.changes.port, WorldTime(world))
    return stack.enter_context(closing(hub))


def taken(watch: EventWatch, count: int) -> list[EventLook]:
    """The next looks, which are events."""
    found = []
    for _ in range(count):
        look = watch.next(SOON)
        assert look is not None
        assert look.event is not None
        assert look.event.revision == look.revision
        found.append(look)
    return found


def revisions(watch: EventWatch, count: int) -> list[int]:
    return [look.revision for look in taken(watch, count)]


# In order, and once


@pytest.mark.parametrize("after_revision", [0, 1, 4])
def test_everything_after_the_revision_comes_in_order_and_then_what_happens(
    world: World, stack: ExitStack, after_revision: int
) -> None:
    catalogue = world.catalogue.adapter
    add_events(catalogue, 4)
    watch = stack.enter_context(closing(hub_of(world, stack).watch_events(EVERYTHING, after_revision)))
    assert revisions(watch, 4 - after_revision) == list(range(after_revision + 1, 5))
    add_events(catalogue, 3, first=5)
    assert revisions(watch, 3) == [5, 6, 7]
    assert watch.next(0.0) is None


def test_an_event_brings_its_recording_as_it_is_by_now(world: World, stack: ExitStack) -> None:
    catalogue = world.catalogue.adapter
    recording = ready(1)
    put(catalogue, recording)
    change(catalogue, recording, state=DELETED)
    watch = stack.enter_context(
        closing(hub_of(world, stack).watch_events(RecordingFilter(states=frozenset({READY})), 0))
    )
    (look,) = taken(watch, 1)
    assert look.event is not None
    assert (look.event.state, look.recording, look.matches) == (READY, catalogue.get(recording.key), False)


def test_events_are_heard_of_by_the_feed_of_changes_at_once(
    world: World, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recording_service.core.watching.FEED_INTERVAL_SECONDS", 600.0)
    hub = WatchHub(world.catalogue.port, world.changes.port, WorldTime(world), look_interval_seconds=600.0)
    watch = stack.enter_context(closing(stack.enter_context(closing(hub)).watch_events(EVERYTHING, 0)))
    eventually(lambda: world.catalogue.calls["number_events"] >= 2)
    (recording,) = add_events(world.catalogue.adapter, 1)

    def heard() -> EventLook | None:
        world.changes.adapter.publish([Change(*recording.key, 1)])
        return watch.next(0.05)

    assert eventually(heard, within=SOON) is not None


def test_whoever_keeps_up_is_served_from_memory_and_whoever_does_not_from_the_catalogue(
    world: World, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching_events, "TAIL_SIZE", 3)
    monkeypatch.setattr(watching_events, "PIECE_SIZE", 2)
    catalogue, hub = world.catalogue.adapter, hub_of(world, stack)
    quick, slow = (stack.enter_context(closing(hub.watch_events(EVERYTHING, 0))) for _ in range(2))
    for number in range(1, 12):
        add_events(catalogue, 1, first=number)
        assert revisions(quick, 1) == [number]
    assert revisions(slow, 11) == list(range(1, 12))


def test_what_others_number_while_the_hub_reads_comes_once(world: World, stack: ExitStack) -> None:
    catalogue, hub = world.catalogue.adapter, hub_of(world, stack)
    watch = stack.enter_context(closing(hub.watch_events(EVERYTHING, 0)))
    counts = count(1)

    def number_more() -> None:
        """Between the hub's look how far the feed has come and its reading of that."""
        number = next(counts)
        if number <= 20:
            add_events(catalogue, 1, first=number)
            catalogue.number_events()

    world.catalogue.after["number_events"] = number_more
    assert revisions(watch, 20) == list(range(1, 21))


def test_what_happens_between_a_snapshot_and_its_feed_is_not_missed(world: World) -> None:
    catalogue = world.catalogue.adapter
    add_events(catalogue, 2)
    catalogue.number_events()
    with closing(world.service()) as service:
        with closing(service.watch_many(EVERYTHING, 0)) as listed:
            first = listed.next(SOON)
            assert first is not None
            assert first.recording is not None
            # Read already, and changed before the snapshot is at its end.
            fail(catalogue, first.recording, FailureReason.SOURCE_ABSENT)
            while (look := listed.next(SOON)) is not None and not look.snapshot_complete:
                pass
        assert look is not None
        assert look.feed_revision == 2
        with closing(service.watch_events(EVERYTHING, look.feed_revision)) as watch:
            (missed,) = taken(watch, 1)
    assert missed.recording is not None
    assert (missed.recording.key, missed.recording.state) == (first.recording.key, FAILED)


# Filters, and how far the feed has come


def test_only_what_is_asked_for_comes(world: World, stack: ExitStack) -> None:
    catalogue, hub = world.catalogue.adapter, hub_of(world, stack)
    put(catalogue, ready(1))
    put(catalogue, replace(ready(2), account_sid=OTHER_ACCOUNT))
    put(catalogue, another(3, state=FAILED, failure_reason=FailureReason.SOURCE_ABSENT))
    for matching, expected in (
        (RecordingFilter(account_sids=frozenset({OTHER_ACCOUNT})), [2]),
        (RecordingFilter(states=frozenset({FAILED, READY})), [1, 2, 3]),
        (RecordingFilter(states=frozenset({FAILED})), [3]),
        (RecordingFilter(call_sids=frozenset({"CA1"})), []),
    ):
        with closing(hub.watch_events(matching, 0)) as watch:
            assert revisions(watch, len(expected)) == expected
            assert watch.next(0.05) is None


def test_a_watcher_hears_how_far_the_feed_has_come_past_what_is_hidden_from_it(
    world: World, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching_events, "PROGRESS_SECONDS", 0.05)
    catalogue, hub = world.catalogue.adapter, hub_of(world, stack)
    add_events(catalogue, 3)
    watch = stack.enter_context(closing(hub.watch_events(RecordingFilter(account_sids=frozenset({"AC"})), 0)))
    assert watch.next(SOON) == EventLook(None, None, False, 3)
    # Nothing has happened since, and that is no news.
    assert watch.next(0.2) is None
    add_events(catalogue, 1, first=4)
    assert watch.next(SOON) == EventLook(None, None, False, 4)


# Where the feed can't be gone on with


def test_events_that_are_not_kept_any_more_are_refused_with_the_oldest_one(world: World, stack: ExitStack) -> None:
    catalogue, hub = world.catalogue.adapter, hub_of(world, stack)
    add_events(catalogue, 5)
    catalogue.number_events()
    forget_oldest(catalogue, 3)
    assert catalogue.feed_position() == FeedPosition(5, 3)
    for after_revision in (0, 2):
        with pytest.raises(RevisionPruned) as pruned:
            hub.watch_events(EVERYTHING, after_revision)
        assert (pruned.value.after_revision, pruned.value.oldest_revision) == (after_revision, 4)
    with closing(hub.watch_events(EVERYTHING, 3)) as watch:
        assert revisions(watch, 2) == [4, 5]


def test_a_reader_that_events_are_forgotten_under_is_told(
    world: World, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching_events, "TAIL_SIZE", 1)
    monkeypatch.setattr(watching_events, "PIECE_SIZE", 1)
    catalogue, hub = world.catalogue.adapter, hub_of(world, stack)
    add_events(catalogue, 5)
    watch = stack.enter_context(closing(hub.watch_events(EVERYTHING, 0)))
    assert revisions(watch, 1) == [1]
    forget_oldest(catalogue, 3)
    with pytest.raises(RevisionPruned):
        watch.next(SOON)


def test_whatever_was_kept_before_a_restore_is_refused_however_far_the_feed_has_come_since(
    world: World, stack: ExitStack
) -> None:
    catalogue, hub = world.catalogue.adapter, hub_of(world, stack)
    add_events(catalogue, 8)
    reading = stack.enter_context(closing(hub.watch_events(EVERYTHING, 0)))
    assert revisions(reading, 8) == list(range(1, 9))
    # Of a backup: a reader has kept 10, and 9 and 10 of this catalogue are other events.
    begin = catalogue.begin_feed_anew(world.clock.now()).revision
    add_events(catalogue, 4, first=101)
    for after_revision in (0, 8, 10):
        with pytest.raises(RevisionPruned):
            hub.watch_events(EVERYTHING, after_revision)
    with pytest.raises(RevisionPruned):
        reading.next(SOON)
    with closing(hub.watch_events(EVERYTHING, begin)) as watch:
        assert revisions(watch, 4) == [begin + 1, begin + 2, begin + 3, begin + 4]


def test_a_revision_that_there_is_not_yet_is_refused(world: World, stack: ExitStack) -> None:
    hub = hub_of(world, stack)
    add_events(world.catalogue.adapter, 2)
    with pytest.raises(RevisionAhead) as ahead:
        hub.watch_events(EVERYTHING, 3)
    assert ahead.value.newest_revision == 2


def test_watchers_are_told_when_the_database_is_set_back_under_them(world: World, stack: ExitStack) -> None:
    hub = hub_of(world, stack)
    add_events(world.catalogue.adapter, 4)
    watch = stack.enter_context(closing(hub.watch_events(EVERYTHING, 0)))
    assert revisions(watch, 4) == [1, 2, 3, 4]
    world.catalogue.adapter = World().catalogue.adapter
    add_events(world.catalogue.adapter, 2)
    with pytest.raises(RevisionAhead):
        watch.next(SOON)


def test_a_revision_below_nothing_is_wrong(world: World) -> None:
    with closing(world.service()) as service, pytest.raises(InvalidRequest):
        service.watch_events(EVERYTHING, -1)


# Trouble


def test_a_catalogue_that_is_down_ends_the_watch_of_whoever_reads_and_they_can_go_on(
    world: World, stack: ExitStack
) -> None:
    hub = hub_of(world, stack)
    add_events(world.catalogue.adapter, 2)
    watch = stack.enter_context(closing(hub.watch_events(EVERYTHING, 0)))
    world.catalogue.fail(CatalogueUnavailable(), "events", "get_many", "number_events")
    with pytest.raises(CatalogueUnavailable):
        watch.next(SOON)
    world.catalogue.mend()
    assert revisions(watch, 2) == [1, 2]


def test_whoever_waits_is_woken_by_the_end_of_the_watch_and_of_the_hub(world: World, stack: ExitStack) -> None:
    hub = hub_of(world, stack)
    pool = stack.enter_context(ThreadPoolExecutor(2))
    first, second = hub.watch_events(EVERYTHING, 0), hub.watch_events(EVERYTHING, 0)
    waiting = [pool.submit(watch.next, 600.0) for watch in (first, second)]
    first.close()
    assert waiting[0].result(SOON) is None
    hub.close()
    assert waiting[1].result(SOON) is None
    assert hub.watch_events(EVERYTHING, 0).next(600.0) is None


# All of it together


def test_every_watcher_sees_all_events_once_in_one_order_whenever_it_comes_and_however_often_it_breaks_off(
    world: World,
) -> None:
    recordings = 25
    for number in range(recordings):
        world.script(AUDIO, key=a_key(number))
    done = threading.Event()

    def play(service: RecordingService) -> None:
        for number in range(recordings):
            service.enqueue(a_request(a_key(number)))
            world.work()
            if number % 2:
                service.delete(Target(*a_key(number)), allow_missing=True)
        done.set()

    def follow(service: RecordingService, every: int) -> list[tuple[int, str]]:
        seen: list[tuple[int, str]] = []
        position = 0
        while not (done.is_set() and position == world.catalogue.adapter.number_events().revision):
            # As a client does after a break.
            with closing(service.watch_events(EVERYTHING, position)) as watch:
                for _ in range(every):
                    look = watch.next(0.05)
                    if look is None:
                        break
                    assert look.event is not None
                    seen.append((look.revision, look.event.event_id))
                    position = look.revision
        return seen

    with closing(world.service()) as service, ThreadPoolExecutor(4) as pool:
        following = [pool.submit(follow, service, every) for every in (1, 3, 1000)]
        play(service)
        seen = [each.result(60.0) for each in following]
    assert [revision for revision, _ in seen[0]] == list(range(1, recordings + recordings // 2 + 1))
    assert seen[1] == seen[0]
    assert seen[2] == seen[0]


def test_states_are_those_at_the_event(world: World, stack: ExitStack) -> None:
    recording = ready(1)
    put(world.catalogue.adapter, recording)
    change(world.catalogue.adapter, recording, state=RecordingState.QUEUED)
    fail(world.catalogue.adapter, recording, FailureReason.SOURCE_ABSENT)
    with closing(hub_of(world, stack).watch_events(RecordingFilter(states=frozenset({FAILED})), 0)) as watch:
        (look,) = taken(watch, 1)
    assert (look.revision, look.matches) == (2, True)
