"""On whose behalf gRPC calls are made, and under which request id."""

from dataclasses import dataclass, field
from typing import Self

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Goes with each gRPC call as its metadata.

    Attributes:
        request_id: runs from the browser or Twilio through gRPC to the worker's log line.
        authorization: what the caller itself has shown (`Bearer …`), for the service to judge. Empty: the adapter calls
            on its own behalf and by its own credential, because it has judged what was shown: a signature, a password.
        expires: until when what was shown is good, in seconds since the epoch; None: as long as nobody takes it away.
        shown: a token or a signature, by which one who asks is told from another; empty where nothing had to be shown.
    """

    request_id: str
    authorization: str = field(default="", repr=False)
    expires: int | None = None
    shown: str = field(default="", repr=False)

    @classmethod
    def own(cls, request: Request, *, shown: str = "", expires: int | None = None) -> Self:
        """The adapter's own, for whoever has shown that."""
        return cls(request.state.request_id, expires=expires, shown=shown)

    @classmethod
    def of_token(cls, request: Request, token: str) -> Self:
        """That of a caller with this token."""
        return cls(request.state.request_id, f"Bearer {token}", shown=token)

    @classmethod
    def of(cls, request: Request) -> Self:
        """That of a request which was let in. AttributeError for one that nobody has let in: it fails closed."""
        identity: Self = request.state.identity
        return identity

    def let_in(self, request: Request) -> None:
        """Note that this is who makes the request."""
        request.state.identity = self
