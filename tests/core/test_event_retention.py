"""Old events are forgotten, a piece at a time, and no sooner."""

import logging
from datetime import timedelta

import pytest

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.core import event_retention
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.event_ports import DeliveryCounts, FeedPosition
from recording_service.core.event_retention import EventRetention, RetentionSettings
from tests.support.clocks import HandDrivenClock
from tests.support.core_world import World
from tests.support.events import SECOND, add_events, ready
from tests.support.recordings import TIME, put

DAY_SECONDS = 24 * 3600.0
DAILY = RetentionSettings(timedelta(days=5), interval_seconds=DAY_SECONDS)


def count_time(retention: EventRetention, clock: HandDrivenClock, days: int) -> None:
    """Has it look once a day, so many times."""
    for _ in range(days):
        clock.advance(DAY_SECONDS)
        retention.forget()


def test_events_are_kept_for_their_time_and_then_forgotten_a_piece_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_retention, "PIECE_SIZE", 2)
    catalogue, clock = MemoryCatalogue(), HandDrivenClock(TIME)
    add_events(catalogue, 3)
    # Nobody reads the feed, so that none has a revision before the first look.
    retention = EventRetention(catalogue, clock, DAILY)
    retention.forget()
    count_time(retention, clock, 4)
    assert catalogue.feed_position() == FeedPosition(3, 0)
    count_time(retention, clock, 1)
    assert catalogue.feed_position() == FeedPosition(3, 2)
    # The piece was full: there is no reason to wait for the next one.
    retention.forget()
    assert catalogue.feed_position() == FeedPosition(3, 3)


def test_an_event_is_as_old_as_the_service_has_run_since_whatever_clocks_say(world: World) -> None:
    catalogue = world.catalogue.adapter
    put(catalogue, ready(1, update_time=TIME + timedelta(days=3650)), ready(2, update_time=TIME - timedelta(days=3650)))
    retention = EventRetention(world.catalogue.port, world.clock, DAILY)
    retention.forget()
    world.clock.jump(365 * DAY_SECONDS)
    count_time(retention, world.clock, 4)
    assert catalogue.feed_position() == FeedPosition(2, 0)
    world.clock.jump(-730 * DAY_SECONDS)
    count_time(retention, world.clock, 1)
    assert catalogue.feed_position() == FeedPosition(2, 2)


def test_another_dispatcher_counts_on_and_none_counts_for_the_time_that_it_stood_by() -> None:
    catalogue, clock = MemoryCatalogue(), HandDrivenClock(TIME)
    add_events(catalogue, 1)
    first, second = (EventRetention(catalogue, clock, DAILY) for _ in range(2))
    for retention in (first, second):
        retention.forget()
        count_time(retention, clock, 1)
        clock.advance(100 * DAY_SECONDS)
    first.forget()
    # A day each, and no more than two for all the time that the first one stood by.
    assert catalogue.feed_position() == FeedPosition(1, 0)
    count_time(first, clock, 1)
    assert catalogue.feed_position() == FeedPosition(1, 1)


def test_time_that_could_not_be_noted_is_counted_at_the_next_look(world: World) -> None:
    add_events(world.catalogue.adapter, 1)
    retention = EventRetention(world.catalogue.port, world.clock, DAILY)
    retention.forget()
    count_time(retention, world.clock, 3)
    world.catalogue.fail(CatalogueUnavailable(), "age_events")
    with pytest.raises(CatalogueUnavailable):
        count_time(retention, world.clock, 1)
    world.catalogue.mend()
    count_time(retention, world.clock, 1)
    assert world.catalogue.adapter.feed_position() == FeedPosition(1, 1)


def test_events_that_are_forgotten_undelivered_are_said_and_counted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = world.catalogue.adapter
    catalogue.begin_deliveries()
    add_events(catalogue, 3)
    retention = EventRetention(world.catalogue.port, world.clock, DAILY)
    retention.forget()
    catalogue.schedule_deliveries(world.clock.now(), 10)
    (delivery,) = catalogue.claim_deliveries(world.clock.now(), SECOND, SECOND, 1)
    catalogue.end_delivery(delivery, delivered=True, now=world.clock.now())
    count_time(retention, world.clock, 5)
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said.startswith("2 of the forgotten events were still to be delivered")
    assert catalogue.count_deliveries() == DeliveryCounts(0, 0, forgotten=2)


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
    world.let_pass(1, dispatcher)
    world.catalogue.adapter.age_events(timedelta(days=30) - SECOND)
    world.let_pass(61, dispatcher)
    assert world.catalogue.adapter.feed_position().pruned_revision == 2
