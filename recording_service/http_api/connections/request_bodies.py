"""What a client may send after a header: a body in time and within bounds, no trailers, few requests at once.

uvicorn bounds none of it. A body that no route reads would keep its connection for as long as it drips; trailers would
be appended to the header, where a proxy has not looked at them; and of one packet with 14 000 pipelined requests each
would be held until its turn.
"""

import asyncio
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from recording_service.http_api.middleware.request_context import request_id_of
from recording_service.http_api.problems import Problem, problem_response

logger = logging.getLogger(__name__)

#: Requests that may wait on a connection for the answer to another one. No browser and no proxy pipelines.
_MAX_WAITING: Final = 16
#: How much larger than the body its chunks may be: one of a single byte takes six.
_FRAMING: Final = 8
#: How long a refused client may take to read why, in seconds: closing at once would reset the connection under it.
_LINGER_SECONDS: Final = 1.0
#: What it may still send meanwhile.
_LINGER_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Seconds from the end of a header to that of its body, and bytes of the body."""

    body_seconds: float
    body_bytes: int


class BoundedConfig(Config):
    """uvicorn's configuration, with the limits of a request, and what answers when there are too many connections."""

    request_limits: RequestLimits
    busy_app: ASGIApp


class RequestRefused(Exception):
    """Raised into the parser to end the connection; `BoundedProtocol` says why, if it can."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, with bounds for what comes after a header, and problems for plain text.

    Whatever is refused is answered with a problem document and the end of the connection; where an answer has begun
    already, or another one is due first, with the end of the connection alone.
    """

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._request_limits = config.request_limits
        self._busy_app = config.busy_app
        self._in_body = False
        self._body_bytes = 0
        self._framed_bytes = 0
        self._body_timer: asyncio.TimerHandle | None = None
        self._refusal: Problem | None = None
        self._farewell: asyncio.TimerHandle | None = None
        self._dropped_bytes = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._end_body()
        if self._farewell is not None:
            self._farewell.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what a refused client still sends is dropped."""
        if self._farewell is not None:
            self._dropped_bytes += len(data)
            if self._dropped_bytes > _LINGER_BYTES:
                self.transport.abort()
            return
        super().data_received(data)
        if self._in_body:
            self._framed_bytes += len(data)
            if self._framed_bytes > _FRAMING * self._request_limits.body_bytes:
                self._refuse(self._too_large())

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the header; or a trailer, which is none."""
        if self._in_body:
            raise self._refused(Problem(400, "TRAILERS_REFUSED", "A body may not be followed by header fields."))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A header is complete: if a body follows, its clock starts."""
        if len(self.pipeline) >= _MAX_WAITING:
            raise self._refused(Problem(400, "TOO_MANY_REQUESTS_AT_ONCE", "Wait for an answer now and then."))
        fields = Headers(raw=self.headers)
        announced = int(fields.get("content-length", "0"))
        if announced > self._request_limits.body_bytes:
            raise self._refused(self._too_large())
        super().on_headers_complete()
        if announced or "transfer-encoding" in fields:
            self._in_body = True
            self._body_bytes = self._framed_bytes = 0
            self._body_timer = self.loop.call_later(self._request_limits.body_seconds, self._body_overdue)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(body)
        if self._body_bytes > self._request_limits.body_bytes:
            raise self._refused(self._too_large())
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body has come."""
        self._end_body()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could not read, or was told not to."""
        self._refuse(self._refusal or Problem(400, "BAD_REQUEST", msg))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        chosen: Any = self._busy_app if app is service_unavailable else app
        super()._start_asgi_task(cycle, chosen)

    def _body_overdue(self) -> None:
        self._refuse(Problem(408, "REQUEST_TIMEOUT", "The body did not arrive in time."))

    def _end_body(self) -> None:
        self._in_body = False
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    def _too_large(self) -> Problem:
        return Problem(413, "BODY_TOO_LARGE", f"A body has at most {self._request_limits.body_bytes} bytes.")

    def _refused(self, problem: Problem) -> RequestRefused:
        # The parser passes on that its callback failed, not how.
        self._refusal = problem
        return RequestRefused()

    def _refuse(self, problem: Problem) -> None:
        """Answer, if the client is waiting for this answer and no other, and end the connection."""
        if self._farewell is not None or self.transport.is_closing():
            return
        unanswered = self._unanswered()
        if unanswered is None:
            # Either all is answered and one more request can't be read, or the body of an answered one goes on.
            answerable = not self._in_body
        else:
            answerable = self._in_body and not self.pipeline and not unanswered.response_started
            # Its app must neither go on waiting nor answer as well.
            unanswered.disconnected = True
            unanswered.message_event.set()
        self._end_body()
        if not answerable:
            self.transport.close()
            return
        self._farewell = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)
        self.transport.write(self._answer(problem))
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _unanswered(self) -> RequestResponseCycle | None:
        """The latest request, unless it is answered already."""
        # Before the first request there is none, though uvicorn's types say so.
        latest: Any = self.cycle
        return None if latest is None or latest.response_complete else latest

    def _answer(self, problem: Problem) -> bytes:
        # Before the first request on a connection there are none.
        request_id = request_id_of(Headers(raw=self.headers if self.headers else []))
        logger.info("request refused: %s request_id=%s", problem, request_id)
        response = problem_response(problem, request_id)
        fields = [
            *response.raw_headers,
            (b"x-request-id", request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        status = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()
        lines = [status, *(name + b": " + value for name, value in fields), b"", b""]
        return b"\r\n".join(lines) + bytes(response.body)
