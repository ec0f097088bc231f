"""The feed as several servers' watchers see it, over every database, while several writers write."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from recording_service.adapters.memory.changes import MemoryChangeFeed
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.core.clock import SystemClock
from recording_service.core.model import RecordingFilter
from recording_service.core.ports import Change
from recording_service.core.watching import WatchHub
from tests.support.events import ready
from tests.support.recordings import put

#: How many servers there are, watchers of each, and writers; how many events each writer makes.
SERVERS, WATCHERS, WRITERS, EVENTS = 3, 2, 3, 60
#: How long all of it may take, in seconds.
PATIENCE_SECONDS = 60.0


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_watchers_of_several_servers_see_every_event_once_in_one_order(catalogue_url: str, stack: ExitStack) -> None:
    changes = MemoryChangeFeed()
    catalogues = [
        stack.enter_context(closing(SqlCatalogue.open(catalogue_url, migrate=False)))
        for _ in range(max(SERVERS, WRITERS))
    ]
    hubs = [
        stack.enter_context(closing(WatchHub(catalogue, changes, SystemClock()))) for catalogue in catalogues[:SERVERS]
    ]
    begin = threading.Barrier(WRITERS + SERVERS * WATCHERS)

    def write(number: int) -> None:
        begin.wait(PATIENCE_SECONDS)
        for event in range(EVENTS):
            recording = ready(1 + number * EVENTS + event)
            put(catalogues[number], recording)
            changes.publish([Change(*recording.key, 1)])

    def watch(hub: WatchHub, breaks_off_after: int) -> list[tuple[int, str]]:
        seen: list[tuple[int, str]] = []
        begin.wait(PATIENCE_SECONDS)
        while len(seen) < WRITERS * EVENTS:
            with closing(hub.watch_events(RecordingFilter(), seen[-1][0] if seen else 0)) as watched:
                for _ in range(min(breaks_off_after, WRITERS * EVENTS - len(seen))):
                    look = watched.next(PATIENCE_SECONDS)
                    assert look is not None
                    assert look.event is not None
                    assert look.recording is not None
                    seen.append((look.revision, look.event.event_id))
        return seen

    with ThreadPoolExecutor(WRITERS + SERVERS * WATCHERS) as pool:
        watching = [pool.submit(watch, hub, after) for hub in hubs for after in (7, WRITERS * EVENTS)]
        writing = [pool.submit(write, number) for number in range(WRITERS)]
        for writer in writing:
            writer.result(PATIENCE_SECONDS)
        seen = [watcher.result(PATIENCE_SECONDS) for watcher in watching]

    assert [revision for revision, _ in seen[0]] == list(range(1, WRITERS * EVENTS + 1))
    assert all(other == seen[0] for other in seen)
