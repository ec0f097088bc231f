"""What follows from a failed attempt: one table, and full jitter (reliability.md B1, AWS REL05-BP03).

`delay = random(0, min(cap, base · 2^n))`; what Twilio asks for by `Retry-After` wins, within a cap. Limits are by
kind of failure; 429, a refused account and trouble of our own spend nothing of a recording's budget.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from recording_service.core.errors import (
    RecordingServiceError,
    RedirectRefused,
    SourceNotAudio,
    SourceNotFound,
    SourceRateLimited,
    SourceRefused,
    SourceTimedOut,
    SourceTooLarge,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
    StorageUnavailable,
    WorkerCrashed,
)
from recording_service.core.model import FailureReason, Recording, WaitingReason

#: Longest Retry-After that is honoured; beyond it we ask again anyway.
RETRY_AFTER_CAP_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class RetryRule:
    """What follows from one kind of failure."""

    #: What a QUEUED row waits for meanwhile.
    waiting_reason: WaitingReason
    #: How it ends once the budget is spent.
    failure_reason: FailureReason
    #: Failures after which it ends; None: never, and none is counted.
    budget: int | None
    base_seconds: float = 1.0
    cap_seconds: float = 900.0


_RETRY = WaitingReason.RETRY

#: By kind of failure. With jitter a wait is on average half of its ceiling: so the budget for a recording that is not
#: there lasts for a day (reliability.md B3 #21), and that for a failing Twilio for half a day. A recording that is
#: given up is lost evidence, and one more request an hour costs nothing.
RETRY_RULES: Mapping[type[RecordingServiceError], RetryRule] = {
    SourceNotFound: RetryRule(_RETRY, FailureReason.SOURCE_NOT_FOUND, budget=36, base_seconds=2.0, cap_seconds=7200.0),
    SourceUnavailable: RetryRule(_RETRY, FailureReason.SOURCE_UNAVAILABLE, budget=110),
    SourceTimedOut: RetryRule(_RETRY, FailureReason.SOURCE_UNAVAILABLE, budget=110),
    SourceTruncated: RetryRule(_RETRY, FailureReason.SOURCE_TRUNCATED, budget=30),
    SourceNotAudio: RetryRule(_RETRY, FailureReason.SOURCE_NOT_AUDIO, budget=3),
    SourceTooLarge: RetryRule(_RETRY, FailureReason.SOURCE_TOO_LARGE, budget=1),
    SourceRefused: RetryRule(_RETRY, FailureReason.SOURCE_REFUSED, budget=3),
    RedirectRefused: RetryRule(_RETRY, FailureReason.SOURCE_REDIRECT_REFUSED, budget=1),
    # Within 75 s of whatever has killed the process, however often it has done so: after a restart, an election and a
    # lease, this is what is left (docs/reliability.md).
    WorkerCrashed: RetryRule(_RETRY, FailureReason.WORKER_CRASHED, budget=8, cap_seconds=20.0),
    SourceRateLimited: RetryRule(
        WaitingReason.RATE_LIMITED, FailureReason.SOURCE_UNAVAILABLE, budget=None, base_seconds=2.0, cap_seconds=120.0
    ),
    SourceUnauthorized: RetryRule(
        WaitingReason.ACCOUNT_UNAUTHORIZED, FailureReason.SOURCE_REFUSED, budget=None, base_seconds=0.0
    ),
    StorageUnavailable: RetryRule(
        WaitingReason.STORAGE_UNAVAILABLE, FailureReason.SOURCE_UNAVAILABLE, budget=None, cap_seconds=60.0
    ),
}

#: The longest wait there is, with its jitter, in seconds.
LONGEST_DELAY_SECONDS = max(
    max(rule.cap_seconds, RETRY_AFTER_CAP_SECONDS + rule.base_seconds) for rule in RETRY_RULES.values()
)


@dataclass(frozen=True, slots=True)
class PutOff:
    """Another attempt is to be made after `delay`."""

    waiting_reason: WaitingReason
    delay: timedelta
    burns: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The budget is spent."""

    failure_reason: FailureReason


class RetryPolicy:
    """Decides what follows from a failed attempt."""

    def __init__(
        self, rules: Mapping[type[RecordingServiceError], RetryRule] = RETRY_RULES, *, scale: float = 1.0
    ) -> None:
        """`scale` multiplies every delay: tests of whole processes run with a fraction."""
        self._rules = rules
        self._scale = scale

    def after(self, error: RecordingServiceError, recording: Recording) -> PutOff | GiveUp:
        """What follows for the recording whose attempt ended with this error."""
        rule = next(self._rules[kind] for kind in type(error).__mro__ if kind in self._rules)
        if rule.budget is not None and recording.failures + 1 >= rule.budget:
            return GiveUp(rule.failure_reason)
        burns = rule.budget is not None
        exponent = min(recording.failures if burns else recording.attempt - 1, 30)
        ceiling = min(rule.cap_seconds, rule.base_seconds * 2**exponent)
        seconds = random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret
        asked = _retry_after_seconds(error)
        if asked is not None:
            # Jitter on top of what was asked for, so that those who were turned away together don't return together.
            seconds = min(asked, RETRY_AFTER_CAP_SECONDS) + random.uniform(0.0, rule.base_seconds)  # noqa: S311
        return PutOff(rule.waiting_reason, timedelta(seconds=seconds * self._scale), burns)


def _retry_after_seconds(error: RecordingServiceError) -> float | None:
    return error.retry_after_seconds if isinstance(error, SourceRateLimited | SourceUnavailable) else None
