"""One client connection, with the limits that uvicorn leaves out: on the header, and on a client that takes nothing."""

import asyncio
import socket
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from recording_service.http_api.connections.request_bodies import BoundedConfig, BoundedProtocol

#: What a header field takes besides its name and value: a colon, a space and a line break.
_FIELD_OVERHEAD = 4
#: Bytes beyond the client's window that the kernel takes of an answer. By default it takes 4 MiB: fetched in vain when
#: a browser seeks, and held for every paused player.
UNSENT_BYTES = 128 * 1024
#: The same for a client that has proven to be fast, as one that downloads: it is woken for less often.
FAST_UNSENT_BYTES = 1024 * 1024
#: A client that makes room within so many seconds is quick, and after so many times in a row it is fast: some
#: megabytes, more than browsers fetch of a recording before they pause.
_QUICK_SECONDS, _QUICK_TIMES = 0.1, 64


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds for a request's header and without progress of an answer; bytes of a header."""

    header_seconds: float
    header_bytes: int
    write_stall_seconds: float


class GuardedConfig(BoundedConfig):
    """uvicorn's configuration, with the limits of a connection."""

    limits: ConnectionLimits


def limit_unsent(connection: socket.socket, unsent_bytes: int) -> None:
    """Sets what the kernel takes beyond the client's window; of a listener it is for its connections to come."""
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, unsent_bytes)


class HeaderTooLarge(Exception):
    """Raised into the parser to refuse a header; the answer is 400, and the connection is closed."""


class GuardedConnection(BoundedProtocol):
    """uvicorn's HTTP/1.1 protocol with three guards besides those of a body, and larger buffers for those who are fast.

    A header has to be complete `header_seconds` after the connection, or after the first byte of a further request,
    and within `header_bytes` (slow-header attacks; uvicorn has no such limits). A connection whose client takes no byte
    for `write_stall_seconds` is aborted, also while it is closing. And when it is lost every request on it hears so:
    uvicorn tells only the last of several pipelined ones.
    """

    def __init__(
        self,
        config: GuardedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = config.limits
        self._header_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._paused_at = 0.0
        self._quick_times = 0
        self._in_header = False
        self._header_bytes = 0
        self._cycles: list[RequestResponseCycle] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first header; where connections run out, an idle one makes room."""
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency - 1:
            self._close_longest_idle()
        super().connection_made(transport)
        self._start_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request on the connection."""
        self._stop_header_timer()
        self.resume_writing()
        for cycle in self._cycles:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, within the limits of a header."""
        if self._header_timer is None and all(cycle.response_complete for cycle in self._cycles):
            self._start_header_timer()
        super().data_received(data)
        if self._in_header and not self.transport.is_closing():
            self._header_bytes += len(data)
            if self._header_bytes > self._limits.header_bytes:
                self.send_400_response("Request header too large.")

    def on_message_begin(self) -> None:
        """A header begins."""
        self._in_header = True
        self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A header is complete: its request begins."""
        self._in_header = False
        self._stop_header_timer()
        fields = sum(len(name) + len(value) + _FIELD_OVERHEAD for name, value in self.headers)
        if len(self.url) + fields > self._limits.header_bytes:
            raise HeaderTooLarge
        super().on_headers_complete()
        self._cycles = [cycle for cycle in self._cycles if not cycle.response_complete]
        self._cycles.append(self.cycle)

    def pause_writing(self) -> None:
        """The client is slower than we are: see that it makes progress at all."""
        super().pause_writing()
        self._paused_at = self.loop.time()
        self._stall_timer = self.loop.call_later(self._limits.write_stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has taken what was there."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
            self._note_pace(self.loop.time() - self._paused_at)
        super().resume_writing()

    def _close_longest_idle(self) -> None:
        """Closes the connection that has been without a request for longest: for as little as that none is refused.

        Twilio doesn't come again after a refusal (twilio.md A3).
        """
        guarded = [one for one in self.connections if isinstance(one, GuardedConnection)]
        idle = [(timer.when(), one) for one in guarded if (timer := one.timeout_keep_alive_task) is not None]
        if idle:
            min(idle, key=itemgetter(0))[1].transport.close()

    def _note_pace(self, seconds: float) -> None:
        """The client has made room after so long."""
        was_fast = self._quick_times >= _QUICK_TIMES
        self._quick_times = self._quick_times + 1 if seconds <= _QUICK_SECONDS else 0
        is_fast = self._quick_times >= _QUICK_TIMES
        if is_fast != was_fast and not self.transport.is_closing():
            limit_unsent(self.transport.get_extra_info("socket"), FAST_UNSENT_BYTES if is_fast else UNSENT_BYTES)

    def _start_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self._limits.header_seconds, self._header_overdue)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _header_overdue(self) -> None:
        self._header_timer = None
        self.transport.abort()
