"""The console: one page, its styles, scripts and icon, served as they are from the package.

The files are read once, when the adapter starts, into a fixed table: a path that is not in it is 404, so there is no
path to traverse. They are asked for anew each time (`no-cache`) and answered 304 while they are the same, so that an
upgrade shows at once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recording_service.http_api.playback.conditions import Outcome, Validators, evaluate
from recording_service.http_api.routes import readable

_MEDIA_TYPES: Final[Mapping[str, str]] = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
#: Nothing from elsewhere, nothing inline, no frame around it; and no script of ours may turn text into markup.
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_PAGE: Final = "index.html"


@dataclass(frozen=True, slots=True)
class _File:
    """One file of the console, ready to be sent."""

    content: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "_File":
        return cls(content, _MEDIA_TYPES[name.rpartition(".")[2]], hashlib.sha256(content).hexdigest()[:32])

    async def answer(self, request: Request) -> Response:
        """The file, or that it is still the same."""
        headers = {"ETag": f'"{self.etag}"', "Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
        asked = request.headers.getlist("if-none-match")
        conditions = {"if-none-match": ", ".join(asked)} if asked else {}
        if evaluate(conditions, Validators(self.etag, None)) is Outcome.NOT_MODIFIED:
            return Response(status_code=304, headers=headers)
        return Response(self.content, 200, {**headers, "Content-Type": self.media_type})


def console_routes() -> list[Route]:
    """A route for each file; the page itself is at `/`."""
    folder = files("recording_service.http_api.console").joinpath("static")
    found = {
        entry.name: _File.of(entry.name, entry.read_bytes())
        for entry in folder.iterdir()
        if entry.name.rpartition(".")[2] in _MEDIA_TYPES
    }
    page = found.pop(_PAGE)
    return [
        readable("/", page.answer),
        *(readable(f"/console/{name}", file.answer) for name, file in sorted(found.items())),
    ]
