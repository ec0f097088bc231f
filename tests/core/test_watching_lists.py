"""Watching lists: what matches now, then each change; bounded, never backwards, and nothing is missed for good."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.core import watching_lists
from recording_service.core.errors import (
    CatalogueUnavailable,
    InvalidRequest,
    QueueUnavailable,
    SourceTooLarge,
    WatchOverrun,
)
from recording_service.core.model import CallDetails, Recording, RecordingFilter, RecordingKey, RecordingState
from recording_service.core.ports import Catalogue, Change
from recording_service.core.requests import Target
from recording_service.core.service import RecordingService
from recording_service.core.watching import WatchHub, WatchUntil
from recording_service.core.watching_lists import ListLook, ListWatch, ListWatches
from tests.support.clocks import HandDrivenClock
from tests.support.core_world import AUDIO, KEY, OTHER_ACCOUNT, World, a_key, a_request
from tests.support.recordings import TIME, another, change, put
from tests.support.waiting import eventually
from tests.support.watched_lists import Watcher, WorldTime, play_and_watch

#: Longest wait for what should come about at once, in seconds.
SOON = 10.0
#: A look interval that a test can wait for, and one that it can't, in seconds.
SHORT, LONG = 0.05, 600.0

ALL_BUT_DELETED = RecordingFilter(states=frozenset(RecordingState) - {RecordingState.DELETED})
COMPLETE = ListLook(None, False)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def service(world: World) -> Iterator[RecordingService]:
    with closing(world.service()) as service:
        yield service


def hub_of(world: World, stack: ExitStack, look_interval_seconds: float = LONG) -> WatchHub:
    hub = WatchHub(
        world.catalogue.port, world.changes.port, WorldTime(world), look_interval_seconds=look_interval_seconds
    )
    return stack.enter_context(closing(hub))


def snapshot(watch: ListWatch) -> list[Recording]:
    """What is handed out before the word that it is complete."""
    found: list[Recording] = []
    while (look := watch.next(SOON)) != COMPLETE:
        assert look is not None
        assert look.matches
        assert look.recording is not None
        found.append(look.recording)
    return found


def looked(watch: ListWatch) -> tuple[Recording, bool]:
    """The next change."""
    look = watch.next(SOON)
    assert look is not None
    assert look.recording is not None
    return look.recording, look.matches


def settled(world: World) -> None:
    """Returns once the hub listens, and has looked through the window that was opened for the first watch."""
    eventually(lambda: world.catalogue.calls["changed"] >= 2, within=SOON)


def touch(world: World, key: RecordingKey = KEY, *, told: bool = True) -> Recording:
    """The recording changes; whether the feed says so."""
    row = change(world.catalogue.adapter, world.row(key), lease=world.row(key).lease + 1, update_time=world.clock.now())
    if told:
        world.changes.adapter.publish([Change(*key, row.revision)])
    return row


# The snapshot


def test_what_matches_now_comes_newest_first_and_then_one_word_that_it_is_complete(
    world: World, service: RecordingService
) -> None:
    for number in range(1, 6):
        service.enqueue(a_request(a_key(number)))
        world.clock.advance(1)
    with closing(service.watch_many(RecordingFilter(), 0)) as watch:
        assert [row.key for row in snapshot(watch)] == [a_key(number) for number in (5, 4, 3, 2, 1)]
        assert watch.next(0.0) is None


def test_an_empty_list_is_complete_at_once(service: RecordingService) -> None:
    with closing(service.watch_many(RecordingFilter(), 0)) as watch:
        assert [watch.next(0.0), watch.next(0.0)] == [COMPLETE, None]


@pytest.mark.parametrize(("size", "expected"), [(0, 7), (1, 1), (3, 3), (7, 7), (100, 7)])
def test_a_snapshot_has_at_most_the_size_asked_for_and_is_read_in_pages(
    world: World, service: RecordingService, monkeypatch: pytest.MonkeyPatch, size: int, expected: int
) -> None:
    monkeypatch.setattr(watching_lists, "SNAPSHOT_PAGE_SIZE", 2)
    for number in range(7):
        service.enqueue(a_request(a_key(number)))
        world.clock.advance(1)
    sizes: list[int] = []
    world.catalogue.before["page"] = lambda matching, page_size, after: sizes.append(page_size)
    with closing(service.watch_many(RecordingFilter(), size)) as watch:
        assert [row.key for row in snapshot(watch)] == [a_key(number) for number in range(6, 6 - expected, -1)]
    assert max(sizes) <= 2


def test_a_size_less_than_nothing_is_refused(service: RecordingService) -> None:
    with pytest.raises(InvalidRequest) as caught:
        service.watch_many(RecordingFilter(), -1)
    assert [violation.field for violation in caught.value.violations] == ["snapshot_size"]


def test_states_accounts_and_calls_narrow_the_snapshot(world: World, service: RecordingService) -> None:
    call, other_call = "CA" + "1" * 32, "CA" + "2" * 32
    ours = a_request(a_key(1), call=CallDetails(call_sid=call))
    for request in (
        ours,
        a_request(a_key(2), call=CallDetails(call_sid=other_call)),
        a_request(a_key(3, OTHER_ACCOUNT), call=CallDetails(call_sid=call)),
    ):
        service.enqueue(request)
    matching = RecordingFilter(
        states=frozenset({RecordingState.QUEUED}),
        account_sids=frozenset({KEY.account_sid}),
        call_sids=frozenset({call}),
    )
    with closing(service.watch_many(matching, 0)) as watch:
        assert [row.key for row in snapshot(watch)] == [ours.key]
    ready = replace(matching, states=frozenset({RecordingState.READY}))
    with closing(service.watch_many(ready, 0)) as watch:
        assert snapshot(watch) == []


def test_a_tombstone_is_in_the_snapshot_only_where_it_is_asked_for(service: RecordingService) -> None:
    service.enqueue(a_request())
    service.delete(Target(*KEY), allow_missing=False)
    for states, expected in ((frozenset[RecordingState](), 0), (frozenset({RecordingState.DELETED}), 1)):
        with closing(service.watch_many(RecordingFilter(states=states), 0)) as watch:
            assert len(snapshot(watch)) == expected


def test_a_list_goes_by_the_catalogue_and_asks_no_shelf(world: World, service: RecordingService) -> None:
    world.script(AUDIO)
    service.enqueue(a_request())
    world.work()
    world.shelf.remove(world.row().object_key)
    with closing(service.watch_many(RecordingFilter(), 0)) as watch:
        assert [row.state for row in snapshot(watch)] == [RecordingState.READY]
    assert world.storage.calls["size"] == 0


def test_without_the_catalogue_a_list_is_refused(world: World, service: RecordingService) -> None:
    world.catalogue.fail(CatalogueUnavailable(), "changed", "page")
    with pytest.raises(CatalogueUnavailable):
        service.watch_many(RecordingFilter(), 0)
    del world.catalogue.before["changed"]
    with closing(service.watch_many(RecordingFilter(), 0)) as watch, pytest.raises(CatalogueUnavailable):
        watch.next(0.0)


# What changes


def test_each_change_is_told_whatever_its_state_and_whether_it_matches(
    world: World, service: RecordingService, stack: ExitStack
) -> None:
    # Nobody tells of an enqueue: the next look finds it.
    hub = hub_of(world, stack, SHORT)
    world.script(AUDIO, key=a_key(1))
    world.script(SourceTooLarge("too large"), key=a_key(2))
    queued = RecordingFilter(states=frozenset({RecordingState.QUEUED}))
    with closing(hub.watch_many(queued, 0)) as watch:
        assert snapshot(watch) == []
        seen: dict[RecordingKey, tuple[RecordingState, bool]] = {}

        def sees(number: int, state: RecordingState) -> bool:
            recording, matches = looked(watch)
            assert matches is (recording.state is RecordingState.QUEUED)
            seen[recording.key] = (recording.state, matches)
            return seen.get(a_key(number)) == (state, matches)

        for number, end in ((1, RecordingState.READY), (2, RecordingState.FAILED)):
            service.enqueue(a_request(a_key(number)))
            eventually(partial(sees, number, RecordingState.QUEUED), within=SOON)
            world.work()
            eventually(partial(sees, number, end), within=SOON)
        service.delete(Target(*a_key(1)), allow_missing=False)
        eventually(lambda: sees(1, RecordingState.DELETED), within=SOON)


def test_changes_of_other_accounts_and_calls_are_not_told_and_not_read(world: World, stack: ExitStack) -> None:
    for number, account_sid in ((1, OTHER_ACCOUNT), (2, KEY.account_sid), (3, KEY.account_sid)):
        call = CallDetails(call_sid="CA" + str(number) * 32)
        world.enqueuer().enqueue(a_request(a_key(number, account_sid), call=call))
    matching = RecordingFilter(account_sids=frozenset({KEY.account_sid}), call_sids=frozenset({"CA" + "3" * 32}))
    watch = hub_of(world, stack).watch_many(matching, 1)
    assert len(snapshot(watch)) == 1
    settled(world)
    asked: list[Sequence[RecordingKey]] = []
    world.catalogue.before["get_many"] = asked.append
    touch(world, a_key(1, OTHER_ACCOUNT))
    touch(world, a_key(2))
    assert (touch(world, a_key(3)), True) == looked(watch)
    assert all(a_key(1, OTHER_ACCOUNT) not in keys for keys in asked)


def test_a_change_is_heard_of_long_before_the_next_look(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watch = hub_of(world, stack).watch_many(ALL_BUT_DELETED, 0)
    snapshot(watch)
    settled(world)
    assert (touch(world), True) == looked(watch)


def test_a_change_is_told_though_it_is_beyond_the_size_of_the_snapshot(world: World, stack: ExitStack) -> None:
    for number in (1, 2):
        world.enqueuer().enqueue(a_request(a_key(number)))
        world.clock.advance(1)
    watch = hub_of(world, stack).watch_many(ALL_BUT_DELETED, 1)
    assert [row.key for row in snapshot(watch)] == [a_key(2)]
    settled(world)
    assert (touch(world, a_key(1)), True) == looked(watch)


def test_changes_that_nobody_told_of_are_found_at_the_next_look_and_told_once(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    watch = hub_of(world, stack, SHORT).watch_many(ALL_BUT_DELETED, 0)
    snapshot(watch)
    for _ in range(3):
        assert (touch(world, told=False), True) == looked(watch)
        world.clock.advance(2)
    looks = world.catalogue.calls["changed"]
    eventually(lambda: world.catalogue.calls["changed"] > looks + 2, within=SOON)
    assert watch.next(0.0) is None


@pytest.mark.parametrize("error", [QueueUnavailable(), RuntimeError("a bug")])
def test_without_the_feed_changes_are_found_by_looking(world: World, stack: ExitStack, error: Exception) -> None:
    world.enqueuer().enqueue(a_request())
    hub = hub_of(world, stack, SHORT)
    world.changes.adapter.fail_with = error  # type: ignore[attr-defined]
    watch = hub.watch_many(ALL_BUT_DELETED, 0)
    snapshot(watch)
    for _ in range(3):
        assert (touch(world, told=False), True) == looked(watch)


@pytest.mark.parametrize("method", ["changed", "get_many"])
@pytest.mark.parametrize("error", [CatalogueUnavailable(), RuntimeError("a bug")])
def test_what_changed_while_the_catalogue_was_away_is_told_when_it_is_back(
    world: World, stack: ExitStack, method: str, error: Exception
) -> None:
    world.enqueuer().enqueue(a_request())
    watch = hub_of(world, stack, SHORT).watch_many(ALL_BUT_DELETED, 0)
    snapshot(watch)
    world.catalogue.fail(error, method)
    row = touch(world, told=False)
    failed = world.catalogue.calls[method]
    eventually(lambda: world.catalogue.calls[method] >= failed + 2, within=SOON)
    world.clock.advance(3600)
    assert watch.next(0.0) is None
    world.catalogue.mend()
    assert looked(watch) == (row, True)


def test_what_changed_before_it_began_is_not_told_again(world: World, stack: ExitStack) -> None:
    for number in range(5):
        world.enqueuer().enqueue(a_request(a_key(number)))
    watch = hub_of(world, stack, SHORT).watch_many(ALL_BUT_DELETED, 0)
    assert len(snapshot(watch)) == 5
    eventually(lambda: world.catalogue.calls["changed"] >= 4, within=SOON)
    assert watch.next(0.0) is None
    assert world.catalogue.calls["get_many"] == 0


# Many watchers


def test_all_watches_share_one_thread_one_query_an_interval_and_one_read_of_each_change(
    world: World, stack: ExitStack
) -> None:
    world.enqueuer().enqueue(a_request())
    hub = hub_of(world, stack)
    single = hub.watch(KEY, WatchUntil.READY)
    single.offer(world.row())
    single.next(0.0)
    eventually(lambda: world.catalogue.calls["get_many"] >= 1, within=SOON)
    watches = [hub.watch_many(ALL_BUT_DELETED, 0) for _ in range(50)]
    for watch in watches:
        snapshot(watch)
    assert len([thread for thread in threading.enumerate() if thread.name == "watch-hub"]) == 1
    asked: list[Sequence[RecordingKey]] = []
    world.catalogue.before["get_many"] = asked.append
    row = touch(world)
    assert [looked(watch) for watch in watches] == [(row, True)] * 50
    assert single.next(SOON) == row
    assert asked == [[KEY]]
    assert world.catalogue.calls["changed"] == 1, "when the first watch was opened"


def test_an_interval_costs_one_query_however_many_watch(world: World, stack: ExitStack) -> None:
    hub = hub_of(world, stack, SHORT)
    for _ in range(20):
        snapshot(hub.watch_many(ALL_BUT_DELETED, 0))
    spans: list[object] = []
    world.catalogue.before["changed"] = lambda since, before, size, after: spans.append(since)
    began = time.monotonic()
    eventually(lambda: len(spans) >= 5, within=SOON)
    assert len(spans) <= (time.monotonic() - began) / SHORT + 1


def test_while_nobody_watches_a_list_nothing_is_asked_for_its_sake(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    hub = hub_of(world, stack, SHORT)
    single = hub.watch(KEY, WatchUntil.READY)
    watch = hub.watch_many(ALL_BUT_DELETED, 0)
    snapshot(watch)
    watch.close()
    touch(world, told=False)
    assert single.next(SOON) is not None
    looks, changed = world.catalogue.calls["get_many"], world.catalogue.calls["changed"]
    eventually(lambda: world.catalogue.calls["get_many"] > looks + 2, within=SOON)
    assert world.catalogue.calls["changed"] <= changed + 1
    single.close()
    eventually(lambda: "watch-hub" not in {thread.name for thread in threading.enumerate()}, within=SOON)


def test_a_list_may_be_watched_again_when_all_have_gone(world: World, stack: ExitStack) -> None:
    world.enqueuer().enqueue(a_request())
    hub = hub_of(world, stack, SHORT)
    for _ in range(3):
        watch = hub.watch_many(ALL_BUT_DELETED, 0)
        assert snapshot(watch) == [world.row()]
        assert (touch(world, told=False), True) == looked(watch)
        watch.close()
        eventually(lambda: "watch-hub" not in {thread.name for thread in threading.enumerate()}, within=SOON)
        world.clock.advance(3600)


def test_closing_wakes_whoever_waits_at_once(world: World, stack: ExitStack) -> None:
    hub = hub_of(world, stack)
    watches = [hub.watch_many(ALL_BUT_DELETED, 0) for _ in range(2)]
    for watch in watches:
        snapshot(watch)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(watch.next, LONG) for watch in watches]
        watches[0].close()
        watches[0].close()
        assert waiting[0].result(SOON) is None
        hub.close()
        assert waiting[1].result(SOON) is None
    assert hub.watch_many(ALL_BUT_DELETED, 0).next(LONG) is None


# A watcher that is slow


def test_of_a_recording_that_changes_often_the_latest_look_wins(world: World, stack: ExitStack) -> None:
    for number in (1, 2):
        world.enqueuer().enqueue(a_request(a_key(number)))
    watch = hub_of(world, stack).watch_many(ALL_BUT_DELETED, 0)
    snapshot(watch)
    watch.offer([touch(world, a_key(1)), touch(world, a_key(2))])
    last = [touch(world, a_key(1)) for _ in range(9)]
    watch.offer(reversed(last))
    assert looked(watch) == (last[-1], True)
    assert looked(watch)[0].key == a_key(2)


def test_a_watcher_for_whom_too_much_waits_is_told_to_watch_again(world: World) -> None:
    rows = [another(number, revision=2) for number in range(4)]
    with closing(ListWatch(world.catalogue.port, ALL_BUT_DELETED, 0, lambda _: None, max_pending=3)) as watch:
        snapshot(watch)
        watch.offer(rows[:3])
        watch.offer(rows[:3])
        assert looked(watch) == (rows[0], True)
        watch.offer(rows)
        with pytest.raises(WatchOverrun) as caught:
            watch.next(0.0)
        assert caught.value.limit == 3
        watch.offer(rows[:1])
        with pytest.raises(WatchOverrun):
            watch.next(0.0)
    assert watch.next(0.0) is None


def test_a_watcher_for_whom_too_much_waits_is_told_so_amid_the_snapshot(world: World) -> None:
    for number in range(5):
        world.enqueuer().enqueue(a_request(a_key(number)))
    with closing(ListWatch(world.catalogue.port, ALL_BUT_DELETED, 0, lambda _: None, max_pending=3)) as watch:
        watch.next(0.0)
        watch.offer([another(number, account_sid=OTHER_ACCOUNT) for number in range(4)])
        with pytest.raises(WatchOverrun):
            watch.next(0.0)


# Whatever is interleaved

NUMBERS = 4
STATES = tuple(RecordingState)

change_steps = st.tuples(
    st.just("change"), st.integers(0, NUMBERS - 1), st.sampled_from(STATES), st.integers(-25, 25), st.booleans()
)
steps = st.lists(
    st.one_of(
        change_steps,
        st.tuples(st.just("let pass"), st.integers(0, 20)),
        st.sampled_from([("read",), ("look",), ("offer",), ("next",), ("next",), ("open",)]),
    ),
    max_size=60,
)


@dataclass
class Interleaving:
    """A hub and its watchers in one thread, whose steps come in any order."""

    catalogue: MemoryCatalogue = field(default_factory=MemoryCatalogue)
    clock: HandDrivenClock = field(default_factory=HandDrivenClock)
    heard: set[RecordingKey] = field(default_factory=set)
    #: What the hub has read and not yet offered; whether it is a look through the window.
    read: tuple[list[Recording], bool] | None = None
    watchers: list[Watcher] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port: Catalogue = self.catalogue
        self.lists = ListWatches(self.port, self.clock)
        self.open()

    def open(self) -> None:
        window = self.lists.window()
        matching = RecordingFilter(states=frozenset({RecordingState.QUEUED, RecordingState.READY}))
        watch = ListWatch(self.port, matching, 0, self.lists.discard)
        self.lists.add(watch, window)
        self.watchers.append(Watcher(watch))

    def change(self, number: int, state: RecordingState, dated_seconds: int, told: bool) -> None:
        """A recording is changed, by a clock that differs; the feed says so or loses the word."""
        update_time = self.clock.now() + timedelta(seconds=dated_seconds)
        row = another(number, state=state, create_time=TIME + timedelta(seconds=number), update_time=update_time)
        if self.catalogue.get(row.key) is None:
            put(self.port, row)
        else:
            change(self.port, row, state=state, update_time=update_time)
        if told:
            self.heard.add(row.key)

    def begin(self, *, look: bool) -> None:
        """The hub reads: what it has heard of, or all that has changed."""
        if self.read is not None:
            return
        self.lists.begin_reading()
        keys = self.lists.missed() if look else self.lists.concerned(self.heard)
        if not look:
            self.heard.clear()
        self.read = (list(self.catalogue.get_many(sorted(keys)).values()), look)

    def offer(self) -> None:
        """The hub hands out what it has read."""
        if self.read is not None:
            rows, look = self.read
            self.read = None
            self.lists.offer(rows)
            if look:
                self.lists.settle()

    def take(self, step: tuple[object, ...]) -> None:
        match step:
            case ("change", int(number), RecordingState() as state, int(dated), bool(told)):
                self.change(number, state, dated, told)
            case ("let pass", int(seconds)):
                self.clock.advance(seconds)
            case ("read",):
                self.begin(look=False)
            case ("look",):
                self.begin(look=True)
            case ("offer",):
                self.offer()
            case ("next",):
                for watcher in self.watchers:
                    watcher.take()
            case ("open",):
                self.open()


TOLD = ("change", 0, RecordingState.QUEUED, 0, True)
UNTOLD = ("change", 0, RecordingState.READY, 0, False)


@example([TOLD, ("read",), UNTOLD, ("next",), ("offer",), ("next",), ("next",)]).via(
    "the hub's reading is older than the snapshot's"
)
@example([TOLD, ("read",), ("offer",), UNTOLD, ("next",), ("next",), ("next",)]).via(
    "what waits is older than the snapshot"
)
@example([TOLD, ("next",), UNTOLD, ("look",), ("open",), ("next",), ("offer",)]).via("opened amid a look")
@given(steps)
@settings(max_examples=400, deadline=None)
def test_whatever_is_interleaved_a_list_never_goes_back_and_comes_to_be_what_the_catalogue_has(
    sequence: list[tuple[object, ...]],
) -> None:
    interleaving = Interleaving()
    for step in sequence:
        interleaving.take(step)
    interleaving.offer()
    interleaving.begin(look=True)
    interleaving.offer()
    for watcher in interleaving.watchers:
        while watcher.take():
            pass
        assert watcher.complete
        rows = interleaving.catalogue.page(watcher.watch.matching, 1000, None)
        assert watcher.shown == {row.key: row for row in rows}


def test_lists_that_are_read_slowly_while_everything_happens_come_to_be_what_the_catalogue_has(world: World) -> None:
    play_and_watch(world, recordings=60, events=300, watchers=8)
