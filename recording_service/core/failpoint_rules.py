"""What failpoints are armed with: `name=action[@hit]`, comma separated; `*` is any failpoint, counted together."""

import re
from dataclasses import dataclass
from enum import StrEnum

from recording_service.core.failpoint_names import Failpoint

#: The name that stands for every failpoint.
ANY = "*"
#: The names of single failpoints.
KNOWN: frozenset[str] = frozenset(Failpoint)

_ITEM = re.compile(r"(?P<name>[^=@]+)=(?P<action>[^=@]+)(?:@(?P<hit>[1-9][0-9]{0,8}))?")


class FailpointAction(StrEnum):
    """What happens at a failpoint."""

    #: The process is killed by SIGKILL.
    KILL = "kill"
    #: The process is stopped by SIGSTOP, until somebody sends SIGCONT.
    STOP = "stop"
    #: FailpointRaised is raised.
    RAISE = "raise"
    #: The thread waits until the file `release` is in the folder, or for `failpoints.HOLD_SECONDS`.
    HOLD = "hold"
    #: Nothing; that it was reached is noted, as always.
    TRACE = "trace"


class FailpointsRefused(ValueError):
    """Raised when failpoints can't be armed as they are specified; nothing was armed. `item` is what is wrong."""

    def __init__(self, item: str, problem: str) -> None:
        super().__init__(f"{item!r} {problem}")
        self.item = item


class UnknownFailpoint(FailpointsRefused):
    """Raised for a name that no failpoint has; the message lists those there are."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"is no failpoint; there are: {', '.join((ANY, *Failpoint))}")


class UnknownFailpointAction(FailpointsRefused):
    """Raised for an action that there is not; the message lists those there are."""

    def __init__(self, action: str) -> None:
        super().__init__(action, f"is no action of a failpoint; there are: {', '.join(FailpointAction)}")


@dataclass(frozen=True, slots=True)
class FailpointRule:
    """One item of a specification."""

    #: None: any failpoint.
    name: Failpoint | None
    action: FailpointAction
    #: The one time that it acts, counted from 1; None: every time.
    hit: int | None

    def applies(self, name: Failpoint, count: int, total: int) -> bool:
        """Whether it acts at a failpoint that is reached for the `count`-th time, the `total`-th of all failpoints."""
        if self.name is None:
            return self.hit in (None, total)
        return self.name is name and self.hit in (None, count)


def failpoint_rules(spec: str) -> tuple[FailpointRule, ...]:
    """The rules of a specification, in its order; none if it is blank. Raises FailpointsRefused."""
    return tuple(_rule(item.strip()) for item in spec.split(",")) if spec.strip() else ()


def _rule(item: str) -> FailpointRule:
    found = _ITEM.fullmatch(item)
    if found is None:
        raise FailpointsRefused(item, "is not of the form name=action or name=action@hit, hit counted from 1")
    name, action = found["name"], found["action"]
    if name != ANY and name not in KNOWN:
        raise UnknownFailpoint(name)
    if action not in frozenset(FailpointAction):
        raise UnknownFailpointAction(action)
    hit = int(found["hit"]) if found["hit"] else None
    return FailpointRule(None if name == ANY else Failpoint(name), FailpointAction(action), hit)
