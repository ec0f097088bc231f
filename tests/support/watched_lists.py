"""Watchers of lists that see whether what they are shown is true, and a world in which everything happens meanwhile."""

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime

from recording_service.core.clock import SystemClock
from recording_service.core.errors import QueueUnavailable, SourceTooLarge
from recording_service.core.model import Recording, RecordingFilter, RecordingKey, RecordingState
from recording_service.core.ports import Change
from recording_service.core.requests import Target
from recording_service.core.service import RecordingService
from recording_service.core.watching import WatchHub
from recording_service.core.watching_lists import ListWatch
from tests.support.core_world import AUDIO, World, a_key, a_request
from tests.support.waiting import eventually

#: How often the hub looks, and the longest wait for what should come about soon, in seconds.
LOOK_SECONDS, PATIENCE_SECONDS = 0.05, 20.0


class WorldTime:
    """The world's wall clock; its own seconds pass."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now()

    def monotonic(self) -> float:
        return SystemClock().monotonic()


class Watcher:
    """What one watcher's list shows."""

    def __init__(self, watch: ListWatch) -> None:
        self.watch = watch
        self.shown: dict[RecordingKey, Recording] = {}
        self.revisions: dict[RecordingKey, int] = {}
        self.complete = False

    def take(self, timeout_seconds: float = 0.0) -> bool:
        """Takes one look; whether there was one."""
        look = self.watch.next(timeout_seconds)
        if look is None:
            return False
        if look.recording is None:
            assert not self.complete, "complete twice"
            self.complete = True
            return True
        key = look.recording.key
        assert look.recording.revision >= self.revisions.get(key, 0), "it went back in time"
        assert look.matches is self.watch.matching.matches(look.recording)
        assert look.matches or self.complete
        self.revisions[key] = look.recording.revision
        self.shown.pop(key, None)
        if look.matches:
            self.shown[key] = look.recording
        return True


def play_and_watch(world: World, *, recordings: int, events: int, watchers: int) -> None:
    """Has that many events happen to that many recordings while slow watchers look on, and the feed loses every other
    word; each watcher's list must come to be what the catalogue has.
    """
    losing = random.Random(5)

    def lose(changes: Sequence[Change]) -> None:
        if losing.random() < 0.5:
            raise QueueUnavailable

    world.changes.before["publish"] = lose
    matching = RecordingFilter(states=frozenset({RecordingState.READY, RecordingState.FAILED}))
    done = threading.Event()

    def watch(hub: WatchHub, seed: int) -> bool:
        pace = random.Random(seed)
        with closing(hub.watch_many(matching, 0)) as opened:
            watcher = Watcher(opened)
            while not done.is_set():
                watcher.take(LOOK_SECONDS)
                done.wait(pace.random() * 0.005)
            rows = {row.key: row for row in world.catalogue.adapter.page(matching, 2 * recordings, None)}

            def caught_up() -> bool:
                watcher.take(LOOK_SECONDS)
                return watcher.complete and watcher.shown == rows

            return eventually(caught_up, within=PATIENCE_SECONDS)

    with ExitStack() as stack:
        hub = WatchHub(world.catalogue.port, world.changes.port, WorldTime(world), look_interval_seconds=LOOK_SECONDS)
        stack.enter_context(closing(hub))
        service = stack.enter_context(closing(world.service()))
        pool = stack.enter_context(ThreadPoolExecutor(watchers))
        watching = [pool.submit(watch, hub, seed) for seed in range(watchers)]
        try:
            _play(world, service, recordings, events)
        finally:
            done.set()
        assert all(future.result(2 * PATIENCE_SECONDS) for future in watching)


def _play(world: World, service: RecordingService, recordings: int, events: int) -> None:
    """Recordings are enqueued, fetched, given up and deleted, in any order."""
    chance = random.Random(4)
    for number in range(recordings):
        world.script(SourceTooLarge("too large") if number % 3 == 0 else AUDIO, key=a_key(number))
    for _ in range(events):
        key = a_key(chance.randrange(recordings))
        match chance.randrange(4):
            case 0 | 1:
                if world.catalogue.adapter.get(key) is None:
                    service.enqueue(a_request(key))
            case 2:
                world.work()
            case 3:
                service.delete(Target(*key), allow_missing=True)
        world.clock.advance(0.1)
