"""How patiently events are delivered: one rule, with full jitter, bounded by the number of failures and by no clock."""

import random
from dataclasses import dataclass
from datetime import timedelta

from recording_service.core.event_ports import ReceiverAnswer


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """The sender's clocks, in seconds, and its limits."""

    #: Between two looks for what is due, where nothing wakes it before.
    poll_seconds: float = 1.0
    #: A claim lapses after so long: more than an attempt takes.
    lease_seconds: float = 45.0
    #: The first wait's ceiling; it doubles with each further failure, up to the last one.
    base_seconds: float = 5.0
    cap_seconds: float = 6 * 3600.0
    #: Failures after which an event is given up. Waits are half of their ceilings on average, and the first 13 ceilings
    #: are 5, 10, … 20480, together 40955 s: in the mean (40955 + 22 · 21600) / 2 = 258 078 s, three days.
    budget: int = 36
    #: Longest Retry-After that is honoured.
    retry_after_cap_seconds: float = 3600.0
    #: How long a receiver that is gone for good (410) is left alone before it is asked once more.
    gone_seconds: float = 24 * 3600.0
    #: Deliveries under way at once; one, as long as the receiver fails.
    at_once: int = 8
    #: How long what is under way may take when the sender stops.
    stop_seconds: float = 2.0

    def scaled(self, scale: float) -> "DeliverySettings":
        """The same, with every time multiplied."""
        return DeliverySettings(
            poll_seconds=self.poll_seconds * scale,
            lease_seconds=self.lease_seconds * scale,
            base_seconds=self.base_seconds * scale,
            cap_seconds=self.cap_seconds * scale,
            budget=self.budget,
            retry_after_cap_seconds=self.retry_after_cap_seconds * scale,
            gone_seconds=self.gone_seconds * scale,
            at_once=self.at_once,
            stop_seconds=self.stop_seconds,
        )

    @property
    def longest_wait(self) -> timedelta:
        """No delivery waits longer, whatever a clock has made of its time."""
        return timedelta(seconds=max(self.cap_seconds, self.gone_seconds) + self.retry_after_cap_seconds)

    def delay_after(self, failures: int, answer: ReceiverAnswer) -> timedelta | None:
        """How long to wait after so many failures, of which that answer is the last; None: it was the last one."""
        if failures >= self.budget:
            return None
        ceiling = min(self.cap_seconds, self.base_seconds * 2.0 ** (failures - 1))
        seconds = random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret
        asked = min(answer.retry_after_seconds or 0.0, self.retry_after_cap_seconds)
        return timedelta(seconds=max(asked, seconds))
