"""The harness's Redis, through all its lives."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from tests.faults.redis_process import RedisKey, RedisProcess
from tests.support.processes import Process
from tests.support.waiting import eventually


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path / "redis", append_only=False) as running:
        yield running


def put(redis: RedisProcess, name: str) -> None:
    with redis.client() as client:
        client.set(name, "1")


def names(redis: RedisProcess) -> set[bytes]:
    return {key.name for key in redis.dump()}


def test_is_reached_by_its_url_and_nothing_is_lost_by_a_kill(redis: RedisProcess) -> None:
    with Redis.from_url(redis.url) as client:
        client.set("kept", "1")
    first, port = redis.process_id, redis.port
    redis.kill()
    redis.kill()
    with redis.client() as client, pytest.raises(RedisConnectionError):
        client.ping()
    redis.start()
    assert (names(redis), redis.port) == ({b"kept"}, port)
    assert redis.process_id != first


def test_without_an_append_only_file_everything_is_lost_by_a_kill(forgetful: RedisProcess) -> None:
    put(forgetful, "lost")
    forgetful.save_snapshot()
    forgetful.kill()
    forgetful.start()
    assert names(forgetful) == set()


@pytest.mark.parametrize("append_only", [True, False])
def test_wakes_up_with_an_old_snapshot_and_keeps_what_comes_then(tmp_path: Path, append_only: bool) -> None:
    with RedisProcess(tmp_path / "redis", append_only=append_only) as redis:
        put(redis, "old")
        first = redis.save_snapshot()
        put(redis, "newer")
        redis.save_snapshot()
        put(redis, "newest")

        redis.restore_snapshot(first)
        assert names(redis) == {b"old"}
        put(redis, "since then")
        redis.kill()
        redis.start()
        assert names(redis) == ({b"old", b"since then"} if append_only else set())

        redis.restore_snapshot()
        assert names(redis) == {b"old", b"newer"}


def test_starts_empty(redis: RedisProcess) -> None:
    put(redis, "lost")
    redis.start_empty()
    assert names(redis) == set()
    redis.kill()
    redis.start_empty()
    assert names(redis) == set()


def test_is_flushed(redis: RedisProcess) -> None:
    put(redis, "lost")
    redis.flush()
    assert names(redis) == set()


def test_a_frozen_one_accepts_and_goes_on_when_it_is_thawed(redis: RedisProcess) -> None:
    with Redis(port=redis.port, socket_timeout=0.3, protocol=2, retry=Retry(NoBackoff(), 0)) as client:
        client.ping()
        redis.freeze()
        with pytest.raises(RedisTimeoutError):
            client.set("sent while frozen", "1")
        redis.thaw()
    eventually(lambda: names(redis) == {b"sent while frozen"})


def test_can_be_killed_while_it_is_frozen(redis: RedisProcess) -> None:
    redis.freeze()
    redis.kill()
    redis.start()
    assert names(redis) == set()


def test_asks_for_its_password_and_shows_it_to_nobody(tmp_path: Path) -> None:
    with RedisProcess(tmp_path / "redis", password="a-canary") as redis:
        no_retry = Retry(NoBackoff(), 0)
        with Redis(port=redis.port, protocol=2, retry=no_retry) as client, pytest.raises(AuthenticationError):
            client.ping()
        with Redis.from_url(redis.url) as client:
            assert client.ping()
        assert b"a-canary" not in Path(f"/proc/{redis.process_id}/cmdline").read_bytes()
        assert "a-canary" not in redis.log_file.read_text()
        assert redis.dump() == []


def test_dumps_every_key_whole(redis: RedisProcess) -> None:
    with redis.client() as client:
        client.set("string", b"\x00\xff canary-1")
        client.hset("hash", mapping={"field": "canary-2"})
        client.rpush("list", "a", "canary-3")
        client.sadd("set", "canary-4")
        client.zadd("zset", {"canary-5": 1.5})
        client.xadd("stream", {"field": "canary-6"}, id="7-1")
        client.mset({f"many-{number}": "" for number in range(2000)})
    found = {key.name: key for key in redis.dump()}
    assert len(found) == 2006
    assert [found[name] for name in (b"string", b"hash", b"list", b"set", b"zset", b"stream")] == [
        RedisKey(b"string", "string", b"\x00\xff canary-1"),
        RedisKey(b"hash", "hash", b"field\ncanary-2"),
        RedisKey(b"list", "list", b"a\ncanary-3"),
        RedisKey(b"set", "set", b"canary-4"),
        RedisKey(b"zset", "zset", b"canary-5\n1.5"),
        RedisKey(b"stream", "stream", b"7-1\nfield\ncanary-6"),
    ]


def test_says_why_it_does_not_start(tmp_path: Path) -> None:
    with RedisProcess(tmp_path / "redis") as redis, closing(RedisProcess(tmp_path / "other")) as other:
        other.port = redis.port
        with pytest.raises(AssertionError, match="Address already in use"):
            other.start()


PARENT = """
import sys, time
from pathlib import Path
from tests.faults.redis_process import RedisProcess
redis = RedisProcess(Path(sys.argv[1]))
redis.start()
print(redis.process_id, flush=True)
time.sleep(60)
"""


def test_outlives_the_thread_that_started_it(redis: RedisProcess) -> None:
    redis.kill()
    thread = threading.Thread(target=redis.start)
    thread.start()
    thread.join()
    put(redis, "here")
    assert names(redis) == {b"here"}


def test_leaves_no_thread_and_no_process_behind(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    with RedisProcess(tmp_path / "redis") as redis:
        process = Process.at(redis.process_id)
    redis.close()
    assert not process.is_alive()
    assert set(threading.enumerate()) <= threads
    with pytest.raises(RuntimeError, match="does not run"):
        redis.freeze()


def test_dies_with_its_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "redis")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        redis = Process.at(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        redis.wait_for_end()
