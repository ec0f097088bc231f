"""A feed of changes in memory, for tests. It can be made to fail."""

from collections.abc import Sequence
from threading import Condition, Lock

from recording_service.core.ports import Change


class MemoryChangeSubscription:
    """Implements `ports.ChangeSubscription`."""

    def __init__(self, feed: "MemoryChangeFeed") -> None:
        self._feed = feed
        self._news = Condition()
        self._heard: list[Change] = []
        self._closed = False

    def next(self, timeout_seconds: float) -> Sequence[Change]:
        """What has been heard; waits at most that long for the first. Nothing, at once, when it is closed."""
        if self._feed.fail_with is not None:
            raise self._feed.fail_with
        with self._news:
            self._news.wait_for(lambda: self._heard or self._closed, timeout_seconds)
            heard, self._heard = self._heard, []
            return heard

    def close(self) -> None:
        """Lets it go, and wakes whoever waits. Idempotent."""
        self._feed.forget(self)
        with self._news:
            self._closed = True
            self._news.notify_all()

    def hear(self, changes: Sequence[Change]) -> None:
        """Takes changes in."""
        with self._news:
            if not self._closed:
                self._heard.extend(changes)
                self._news.notify_all()


class MemoryChangeFeed:
    """Implements `ports.ChangeFeed` within one process. Safe to use from many threads."""

    def __init__(self) -> None:
        #: What `publish` and `next` raise, as long as it is set. What is published meanwhile is lost.
        self.fail_with: Exception | None = None
        self._lock = Lock()
        self._subscriptions: list[MemoryChangeSubscription] = []

    def publish(self, changes: Sequence[Change]) -> None:
        """Tells whoever listens."""
        if self.fail_with is not None:
            raise self.fail_with
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.hear(changes)

    def subscribe(self) -> MemoryChangeSubscription:
        """Listens from now on."""
        subscription = MemoryChangeSubscription(self)
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def forget(self, subscription: MemoryChangeSubscription) -> None:
        """Takes a subscription off the list. Idempotent."""
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def close(self) -> None:
        """Closes every subscription. Idempotent."""
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.close()
