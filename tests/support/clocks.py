"""A clock that tests move by hand."""

from datetime import UTC, datetime, timedelta
from threading import Lock

#: When a hand-driven clock begins.
START = datetime(2026, 3, 4, 5, 6, 7, 890000, UTC)


class HandDrivenClock:
    """Implements `ports.Clock`: stands still until it is moved. Safe to use from many threads."""

    def __init__(self, start: datetime = START) -> None:
        self._lock = Lock()
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """The wall clock."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """Seconds that only grow."""
        with self._lock:
            return self._monotonic

    def advance(self, seconds: float) -> None:
        """Lets time pass, by both clocks."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Sets the wall clock, forwards or backwards; no time passes."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
