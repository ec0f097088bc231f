"""What the routes for reading have in common: their methods, and what a path may end in."""

from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recording_service.http_api.playback.representation import EXTENSIONS

Endpoint = Callable[[Request], Awaitable[Response]]

_METHODS: Final = ("GET", "HEAD", "OPTIONS")


class _AudioExtension(Convertor[str]):
    """`{extension:audio}` in a path: an extension that a recording may be stored with. Others are no path of ours."""

    regex: ClassVar[str] = "|".join(sorted(EXTENSIONS))

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("audio", _AudioExtension())


def readable(path: str, endpoint: Endpoint) -> Route:
    """The route of a resource that can be read: GET and HEAD are the endpoint's, OPTIONS says that there are these."""

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(_METHODS)})
        return await endpoint(request)

    return Route(path, answer, methods=_METHODS)
