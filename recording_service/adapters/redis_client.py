"""How this service connects to Redis, and what it makes of Redis's errors. Nothing else knows of either."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, RedisError
from redis.retry import Retry

from recording_service.core.errors import QueueUnavailable

#: How long a caller waits for Redis to accept a connection, and for each answer, in seconds. Twilio waits 15 s in all,
#: and redis-py's own defaults come to 58 s for a Redis that swallows everything (reliability.md A1).
API_TIMEOUT_SECONDS = 1.0

#: More than the server has threads: none of them ever waits for another one's connection.
API_CONNECTIONS = 1024

#: How long a worker waits to be connected, in seconds.
WORKER_CONNECT_TIMEOUT_SECONDS = 5.0

#: How long a worker waits for an answer, in seconds. RQ wants 10 s more than its dequeues last, and would raise it on
#: the client itself (rq/worker/base.py:428-441).
WORKER_TIMEOUT_SECONDS = 15.0

#: How often a worker tries again when its connection breaks, and the first pause, in seconds; each next one is twice as
#: long. redis-py tries to connect as often again within each try: about 3.5 s in all, enough for a Redis that is being
#: restarted. Silence is not tried again: each try would cost the whole time-out.
WORKER_RETRIES = 3
WORKER_FIRST_PAUSE_SECONDS = 0.1

#: RESP2: with RESP3, redis-py's default, each new connection costs a round trip more, and over TCP one more for
#: notifications that only a managed Redis has; and every work-horse connects anew.
_PROTOCOL = 2


def api_client(url: str) -> Redis:
    """A client for those who answer callers: quick to give up, safe for many threads. Connects when it is first used.

    No retry: a lost answer says nothing about what Redis did, and the callers know how to ask again. No health checks:
    a connection that was closed is noticed before it is used (redis/connection.py:3274), and keep-alive closes one that
    has vanished.
    Never to be given to an RQ worker, which raises the time-outs of the client it works with. ValueError for a URL that
    is none of `unix://`, `redis://`, `rediss://`.
    """
    return Redis.from_url(
        url,
        protocol=_PROTOCOL,
        socket_connect_timeout=API_TIMEOUT_SECONDS,
        socket_timeout=API_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        max_connections=API_CONNECTIONS,
    )


def worker_client(url: str) -> Redis:
    """A client for one RQ worker process and its work-horses: patient. ValueError as for `api_client`."""
    return Redis.from_url(
        url,
        protocol=_PROTOCOL,
        socket_connect_timeout=WORKER_CONNECT_TIMEOUT_SECONDS,
        socket_timeout=WORKER_TIMEOUT_SECONDS,
        retry=Retry(
            # redis-py doubles before the first pause already (redis/backoff.py).
            ExponentialBackoff(cap=1.0, base=WORKER_FIRST_PAUSE_SECONDS / 2),
            WORKER_RETRIES,
            supported_errors=(RedisConnectionError,),
        ),
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turns whatever Redis has against a call (unreachable, too slow, out of memory, …) into QueueUnavailable.

    DataError stays as it is: redis-py was given what is no key or value, which is a bug of ours.
    """
    try:
        yield
    except DataError:
        raise
    except RedisError as error:
        raise QueueUnavailable from error
