"""Stands before the service and does what a scenario says: a gRPC proxy that knows the contract's messages.

Before it stands a TCP relay, which cuts connections. What is opened is counted, so that scenarios can say what was
asked for.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from clients.conformance.altered_messages import altered_answer, altered_stream
from clients.conformance.faults import CallFault, Faults, StreamFault
from recordings.v1.stream_pb2 import StreamRecordingRequest
from tests.faults.proxy import TcpProxy

if TYPE_CHECKING:
    # Generic in the published types alone.
    _Handler = grpc.RpcMethodHandler[bytes, bytes]

_STREAM: Final = "StreamRecording"
_STREAMING: Final = frozenset({_STREAM, "WatchRecording", "WatchRecordings"})
#: A connection is cut once nothing has passed in it for so long, in seconds: what was sent before has arrived then.
_QUIET_SECONDS: Final = 0.02
#: The longest that it is waited for, and the longest silence, in seconds.
_LONGEST_SECONDS: Final = 5.0
_SILENCE_SECONDS: Final = 300.0
#: More than any deadline, in seconds.
_NO_DEADLINE_SECONDS: Final = 1e6
#: Calls at once.
_THREADS: Final = 48


class Opening(NamedTuple):
    """One stream of bytes that was asked for."""

    offset: int
    length: int
    etag: str


class Secured(NamedTuple):
    """PEM: the proxy's certificate and key, and who signs its clients' (mTLS), if they must have one."""

    certificate: bytes
    key: bytes
    client_authority: bytes | None = None


class FaultProxy:
    """Passes everything on to the service, but for the faults it is armed with. Start it once, stop it once."""

    def __init__(self, service_address: str, act: Callable[[str], None], *secured: Secured) -> None:
        """`act` does what a fault's `act` and a watch's `restart` name; `secured` are further ports, with TLS."""
        self._upstream = grpc.insecure_channel(service_address, options=[("grpc.use_local_subchannel_pool", 1)])
        self._act = act
        self._lock = threading.Lock()
        self._faults = Faults()
        self._openings: list[Opening] = []
        self._calls: list[str] = []
        self._failures: list[str] = []
        self._stopped = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(_THREADS), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((_Handlers(self._handler),))
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.secured_ports = [self._server.add_secure_port("127.0.0.1:0", _credentials(each)) for each in secured]
        self._relay = TcpProxy(("127.0.0.1", port))

    def start(self) -> None:
        """Listens."""
        self._server.start()
        self._relay.start()

    def stop(self) -> None:
        """Ends everything."""
        self._stopped.set()
        self._relay.stop()
        self._server.stop(0).wait()
        self._upstream.close()

    @property
    def target(self) -> str:
        """Where clients find it, in the clear."""
        return f"127.0.0.1:{self._relay.port}"

    def arm(self, faults: Faults) -> None:
        """From now on these; what was counted is forgotten."""
        with self._lock:
            self._faults = faults
            self._openings, self._calls, self._failures = [], [], []

    @property
    def openings(self) -> list[Opening]:
        """The streams that were asked for since it was armed."""
        with self._lock:
            return list(self._openings)

    @property
    def failures(self) -> list[str]:
        """How calls have failed since it was armed, by the service's own doing."""
        with self._lock:
            return list(self._failures)

    def count(self, method: str) -> int:
        """How often a method was called since it was armed."""
        with self._lock:
            return self._calls.count(method)

    def _handler(self, path: str) -> "_Handler":
        method = path.rpartition("/")[2]
        if method == _STREAM:
            return grpc.unary_stream_rpc_method_handler(lambda request, context: self._stream(path, request, context))
        if method in _STREAMING:
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: self._watch(path, method, request, context)
            )
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._call(path, method, request, context))

    def _call(self, path: str, method: str, request: bytes, context: Any) -> bytes:
        fault = self._noted(method)
        if fault and fault.hang:
            self._be_silent(context)
        if fault and fault.code:
            _refuse(context, fault.code)
        try:
            ask: Any = self._upstream.unary_unary(path)
            answer: bytes = ask(request, metadata=_passed_on(context), timeout=_time_left(context))
        except grpc.RpcError as error:
            self._pass_on(path, context, error)
            raise
        return altered_answer(method, answer, fault) if fault and fault.reason is not None else answer

    def _watch(self, path: str, method: str, request: bytes, context: Any) -> Iterator[bytes]:
        fault = self._noted(method)
        if fault and fault.code:
            _refuse(context, fault.code)
        call = self._open(path, request, context)
        try:
            for count, message in enumerate(call, 1):
                yield message
                if fault and count == fault.after_messages:
                    if fault.then == "restart":
                        self._act("restart")
                    else:
                        self._end(fault.then, context, None)
                        return
        except grpc.RpcError as error:
            self._pass_on(path, context, error)
        finally:
            call.cancel()

    def _stream(self, path: str, request: bytes, context: Any) -> Iterator[bytes]:
        asked = StreamRecordingRequest.FromString(request)
        with self._lock:
            self._openings.append(Opening(asked.offset, asked.length, asked.etag))
            fault = self._faults.streams.pop(0) if self._faults.streams else StreamFault()
        if fault.after_bytes is None:
            self._end(fault.then, context, fault)
            return
        call = self._open(path, request, context)
        try:
            has_ended = yield from altered_stream(fault, call, lambda: self._pause(fault))
        except grpc.RpcError as error:
            self._pass_on(path, context, error)
            return
        finally:
            call.cancel()
        if has_ended:
            self._end(fault.then, context, fault)

    def _end(self, how: str, context: Any, fault: StreamFault | None) -> None:
        """Ends a stream in that way. What was sent of it before has arrived then."""
        if fault and fault.act:
            self._act(fault.act)
        if how == "end":
            return
        if how == "silence":
            self._be_silent(context)
        elif how == "cut":
            self._cut(context)
        else:
            _refuse(context, how, fault.retry_delay if fault else None)

    def _cut(self, context: Any) -> None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        passed = -1
        while passed != self._relay.bytes_to_client and time.monotonic() < deadline:
            passed = self._relay.bytes_to_client
            self._stopped.wait(_QUIET_SECONDS)
        # Who has left meanwhile needs no cut, and the next scenario's client must not get it.
        if context.is_active():
            self._relay.refuse()
            self._relay.mend()

    def _be_silent(self, context: Any) -> None:
        over = threading.Event()
        if context.add_callback(over.set):
            over.wait(_SILENCE_SECONDS)

    def _pause(self, fault: StreamFault) -> None:
        if fault.pause:
            self._stopped.wait(fault.pause)

    def _pass_on(self, path: str, context: Any, error: Any) -> None:
        """Ends the call as the service has ended it."""
        with self._lock:
            self._failures.append(f"{path.rpartition('/')[2]}: {error.code().name}: {error.details()}")
        with suppress(ValueError):
            context.set_trailing_metadata(error.trailing_metadata() or ())
        context.abort(error.code(), error.details())

    def _noted(self, method: str) -> CallFault | None:
        with self._lock:
            self._calls.append(method)
            return self._faults.take_call(method)

    def _open(self, path: str, request: bytes, context: Any) -> Any:
        open_stream: Any = self._upstream.unary_stream(path)
        call = open_stream(request, metadata=_passed_on(context), timeout=_time_left(context))
        if not context.add_callback(call.cancel):
            call.cancel()
        return call


class _Handlers(grpc.GenericRpcHandler):
    """One handler for every path."""

    def __init__(self, make: "Callable[[str], _Handler]") -> None:
        self._make = make

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "_Handler":
        """The handler of a call."""
        return self._make(handler_call_details.method)


def _time_left(context: Any) -> float | None:
    """Until the call's deadline; None without one, which gRPC says by a number that it does not take itself."""
    left: float | None = context.time_remaining()
    return None if left is None or left > _NO_DEADLINE_SECONDS else left


def _passed_on(context: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in context.invocation_metadata() if key == "authorization")


def _refuse(context: Any, code: str, retry_delay: float | None = None) -> None:
    """Ends the call with a status, as something in between does."""
    if retry_delay is not None:
        status = status_pb2.Status(code=grpc.StatusCode[code].value[0], message="armed")
        delay = Duration()
        delay.FromNanoseconds(int(retry_delay * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode[code], "armed")


def _credentials(secured: Secured) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(secured.key, secured.certificate)], secured.client_authority, secured.client_authority is not None
    )
