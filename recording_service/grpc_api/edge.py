"""Where errors end: what a use case raises becomes a status here, once, and no text of an unknown error gets out.

Decorators and not an interceptor: grpcio-testing has none, and one that wraps a generator in `try` misses its errors.
"""

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import grpc
from google.protobuf.message import Message

from recording_service.core.errors import InvalidRequest
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.status import build_status, refusal, set_status

Servicer = TypeVar("Servicer")
Request = TypeVar("Request")
Response = TypeVar("Response")

#: How loudly a refusal is logged; what callers do wrong is not our trouble.
_LEVELS = {
    grpc.StatusCode.INTERNAL: logging.ERROR,
    grpc.StatusCode.DATA_LOSS: logging.WARNING,
    grpc.StatusCode.UNAVAILABLE: logging.WARNING,
    grpc.StatusCode.RESOURCE_EXHAUSTED: logging.WARNING,
}

_log = logging.getLogger(__name__)


class UnreadableRequest(NamedTuple):
    """What `methods` hands on in place of a request that can't be read, to be refused like any other."""

    error: InvalidRequest


def unary(
    answer: Callable[[Servicer, Request, Call], Response],
) -> Callable[[Servicer, Request, grpc.ServicerContext], Response | None]:
    """A method with one response; None where the call is refused: it then has a status and no message."""
    name = answer.__name__

    @wraps(answer)
    def method(self: Servicer, request: Request, context: grpc.ServicerContext) -> Response | None:
        call = Call(context, name)
        try:
            if isinstance(request, UnreadableRequest):
                raise request.error
            return answer(self, request, call)
        except Exception as error:
            refuse(call, error)
            return None

    return method


def streaming(
    name: str,
) -> Callable[
    [Callable[[Servicer, Request, Call], Iterator[Response]]],
    Callable[[Servicer, Request, grpc.ServicerContext], Iterator[Response]],
]:
    """A method with many responses, by its name in the contract; an error ends them with its status."""

    def decorated(
        answer: Callable[[Servicer, Request, Call], Iterator[Response]],
    ) -> Callable[[Servicer, Request, grpc.ServicerContext], Iterator[Response]]:
        @wraps(answer)
        def method(self: Servicer, request: Request, context: grpc.ServicerContext) -> Iterator[Response]:
            call = Call(context, name)
            try:
                if isinstance(request, UnreadableRequest):
                    raise request.error
                yield from answer(self, request, call)
            except Exception as error:
                refuse(call, error)

        return method

    return decorated


def refuse(call: Call, error: Exception, detail: Message | None = None) -> None:
    """Ends the call with the error's status, which also carries `detail` if it fits."""
    refused = refusal(error)
    log_refusal(call, error, refused.code, refused.reason, refused.error_id)
    set_status(call.context, build_status(error, refused, detail))


def log_refusal(call: Call, error: Exception, code: grpc.StatusCode, reason: str, error_id: str) -> None:
    """Logs that a call, or an item of one, was refused; a bug with its traceback and the id that the caller saw."""
    exc_info: Any = error if error_id else None
    _log.log(
        _LEVELS.get(code, logging.DEBUG),
        "refused method=%s code=%s reason=%s request_id=%s error_id=%s",
        call.method,
        code.name,
        reason,
        call.request_id,
        error_id or "-",
        exc_info=exc_info,
    )
