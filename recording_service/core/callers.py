"""Who calls, what they may do, and whose recordings they may touch. How they prove it is the edge's business."""

from dataclasses import dataclass, replace
from enum import StrEnum

from recording_service.core.errors import AccountNotAllowed, ScopeMissing
from recording_service.core.model import RecordingFilter


class Scope(StrEnum):
    """What a caller may do."""

    #: Ask for recordings, and report that there are none.
    ENQUEUE = "enqueue"
    #: Look recordings up, watch them, play them.
    READ = "read"
    #: Delete recordings; ask the server about itself.
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class CallerLimits:
    """How much of the service one caller may take at once; None: as much as there is."""

    #: Open streams and watches together.
    streams: int | None = None
    #: Requests a second in the long run; twice as many may come in a burst.
    requests_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller. `account_sids` are the accounts it may touch; None stands for every account."""

    name: str
    scopes: frozenset[Scope]
    account_sids: frozenset[str] | None
    limits: CallerLimits = CallerLimits()

    def may_touch(self, account_sid: str) -> bool:
        """Whether that account's recordings exist for this caller."""
        return self.account_sids is None or account_sid in self.account_sids

    def require(self, scope: Scope) -> None:
        """Raises ScopeMissing unless the caller has that scope."""
        if scope not in self.scopes:
            raise ScopeMissing(scope)

    def require_account(self, account_sid: str) -> None:
        """Raises AccountNotAllowed unless the caller may touch that account: for asking, which reveals nothing."""
        if not self.may_touch(account_sid):
            raise AccountNotAllowed(account_sid)

    def narrowed(self, matching: RecordingFilter) -> RecordingFilter | None:
        """The filter, narrowed to what the caller may touch; None if nothing is left."""
        if self.account_sids is None:
            return matching
        asked = matching.account_sids or self.account_sids
        permitted = asked & self.account_sids
        return replace(matching, account_sids=permitted) if permitted else None


#: Whoever calls where no credential is configured: on loopback, for development.
EVERYONE = Caller("everyone", frozenset(Scope), None)
