"""Header fields that every answer has, whatever it is (reliability.md C13, C15); a page has its own policy."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FIELDS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_POLICY: Final = "Content-Security-Policy"
#: For what is no page. `media-src`: a recording that is opened by itself is a page around its own address.
_NO_PAGE: Final = "default-src 'none'; media-src 'self'; sandbox"


class SecurityHeaders:
    """Middleware that adds the fields. A policy that the answer has already is left as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def adorned(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_FIELDS)
                headers.setdefault(_POLICY, _NO_PAGE)
            await send(message)

        await self._app(scope, receive, adorned)
