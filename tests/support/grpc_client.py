"""How a client of gRPC reaches a service, and what it shows there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import grpc


class _Details(NamedTuple):
    """One call, with other metadata."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


class _Bearing(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Shows a token with each call; a call credential would refuse to without TLS."""

    def __init__(self, token: str) -> None:
        self._field = ("authorization", f"Bearer {token}")

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return continuation(self._bearing(details), request)

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return continuation(self._bearing(details), request)

    def _bearing(self, details: Any) -> _Details:
        metadata = [*(details.metadata or ()), self._field]
        return _Details(
            details.method,
            details.timeout,
            metadata,
            details.credentials,
            details.wait_for_ready,
            getattr(details, "compression", None),
        )


@dataclass(frozen=True)
class GrpcClient:
    """A token, and what TLS takes: whom the client trusts, and its own key and certificate (PEM)."""

    token: str = ""
    authority: bytes | None = None
    key: bytes | None = None
    certificate: bytes | None = None

    def connect(self, address: str) -> grpc.Channel:
        """A channel of its own."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        if self.authority is None:
            channel = grpc.insecure_channel(address, options=options)
        else:
            credentials = grpc.ssl_channel_credentials(self.authority, self.key, self.certificate)
            channel = grpc.secure_channel(address, credentials, options=options)
        return grpc.intercept_channel(channel, _Bearing(self.token)) if self.token else channel
