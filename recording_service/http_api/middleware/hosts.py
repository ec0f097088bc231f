"""Refuses names that aren't ours, where no credential keeps anybody out (DNS rebinding).

A page of somebody else's may have its own name lead to 127.0.0.1 and then read, as its own origin, what is there. The
browser tells by Host which name it was. Where credentials are asked for the page has none, and the name is nobody's
business: a proxy may say what it likes.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from recording_service.http_api.problems import Problem, problem_response

#: The names by which only this machine can be meant.
LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class KnownHosts:
    """Middleware: 421 for a Host that is none of these names; None: whatever it is. Without one it is no browser."""

    def __init__(self, app: ASGIApp, names: Collection[str] | None) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or self._names is None or self._is_known(Headers(scope=scope).getlist("host")):
            await self._app(scope, receive, send)
            return
        problem = Problem(
            421, "HOST_NOT_KNOWN", "This service has another name: open it by its public URL, or as 127.0.0.1."
        )
        await problem_response(problem, scope["state"]["request_id"])(scope, receive, send)

    def _is_known(self, hosts: list[str]) -> bool:
        return all(_name(host) in (self._names or ()) for host in hosts)


def _name(host: str) -> str:
    """The name in a Host, without its port; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
