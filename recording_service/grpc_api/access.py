"""The one gate: every call passes it, those of health and reflection and of methods that there are none of, too.

An interceptor, because nothing else sees them all, and nothing else sees a call before its request: a token is judged
by the header alone, so that nobody unknown has megabytes read and kept. Everything else is found out in the handler's
own thread, because only the call's context knows the client's certificate. What comes behind asks `admitted_caller`,
and where the gate has let nobody in there is none: it fails closed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

import grpc

from recording_service.core.callers import EVERYONE, Caller, Scope
from recording_service.core.errors import Unauthenticated
from recording_service.grpc_api.caller_limits import CallerQuotas
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.credentials import CallerDirectory
from recording_service.grpc_api.edge import refuse
from recordings.v1 import recording_service_pb2

_SERVICE: Final = recording_service_pb2.DESCRIPTOR.services_by_name["RecordingService"].full_name

#: What a method takes beside being known, by its full name. Of those that are not here, being known is enough.
SCOPES: Final[Mapping[str, Scope]] = {
    f"/{_SERVICE}/{method}": scope
    for scope, methods in {
        Scope.ENQUEUE: ("EnqueueRecording", "BatchEnqueueRecordings", "ReportRecordingUnavailable"),
        Scope.READ: (
            "GetRecording",
            "ListRecordings",
            "WatchRecording",
            "WatchRecordings",
            "StreamRecording",
            "CreatePlaybackUrl",
            "GetWaveform",
            "GetTranscript",
        ),
        Scope.MANAGE: ("DeleteRecording",),
    }.items()
    for method in methods
} | {
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Scope.MANAGE,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": Scope.MANAGE,
}

#: Longer names of methods are cut in the log, in characters: there may be none of that name.
_LOGGED_METHOD: Final = 64

#: grpc's class is generic in its stubs only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behaviour: TypeAlias = Callable[[Any, grpc.ServicerContext], Any]

#: Set in the call's own contextvars context, which gRPC keeps from the interceptor to the handler.
_by_token: ContextVar[Caller] = ContextVar("caller_by_token")
_admitted: ContextVar[Caller] = ContextVar("admitted_caller")


def admitted_caller() -> Caller:
    """Who makes the call that this thread answers. LookupError if the gate has let nobody in."""
    return _admitted.get()


def admit(caller: Caller) -> None:
    """Notes, for what this thread does for the call, who makes it."""
    _admitted.set(caller)


class AccessGate(grpc.ServerInterceptor):
    """Lets in whoever is known, may do what is asked, and has not taken too much.

    Parameters:
        callers: everybody who may call; None: everyone may do everything, which is for loopback and development.
    """

    def __init__(self, callers: CallerDirectory | None) -> None:
        self._callers = callers
        self._quotas = CallerQuotas()
        self._guarded: dict[str, Handler] = {}

    def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        """The method's handler, behind the gate."""
        method = handler_call_details.method
        if not self._may_be_known(handler_call_details):
            return _refusing(method)
        guarded = self._guarded.get(method)
        if guarded is not None:
            return guarded
        handler = continuation(handler_call_details)
        if handler is None:
            # Not kept: the names of methods that there are none of are the client's to choose, without end.
            return self._behind_the_gate(_UNKNOWN, method)
        guarded = self._guarded[method] = self._behind_the_gate(handler, method)
        return guarded

    def _may_be_known(self, details: grpc.HandlerCallDetails) -> bool:
        """Whether the header of a call has not said yet that nobody we know makes it."""
        if self._callers is None:
            return True
        try:
            caller = self._callers.of_metadata(details.invocation_metadata or ())
        except Unauthenticated:
            return False
        if caller is not None:
            _by_token.set(caller)
        return True

    def _behind_the_gate(self, handler: Handler, method: str) -> Handler:
        scope = SCOPES.get(method)
        name = method.rpartition("/")[2]
        if not handler.response_streaming:
            return _like(handler, self._unary(_behaviour(handler), name, scope))
        return _like(handler, self._streaming(_behaviour(handler), name, scope))

    def _unary(self, behaviour: Behaviour, name: str, scope: Scope | None) -> Behaviour:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                self._let_in(context, scope)
            except Exception as error:
                refuse(Call(context, name), error)
                return None
            return behaviour(request, context)

        return answer

    def _streaming(self, behaviour: Behaviour, name: str, scope: Scope | None) -> Behaviour:
        def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            try:
                caller = self._let_in(context, scope)
                self._quotas.of(caller).take_stream(context.add_callback)
            except Exception as error:
                refuse(Call(context, name), error)
                return iter(())
            # As it is: a generator around it would be a step more for each chunk.
            answers: Iterator[Any] = behaviour(request, context)
            return answers

        return answer

    def _let_in(self, context: grpc.ServicerContext, scope: Scope | None) -> Caller:
        """Who calls, noted for what comes behind. Raises Unauthenticated, ScopeMissing, CallerLimitExceeded."""
        if self._callers is None:
            admit(EVERYONE)
            return EVERYONE
        caller = _by_token.get(None) or self._callers.of_certificate(context)
        if scope is not None:
            caller.require(scope)
        self._quotas.of(caller).take_request()
        admit(caller)
        return caller


def _behaviour(handler: Handler) -> Behaviour:
    """The one function of a handler, whichever of its four kinds it is."""
    behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    assert behaviour is not None  # noqa: S101 - a handler has one, by its type
    return behaviour


def _like(handler: Handler, behaviour: Behaviour) -> Handler:
    """A handler of the same kind. A refused call gives no response: it then has trailers alone, which are retryable."""
    kinds: Mapping[tuple[bool, bool], Callable[..., Handler]] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = kinds[bool(handler.request_streaming), bool(handler.response_streaming)]
    return make(behaviour, handler.request_deserializer, _of_none(handler.response_serializer))


def _of_none(serializer: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    if serializer is None:
        return None

    def serialized(response: Any) -> Any:
        return None if response is None else serializer(response)

    return serialized


def _refusing(method: str) -> Handler:
    """Refuses a call without waiting for its request: a handler of streams of requests is asked at once."""

    def answer(_: Iterator[Any], context: grpc.ServicerContext) -> None:
        refuse(Call(context, method.rpartition("/")[2][:_LOGGED_METHOD]), Unauthenticated())

    return grpc.stream_unary_rpc_method_handler(answer, None, lambda response: response)


def _unimplemented(_: Any, context: grpc.ServicerContext) -> None:
    context.set_code(grpc.StatusCode.UNIMPLEMENTED)
    context.set_details("Method not found!")


#: What gRPC itself answers, but only to those who are let in.
_UNKNOWN: Final[Handler] = grpc.unary_unary_rpc_method_handler(_unimplemented, None, lambda response: response)
