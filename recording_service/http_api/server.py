"""Runs the adapter on a socket: start, wait, stop. Signals are the caller's business."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

from uvicorn import Server

from recording_service.http_api.app import build_app
from recording_service.http_api.connections.busy import busy_app
from recording_service.http_api.connections.connection import (
    UNSENT_BYTES,
    ConnectionLimits,
    GuardedConfig,
    GuardedConnection,
    limit_unsent,
)
from recording_service.http_api.connections.request_bodies import RequestLimits
from recording_service.http_api.settings import HttpSettings

#: Connections that the kernel holds until they are accepted.
_BACKLOG = 1024
#: How long requests that were cancelled may take to end, in seconds.
_CANCELLED_SECONDS = 2.0


class _Server(Server):
    """uvicorn's server, which tells when it has started and leaves signals alone."""

    def __init__(self, config: GuardedConfig) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """The HTTP adapter as a running server.

    Parameters:
        host: the address to listen on.
        port: 0 picks a free one; see `port` after `start`.
    """

    def __init__(self, settings: HttpSettings, host: str, port: int) -> None:
        self._settings = settings
        self._host = host
        self._port = port
        self._app = build_app(settings)
        self._server = _Server(self._config())
        self._serving: asyncio.Task[None] | None = None
        self._open = contextlib.AsyncExitStack()

    @property
    def port(self) -> int:
        """The port that is listened on, once started."""
        return self._port

    async def start(self) -> None:
        """Bind, open the channel, and return once requests are answered. To be called once.

        Raises:
            OSError: the address can't be had.
        """
        async with contextlib.AsyncExitStack() as unless_started:
            listener = unless_started.enter_context(self._listener())
            self._port = listener.getsockname()[1]
            # Not by uvicorn: that would end the process where it fails, and close the channel under open streams.
            await unless_started.enter_async_context(self._app.router.lifespan_context(self._app))
            self._serving = asyncio.create_task(self._server.serve([listener]))
            up = asyncio.create_task(self._server.up.wait())
            unless_started.callback(up.cancel)
            await asyncio.wait((self._serving, up), return_when=asyncio.FIRST_COMPLETED)
            if self._serving.done():
                await self._serving
            self._open = unless_started.pop_all()

    async def wait(self) -> None:
        """Return when the server has ended, by `stop` or by itself."""
        if self._serving is not None:
            await asyncio.shield(self._serving)

    async def stop(self, grace_seconds: float) -> None:
        """Take no more requests, let those under way end, and cut what is left after the grace. Idempotent.

        A stream that is cut ends short of its Content-Length, so its player asks again by Range elsewhere.
        """
        if self._serving is None:
            return
        self._app.state.stopping.set()
        # uvicorn only hands it to asyncio.wait_for, which takes fractions.
        self._server.config.timeout_graceful_shutdown = grace_seconds  # type: ignore[assignment]
        self._server.should_exit = True
        await asyncio.shield(self._serving)
        state = self._server.server_state
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=_CANCELLED_SECONDS)
        # A connection whose client doesn't read would stay open until it does.
        for connection in list(state.connections):
            connection.transport.abort()
        await self._open.aclose()

    def _listener(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self._port), family=family, backlog=_BACKLOG)
        # Connections inherit it. asyncio sets it only where it has made the listener itself, and without it a short
        # body waits up to 40 ms for the client to acknowledge the header (Nagle's algorithm and delayed ACKs).
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        limit_unsent(listener, UNSENT_BYTES)
        return listener

    def _config(self) -> GuardedConfig:
        settings = self._settings
        config = GuardedConfig(
            self._app,
            http=GuardedConnection,
            ws="none",
            lifespan="off",
            loop="asyncio",
            # Logging is the composition root's; access lines are ours, because uvicorn's have the query.
            log_config=None,
            log_level="warning",
            access_log=False,
            # Client addresses are not used, so nobody has to be believed about them.
            proxy_headers=False,
            server_header=False,
            limit_concurrency=settings.max_connections,
            timeout_keep_alive=settings.keep_alive_seconds,
            backlog=_BACKLOG,
        )
        config.limits = ConnectionLimits(
            settings.header_timeout_seconds, settings.header_limit_bytes, settings.write_stall_seconds
        )
        config.request_limits = RequestLimits(settings.body_timeout_seconds, settings.body_limit_bytes)
        config.busy_app = busy_app(settings)
        return config
