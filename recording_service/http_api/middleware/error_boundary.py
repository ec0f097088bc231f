"""The last resort: an exception that nobody expected is logged with its traceback and answered without it."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recording_service.http_api.playback.range_stream import BodyCutShort
from recording_service.http_api.problems import Problem, problem_response

logger = logging.getLogger(__name__)


class ErrorBoundary:
    """Innermost middleware: a 500 of ours, so that it has the request id and the CORS fields like any other answer.

    Once an answer has begun there is nothing to say any more: the exception goes on to the server, which closes the
    connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def observed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        request_id = scope["state"]["request_id"]
        try:
            await self._app(scope, receive, observed)
        except BodyCutShort as error:
            logger.error("answer cut short: %s request_id=%s", error, request_id)
            raise
        except Exception:
            logger.exception("unexpected exception request_id=%s", request_id)
            if begun:
                raise
            await problem_response(Problem(500, "INTERNAL", "Something went wrong here."), request_id)(
                scope, receive, send
            )
