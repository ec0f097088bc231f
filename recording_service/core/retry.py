"""What follows from a failed attempt: one table, and full jitter (reliability.md B1, AWS REL05-BP03).

`delay = random(0, min(cap, base · 2^n))`; what Twilio asks for by `Retry-After` is waited at least, within a cap.
Limits are by kind of failure, which is how it would end (`FailureReason`): each kind has a budget, and n, of its own,
whatever else has gone wrong. 429, a refused account and trouble of our own spend nothing.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from recording_service.core.errors import (
    EncryptionDetailsInvalid,
    EncryptionKeyUnknown,
    EncryptionKeyWrong,
    EncryptionTagMismatch,
    RecordingServiceError,
    RedirectRefused,
    SourceEncrypted,
    SourceGone,
    SourceNotAudio,
    SourceNotFound,
    SourceOtherFormat,
    SourceRateLimited,
    SourceRefused,
    SourceTimedOut,
    SourceTooLarge,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
    StorageUnavailable,
    TranscriptionAnswerInvalid,
    TranscriptionKeyRejected,
    TranscriptionRateLimited,
    TranscriptionRefused,
    TranscriptionTooSlow,
    TranscriptionUnavailable,
    TranscriptionWrongLanguage,
    WorkerCrashed,
)
from recording_service.core.model import FailureReason, Processing, Recording, StepReason, WaitingReason

#: Longest Retry-After that is honoured; beyond it we ask again anyway.
RETRY_AFTER_CAP_SECONDS = 3600.0


#: How a kind of failure ends what it happened to: the recording, or a step of its processing.
Reason = TypeVar("Reason", FailureReason, StepReason)


@dataclass(frozen=True, slots=True)
class RetryRule(Generic[Reason]):
    """What follows from one kind of failure."""

    #: What a QUEUED row waits for meanwhile.
    waiting_reason: WaitingReason
    #: How it ends once the budget is spent, and what its failures are counted by.
    failure_reason: Reason
    #: Failures with that reason after which it ends; None: never, and none is counted.
    budget: int | None
    base_seconds: float = 1.0
    cap_seconds: float = 900.0


_RETRY = WaitingReason.RETRY

#: By kind of failure. A recording that is given up is lost evidence, and one more request a quarter of an hour costs
#: nothing: so whatever an outage, a proxy or a maintenance page may answer is outlasted by hours.
#:
#: With jitter a wait is on average half of its ceiling, and a budget of b failures has b - 1 waits. With base 1 and cap
#: 900 the first ten ceilings are 1, 2, … 512, together 1023 s; so in the mean
#:
#:     budget 110   (1023 + 99 · 900) / 2 = 45 061 s = 12.5 h   a failing Twilio
#:     budget  58   (1023 + 47 · 900) / 2 = 21 661 s =  6.0 h   no audio, another 4xx: a captive proxy, maintenance
#:     budget  30   (1023 + 19 · 900) / 2 =  9 061 s =  2.5 h   a body cut short, each of which may be a whole download
#:
#: An even draw up to 900 s deviates by 260 s, n of them by 260 · √n: an hour is ten deviations (of 30 min) less than
#: the second, and nearly five (of 19 min) less than the third. With base 2 and cap 7200 the first twelve ceilings are
#: 2, 4, … 4096, together 8190 s:
#:
#:     budget  36   (8190 + 23 · 7200) / 2 = 86 895 s = 24.1 h   not found (reliability.md B3 #21)
#:     budget  18   (8190 +  5 · 7200) / 2 = 22 095 s =  6.1 h   gone: counted with the 404s, a part of the same day
#:
#: A process that dies is ours: twelve times, within a minute or two of waiting (151 / 2 s, and the leases), make a
#: recording poison (B3 #31): more than chance, or one who kills whatever moves, brings about.
#:
#: Of encrypted recordings, what a private key says is said for good: it is asked again when the recording is enqueued
#: anew, with the right key configured. A wrong tag may be a damaged transfer, and each try is a whole download:
#:
#:     budget   5   (10 + 20 + 40 + 80) / 2 = 75 s   the tag is wrong
#:
#: Whatever comes in turn, it ends: with the failure that spends the first budget to be spent. That is failure 303 at
#: the latest, one more than all budgets with one left of each: 35 + 109 + 29 + 57 + 57 + 0 + 0 + 11 + 4, and 1.
RETRY_RULES: Mapping[type[RecordingServiceError], RetryRule[FailureReason]] = {
    SourceNotFound: RetryRule(_RETRY, FailureReason.SOURCE_NOT_FOUND, budget=36, base_seconds=2.0, cap_seconds=7200.0),
    SourceGone: RetryRule(_RETRY, FailureReason.SOURCE_NOT_FOUND, budget=18, base_seconds=2.0, cap_seconds=7200.0),
    SourceUnavailable: RetryRule(_RETRY, FailureReason.SOURCE_UNAVAILABLE, budget=110),
    SourceTimedOut: RetryRule(_RETRY, FailureReason.SOURCE_UNAVAILABLE, budget=110),
    SourceTruncated: RetryRule(_RETRY, FailureReason.SOURCE_TRUNCATED, budget=30),
    SourceNotAudio: RetryRule(_RETRY, FailureReason.SOURCE_NOT_AUDIO, budget=58),
    SourceOtherFormat: RetryRule(_RETRY, FailureReason.SOURCE_NOT_AUDIO, budget=58),
    SourceTooLarge: RetryRule(_RETRY, FailureReason.SOURCE_TOO_LARGE, budget=1),
    SourceRefused: RetryRule(_RETRY, FailureReason.SOURCE_REFUSED, budget=58),
    # Unless it is found out how it is encrypted, which goes on at once.
    SourceEncrypted: RetryRule(_RETRY, FailureReason.SOURCE_REFUSED, budget=58),
    RedirectRefused: RetryRule(_RETRY, FailureReason.SOURCE_REDIRECT_REFUSED, budget=1),
    EncryptionDetailsInvalid: RetryRule(_RETRY, FailureReason.ENCRYPTION_DETAILS_INVALID, budget=1),
    EncryptionKeyUnknown: RetryRule(_RETRY, FailureReason.ENCRYPTION_KEY_UNKNOWN, budget=1),
    EncryptionKeyWrong: RetryRule(_RETRY, FailureReason.ENCRYPTION_KEY_WRONG, budget=1),
    EncryptionTagMismatch: RetryRule(_RETRY, FailureReason.ENCRYPTION_TAG_MISMATCH, budget=5, base_seconds=10.0),
    # Within 75 s of whatever has killed the process, however often it has done so: after a restart, an election and a
    # lease, this is what is left (docs/reliability.md).
    WorkerCrashed: RetryRule(_RETRY, FailureReason.WORKER_CRASHED, budget=12, cap_seconds=20.0),
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

#: By what keeps a step of the processing from being done. Bytes that a step kills its process with are given up sooner
#: than a download: they are here, and stay.
STEP_RETRY_RULES: Mapping[type[RecordingServiceError], RetryRule[StepReason]] = {
    WorkerCrashed: RetryRule(_RETRY, StepReason.WORKER_CRASHED, budget=4, cap_seconds=20.0),
    StorageUnavailable: RetryRule(
        WaitingReason.STORAGE_UNAVAILABLE, StepReason.WORKER_CRASHED, budget=None, cap_seconds=60.0
    ),
    # After the patience of an attempt (`core.transcription`): most of a day. A used up quota is a 429 as well.
    TranscriptionRateLimited: RetryRule(
        WaitingReason.RATE_LIMITED,
        StepReason.TRANSCRIPTION_UNAVAILABLE,
        budget=110,
        base_seconds=2.0,
        cap_seconds=600.0,
    ),
    # As a Twilio that fails in odd ways: six hours in the mean. The transcript can be asked for again.
    TranscriptionUnavailable: RetryRule(_RETRY, StepReason.TRANSCRIPTION_UNAVAILABLE, budget=58),
    # Each try begins anew, and may cost an hour's transcripts: once more, for a server that was busy.
    TranscriptionTooSlow: RetryRule(_RETRY, StepReason.TRANSCRIPTION_UNAVAILABLE, budget=2),
    # Keys are rotated, and servers are set up anew: two and a half hours.
    TranscriptionKeyRejected: RetryRule(_RETRY, StepReason.TRANSCRIPTION_KEY_REJECTED, budget=30),
    TranscriptionRefused: RetryRule(_RETRY, StepReason.TRANSCRIPTION_REFUSED, budget=3),
    TranscriptionAnswerInvalid: RetryRule(_RETRY, StepReason.TRANSCRIPTION_ANSWER_INVALID, budget=8),
    # Whatever is said in it, it will be said again.
    TranscriptionWrongLanguage: RetryRule(_RETRY, StepReason.TRANSCRIPTION_WRONG_LANGUAGE, budget=1),
}

#: The longest wait there is, with its jitter, in seconds.
LONGEST_DELAY_SECONDS = max(
    *(max(rule.cap_seconds, RETRY_AFTER_CAP_SECONDS + rule.base_seconds) for rule in RETRY_RULES.values()),
    *(max(rule.cap_seconds, RETRY_AFTER_CAP_SECONDS + rule.base_seconds) for rule in STEP_RETRY_RULES.values()),
)


@dataclass(frozen=True, slots=True)
class PutOff(Generic[Reason]):
    """Another attempt is to be made after `delay`."""

    waiting_reason: WaitingReason
    delay: timedelta
    #: By what the failure is counted; None: it is not.
    spent_of: Reason | None


@dataclass(frozen=True, slots=True)
class GiveUp(Generic[Reason]):
    """The budget is spent."""

    failure_reason: Reason


class RetryPolicy:
    """Decides what follows from a failed attempt."""

    def __init__(
        self,
        rules: Mapping[type[RecordingServiceError], RetryRule[FailureReason]] = RETRY_RULES,
        step_rules: Mapping[type[RecordingServiceError], RetryRule[StepReason]] = STEP_RETRY_RULES,
        *,
        scale: float = 1.0,
    ) -> None:
        """`scale` multiplies every delay: tests of whole processes run with a fraction."""
        self._rules = rules
        self._step_rules = step_rules
        self._scale = scale

    def after(
        self, error: RecordingServiceError, recording: Recording
    ) -> PutOff[FailureReason] | GiveUp[FailureReason]:
        """What follows for the recording whose attempt ended with this error."""
        return self._follow(error, self._rules, recording.failures_by_reason, recording.attempt)

    def after_step(
        self, error: RecordingServiceError, processing: Processing
    ) -> PutOff[StepReason] | GiveUp[StepReason]:
        """What follows for the step that the processing's attempt was at when it ended with this error."""
        return self._follow(error, self._step_rules, processing.failures_by_reason, processing.attempt)

    def _follow(
        self,
        error: RecordingServiceError,
        rules: Mapping[type[RecordingServiceError], RetryRule[Reason]],
        failures: Mapping[Reason, int],
        attempt: int,
    ) -> PutOff[Reason] | GiveUp[Reason]:
        rule = next(rules[kind] for kind in type(error).__mro__ if kind in rules)
        spent = failures.get(rule.failure_reason, 0)
        if rule.budget is not None and spent + 1 >= rule.budget:
            return GiveUp(rule.failure_reason)
        counts = rule.budget is not None
        exponent = min(spent if counts else attempt - 1, 30)
        ceiling = min(rule.cap_seconds, rule.base_seconds * 2**exponent)
        seconds = random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret
        asked = _retry_after_seconds(error)
        if asked is not None:
            # Jitter on top of what was asked for, so that those who were turned away together don't return together.
            # What spends of a budget waits for its back-off too: 110 answers of "Retry-After: 0" are over in a minute.
            least = min(asked, RETRY_AFTER_CAP_SECONDS) + random.uniform(0.0, rule.base_seconds)  # noqa: S311
            seconds = max(seconds, least) if counts else least
        spent_of = rule.failure_reason if counts else None
        return PutOff(rule.waiting_reason, timedelta(seconds=seconds * self._scale), spent_of)


def _retry_after_seconds(error: RecordingServiceError) -> float | None:
    asking = SourceRateLimited | SourceUnavailable | TranscriptionRateLimited
    return error.retry_after_seconds if isinstance(error, asking) else None
