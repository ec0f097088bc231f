"""How many answers that last are under way at once, all together and for one who asks: so nobody takes them all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import DEFAULT_RETRY_SECONDS, Problem


class Shares:
    """Counts answers while they are being sent. For one event loop.

    Parameters:
        what: what there are too many of, for people: "players".
        total: at most so many; beyond it 503.
        each: at most so many for one token, session or signed URL; beyond it 429. Nobody who has shown nothing is
            counted by itself: then nothing tells one from another.
    """

    def __init__(self, what: str, total: int, each: int) -> None:
        self._what = what
        self._total = total
        self._each = each
        self._taken = 0
        self._by_holder: Counter[str] = Counter()

    def has_room_for(self, identity: CallIdentity) -> bool:
        """Whether one more may begin."""
        return self._taken < self._total and self._by_holder[identity.shown] < self._each

    def check(self, identity: CallIdentity) -> None:
        """Raises Problem, 503 or 429, where one more may not begin."""
        if self.has_room_for(identity):
            return
        retry = {"Retry-After": str(DEFAULT_RETRY_SECONDS)}
        if self._taken >= self._total:
            raise Problem(503, "RESOURCE_EXHAUSTED", f"Too many {self._what} now. Try again.", headers=retry)
        raise Problem(
            429, "CALLER_LIMIT_EXCEEDED", f"Too many {self._what} by this link or token now. Try again.", headers=retry
        )

    @contextmanager
    def taken(self, identity: CallIdentity) -> Iterator[None]:
        """Counts one, whether or not there is room: what was promised is sent."""
        holder = identity.shown
        self._taken += 1
        if holder:
            self._by_holder[holder] += 1
        try:
            yield
        finally:
            self._taken -= 1
            if holder:
                self._by_holder[holder] -= 1
                if not self._by_holder[holder]:
                    del self._by_holder[holder]
