"""What a scenario has the fault proxy do, as its JSON says it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import grpc

#: Ends of a stream that are no status: OK before its time, nothing more, the connection gone.
OTHER_ENDS: Final = frozenset({"end", "silence", "cut"})


@dataclass(frozen=True, slots=True)
class StreamFault:
    """What is done to one stream of bytes; each opening takes the next fault, and once there are none all is well.

    Attributes:
        after_bytes: how many bytes of data pass before it ends; None: not one message.
        then: how it ends: a status by gRPC's name, or `end` (OK), `silence`, `cut` (the TCP connection). Empty: as the
            service ends it.
        retry_delay: of a RetryInfo with that status, in seconds.
        flip_at: the byte of the data, counted from the stream's first, of which one bit is turned.
        shift_offset: added to the offset of every message but the first.
        excess: so many bytes are put behind the last one.
        first: what is done to the first message: `no_range`, `no_recording`, `other_etag`, `other_start`.
        pause: before each message, in seconds.
        act: what the driver does before the end: `replace` makes the recording another version.
    """

    after_bytes: int | None = -1
    then: str = ""
    retry_delay: float | None = None
    flip_at: int | None = None
    shift_offset: int = 0
    excess: int = 0
    first: str = ""
    pause: float = 0.0
    act: str = ""

    def __post_init__(self) -> None:
        """Refuses an end that there is not."""
        if self.then and self.then not in OTHER_ENDS and self.then not in grpc.StatusCode.__members__:
            raise ValueError(f"then: there is no {self.then}")


@dataclass(frozen=True, slots=True)
class CallFault:
    """What is done to one call of another method; each call takes the next one of its method.

    Attributes:
        method: its name in the contract.
        reason: put in the place of the answer's EnqueueReason, or of that of the batch's `item`.
        code: the call is refused with that status instead of being passed on.
        hang: it is never answered.
        after_messages: of a watch: how many pass before it ends …
        then: … how, as of a stream; `restart`: the service's gRPC process is killed.
    """

    method: str
    reason: int | None = None
    item: int | None = None
    code: str = ""
    hang: bool = False
    after_messages: int | None = None
    then: str = ""


@dataclass(slots=True)
class Faults:
    """All that the proxy is to do in one scenario, in order."""

    streams: list[StreamFault] = field(default_factory=list)
    calls: list[CallFault] = field(default_factory=list)

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """Those that a scenario describes. `breaks` stands for many of its streams' faults at seeded places."""
        streams = [StreamFault(**each) for each in described.get("streams", ())]
        if "breaks" in described:
            streams += _breaks(**described["breaks"])
        return cls(streams, [CallFault(**each) for each in described.get("calls", ())])

    def take_call(self, method: str) -> CallFault | None:
        """The next fault of that method, which is used up."""
        for fault in self.calls:
            if fault.method == method:
                self.calls.remove(fault)
                return fault
        return None


def _breaks(seed: int, times: int, below_bytes: int, kinds: Sequence[str]) -> list[StreamFault]:
    """So many breaks, each after a random number of bytes, in the kinds by turns."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    return [StreamFault(chance.randrange(below_bytes), kinds[number % len(kinds)]) for number in range(times)]
