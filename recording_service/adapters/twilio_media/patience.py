"""How long one recording is waited for: the next byte, a minimum rate, and all of it."""

import time
from collections.abc import Callable

from recording_service.adapters.twilio_media.account import TwilioLimits
from recording_service.core.errors import SourceTimedOut


class Patience:
    """What is left of it, from the moment the recording was asked for. For one thread."""

    def __init__(self, limits: TwilioLimits, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self._limits = limits
        self._deadline = monotonic() + limits.total_seconds
        self._in_body = False
        self._window_seconds = 0.0
        self._window_bytes = 0

    def connect_seconds(self) -> float:
        """How long a connection may take now. SourceTimedOut if there is no time left."""
        return min(self._limits.connect_seconds, self._seconds_left())

    def idle_seconds(self) -> float:
        """How long the next byte may take now. SourceTimedOut if there is no time left."""
        return min(self._limits.idle_seconds, self._seconds_left())

    @property
    def settle_seconds(self) -> float:
        """How long the end of the connection may take after the last byte."""
        return self._limits.settle_seconds

    def begin_body(self) -> None:
        """Measures the rate from now on: an answer may be long in coming, and then quick."""
        self._in_body = True
        self._window_seconds = 0.0
        self._window_bytes = 0

    def silent(self) -> SourceTimedOut:
        """The error for a byte that did not come in time."""
        self._seconds_left()
        return SourceTimedOut(f"Twilio sent nothing for {self._limits.idle_seconds:g} s")

    def received(self, size: int, waited_seconds: float) -> None:
        """Notes what came, and how long it was waited for. SourceTimedOut if that is too slow.

        Only waiting counts: if our disk is slow, the bytes have gathered meanwhile.
        """
        self._window_seconds += waited_seconds
        self._window_bytes += size
        if not self._in_body or self._window_seconds < self._limits.rate_window_seconds:
            return
        if self._window_bytes < self._limits.min_bytes_per_second * self._window_seconds:
            raise SourceTimedOut(f"Twilio sent less than {self._limits.min_bytes_per_second:g} bytes a second")
        self.begin_body()

    def _seconds_left(self) -> float:
        left = self._deadline - self.monotonic()
        if left <= 0:
            raise SourceTimedOut(f"Twilio was not done in {self._limits.total_seconds:g} s")
        return left
