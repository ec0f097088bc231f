"""Cross-origin reading of recordings by configured origins (the Fetch standard; reliability.md D2).

Not Starlette's middleware: that answers a preflight with 200 or a plain-text 400, exposes fields to every origin, and
knows no paths that have no business with browsers.
"""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recording_service.http_api.problems import Problem, problem_response

#: Only recordings are read by scripts; webhooks and probes are not.
_PREFIX: Final = "/recordings/"
_EXPOSED: Final = (
    "Content-Range, Accept-Ranges, ETag, Content-Disposition, Content-Length, Last-Modified, Retry-After, X-Request-Id"
)
_METHODS: Final = "GET, HEAD"
#: `Range: bytes=a-b` needs no preflight; its suffix form and the conditions do.
_HEADERS: Final = "Range, If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, X-Request-Id"
#: How long a browser may remember a preflight, in seconds.
_MAX_AGE: Final = "600"


class Cors:
    """Middleware: an allowed origin is echoed on every answer, errors too; no other is, and credentials never are.

    `Vary: Origin` is on every answer under the prefix, so that no cache hands one origin's answer to another.
    """

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")

        async def shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                fields.add_vary_header("Origin")
                if origin in self._origins:
                    fields["Access-Control-Allow-Origin"] = origin
                    fields["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        if scope["method"] == "OPTIONS" and origin and "access-control-request-method" in headers:
            await self._preflight(origin, scope["state"]["request_id"])(scope, receive, shared)
        else:
            await self._app(scope, receive, shared)

    def _preflight(self, origin: str, request_id: str) -> Response:
        if origin not in self._origins:
            return problem_response(
                Problem(403, "ORIGIN_NOT_ALLOWED", "Scripts of this origin may not read recordings."), request_id
            )
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Methods": _METHODS,
                "Access-Control-Allow-Headers": _HEADERS,
                "Access-Control-Max-Age": _MAX_AGE,
            },
        )
