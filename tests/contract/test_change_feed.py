"""What every feed of changes does (`ports.ChangeFeed`)."""

import threading
import time
from collections.abc import Sequence

import pytest

from recording_service.core.errors import QueueUnavailable
from recording_service.core.ports import Change, ChangeSubscription
from tests.contract.queues import BreakableFeed
from tests.support.waiting import eventually

ACCOUNT = "AC" + "a" * 32

#: Longer than any test waits for what it expects.
PATIENCE_SECONDS = 20.0


def change(number: int, revision: int = 1) -> Change:
    return Change(ACCOUNT, f"RE{number:032x}", revision)


def hear(subscription: ChangeSubscription, count: int) -> list[Change]:
    """That many changes, however they are split."""
    heard: list[Change] = []

    def all_heard() -> bool:
        heard.extend(subscription.next(PATIENCE_SECONDS))
        return len(heard) >= count

    eventually(all_heard, within=PATIENCE_SECONDS)
    return heard


class Listener(threading.Thread):
    """Waits for changes beside the test."""

    def __init__(self, subscription: ChangeSubscription) -> None:
        super().__init__(daemon=True)
        self.subscription = subscription
        self.waits = threading.Event()
        self.heard: Sequence[Change] | None = None

    def run(self) -> None:
        self.waits.set()
        self.heard = self.subscription.next(PATIENCE_SECONDS)


def test_who_listens_hears_of_every_change_in_order(breakable_feed: BreakableFeed) -> None:
    subscription = breakable_feed.feed.subscribe()
    breakable_feed.feed.publish([change(1), change(2)])
    breakable_feed.feed.publish([change(1, revision=2)])

    assert hear(subscription, 3) == [change(1), change(2), change(1, revision=2)]


def test_who_listens_hears_of_changes_from_then_on(breakable_feed: BreakableFeed) -> None:
    breakable_feed.feed.publish([change(1)])
    subscription = breakable_feed.feed.subscribe()
    breakable_feed.feed.publish([change(2)])

    assert hear(subscription, 1) == [change(2)]


def test_everyone_who_listens_hears(breakable_feed: BreakableFeed) -> None:
    subscriptions = [breakable_feed.feed.subscribe() for _ in range(3)]
    breakable_feed.feed.publish([change(1)])

    assert [hear(subscription, 1) for subscription in subscriptions] == [[change(1)]] * 3


def test_a_change_ends_the_wait_for_it(breakable_feed: BreakableFeed) -> None:
    listener = Listener(breakable_feed.feed.subscribe())
    listener.start()
    listener.waits.wait(PATIENCE_SECONDS)
    breakable_feed.feed.publish([change(1)])
    listener.join(PATIENCE_SECONDS / 2)

    assert listener.heard == [change(1)]


def test_the_wait_for_a_change_is_no_longer_than_was_said(breakable_feed: BreakableFeed) -> None:
    subscription = breakable_feed.feed.subscribe()

    started = time.monotonic()
    assert list(subscription.next(0.05)) == []
    assert 0.04 < time.monotonic() - started < 5.0
    assert list(subscription.next(0.0)) == []


def test_nothing_is_published_without_harm(breakable_feed: BreakableFeed) -> None:
    subscription = breakable_feed.feed.subscribe()
    breakable_feed.feed.publish([])
    breakable_feed.feed.publish([change(1)])

    assert hear(subscription, 1) == [change(1)]


def test_closing_a_subscription_ends_the_wait_for_changes(breakable_feed: BreakableFeed) -> None:
    listener = Listener(breakable_feed.feed.subscribe())
    listener.start()
    listener.waits.wait(PATIENCE_SECONDS)
    listener.subscription.close()
    listener.join(PATIENCE_SECONDS / 2)

    assert not listener.is_alive()
    assert list(listener.heard or ()) == []


def test_a_closed_subscription_hears_nothing_and_closes_twice(breakable_feed: BreakableFeed) -> None:
    closed, other = breakable_feed.feed.subscribe(), breakable_feed.feed.subscribe()
    closed.close()
    closed.close()
    breakable_feed.feed.publish([change(1)])

    assert list(closed.next(0.0)) == []
    assert hear(other, 1) == [change(1)]


def test_a_feed_that_is_away_says_so_and_is_heard_again_when_it_is_back(breakable_feed: BreakableFeed) -> None:
    subscription = breakable_feed.feed.subscribe()
    breakable_feed.break_down()
    for _ in range(2):
        with pytest.raises(QueueUnavailable):
            breakable_feed.feed.publish([change(1)])
        with pytest.raises(QueueUnavailable):
            subscription.next(PATIENCE_SECONDS)

    breakable_feed.mend()
    assert list(subscription.next(0.0)) == []
    breakable_feed.feed.publish([change(2)])
    assert hear(subscription, 1) == [change(2)]


def test_listening_may_begin_while_the_feed_is_away(breakable_feed: BreakableFeed) -> None:
    breakable_feed.break_down()
    subscription = breakable_feed.feed.subscribe()
    with pytest.raises(QueueUnavailable):
        subscription.next(PATIENCE_SECONDS)

    breakable_feed.mend()
    assert list(subscription.next(0.0)) == []
    breakable_feed.feed.publish([change(1)])
    assert hear(subscription, 1) == [change(1)]
