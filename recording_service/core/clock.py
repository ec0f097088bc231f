"""The system's clocks, behind the port by which tests hold time."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's own time: implements `ports.Clock`."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC. May jump."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow, from an arbitrary start."""
        return time.monotonic()
