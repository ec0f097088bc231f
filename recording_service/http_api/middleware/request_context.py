"""What every request has: an id that runs from here through gRPC to the worker's log line, and one access log line."""

import asyncio
import logging
import re
import time
import uuid
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recording_service.http_api.problems import Problem, problem_response

logger = logging.getLogger(__name__)

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
#: Headers an id is taken from, in this order. Twilio's token is the same for each delivery of one webhook.
_SOURCES: Final = ("x-request-id", "i-twilio-idempotency-token")
#: Longer paths are cut in the log, in characters.
_LOGGED_PATH: Final = 200


def request_id_of(headers: Headers) -> str:
    """The caller's id if it is harmless in a log and in metadata, else a new one."""
    for name in _SOURCES:
        value = headers.get(name, "")
        if _REQUEST_ID.fullmatch(value):
            return value
    return uuid.uuid4().hex


class RequestContext:
    """Outermost middleware: sets `request.state.request_id`, answers it as `X-Request-Id`, writes the access log.

    The log line has the path as it came (percent-encoded, so no line breaks) and never the query: tokens are in it.
    A request that is cancelled because the process stops is answered 503, or cut where its answer has begun.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        request_id = request_id_of(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        sent_bytes = 0

        async def observed(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            elif scope["method"] != "HEAD":
                sent_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except asyncio.CancelledError:
            # Only the server cancels a request, when its grace is over. It is this task's last breath: nobody above
            # needs the cancellation, and uvicorn would log it as a crash of ours.
            if not status:
                stopping = Problem(503, "SERVER_DRAINING", "The service is stopping.", headers={"Retry-After": "1"})
                await problem_response(stopping, request_id)(scope, receive, observed)
        finally:
            logger.info(
                "%s %s %s %dB %dms request_id=%s",
                scope["method"],
                scope["raw_path"].decode("ascii", "backslashreplace")[:_LOGGED_PATH],
                status or "-",
                sent_bytes,
                round((time.monotonic() - started) * 1000),
                request_id,
            )
