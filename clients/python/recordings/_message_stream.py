"""One gRPC stream, read message by message by whoever wants one."""

import time
from typing import Any, Generic, TypeVar

import grpc

from recordings._translation import error_of
from recordings.errors import ClientClosed, Unavailable

#: A message, or the bytes of one.
Response = TypeVar("Response")


class MessageStream(Generic[Response]):
    """Cancels the call when it is given up or freed. One thread reads; any may cancel.

    Attributes:
        waiting_since: when the read that is under way began, by the monotonic clock; None while nobody reads.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._cancelled = False
        self._stalled = False
        self.waiting_since: float | None = None

    def __del__(self) -> None:
        self._call.cancel()

    def read(self) -> Response | None:
        """The next message; None at the stream's end with OK.

        Raises:
            Unavailable: it has brought nothing for too long.
            ClientClosed: it was cancelled here.
            RecordingsError: it has failed.
        """
        self.waiting_since = time.monotonic()
        try:
            message: Response = next(self._call)
        except StopIteration:
            return None
        except grpc.RpcError as error:
            if self._stalled:
                raise Unavailable(
                    "the stream has brought nothing for too long", code=grpc.StatusCode.UNAVAILABLE
                ) from None
            if self._cancelled:
                raise ClientClosed("the stream was closed while it was read") from None
            raise error_of(error) from error
        finally:
            self.waiting_since = None
        return message

    def cancel(self) -> None:
        """Give the stream up at once. Idempotent, and nothing if it has ended."""
        self._cancelled = True
        self._call.cancel()

    def cancel_stalled(self) -> None:
        """Give it up because it brings nothing: whoever reads is told so."""
        self._stalled = True
        self._call.cancel()
