"""Telling of changes over Redis pub/sub: one channel, one message a change. Nothing is kept; who is away misses it."""

import logging
import time
from collections.abc import Mapping, Sequence
from threading import Event, Lock
from typing import Any

from redis import Redis
from redis.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from recording_service.adapters.redis_client import API_TIMEOUT_SECONDS, redis_errors
from recording_service.core.ports import Change

_log = logging.getLogger(__name__)

# redis-py gives the first subscription a log handler that prints to stderr, unless there is a logger of that name
# (redis/utils.py, _set_info_logger).
logging.getLogger("push_response")

#: Where changes are told: `<account_sid> <recording_sid> <revision>`.
CHANNEL = "recordings:changes"

#: How long a listener goes without looking whether it was closed, in seconds.
_SLICE_SECONDS = 0.2


class RedisChangeFeed:
    """Implements `ports.ChangeFeed`. Safe to use from many threads."""

    def __init__(self, client: Redis) -> None:
        """`client` is one of `redis_client.api_client`; `close` closes it."""
        self._client = client

    def publish(self, changes: Sequence[Change]) -> None:
        """Tells whoever listens, in one round trip. Raises QueueUnavailable."""
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            for change in changes:
                pipeline.publish(CHANNEL, f"{change.account_sid} {change.recording_sid} {change.revision}")
            pipeline.execute()

    def subscribe(self) -> "RedisChangeSubscription":
        """Listens from now on, or from when Redis can be reached: the first `next` says which."""
        subscription = RedisChangeSubscription(self._client)
        subscription.try_to_listen()
        return subscription

    def close(self) -> None:
        """Closes every connection. Idempotent."""
        self._client.close()


class RedisChangeSubscription:
    """Implements `ports.ChangeSubscription`."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._pubsub: PubSub | None = None
        self._closed = Event()
        #: Held by whoever uses the connection.
        self._lock = Lock()

    def try_to_listen(self) -> None:
        """Begins to listen, if Redis can be reached."""
        with self._lock:
            try:
                self._listen()
            except RedisError as error:
                self._let_go()
                _log.warning("not listening for changes yet error=%s", type(error).__name__)

    def next(self, timeout_seconds: float) -> Sequence[Change]:
        """What has been heard; waits at most that long for the first. Nothing once it is closed.

        Raises QueueUnavailable when the connection is lost, and as long as there is no new one.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._lock, redis_errors():
            try:
                pubsub = self._listen()
                message = self._first(pubsub, deadline)
                heard = []
                while message is not None:
                    if (change := _parsed(message)) is not None:
                        heard.append(change)
                    message = pubsub.get_message(ignore_subscribe_messages=True, timeout=0.0)
            except RedisError:
                self._let_go()
                if self._closed.is_set():
                    return ()
                raise
            return heard

    def close(self) -> None:
        """Lets it go, and has whoever waits return soon. Idempotent."""
        self._closed.set()
        with self._lock:
            self._let_go()

    def _first(self, pubsub: PubSub, deadline: float) -> Mapping[str, Any] | None:
        """The first message; None if there is none in time, or the subscription is closed."""
        while not self._closed.is_set():
            left = deadline - time.monotonic()
            message: Mapping[str, Any] | None = pubsub.get_message(
                ignore_subscribe_messages=True, timeout=max(0.0, min(left, _SLICE_SECONDS))
            )
            if message is not None or left <= 0:
                return message
        return None

    def _listen(self) -> PubSub:
        """The subscription to the channel, which Redis has confirmed: whatever is told from now on is heard."""
        if self._pubsub is not None:
            return self._pubsub
        if self._closed.is_set():
            raise RedisConnectionError("the subscription is closed")
        pubsub: PubSub = self._client.pubsub()  # type: ignore[no-untyped-call]
        self._pubsub = pubsub
        pubsub.subscribe(CHANNEL)
        if pubsub.get_message(timeout=API_TIMEOUT_SECONDS) is None:
            raise RedisConnectionError("the subscription was not confirmed in time")
        return pubsub

    def _let_go(self) -> None:
        if self._pubsub is not None:
            self._pubsub.close()
            self._pubsub = None


def _parsed(message: Mapping[str, Any]) -> Change | None:
    """The change that a message tells of; None, with a log line, if it is none of ours."""
    try:
        account_sid, recording_sid, revision = message["data"].decode("ascii").split(" ")
        return Change(account_sid, recording_sid, int(revision))
    except ValueError:
        _log.warning("a message that tells of no change was ignored")
        return None
