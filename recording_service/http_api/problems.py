"""Errors as HTTP says them: RFC 9457 bodies, and the one table from a failed call to a status (design.md §3)."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import grpc
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from recordings.errors import FieldViolation, RecordingsError

#: `Retry-After` in seconds where the service did not ask for another.
DEFAULT_RETRY_SECONDS: Final = 1
#: The longest `Retry-After` passed on, in seconds.
MAX_RETRY_SECONDS: Final = 3600


class Problem(Exception):
    """Raised to answer a request with an error; turned into an answer in one place.

    Attributes:
        status: the HTTP status.
        reason: the stable reason that clients may branch on.
        detail: the same for people: no internal text, address or secret.
        headers: further header fields of the answer.
        members: further members of the body.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    @classmethod
    def invalid(cls, *violations: FieldViolation) -> "Problem":
        """400: these fields are wrong whatever the state of the service."""
        errors = [{"field": each.field, "description": each.description} for each in violations]
        return cls(400, "INVALID_REQUEST", "The request is malformed.", members={"errors": errors})


@dataclass(frozen=True, slots=True)
class _Entry:
    status: int
    reason: str
    detail: str


_UNAVAILABLE: Final = _Entry(503, "UNAVAILABLE", "The recording service can't be reached now. Try again.")
_INTERNAL: Final = _Entry(500, "INTERNAL", "Something went wrong here.")

#: (code, reason) → answer. A pair that is not here falls back to its code.
_BY_REASON: Final[Mapping[tuple[grpc.StatusCode, str], _Entry]] = {
    (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_NOT_READY"): _Entry(
        202, "RECORDING_NOT_READY", "The recording is on its way. Ask again."
    ),
    (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_FAILED"): _Entry(
        # Not a 5xx: those make proxies take a healthy host out of service.
        424,
        "RECORDING_FAILED",
        "The recording can't be had.",
    ),
    (grpc.StatusCode.FAILED_PRECONDITION, "STEP_NOT_DONE"): _Entry(
        202, "STEP_NOT_DONE", "The recording is still being processed. Ask again."
    ),
    (grpc.StatusCode.FAILED_PRECONDITION, "STEP_WITHOUT_RESULT"): _Entry(
        424, "STEP_WITHOUT_RESULT", "There is none for this recording, and none is on its way."
    ),
    (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_DELETED"): _Entry(
        404, "RECORDING_NOT_FOUND", "There is no such recording."
    ),
    (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED"): _Entry(
        500, "ENQUEUE_FAILED", "The recording could not be queued. Asking again is safe."
    ),
    (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING"): _Entry(503, "SERVER_DRAINING", "The service is stopping."),
    (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"): _Entry(
        403, "SCOPE_MISSING", "This token may not do this. Ask for one with the scope that it takes."
    ),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, "CALLER_LIMIT_EXCEEDED"): _Entry(
        429, "CALLER_LIMIT_EXCEEDED", "This caller takes more than its share. Wait, and try again."
    ),
    (grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED"): _Entry(
        500, "RECORDING_TRUNCATED", "The stored recording is not whole. It is being fetched again."
    ),
}

#: code → answer. Every code but OK is here.
_BY_CODE: Final[Mapping[grpc.StatusCode, _Entry]] = {
    grpc.StatusCode.INVALID_ARGUMENT: _Entry(400, "INVALID_REQUEST", "The request is malformed."),
    grpc.StatusCode.UNAUTHENTICATED: _Entry(401, "UNAUTHENTICATED", "Credentials are missing or not valid."),
    grpc.StatusCode.PERMISSION_DENIED: _Entry(403, "PERMISSION_DENIED", "This is not allowed."),
    grpc.StatusCode.NOT_FOUND: _Entry(404, "RECORDING_NOT_FOUND", "There is no such recording."),
    grpc.StatusCode.OUT_OF_RANGE: _Entry(416, "OFFSET_PAST_END", "The range begins after the last byte."),
    grpc.StatusCode.ABORTED: _Entry(412, "ETAG_MISMATCH", "The recording is another version than the one asked for."),
    grpc.StatusCode.FAILED_PRECONDITION: _Entry(409, "FAILED_PRECONDITION", "The recording's state forbids this."),
    grpc.StatusCode.DATA_LOSS: _Entry(500, "DATA_LOSS", "The stored recording is not whole."),
    grpc.StatusCode.RESOURCE_EXHAUSTED: _Entry(503, "RESOURCE_EXHAUSTED", "Too much is going on. Try again."),
    grpc.StatusCode.UNAVAILABLE: _UNAVAILABLE,
    # Calls wait for the service to come back until their deadline, so an unreachable service ends up here.
    grpc.StatusCode.DEADLINE_EXCEEDED: _UNAVAILABLE,
    grpc.StatusCode.CANCELLED: _INTERNAL,
    grpc.StatusCode.UNKNOWN: _INTERNAL,
    grpc.StatusCode.INTERNAL: _INTERNAL,
    grpc.StatusCode.UNIMPLEMENTED: _INTERNAL,
    grpc.StatusCode.ALREADY_EXISTS: _INTERNAL,
}


#: What the service says of an error that a page is told too: its name there → a member of the body.
_MEMBERS: Final[Mapping[str, str]] = {
    "failureReason": "failure_reason",
    "step": "step",
    "state": "state",
    "processingReason": "processing_reason",
}


def named(failure: RecordingsError) -> str:
    """A failed call in a log line: what gRPC says of it may name addresses, so by its code and reason alone."""
    return str(failure) if failure.code is None else f"{failure.code.name} {failure.reason}".rstrip()


def problem_of(failure: RecordingsError) -> Problem:
    """What a browser is told of a failed call, which has a code."""
    assert failure.code is not None  # noqa: S101 - `on_service_failure` has looked
    entry = _BY_REASON.get((failure.code, failure.reason)) or _BY_CODE[failure.code]
    problem = Problem(entry.status, entry.reason, entry.detail)
    if failure.field_violations:
        problem = Problem.invalid(*failure.field_violations)
    if entry.status in {202, 429, 503}:
        problem.headers["Retry-After"] = retry_after(failure.retry_delay)
    if entry.status == 401:
        problem.headers["WWW-Authenticate"] = "Bearer"
    size = failure.metadata.get("sizeBytes", "")
    if entry.status == 416 and size.isascii() and size.isdigit():
        problem.headers["Content-Range"] = f"bytes */{size}"
    for name, member in _MEMBERS.items():
        if name in failure.metadata:
            problem.members[member] = failure.metadata[name]
    return problem


def retry_after(seconds: float | None) -> str:
    """A `Retry-After` value: whole seconds, at least 1; `None` stands for the default."""
    wanted = DEFAULT_RETRY_SECONDS if seconds is None else seconds
    return str(max(1, min(math.ceil(wanted), MAX_RETRY_SECONDS)))


def problem_response(problem: Problem, request_id: str) -> Response:
    """The answer: `application/problem+json`, or plain JSON where the status is no error (202)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "reason": problem.reason,
        **problem.members,
        "request_id": request_id,
    }
    media_type = "application/problem+json" if problem.status >= 400 else "application/json"
    return Response(
        json.dumps(body, ensure_ascii=False),
        problem.status,
        {"Cache-Control": "no-store", **problem.headers},
        media_type,
    )


async def on_problem(request: Request, error: Exception) -> Response:
    """Answer a `Problem`."""
    assert isinstance(error, Problem)  # noqa: S101 - Starlette's handlers are typed for every exception
    return problem_response(error, request.state.request_id)


async def on_service_failure(request: Request, error: Exception) -> Response:
    """Answer a failed call by the table. What the service must not send at all is nothing to answer: it goes on."""
    assert isinstance(error, RecordingsError)  # noqa: S101 - Starlette's handlers are typed for every exception
    if error.code is None:
        raise error
    return problem_response(problem_of(error), request.state.request_id)


_ROUTING: Final[Mapping[int, tuple[str, str]]] = {
    404: ("NOT_FOUND", "There is nothing here."),
    405: ("METHOD_NOT_ALLOWED", "This method is not allowed here."),
}


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the router itself refuses: 404, and 405 with `Allow`."""
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's handlers are typed for every exception
    reason, detail = _ROUTING.get(error.status_code, ("BAD_REQUEST", "The request can't be answered."))
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = _sorted_list(headers["Allow"].split(", "))
    return problem_response(Problem(error.status_code, reason, detail, headers=headers), request.state.request_id)


def _sorted_list(values: Sequence[str]) -> str:
    return ", ".join(sorted(values))
