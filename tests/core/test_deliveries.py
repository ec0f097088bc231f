"""Delivering events: each at least once, in spite of whatever dies or answers on the way."""

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from statistics import mean

import pytest

from recording_service.core.deliveries import EventSender
from recording_service.core.delivery_settings import DeliverySettings
from recording_service.core.errors import CatalogueUnavailable, QueueUnavailable
from recording_service.core.event_ports import DeliveryCounts, ReceiverAnswer
from recording_service.core.events import Event
from recording_service.core.ports import Change
from tests.support.core_world import World
from tests.support.events import add_events
from tests.support.failing_port import once, raising
from tests.support.waiting import eventually

OK, BUSY, GONE = ReceiverAnswer(200), ReceiverAnswer(503), ReceiverAnswer(410)
SILENT = ReceiverAnswer(None, problem="took too long")
SETTINGS = DeliverySettings(poll_seconds=0.01)

Answers = Callable[[Event], ReceiverAnswer]


class Receiver:
    """Answers as it is told; remembers what came."""

    def __init__(self, answer: Answers | ReceiverAnswer = OK) -> None:
        self.answer = answer
        self.came: list[int] = []
        self.closed = threading.Event()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def send(self, event: Event) -> ReceiverAnswer:
        with self._lock:
            self.came.append(event.revision)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self.answer if isinstance(self.answer, ReceiverAnswer) else self.answer(event)
        finally:
            with self._lock:
                self.at_once -= 1

    def close(self) -> None:
        self.closed.set()

    def has_come(self, count: int) -> Callable[[], bool]:
        """Whether it was asked so often."""
        return lambda: len(self.came) == count


def sender_of(world: World, receiver: Receiver, settings: DeliverySettings = SETTINGS) -> EventSender:
    return EventSender(
        catalogue=world.catalogue.port,
        receiver=receiver,
        changes=world.changes.port,
        clock=world.clock,
        settings=settings,
    )


@contextmanager
def sending(world: World, receiver: Receiver, settings: DeliverySettings = SETTINGS) -> Iterator[EventSender]:
    """A sender at work."""
    sender, stop = sender_of(world, receiver, settings), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sender.run, stop)
        try:
            yield sender
        finally:
            stop.set()
            running.result(30.0)


@pytest.fixture
def begun(world: World) -> World:
    """A world in which events are to be delivered."""
    world.catalogue.adapter.begin_deliveries()
    return world


def waiting(world: World) -> int:
    """How many deliveries have not ended, as far as they are made."""
    return world.catalogue.adapter.count_deliveries().pending


def has_ended(world: World, events: int) -> bool:
    adapter = world.catalogue.adapter
    return (
        adapter.number_events().revision == events
        and not adapter.schedule_deliveries(world.clock.now(), 1000)
        and (adapter.count_deliveries().pending == 0)
    )


# What follows from an answer


def test_waits_double_with_jitter_up_to_hours_and_end_after_three_days_in_the_mean() -> None:
    random.seed(3)
    settings = DeliverySettings()
    totals = []
    for _ in range(400):
        waits = [settings.delay_after(failures, BUSY) for failures in range(1, settings.budget)]
        assert None not in waits
        for failures, wait in enumerate(waits, start=1):
            assert wait is not None
            assert timedelta(0) <= wait <= timedelta(seconds=min(6 * 3600, 5 * 2 ** (failures - 1)))
        totals.append(sum((wait for wait in waits if wait is not None), timedelta(0)) / timedelta(days=1))
    assert settings.delay_after(settings.budget, BUSY) is None
    assert 2.8 < mean(totals) < 3.2
    assert min(totals) > 1.5


@pytest.mark.parametrize(("asked", "least"), [(120.0, 120.0), (10.0**9, 3600.0), (0.0, 0.0)])
def test_what_the_receiver_asks_for_is_waited_at_least_within_a_cap(asked: float, least: float) -> None:
    delay = DeliverySettings().delay_after(1, ReceiverAnswer(503, asked))
    assert delay is not None
    assert timedelta(seconds=least) <= delay <= timedelta(seconds=max(least, 5.0))


def test_no_wait_is_longer_than_what_is_taken_for_a_wrong_clock() -> None:
    settings = DeliverySettings()
    longest = max(settings.cap_seconds, settings.gone_seconds, settings.retry_after_cap_seconds, settings.lease_seconds)
    assert settings.longest_wait >= timedelta(seconds=longest)


# Delivering


def test_each_event_is_delivered_once_where_nothing_goes_wrong(begun: World) -> None:
    receiver = Receiver()
    add_events(begun.catalogue.adapter, 20)
    with sending(begun, receiver):
        add_events(begun.catalogue.adapter, 5, first=21)
        eventually(lambda: has_ended(begun, 25))
    assert sorted(receiver.came) == list(range(1, 26))
    assert receiver.closed.is_set()
    assert begun.catalogue.adapter.count_deliveries() == DeliveryCounts(0, 0)


def test_an_event_that_was_not_taken_comes_again_when_its_time_has_come(begun: World) -> None:
    receiver = Receiver(SILENT)
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        for count in (1, 2, 3):
            eventually(receiver.has_come(count))
            begun.clock.advance(3600)
        receiver.answer = OK
        eventually(lambda: has_ended(begun, 1))


def test_an_event_that_nobody_takes_is_given_up_said_and_kept(begun: World, caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver(BUSY)
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver, replace(SETTINGS, budget=3)):
        for count in (1, 2, 3):
            eventually(receiver.has_come(count))
            begun.clock.advance(3600)
        eventually(lambda: begun.catalogue.adapter.count_deliveries() == DeliveryCounts(0, 1))
    (given_up,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "given up after 3 failures" in given_up.getMessage()
    assert receiver.came == [1, 1, 1]


@pytest.mark.parametrize("status", [100, 199, 300, 301, 400, 404, 500])
def test_only_2xx_is_taken_for_a_yes(begun: World, status: int) -> None:
    receiver = Receiver(ReceiverAnswer(status))
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        eventually(lambda: receiver.came == [1])
        assert waiting(begun) == 1


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_2xx_is_taken_for_a_yes(begun: World, status: int) -> None:
    receiver = Receiver(ReceiverAnswer(status))
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        eventually(lambda: has_ended(begun, 1))


def test_a_slow_receiver_delays_no_more_than_there_is_room_for(begun: World) -> None:
    release = threading.Event()

    def answer(event: Event) -> ReceiverAnswer:
        if event.revision % 2:
            assert release.wait(30.0)
        return OK

    receiver = Receiver(answer)
    add_events(begun.catalogue.adapter, 6)
    with sending(begun, receiver, replace(SETTINGS, at_once=4)):
        eventually(lambda: {2, 4, 6} <= set(receiver.came))
        eventually(lambda: waiting(begun) == 3)
        release.set()
        eventually(lambda: has_ended(begun, 6))
    assert receiver.most_at_once <= 4


def test_a_receiver_that_fails_is_asked_for_one_at_a_time_until_it_is_back(begun: World) -> None:
    receiver = Receiver(SILENT)
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        eventually(lambda: receiver.came == [1])
        eventually(lambda: receiver.at_once == 0)
        receiver.most_at_once = 0
        add_events(begun.catalogue.adapter, 20, first=2)
        eventually(lambda: set(receiver.came) == set(range(1, 22)))
        assert receiver.most_at_once == 1
        receiver.answer = OK
        begun.clock.advance(60)
        eventually(lambda: has_ended(begun, 21))


# Held back


def test_a_receiver_that_is_gone_is_left_alone_for_a_day_and_nothing_is_lost(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Receiver(GONE)
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        eventually(lambda: receiver.came == [1])
        eventually(lambda: begun.catalogue.calls["put_off_delivery"] == 1)
        add_events(begun.catalogue.adapter, 3, first=2)
        begun.clock.advance(23 * 3600)
        eventually(lambda: waiting(begun) == 4)
        looks = begun.catalogue.calls["claim_deliveries"]
        eventually(lambda: begun.catalogue.calls["claim_deliveries"] > looks + 2)
        assert receiver.came == [1]
        receiver.answer = OK
        begun.clock.advance(2 * 3600)
        eventually(lambda: has_ended(begun, 4))
    assert "is gone (410)" in caplog.text


def test_a_receiver_that_is_gone_is_left_alone_although_it_has_asked_for_less_beside(begun: World) -> None:
    held = threading.Event()
    begun.catalogue.after["hold_deliveries"] = lambda *_: held.set()

    def answer(event: Event) -> ReceiverAnswer:
        if event.revision == 1:
            return GONE
        # Under way beside the first one, and answered when that is noted.
        assert held.wait(30.0)
        return ReceiverAnswer(503, 1.0)

    receiver = Receiver(answer)
    add_events(begun.catalogue.adapter, 2)
    with sending(begun, receiver):
        eventually(lambda: begun.catalogue.calls["put_off_delivery"] == 2)
        begun.clock.advance(3600)
        looks = begun.catalogue.calls["claim_deliveries"]
        eventually(lambda: begun.catalogue.calls["claim_deliveries"] > looks + 2)
        assert sorted(receiver.came) == [1, 2]


def test_a_receiver_that_asks_to_wait_is_not_asked_for_other_events_either(begun: World) -> None:
    receiver = Receiver(ReceiverAnswer(429, 120.0))
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        eventually(lambda: begun.catalogue.calls["put_off_delivery"] == 1)
        add_events(begun.catalogue.adapter, 1, first=2)
        begun.clock.advance(119)
        looks = begun.catalogue.calls["claim_deliveries"]
        eventually(lambda: begun.catalogue.calls["claim_deliveries"] > looks + 2)
        assert receiver.came == [1]
        receiver.answer = OK
        begun.clock.advance(10)
        eventually(lambda: has_ended(begun, 2))


# What dies on the way


def test_whatever_a_sender_has_claimed_and_not_ended_another_one_delivers(begun: World) -> None:
    catalogue, settings = begun.catalogue.adapter, SETTINGS
    add_events(catalogue, 3)
    catalogue.number_events()
    catalogue.schedule_deliveries(begun.clock.now(), 10)
    # By a sender that dies between the claim and the request, or between the answer and its note.
    catalogue.claim_deliveries(begun.clock.now(), timedelta(seconds=45), settings.longest_wait, 2)
    receiver = Receiver()
    with sending(begun, receiver):
        eventually(lambda: receiver.came == [3])
        begun.clock.advance(45)
        eventually(lambda: has_ended(begun, 3))
    assert sorted(receiver.came) == [1, 2, 3]


def test_senders_that_die_cost_nothing_of_the_budget_and_prolong_no_wait(begun: World) -> None:
    catalogue, lease = begun.catalogue.adapter, timedelta(seconds=45)
    add_events(catalogue, 1)
    catalogue.number_events()
    catalogue.schedule_deliveries(begun.clock.now(), 10)
    for _ in range(SETTINGS.budget - 1):
        assert catalogue.claim_deliveries(begun.clock.now(), lease, SETTINGS.longest_wait, 1)
        begun.clock.advance(45)
    receiver = Receiver(BUSY)
    with sending(begun, receiver):
        eventually(lambda: begun.catalogue.calls["put_off_delivery"] == 1)
        assert catalogue.count_deliveries() == DeliveryCounts(1, 0)
        receiver.answer = OK
        begun.clock.advance(SETTINGS.base_seconds)
        eventually(lambda: has_ended(begun, 1))


def test_an_answer_that_could_not_be_noted_has_the_event_delivered_once_more(
    begun: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recording_service.core.deliveries.NOTE_PAUSE_SECONDS", 0.0)
    receiver = Receiver()
    begun.catalogue.fail(CatalogueUnavailable(), "end_delivery")
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        eventually(lambda: begun.catalogue.calls["end_delivery"] == 5)
        begun.catalogue.mend()
        begun.clock.advance(45)
        eventually(lambda: has_ended(begun, 1))
    assert receiver.came == [1, 1]


def test_a_note_is_tried_again_where_the_catalogue_is_down_for_a_moment(
    begun: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recording_service.core.deliveries.NOTE_PAUSE_SECONDS", 0.0)
    receiver = Receiver()
    begun.catalogue.before["end_delivery"] = once(raising(CatalogueUnavailable()))
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        eventually(lambda: has_ended(begun, 1))
    assert receiver.came == [1]


def test_a_catalogue_that_is_down_only_costs_time(begun: World, caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver()
    begun.catalogue.fail(CatalogueUnavailable(), "number_events", "claim_deliveries")
    with sending(begun, receiver):
        add_events(begun.catalogue.adapter, 2)
        eventually(lambda: begun.catalogue.calls["number_events"] > 5)
        begun.catalogue.mend()
        eventually(lambda: has_ended(begun, 2))
    told = [record.getMessage() for record in caplog.records if "catalogue is unavailable" in record.getMessage()]
    assert len(told) == 1


def test_a_bug_on_the_way_costs_one_lease(begun: World) -> None:
    receiver = Receiver(lambda event: 1 // 0)  # type: ignore[arg-type, return-value]
    add_events(begun.catalogue.adapter, 1)
    with sending(begun, receiver):
        eventually(lambda: receiver.came == [1])
        receiver.answer = OK
        begun.clock.advance(45)
        eventually(lambda: has_ended(begun, 1))


def test_nothing_depends_on_hints(begun: World) -> None:
    begun.changes.fail(QueueUnavailable(), "subscribe")
    receiver = Receiver()
    sender = EventSender(
        catalogue=begun.catalogue.port, receiver=receiver, changes=None, clock=begun.clock, settings=SETTINGS
    )
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sender.run, stop)
        add_events(begun.catalogue.adapter, 1)
        eventually(lambda: has_ended(begun, 1))
        stop.set()
        running.result(30.0)


def test_a_hint_has_it_look_at_once(begun: World) -> None:
    receiver = Receiver()
    with sending(begun, receiver, replace(SETTINGS, poll_seconds=2.0)):
        eventually(lambda: begun.catalogue.calls["claim_deliveries"] == 1)
        (recording,) = add_events(begun.catalogue.adapter, 1)

        def heard() -> bool:
            begun.changes.adapter.publish([Change(*recording.key, 1)])
            return receiver.came == [1]

        eventually(heard, within=1.5)


def test_two_senders_share_the_work(begun: World) -> None:
    receivers = Receiver(), Receiver()
    with sending(begun, receivers[0]), sending(begun, receivers[1]):
        add_events(begun.catalogue.adapter, 40)
        eventually(lambda: has_ended(begun, 40))
    came = Counter(receivers[0].came + receivers[1].came)
    assert set(came) == set(range(1, 41))
    assert set(came.values()) == {1}


def test_what_is_under_way_when_a_sender_stops_is_due_for_the_next_one(begun: World) -> None:
    add_events(begun.catalogue.adapter, 1)
    receiver = Receiver()
    receiver.answer = lambda _: SILENT if receiver.closed.wait(30.0) else OK
    with sending(begun, receiver, replace(SETTINGS, stop_seconds=0.01)):
        eventually(lambda: receiver.came == [1])
    now = begun.clock.now()
    (left,) = begun.catalogue.adapter.claim_deliveries(now, timedelta(0), SETTINGS.longest_wait, 1)
    assert (left.attempt, left.failures) == (2, 0)
    following = Receiver()
    with sending(begun, following):
        eventually(lambda: has_ended(begun, 1))
    assert following.came == [1]
