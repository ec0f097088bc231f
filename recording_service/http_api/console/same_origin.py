"""Refuses requests that another site's page makes a browser send, with the cookie it has for us (CSRF).

`SameSite` keeps the cookie from most of them; this keeps it from all, pages of sibling domains and rebound names too.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from recording_service.http_api.problems import Problem

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def require_same_origin(request: Request, public_url: str) -> None:
    """Return if a page of our own sent the request, or no page did.

    No browser sends an Authorization header by itself, so what carries one was meant by whoever sent it. Everything
    else has to carry the Origin of the public URL, as every browser's POST and DELETE does. Where the public URL is on
    loopback, its other names will do.

    Raises:
        Problem: 403, it was sent by another site's page, or can't be told from such.
    """
    if "authorization" in request.headers:
        return
    origins = request.headers.getlist("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or len(origins) != 1 or _place(origins[0]) != _place(public_url):
        raise Problem(
            403,
            "CROSS_SITE_REQUEST",
            "This may only be done from the console, opened by the service's public address.",
        )


def _place(address: str) -> tuple[str, str, int | None] | None:
    """What makes an origin; `None` for what is none, such as the `null` of a sandboxed page."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        return None
    host = "loopback" if parts.hostname in _LOOPBACK else parts.hostname
    return parts.scheme, host, port or {"http": 80, "https": 443}[parts.scheme]
