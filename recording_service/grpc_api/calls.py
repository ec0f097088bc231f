"""One call as the servicer sees it: its context, its name and its request id."""

import re
import uuid
from collections.abc import Callable

import grpc

#: Metadata in which a caller hands on the id of its own request.
REQUEST_ID_KEY = "x-request-id"
#: Ids that are taken over; anything else would let a caller write into our logs.
REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Call:
    """A call that is being answered."""

    __slots__ = ("_request_id", "context", "method")

    def __init__(self, context: grpc.ServicerContext, method: str) -> None:
        self.context = context
        self.method = method
        self._request_id = ""

    @property
    def request_id(self) -> str:
        """The caller's `x-request-id` if it is well-formed, else one made up here; the same for the whole call.

        Read here and not in an interceptor, because grpcio-testing has none.
        """
        if not self._request_id:
            self._request_id = _given_request_id(self.context) or uuid.uuid4().hex
        return self._request_id

    def when_ended(self, callback: Callable[[], None]) -> bool:
        """Has `callback` called when the call ends, by whatever cause; False if it has ended already.

        It is called on gRPC's one serving thread, and must return at once.
        """
        return self.context.add_callback(callback)

    def has_ended(self) -> bool:
        """Whether nobody waits for an answer any more: cancelled, or its deadline passed."""
        return not self.context.is_active()

    def cancel(self) -> None:
        """Ends the call; the client sees CANCELLED. From any thread."""
        self.context.cancel()


def _given_request_id(context: grpc.ServicerContext) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and REQUEST_ID_PATTERN.fullmatch(value):
            return value
    return ""
