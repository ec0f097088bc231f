"""Old events are forgotten, a piece at a time, and no sooner."""

from datetime import timedelta

import pytest

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.core import event_retention
from recording_service.core.event_ports import FeedPosition
from recording_service.core.event_retention import EventRetention, RetentionSettings
from tests.support.clocks import HandDrivenClock
from tests.support.core_world import World
from tests.support.events import add_events
from tests.support.recordings import TIME

DAY_SECONDS = 24 * 3600.0


def test_events_are_kept_for_their_time_and_then_forgotten_a_piece_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_retention, "PIECE_SIZE", 2)
    catalogue, clock = MemoryCatalogue(), HandDrivenClock(TIME)
    add_events(catalogue, 3)
    catalogue.number_events()
    retention = EventRetention(catalogue, clock, RetentionSettings(timedelta(days=5), interval_seconds=60.0))
    retention.forget()
    clock.advance(5 * DAY_SECONDS - 1)
    retention.forget()
    assert catalogue.feed_position() == FeedPosition(3, 0)
    clock.advance(60)
    for pruned in (2, 3):
        # The first piece was full: there is no reason to wait for the next one.
        retention.forget()
        assert catalogue.feed_position() == FeedPosition(3, pruned)


def test_events_that_nobody_reads_get_old_too() -> None:
    catalogue, clock = MemoryCatalogue(), HandDrivenClock(TIME)
    add_events(catalogue, 3)
    retention = EventRetention(catalogue, clock, RetentionSettings(timedelta(days=5), interval_seconds=60.0))
    retention.forget()
    assert catalogue.feed_position() == FeedPosition(3, 0)
    clock.advance(5 * DAY_SECONDS + 60)
    retention.forget()
    assert catalogue.feed_position() == FeedPosition(3, 3)


def test_a_clock_that_is_set_forward_makes_nothing_old(world: World) -> None:
    add_events(world.catalogue.adapter, 2)
    world.catalogue.adapter.number_events()
    retention = EventRetention(world.catalogue.port, world.clock)
    world.clock.jump(365 * DAY_SECONDS)
    retention.forget()
    assert world.catalogue.adapter.feed_position() == FeedPosition(2, 0)


def test_it_is_looked_no_oftener_than_it_should() -> None:
    world = World()
    retention = EventRetention(world.catalogue.port, world.clock, RetentionSettings(interval_seconds=60.0))
    for _ in range(5):
        retention.forget()
        world.clock.advance(20)
    assert world.catalogue.calls["prune_events"] == 2


def test_the_dispatcher_forgets_what_is_old() -> None:
    world = World()
    dispatcher = world.dispatcher()
    add_events(world.catalogue.adapter, 2, first=5)
    world.catalogue.adapter.number_events()
    world.let_pass(1, dispatcher)
    world.clock.advance(40 * DAY_SECONDS)
    world.let_pass(2, dispatcher)
    assert world.catalogue.adapter.feed_position().pruned_revision == 2
