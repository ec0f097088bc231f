"""What is answered instead of the app when there are too many connections."""

from starlette.types import ASGIApp, Receive, Scope, Send

from recording_service.http_api.middleware.cors import Cors
from recording_service.http_api.middleware.request_context import RequestContext
from recording_service.http_api.middleware.security_headers import SecurityHeaders
from recording_service.http_api.problems import DEFAULT_RETRY_SECONDS, Problem, problem_response
from recording_service.http_api.settings import HttpSettings


def busy_app(settings: HttpSettings) -> ASGIApp:
    """Answers every request with 503 and the end of its connection, with the fields that every answer has."""
    return RequestContext(SecurityHeaders(Cors(_busy, settings.cors_origins)))


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Retry-After": str(DEFAULT_RETRY_SECONDS), "Connection": "close"}
    problem = Problem(503, "TOO_MANY_CONNECTIONS", "Too much is going on. Try again.", headers=headers)
    await problem_response(problem, scope["state"]["request_id"])(scope, receive, send)
