"""The console's session: a caller's token, kept by the browser in a cookie that no script can read.

Nothing is stored here. The cookie goes with requests of this very site alone (`SameSite=Strict`), and whoever posts has
to be a page of ours besides.
"""

import json
import re
from typing import Any, Final

import grpc
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recording_service.http_api.console.same_origin import require_same_origin
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import Problem
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.settings import HttpSettings
from recordings.errors import FieldViolation, RecordingsError
from recordings.v1.lookup_pb2 import ListRecordingsRequest

#: How long a browser keeps the session, in seconds: a working day.
SESSION_SECONDS: Final = 12 * 3600
#: The largest body of a sign-in, in bytes.
MAX_BODY_BYTES: Final = 4096

#: The names of the cookie. Browsers take `__Host-` only from https, for the whole site and no other.
_SECURE_NAME: Final = "__Host-recording_session"
_PLAIN_NAME: Final = "recording_session"
#: What can be a token, in a cookie and in metadata.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}")


def session_token(request: Request, *, is_secure: bool) -> str:
    """The token of the session; empty if there is none, or what can't be one.

    By https only that name counts by which no sibling domain can set a cookie: it would have somebody work in another
    one's session. For the same reason one that came twice is none.
    """
    name = _SECURE_NAME if is_secure else _PLAIN_NAME
    fields = "; ".join(request.headers.getlist("cookie"))
    if sum(1 for field in fields.split(";") if field.partition("=")[0].strip() == name) != 1:
        return ""
    token = request.cookies.get(name, "")
    return token if _TOKEN.fullmatch(token) else ""


class Sessions:
    """The endpoints by which a person signs in and out."""

    def __init__(self, client: RecordingClient, settings: HttpSettings) -> None:
        self._client = client
        self._timeout_seconds = settings.call_timeout_seconds
        self._requires_credentials = settings.requires_credentials
        self._is_secure = settings.is_secure
        self._public_url = settings.public_url

    async def answer(self, request: Request) -> Response:
        """GET shows, POST signs in, DELETE signs out."""
        match request.method:
            case "POST":
                return await self.sign_in(request)
            case "DELETE":
                return await self.sign_out(request)
            case _:
                return await self.show(request)

    async def show(self, request: Request) -> Response:
        """Whether one has to sign in, and whether one is signed in with a token that is still good."""
        token = session_token(request, is_secure=self._is_secure)
        is_open = bool(token) and await self._opens(token, request)
        return JSONResponse(
            {"required": self._requires_credentials, "open": is_open}, headers={"Cache-Control": "no-store"}
        )

    async def sign_in(self, request: Request) -> Response:
        """`{"token": …}`: 204 and the cookie, if the service knows the token and it may read.

        Raises:
            Problem: 403 for another site's page, 415, 413, 400 for a body that isn't one; 401 for a token that is none,
                and 403 for one that may not read.
        """
        require_same_origin(request, self._public_url)
        token = await _token_of(request)
        if not await self._opens(token, request):
            raise Problem(401, "UNAUTHENTICATED", "This token is not known here. Is it complete?")
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        response.set_cookie(
            _SECURE_NAME if self._is_secure else _PLAIN_NAME,
            token,
            max_age=SESSION_SECONDS,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """204, and the cookie is gone. Idempotent."""
        require_same_origin(request, self._public_url)
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        for name, secure in ((_SECURE_NAME, True), (_PLAIN_NAME, False)):
            response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")
        return response

    async def _opens(self, token: str, request: Request) -> bool:
        """Whether the service takes the token for somebody who may read. Raises RecordingsError where it can't say."""
        identity = CallIdentity.of_token(request, token)
        try:
            await self._client.list_recordings(ListRecordingsRequest(page_size=1), identity, self._timeout_seconds)
        except RecordingsError as failure:
            if failure.code is grpc.StatusCode.UNAUTHENTICATED:
                return False
            raise
        return True


async def _token_of(request: Request) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", "A sign-in is sent as application/json.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise Problem(413, "BODY_TOO_LARGE", f"A sign-in has at most {MAX_BODY_BYTES} bytes.")
    try:
        given: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(400, "INVALID_REQUEST", "The body is no JSON.") from None
    token = given.get("token") if isinstance(given, dict) else None
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise Problem.invalid(FieldViolation("token", "is missing or malformed"))
    return token
