"""What one caller may take at once, so that a backfill or a loop gone wild leaves something to the others."""

import threading
import time
from collections.abc import Callable

from recording_service.core.callers import Caller
from recording_service.core.errors import CallerLimitExceeded
from recording_service.grpc_api.slots import Slots

#: How many seconds' worth of requests may come at once.
BURST_SECONDS = 2.0


class RequestRate:
    """A token bucket: so many requests a second, and `BURST_SECONDS` of them at once. For many threads."""

    def __init__(self, requests_per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = requests_per_second
        self._room = max(1.0, requests_per_second * BURST_SECONDS)
        self._left = self._room
        self._clock = clock
        self._counted_at = clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Counts a request; CallerLimitExceeded, with the time until there is room again, if there is none."""
        with self._lock:
            now = self._clock()
            self._left = min(self._room, self._left + (now - self._counted_at) * self._rate)
            self._counted_at = now
            if self._left < 1.0:
                wait = (1.0 - self._left) / self._rate
                raise CallerLimitExceeded("requests a second", self._rate, retry_seconds=wait)
            self._left -= 1.0


class CallerQuota:
    """What is left to one caller."""

    def __init__(self, caller: Caller) -> None:
        limits = caller.limits
        self._rate = None if limits.requests_per_second is None else RequestRate(limits.requests_per_second)
        self._streams = (
            None
            if limits.streams is None
            else Slots("streams and watches at once", limits.streams, refusal=CallerLimitExceeded)
        )

    def take_request(self) -> None:
        """Counts a request. Raises CallerLimitExceeded."""
        if self._rate is not None:
            self._rate.take()

    def take_stream(self, when_ended: Callable[[Callable[[], None]], bool]) -> None:
        """Counts an open stream until its call ends. Raises CallerLimitExceeded.

        `when_ended` has a function called at the end of the call, and is false if that is over already.
        """
        if self._streams is not None:
            self._streams.take()
            if not when_ended(self._streams.release):
                self._streams.release()


class CallerQuotas:
    """The quota of every caller, by its name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quotas: dict[str, CallerQuota] = {}

    def of(self, caller: Caller) -> CallerQuota:
        """The quota of that caller, one for all its connections."""
        quota = self._quotas.get(caller.name)
        if quota is None:
            with self._lock:
                quota = self._quotas.setdefault(caller.name, CallerQuota(caller))
        return quota
