"""When a lease has expired (design.md §2): its counter stood still for long enough of the observer's own time.

No wall clock and no other host's clock takes part, so neither a jump nor a skew can end anybody's lease.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar


@dataclass(slots=True)
class _Observation:
    lease: int
    still_seconds: float = 0.0


Holder = TypeVar("Holder", bound=Hashable)


class LeaseWatch(Generic[Holder]):
    """Watches counters. One observer's memory: not shared, not stored, for one thread."""

    def __init__(self, *, expiry_seconds: float, longest_gap_seconds: float) -> None:
        """A lease expires after `expiry_seconds` of standing still.

        Between two looks at most `longest_gap_seconds` count: an observer that was itself stopped, and holders that
        were stopped with it, begin where they were.
        """
        self._expiry_seconds = expiry_seconds
        self._longest_gap_seconds = longest_gap_seconds
        self._observations: dict[Holder, _Observation] = {}
        self._looked_at: float | None = None

    def expired(self, leases: Mapping[Holder, int], monotonic: float) -> list[Holder]:
        """The holders whose lease has expired, of those that there are now. Forgets those that are gone."""
        gap = 0.0 if self._looked_at is None else min(monotonic - self._looked_at, self._longest_gap_seconds)
        self._looked_at = monotonic
        observations: dict[Holder, _Observation] = {}
        for holder, lease in leases.items():
            seen = self._observations.get(holder)
            still = seen.still_seconds + gap if seen is not None and seen.lease == lease else 0.0
            observations[holder] = _Observation(lease, still)
        self._observations = observations
        return [holder for holder, seen in observations.items() if seen.still_seconds >= self._expiry_seconds]
