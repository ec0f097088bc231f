"""A listening socket and its event loop, in a thread of their own; it goes down and comes up again on the same port."""

import asyncio
import functools
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine

from recording_service.twilio_stand_in.connection import Connection

#: Connections the kernel keeps until they are accepted.
BACKLOG = 1024

#: Seconds that starting, stopping, going down and coming up may take.
CONTROL_SECONDS = 10.0

Serve = Callable[[Connection], Awaitable[None]]


class Listener:
    """Accepts connections and serves each in a task of its own, so that a stalled one costs no thread.

    Methods may be called from any thread but the listener's own. An unexpected error while serving is raised by `stop`.
    """

    def __init__(self, serve: Serve, host: str, port: int) -> None:
        self._serve = serve
        self._host = host
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listening: socket.socket | None = None
        #: Bound but not listening: while down, it keeps others from taking the port, and connecting to it is refused.
        self._placeholder: socket.socket | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._accepted = 0
        self._errors: list[BaseException] = []

    @property
    def port(self) -> int:
        """The port listened on; before the start the one asked for, 0 for any."""
        return self._port

    def start(self) -> None:
        """Listens, and serves from then on. Raises OSError when the port is taken."""
        if self._loop is not None:
            raise RuntimeError("the stand-in runs already")
        placeholder = self._bound()
        self._port = placeholder.getsockname()[1]
        self._placeholder = placeholder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_run, args=(self._loop,), name="twilio-stand-in", daemon=True)
        self._thread.start()
        try:
            self.up()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Cuts all connections, ends the thread, and raises what went wrong while serving, if anything. Idempotent."""
        if self._loop is None or self._thread is None:
            return
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONTROL_SECONDS)
        self._loop, self._thread = None, None
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None
        if self._errors:
            raise self._errors.pop()

    def down(self) -> None:
        """Cuts all connections and refuses new ones; the port stays ours. Idempotent."""
        self._control(self._go_down)

    def up(self) -> None:
        """Listens, again if it has been down, on the same port. Idempotent."""
        self._control(self._come_up)

    def _control(self, change: Callable[[asyncio.AbstractEventLoop], Coroutine[None, None, None]]) -> None:
        if self._loop is None:
            raise RuntimeError("the stand-in is not running")
        asyncio.run_coroutine_threadsafe(change(self._loop), self._loop).result(CONTROL_SECONDS)

    def _bound(self) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            bound.setblocking(False)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self._host, self._port))
        except OSError:
            bound.close()
            raise
        return bound

    async def _come_up(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._listening is not None:
            return
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None
        self._listening = self._bound()
        self._listening.listen(BACKLOG)
        loop.add_reader(self._listening, self._accept, loop, self._listening)

    async def _go_down(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._listening is not None:
            loop.remove_reader(self._listening)
            # Without the shutdown a forked child's copy of the socket would go on listening.
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
            self._placeholder = self._bound()
        serving = list(self._connections)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def _accept(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
        """Takes all waiting connections. Not `sock_accept`: cancelled at the wrong moment, it loses an open one."""
        while True:
            try:
                client, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            connection = Connection(client, self._accepted, loop)
            self._accepted += 1
            task = loop.create_task(self._served(connection))
            self._connections[task] = connection
            task.add_done_callback(functools.partial(self._ended, connection))

    async def _served(self, connection: Connection) -> None:
        await self._serve(connection)

    def _ended(self, connection: Connection, task: asyncio.Task[None]) -> None:
        connection.close()
        del self._connections[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._errors.append(error)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
