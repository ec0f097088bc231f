"""DeliveryRows of core/event_ports.py, over every catalogue: one an event, claimed by one, fenced by its attempt."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from recording_service.core.event_ports import Delivery, DeliveryCounts, PrunedEvents
from recording_service.core.ports import Catalogue
from tests.support.events import SECOND, add_events, forget_oldest
from tests.support.recordings import TIME
from tests.support.simultaneous import simultaneously

LEASE = timedelta(seconds=45)
LONGEST = timedelta(hours=24)


def scheduled(catalogue: Catalogue, count: int, *, first: int = 1) -> None:
    """There are that many deliveries, due at TIME."""
    catalogue.begin_deliveries()
    add_events(catalogue, count, first=first)
    catalogue.number_events()
    assert catalogue.schedule_deliveries(TIME, 100) == count


def claim(catalogue: Catalogue, now: datetime = TIME, size: int = 10) -> Sequence[Delivery]:
    return catalogue.claim_deliveries(now, LEASE, LONGEST, size)


def claimed(catalogue: Catalogue, now: datetime = TIME, size: int = 10) -> list[tuple[int, int]]:
    """Revision and attempt of what is claimed."""
    return [(delivery.event.revision, delivery.attempt) for delivery in claim(catalogue, now, size)]


def test_nothing_is_delivered_before_deliveries_have_begun(catalogue: Catalogue) -> None:
    add_events(catalogue, 2)
    catalogue.number_events()
    assert catalogue.schedule_deliveries(TIME, 10) == 0
    assert claim(catalogue) == []
    assert catalogue.count_deliveries() == DeliveryCounts(0, 0)


def test_events_from_the_beginning_of_deliveries_on_are_delivered_once_each(catalogue: Catalogue) -> None:
    add_events(catalogue, 2)
    catalogue.number_events()
    for _ in range(2):
        catalogue.begin_deliveries()
    add_events(catalogue, 3, first=3)
    catalogue.number_events()
    assert [catalogue.schedule_deliveries(TIME, 2) for _ in range(3)] == [2, 1, 0]
    assert claimed(catalogue) == [(3, 1), (4, 1), (5, 1)]
    assert catalogue.schedule_deliveries(TIME, 2) == 0


def test_an_event_that_was_written_before_and_numbered_after_is_delivered(catalogue: Catalogue) -> None:
    add_events(catalogue, 1)
    catalogue.begin_deliveries()
    catalogue.number_events()
    assert catalogue.schedule_deliveries(TIME, 10) == 1


def test_a_delivery_has_the_event(catalogue: Catalogue) -> None:
    scheduled(catalogue, 2)
    assert [delivery.event for delivery in claim(catalogue)] == catalogue.events(0, 10)


def test_what_is_claimed_is_nobody_elses_until_the_claim_lapses(catalogue: Catalogue) -> None:
    scheduled(catalogue, 3)
    assert claimed(catalogue, size=2) == [(1, 1), (2, 1)]
    assert claimed(catalogue, size=2) == [(3, 1)]
    assert claimed(catalogue, TIME + LEASE - SECOND) == []
    assert claimed(catalogue, TIME + LEASE) == [(1, 2), (2, 2), (3, 2)]


def test_each_is_claimed_by_one_of_many(catalogue: Catalogue) -> None:
    scheduled(catalogue, 20)
    taken = simultaneously([lambda: claimed(catalogue, size=3)] * 12)
    assert sorted(one for each in taken for one in each) == [(revision, 1) for revision in range(1, 21)]


def test_what_waits_longest_is_first(catalogue: Catalogue) -> None:
    scheduled(catalogue, 3)
    for delivery, seconds in zip(claim(catalogue), (3, 1, 2), strict=True):
        assert catalogue.put_off_delivery(delivery, TIME + seconds * SECOND, failed=True)
    assert claimed(catalogue, TIME + 2 * SECOND) == [(2, 2), (3, 2)]
    assert claimed(catalogue, TIME + 3 * SECOND) == [(1, 2)]


def test_what_was_delivered_or_given_up_has_ended(catalogue: Catalogue) -> None:
    scheduled(catalogue, 3)
    first, second, third = claim(catalogue)
    assert catalogue.end_delivery(first, delivered=True, now=TIME)
    assert catalogue.end_delivery(second, delivered=False, now=TIME)
    assert catalogue.count_deliveries() == DeliveryCounts(1, 1)
    for ended in (first, second):
        assert not catalogue.end_delivery(ended, delivered=True, now=TIME)
        assert not catalogue.put_off_delivery(ended, TIME, failed=True)
    assert claimed(catalogue, TIME + LEASE) == [(third.event.revision, 2)]


def test_the_last_word_of_an_attempt_that_was_taken_over_is_not_heard(catalogue: Catalogue) -> None:
    scheduled(catalogue, 1)
    (late,) = claim(catalogue)
    (current,) = claim(catalogue, TIME + LEASE)
    assert not catalogue.end_delivery(late, delivered=False, now=TIME)
    assert not catalogue.put_off_delivery(late, TIME, failed=True)
    assert claim(catalogue, TIME + LEASE) == []
    assert catalogue.end_delivery(current, delivered=True, now=TIME)


def test_only_what_the_receiver_did_not_take_is_counted_as_a_failure(catalogue: Catalogue) -> None:
    scheduled(catalogue, 1)
    claim(catalogue)
    # That one's sender died; the next one is stopped.
    (stopped,) = claim(catalogue, TIME + LEASE)
    catalogue.put_off_delivery(stopped, TIME, failed=False)
    (refused,) = claim(catalogue)
    assert (refused.attempt, refused.failures) == (3, 0)
    # Noted twice, as where nobody knows whether the first note was committed.
    for _ in range(2):
        assert catalogue.put_off_delivery(refused, TIME, failed=True)
    (again,) = claim(catalogue)
    assert (again.attempt, again.failures) == (4, 1)


def test_no_delivery_waits_for_a_time_that_only_a_wrong_clock_can_have_set(catalogue: Catalogue) -> None:
    scheduled(catalogue, 2)
    for delivery in claim(catalogue):
        catalogue.put_off_delivery(delivery, TIME + LONGEST + delivery.event.revision * SECOND, failed=True)
    assert claimed(catalogue, TIME + SECOND) == [(2, 2)]
    assert claimed(catalogue, TIME) == [(1, 2)]


def test_nothing_is_claimed_while_deliveries_are_held_back(catalogue: Catalogue) -> None:
    scheduled(catalogue, 1)
    catalogue.hold_deliveries(TIME + SECOND, TIME + LONGEST)
    assert claimed(catalogue) == []
    assert claimed(catalogue, TIME + SECOND) == [(1, 1)]
    catalogue.hold_deliveries(TIME + 10 * LEASE, TIME + LONGEST)
    catalogue.resume_deliveries()
    assert claimed(catalogue, TIME + 2 * LEASE) == [(1, 2)]


def test_nothing_is_held_back_to_a_time_that_only_a_wrong_clock_can_have_set(catalogue: Catalogue) -> None:
    scheduled(catalogue, 1)
    catalogue.hold_deliveries(TIME + LONGEST + SECOND, TIME + LONGEST)
    assert claimed(catalogue) == [(1, 1)]


def test_a_shorter_hold_ends_no_longer_one(catalogue: Catalogue) -> None:
    scheduled(catalogue, 1)
    for seconds in (5, 10, 1):
        catalogue.hold_deliveries(TIME + seconds * SECOND, TIME + LONGEST)
    assert claimed(catalogue, TIME + 9 * SECOND) == []
    assert claimed(catalogue, TIME + 10 * SECOND) == [(1, 1)]


def test_a_hold_that_only_a_wrong_clock_can_have_set_gives_way_to_a_shorter_one(catalogue: Catalogue) -> None:
    scheduled(catalogue, 1)
    catalogue.hold_deliveries(TIME + LONGEST + SECOND, TIME + 2 * LONGEST)
    catalogue.hold_deliveries(TIME + SECOND, TIME + LONGEST)
    assert claimed(catalogue) == []
    assert claimed(catalogue, TIME + SECOND) == [(1, 1)]


def test_deliveries_are_forgotten_with_their_events(catalogue: Catalogue) -> None:
    scheduled(catalogue, 3)
    first, *_ = claim(catalogue)
    forget_oldest(catalogue, 2)
    assert not catalogue.end_delivery(first, delivered=True, now=TIME)
    assert catalogue.count_deliveries() == DeliveryCounts(1, 0, forgotten=2)
    assert claimed(catalogue, TIME + LEASE) == [(3, 2)]


def test_events_that_are_forgotten_before_their_delivery_has_ended_are_counted(catalogue: Catalogue) -> None:
    add_events(catalogue, 1)
    catalogue.number_events()
    scheduled(catalogue, 3, first=2)
    delivered, given_up, _ = claim(catalogue)
    catalogue.end_delivery(delivered, delivered=True, now=TIME)
    catalogue.end_delivery(given_up, delivered=False, now=TIME)
    # One more, of which no delivery was made yet.
    add_events(catalogue, 1, first=5)
    catalogue.number_events()
    catalogue.age_events(SECOND)
    assert catalogue.prune_events(SECOND, 3) == PrunedEvents(3, 0)
    assert catalogue.prune_events(SECOND, 3) == PrunedEvents(2, 2)
    assert catalogue.count_deliveries() == DeliveryCounts(0, 0, forgotten=2)
    assert catalogue.schedule_deliveries(TIME, 10) == 0


def test_deliveries_go_on_though_the_feed_begins_anew(catalogue: Catalogue) -> None:
    scheduled(catalogue, 1)
    add_events(catalogue, 1, first=2)
    catalogue.number_events()
    begin = catalogue.begin_feed_anew(TIME).revision
    add_events(catalogue, 1, first=3)
    catalogue.number_events()
    assert [catalogue.schedule_deliveries(TIME, 1) for _ in range(3)] == [1, 1, 0]
    assert claimed(catalogue) == [(1, 1), (2, 1), (begin + 1, 1)]
