"""A TCP proxy for the fault harness: it stands before Redis, or before Twilio's stand-in, and does what networks do."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from random import Random
from types import TracebackType

from tests.faults.proxy_connection import Address, Connection, Countdown, Counts, Direction, LostReply, Rules

__all__ = ["Address", "Direction", "TcpProxy"]

#: Longest wait, in seconds, for the proxy's own thread to do what it was told.
COMMAND_SECONDS = 10.0

#: Connections that wait to be accepted.
BACKLOG = 512


class TcpProxy:
    """Listens on a port of loopback and passes everything on to `upstream`, until it is told something else.

    Its methods may be called from any thread; each returns when what it asks for is in effect, for open connections and
    new ones. `refuse`, `black_hole`, `delay` and `mend` replace one another; the cuts hold beside a delay. While the
    upstream refuses, so does the proxy, after having accepted.
    """

    def __init__(self, upstream: Address, *, seed: int = 0) -> None:
        """`seed` is where the jitter comes from."""
        self._upstream = upstream
        self._rules = Rules(Random(seed))
        self._counts = Counts()
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._failures: list[BaseException] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listener: socket.socket | None = None
        self._listens = False

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1: the same while it refuses, and nobody else's. RuntimeError before `start`."""
        if self._listener is None:
            raise RuntimeError("the proxy does not run")
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """How many it has accepted."""
        return self._counts.connections

    @property
    def open_connections(self) -> int:
        """How many there are now."""
        return len(self._connections)

    @property
    def cuts(self) -> int:
        """How many it has cut, in whichever way."""
        return self._counts.cuts

    @property
    def replies_cut(self) -> int:
        """How many answers `cut_reply` has dropped: as many requests were executed, and nobody was told."""
        return self._counts.replies_cut

    @property
    def swallowed_bytes(self) -> int:
        """How many bytes, of both ways, black holes have taken."""
        return self._counts.swallowed_bytes

    @property
    def bytes_to_upstream(self) -> int:
        """How many it has passed on that way."""
        return self._counts.bytes_passed[Direction.TO_UPSTREAM]

    @property
    def bytes_to_client(self) -> int:
        """How many it has passed on that way."""
        return self._counts.bytes_passed[Direction.TO_CLIENT]

    def start(self) -> None:
        """Listens, and passes on. RuntimeError if it runs already."""
        if self._thread is not None:
            raise RuntimeError("the proxy runs already")
        self._listener = _bound_socket()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)
        self._thread.start()
        self._do(self._listen)

    def stop(self) -> None:
        """Ends everything: listener, connections, thread. Idempotent. Raises what went wrong in the proxy itself."""
        if self._loop is None or self._thread is None or self._listener is None:
            return
        self._do(self._refuse, self._cut_all)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(COMMAND_SECONDS)
        self._loop.close()
        self._listener.close()
        self._loop = self._thread = self._listener = None
        if self._failures:
            raise BaseExceptionGroup("the proxy failed", self._failures)

    def __enter__(self) -> "TcpProxy":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def refuse(self) -> None:
        """Cuts all connections; new ones are refused, as where nobody listens."""
        self._do(self._refuse, self._cut_all)

    def black_hole(self) -> None:
        """Accepts, reads, and neither passes anything on nor answers, nor tells one side of the other one's end."""
        self._do(self._open_hole)

    def delay(self, seconds: float, jitter: float = 0.0) -> None:
        """Holds every piece up by that long, and by something random from 0 to `jitter` seconds; each way."""

        def slow_down() -> None:
            self._rules.delay_seconds, self._rules.jitter_seconds = seconds, jitter

        self._do(self._mend, slow_down)

    def cut_after(self, byte_count: int, direction: Direction, times: int = 1) -> None:
        """Cuts the connection in which the last of so many more bytes pass that way, right behind that byte.

        Bytes of all connections count; after a cut they are counted anew, until so many cuts were made. ValueError for
        less than one byte.
        """
        if byte_count < 1:
            raise ValueError("a cut comes after one byte at least")
        self._do(lambda: self._rules.countdowns.update({direction: Countdown(byte_count, times)}))

    def cut_reply(self, matching: bytes, times: int = 1) -> None:
        """Has the answers to the next requests that contain these bytes get lost: executed, but nobody is told.

        The request is passed on; once the upstream has answered, the answer is dropped and the connection is cut. With
        it goes what was sent in the same connection before and is not answered yet (the rest of a pipeline).
        ValueError for no bytes.
        """
        if not matching:
            raise ValueError("every request contains no bytes")

        def lose() -> None:
            self._rules.lost_reply = LostReply(matching, times)

        self._do(lose)

    def mend(self) -> None:
        """Passes everything on again, and forgets the cuts that were not made.

        Connections in which something was swallowed are cut, as their streams can't go on.
        """
        self._do(self._forget_cuts, self._mend)

    # What follows runs in the proxy's thread.

    def _do(self, *steps: Callable[[], None]) -> None:
        """Has the proxy's thread do that, in one go, and waits until it is done."""
        if self._loop is None:
            raise RuntimeError("the proxy does not run")

        async def do() -> None:
            for step in steps:
                step()
            self._rules.changed()
            ending = [task for task in self._connections if task.cancelling()]
            if ending:
                await asyncio.wait(ending)

        done: Future[None] = asyncio.run_coroutine_threadsafe(do(), self._loop)
        done.result(COMMAND_SECONDS)

    def _listen(self) -> None:
        if self._loop is not None and self._listener is not None and not self._listens:
            self._listener.listen(BACKLOG)
            self._loop.add_reader(self._listener, self._accept)
            self._listens = True

    def _refuse(self) -> None:
        if self._loop is not None and self._listener is not None and self._listens:
            self._loop.remove_reader(self._listener)
            # Unlike close, this keeps the port: nobody else gets it in the meantime.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listens = False

    def _cut_all(self) -> None:
        self._cut(list(self._connections))

    def _cut(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            if not task.cancelling():
                task.cancel()
                self._counts.cuts += 1

    def _open_hole(self) -> None:
        self._mend()
        self._rules.black_hole = True

    def _forget_cuts(self) -> None:
        self._rules.countdowns.clear()
        self._rules.lost_reply = None
        for connection in self._connections.values():
            connection.forgive()

    def _mend(self) -> None:
        self._rules.black_hole = False
        self._rules.delay_seconds = self._rules.jitter_seconds = 0.0
        self._cut([task for task, connection in self._connections.items() if connection.has_hole])
        self._listen()

    def _accept(self) -> None:
        if self._loop is None or self._listener is None:
            return
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            client, _ = self._listener.accept()
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(client, self._upstream, self._rules, self._counts)
            task = self._loop.create_task(connection.run())
            self._connections[task] = connection
            self._counts.connections += 1
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._connections[task]
        if not task.cancelled() and (failure := task.exception()):
            self._failures.append(failure)


def _bound_socket() -> socket.socket:
    """A socket on a port of loopback that it keeps also while it does not listen.

    Linux keeps only a port that was asked for by its number (SOCK_BINDPORT_LOCK in inet_bind), hence the first socket.
    """
    with socket.socket() as finder:
        listener = socket.socket()
        for one in (finder, listener):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        finder.bind(("127.0.0.1", 0))
        listener.bind(finder.getsockname())
    listener.setblocking(False)
    return listener
