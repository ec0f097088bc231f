"""A Redis of the fault harness's own: killed, frozen, flushed, restarted empty or from an old snapshot, read out."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from recording_service.adapters.embedded_redis import find_redis_server
from recording_service.adapters.parent_death import bound_to_this_process
from tests.support.running_service import free_port
from tests.support.waiting import eventually

#: Longest wait for it to answer after a start, to end after a signal, and for each answer, in seconds.
START_SECONDS, END_SECONDS, ANSWER_SECONDS = 20.0, 10.0, 10.0

_SNAPSHOT = "dump.rdb"


@dataclass(frozen=True)
class RedisKey:
    """A key and everything that it holds."""

    name: bytes
    #: What TYPE says: `string`, `hash`, `list`, `set`, `zset` or `stream`.
    kind: str
    #: Values, and the fields, scores and ids that belong to them, one to a line.
    content: bytes


class RedisProcess:
    """A redis-server on a port of loopback, the same for all its lives. It dies with this process. Not for two threads.

    With `append_only` nothing that was answered is lost by a kill (appendfsync always); without, everything is.
    """

    def __init__(self, folder: Path, *, append_only: bool = True, password: str = "") -> None:
        """`folder` is for its files; FileNotFoundError where it can't be made."""
        self.port = free_port()
        self.log_file = folder / "redis.log"
        self._append_only = append_only
        self._password = password
        self._data = folder / "data"
        self._configuration = folder / "redis.conf"
        self._snapshots = folder / "snapshots"
        self._last_snapshot: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        # Linux has a child die with the thread that started it, and whoever calls `start` may end before Redis does.
        self._starter = ThreadPoolExecutor(1, "redis-starter")
        for directory in (self._data, self._snapshots):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Where it is reached, with its password."""
        userinfo = f":{quote(self._password, safe='')}@" if self._password else ""
        return f"redis://{userinfo}127.0.0.1:{self.port}/0"

    @property
    def process_id(self) -> int:
        """The process of its present life. RuntimeError if it does not run."""
        if self._process is None:
            raise RuntimeError("this Redis does not run")
        return self._process.pid

    def start(self) -> None:
        """Starts it with what it has kept; returns when it answers. RuntimeError if it runs already."""
        self._start(append_only=self._append_only)

    def start_empty(self) -> None:
        """Starts it with nothing, after a kill if it still runs."""
        self.kill()
        self._forget_data()
        self.start()

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL); returns when it is gone. Idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(END_SECONDS)
            self._process = None

    def close(self) -> None:
        """Kills it for good. Idempotent."""
        self.kill()
        self._starter.shutdown()

    def freeze(self) -> None:
        """Has it accept connections and answer nothing, until `thaw` or `kill`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Has it go on, with everything that was sent to it meanwhile."""
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        """Removes every key, as a careless operator would."""
        with self.client() as client:
            client.flushall()

    def save_snapshot(self) -> Path:
        """Keeps what it holds just now, for `restore_snapshot`."""
        with self.client() as client:
            client.save()
        snapshot = self._snapshots / f"{len(list(self._snapshots.iterdir()))}.rdb"
        # Moved, not copied: without its append-only file, it would otherwise wake up with this after a kill.
        self._last_snapshot = (self._data / _SNAPSHOT).rename(snapshot)
        return snapshot

    def restore_snapshot(self, snapshot: Path | None = None) -> None:
        """Starts it, after a kill if it still runs, with what it held when that snapshot (the last one) was made.

        What came later is lost. RuntimeError if there is no snapshot.
        """
        snapshot = snapshot or self._last_snapshot
        if snapshot is None:
            raise RuntimeError("no snapshot of this Redis was made")
        self.kill()
        self._forget_data()
        shutil.copyfile(snapshot, self._data / _SNAPSHOT)
        # Redis reads no snapshot where it is to read an append-only file, so that one is begun afterwards.
        self._start(append_only=False)
        (self._data / _SNAPSHOT).unlink()
        if self._append_only:
            with self.client() as client:
                client.config_set("appendonly", "yes")
                eventually(lambda: _append_only_file_is_whole(client), within=START_SECONDS, what="the new AOF")

    def dump(self) -> list[RedisKey]:
        """Everything that it holds."""
        with self.client() as client:
            return [found for name in client.scan_iter(count=1000) if (found := _read(client, name))]

    def client(self) -> Redis:
        """A client of the harness's own, straight to it, that never tries again; a context manager that closes it."""
        return Redis(
            port=self.port,
            password=self._password or None,
            protocol=2,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    def __enter__(self) -> "RedisProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, *, append_only: bool) -> None:
        if self._process is not None:
            raise RuntimeError("this Redis runs already")
        self._configuration.touch(0o600)
        self._configuration.write_text(self._options(append_only=append_only))
        self._process = self._starter.submit(self._spawned).result(START_SECONDS)
        with self.client() as client:
            eventually(lambda: self._answers(client), within=START_SECONDS, what="the start of Redis")

    def _spawned(self) -> "subprocess.Popen[bytes]":
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                bound_to_this_process([str(find_redis_server()), str(self._configuration)]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A Ctrl-C is for the harness.
                process_group=0,
            )

    def _options(self, *, append_only: bool) -> str:
        """In a file, as the arguments of a process are for everybody to see."""
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": f'"{self._data.resolve()}"',
            "dbfilename": _SNAPSHOT,
            "appendonly": "yes" if append_only else "no",
            "appendfsync": "always",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "requirepass": f'"{self._password}"',
        }
        return "".join(f"{name} {value}\n" for name, value in options.items())

    def _answers(self, client: Redis) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"Redis has ended: {self.log_file.read_text()[-1000:]}")
        try:
            # Somebody else's Redis may have got the port in the meantime.
            return bool(client.info("server")["process_id"] == self._process.pid)
        except RedisError:
            return False

    def _forget_data(self) -> None:
        shutil.rmtree(self._data)
        self._data.mkdir(mode=0o700)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("this Redis does not run")
        self._process.send_signal(number)


def _append_only_file_is_whole(client: Redis) -> bool:
    state: dict[str, Any] = client.info("persistence")
    return not state["aof_rewrite_in_progress"] and not state["aof_rewrite_scheduled"]


def _read(client: Redis, name: bytes) -> RedisKey | None:
    """A key's content; None if it is gone meanwhile. ValueError for a kind that only modules know."""
    kind = cast(bytes, client.type(name)).decode()
    if kind == "none":
        return None
    return RedisKey(name, kind, b"\n".join(_flat(_content(client, name, kind))))


def _content(client: Redis, name: bytes, kind: str) -> object:
    match kind:
        case "string":
            return client.get(name)
        case "hash":
            return client.hgetall(name)
        case "list":
            return client.lrange(name, 0, -1)
        case "set":
            return client.smembers(name)
        case "zset":
            return client.zrange(name, 0, -1, withscores=True)
        case "stream":
            return client.xrange(name)
    raise ValueError(f"Redis holds a {kind}, which can't be read")


def _flat(value: object) -> Iterator[bytes]:
    """Everything in an answer that is no container."""
    if isinstance(value, dict):
        yield from _flat(list(value.items()))
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from _flat(one)
    elif value is not None:
        yield value if isinstance(value, bytes) else str(value).encode()
