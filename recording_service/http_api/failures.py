"""A failed gRPC call as the adapter sees it: the code and the details, never the text.

The text of a gRPC error may name addresses (`failed to connect to ipv4:…`); it is dropped here, once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

#: The domain of the ErrorInfo of this service (design.md §3).
DOMAIN: Final = "recording-service"
#: Where gRPC carries a google.rpc.Status.
_STATUS_KEY: Final = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that the service refused, and how to mend it."""

    field: str
    description: str


class ServiceFailure(Exception):
    """Raised when a call to the recording service did not end with OK.

    Attributes:
        code: gRPC's status code.
        reason: the stable reason of the ErrorInfo; empty where the failure did not come from the service itself.
        metadata: the ErrorInfo's further fields.
        violations: which fields are wrong, with INVALID_ARGUMENT.
        retry_seconds: what RetryInfo asks for, if it was sent.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: tuple[Violation, ...] = (),
        retry_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{code.name} {reason}".rstrip())
        self.code = code
        self.reason = reason
        self.metadata = metadata or {}
        self.violations = violations
        self.retry_seconds = retry_seconds

    @classmethod
    def of(cls, error: grpc.aio.AioRpcError) -> "ServiceFailure":
        """The same failure, with its details read and its text dropped."""
        info = error_details_pb2.ErrorInfo()
        bad_request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        has_retry = False
        for detail in _status_of(error).details:
            detail.Unpack(info)
            detail.Unpack(bad_request)
            has_retry = detail.Unpack(retry) or has_retry
        ours = info.domain == DOMAIN
        return cls(
            error.code(),
            info.reason if ours else "",
            dict(info.metadata) if ours else {},
            tuple(Violation(each.field, each.description) for each in bad_request.field_violations) if ours else (),
            retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None,
        )


@contextmanager
def translated() -> Iterator[None]:
    """Turn gRPC's own error into a `ServiceFailure`; its text stays out of the traceback as well."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise ServiceFailure.of(error) from None


def _status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _STATUS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                # The code alone still says what happened.
                break
    return status_pb2.Status()
