"""What is special about telling of changes over Redis."""

import logging
import time

import pytest
from redis import Redis

from recording_service.adapters import redis_changes
from recording_service.adapters.redis_changes import CHANNEL, RedisChangeFeed
from recording_service.core.errors import QueueUnavailable
from recording_service.core.ports import Change
from tests.support.redis_server import RedisServer

CHANGE = Change("AC" + "a" * 32, "RE" + "b" * 32, 7)

#: Longer than any test waits for what it expects.
PATIENCE_SECONDS = 20.0


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"AC RE",
        b"AC RE one",
        b"AC RE 1 more",
        b"\xff\xfe \xff 1",
        b"AC  RE 1",
        "AC RE \u0661".encode(),
        b"x" * 70_000,
    ],
)
def test_a_message_that_tells_of_no_change_is_passed_over_with_a_word(
    flushed: Redis, caplog: pytest.LogCaptureFixture, message: bytes
) -> None:
    feed = RedisChangeFeed(flushed)
    subscription = feed.subscribe()
    with caplog.at_level(logging.WARNING, logger=redis_changes.__name__):
        flushed.publish(CHANNEL, message)
        feed.publish([CHANGE])
        heard = list(subscription.next(PATIENCE_SECONDS))
        while not heard:
            heard += subscription.next(PATIENCE_SECONDS)

    assert heard == [CHANGE]
    assert [record.message for record in caplog.records] == ["a message that tells of no change was ignored"]
    subscription.close()


def test_a_connection_that_is_cut_is_said_once_and_replaced(flushed: Redis) -> None:
    feed = RedisChangeFeed(flushed)
    subscription = feed.subscribe()
    flushed.client_kill_filter(_type="pubsub")
    with pytest.raises(QueueUnavailable):
        subscription.next(PATIENCE_SECONDS)

    assert list(subscription.next(0.0)) == []
    feed.publish([CHANGE])
    assert list(subscription.next(PATIENCE_SECONDS)) == [CHANGE]
    subscription.close()


def test_a_redis_that_stands_still_holds_nobody_up(own_redis_server: RedisServer) -> None:
    client = Redis.from_url(own_redis_server.url, socket_timeout=0.2, retry=None)
    feed = RedisChangeFeed(client)
    subscription = feed.subscribe()
    own_redis_server.freeze()
    started = time.monotonic()
    with pytest.raises(QueueUnavailable):
        feed.publish([CHANGE])
    assert list(subscription.next(0.1)) == []
    late = feed.subscribe()
    with pytest.raises(QueueUnavailable):
        late.next(0.1)
    subscription.close()
    late.close()
    assert time.monotonic() - started < 5.0
    feed.close()


def test_closing_gives_the_connection_back(flushed: Redis) -> None:
    feed = RedisChangeFeed(flushed)
    for _ in range(3):
        feed.subscribe().close()

    assert flushed.pubsub_numsub(CHANNEL) == [(CHANNEL.encode(), 0)]


def test_listening_leaves_logging_as_it_was(flushed: Redis) -> None:
    RedisChangeFeed(flushed).subscribe().close()

    assert logging.getLogger("push_response").handlers == []
