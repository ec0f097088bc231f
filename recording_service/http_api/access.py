"""Who may read recordings over HTTP: whoever has a signed URL, or a caller's token in a header or the session's cookie.

Signatures are judged here. A token is handed on to the service, which knows the callers and their accounts: there is
one place where that is decided, and it isn't this one.
"""

import re
import time
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from recording_service.http_api.console.sessions import session_token
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.playback.representation import Disposition
from recording_service.http_api.problems import Problem
from recording_service.http_api.routes import Endpoint
from recording_service.http_api.settings import HttpSettings
from recording_service.signed_urls import Grant, Refusal, SignatureRefused, UrlVerifier

#: What makes a URL a signed one: then it is judged by that alone, whoever else has signed in.
_SIGNATURE: Final = "signature"
_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] ([!-~]{1,512})")
_ANY_DISPOSITION: Final[frozenset[Disposition]] = frozenset({"inline", "attachment"})


class Access:
    """Lets requests in, and notes on whose behalf their gRPC calls are made."""

    def __init__(self, settings: HttpSettings) -> None:
        self._verifier = UrlVerifier(settings.signing_keys)
        self._requires_credentials = settings.requires_credentials
        self._is_secure = settings.is_secure

    def of_listeners(self, endpoint: Endpoint, disposition: Disposition | None = None) -> Endpoint:
        """The endpoint, for callers and whoever has a URL that was signed for this disposition (None: for any)."""
        allowed = _ANY_DISPOSITION if disposition is None else frozenset({disposition})

        async def answer(request: Request) -> Response:
            if _SIGNATURE in request.query_params:
                expires = self._signed(request, allowed).expires
                shown = request.query_params[_SIGNATURE]
                CallIdentity.own(request, shown=shown, expires=expires).let_in(request)
            else:
                self._caller(request).let_in(request)
            return varying(await endpoint(request))

        return answer

    def of_callers(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, for callers alone: what it shows is more than a playback URL opens."""

        async def answer(request: Request) -> Response:
            self._caller(request).let_in(request)
            return varying(await endpoint(request))

        return answer

    def _caller(self, request: Request) -> CallIdentity:
        """Who has shown a token. Whether it is one, the service says.

        Raises:
            Problem: 401, none was shown where one is needed, or what was shown can't be one.
        """
        fields = request.headers.getlist("authorization")
        if fields:
            found = _BEARER.fullmatch(fields[0]) if len(fields) == 1 else None
            if found is None:
                raise _unauthenticated()
            return CallIdentity.of_token(request, found[1])
        token = session_token(request, is_secure=self._is_secure)
        if token:
            return CallIdentity.of_token(request, token)
        if self._requires_credentials:
            raise _unauthenticated()
        return CallIdentity.own(request)

    def _signed(self, request: Request, allowed: frozenset[Disposition]) -> Grant:
        """What a signed URL allows, judged when a request begins and then no more: what is under way goes on.

        Raises:
            Problem: 403, with a reason that a page can tell its reader.
        """
        try:
            grant = self._verifier.verify(
                request.path_params["recording_sid"], request.query_params.multi_items(), time.time()
            )
        except SignatureRefused as error:
            if error.refusal is Refusal.EXPIRED:
                raise Problem(
                    403, "PLAYBACK_URL_EXPIRED", "This link has expired. Ask whoever gave it to you for a new one."
                ) from None
            raise _invalid() from None
        if grant.disposition not in allowed:
            raise _invalid()
        return grant


def varying(response: Response) -> Response:
    """The answer, which a browser may give again only to whoever shows the same: nobody who has signed out."""
    for name in ("Authorization", "Cookie"):
        response.headers.add_vary_header(name)
    return response


def _invalid() -> Problem:
    return Problem(403, "PLAYBACK_URL_INVALID", "This link is not one that was made here for this recording.")


def _unauthenticated() -> Problem:
    return Problem(
        401,
        "UNAUTHENTICATED",
        "Use a signed playback URL, send `Authorization: Bearer <token>`, or sign in to the console.",
        headers={"WWW-Authenticate": "Bearer"},
    )
