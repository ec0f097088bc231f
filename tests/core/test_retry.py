import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import (
    RecordingServiceError,
    RedirectRefused,
    SourceError,
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
from recording_service.core.retry import RETRY_AFTER_CAP_SECONDS, RETRY_RULES, GiveUp, PutOff, RetryPolicy
from tests.support.recordings import a_recording

#: Every kind of failure, how it waits, and how it ends (None: never).
EXPECTED: list[tuple[RecordingServiceError, WaitingReason, FailureReason | None]] = [
    (SourceNotFound("404"), WaitingReason.RETRY, FailureReason.SOURCE_NOT_FOUND),
    (SourceUnavailable("503"), WaitingReason.RETRY, FailureReason.SOURCE_UNAVAILABLE),
    (SourceTimedOut("slow"), WaitingReason.RETRY, FailureReason.SOURCE_UNAVAILABLE),
    (SourceTruncated("cut"), WaitingReason.RETRY, FailureReason.SOURCE_TRUNCATED),
    (SourceNotAudio("html"), WaitingReason.RETRY, FailureReason.SOURCE_NOT_AUDIO),
    (SourceTooLarge("large"), WaitingReason.RETRY, FailureReason.SOURCE_TOO_LARGE),
    (SourceRefused("400"), WaitingReason.RETRY, FailureReason.SOURCE_REFUSED),
    (RedirectRefused("elsewhere"), WaitingReason.RETRY, FailureReason.SOURCE_REDIRECT_REFUSED),
    (WorkerCrashed(), WaitingReason.RETRY, FailureReason.WORKER_CRASHED),
    (SourceRateLimited("429", None), WaitingReason.RATE_LIMITED, None),
    (SourceUnauthorized("401"), WaitingReason.ACCOUNT_UNAUTHORIZED, None),
    (StorageUnavailable(), WaitingReason.STORAGE_UNAVAILABLE, None),
]
IDS = [type(error).__name__ for error, _, _ in EXPECTED]

HOUR_SECONDS = 3600.0


def failures_until_the_end(error: RecordingServiceError, policy: RetryPolicy) -> tuple[list[float], GiveUp | None]:
    """The delays of one failure after the other, in seconds, and the end; None if there is none in 200."""
    delays: list[float] = []
    for failures in range(200):
        verdict = policy.after(error, a_recording(failures=failures, attempt=failures + 1))
        if isinstance(verdict, GiveUp):
            return delays, verdict
        delays.append(verdict.delay.total_seconds())
    return delays, None


def test_every_kind_of_failure_is_expected_here() -> None:
    kinds = {*SourceError.__subclasses__(), StorageUnavailable, WorkerCrashed}
    assert {type(error) for error, _, _ in EXPECTED} == kinds == set(RETRY_RULES)


@pytest.mark.parametrize(("error", "waiting_reason", "failure_reason"), EXPECTED, ids=IDS)
def test_each_kind_waits_and_ends_in_its_own_way(
    error: RecordingServiceError, waiting_reason: WaitingReason, failure_reason: FailureReason | None
) -> None:
    verdict = RetryPolicy().after(error, a_recording(failures=0, attempt=1))
    if not isinstance(verdict, GiveUp):
        assert (verdict.waiting_reason, verdict.burns) == (waiting_reason, failure_reason is not None)
    _, end = failures_until_the_end(error, RetryPolicy())
    assert end == (None if failure_reason is None else GiveUp(failure_reason))


@pytest.mark.parametrize("error", [SourceTooLarge("large"), RedirectRefused("elsewhere")])
def test_what_can_only_go_wrong_again_ends_at_once(error: SourceError) -> None:
    assert isinstance(RetryPolicy().after(error, a_recording(failures=0, attempt=1)), GiveUp)


@pytest.mark.parametrize(("error", "waiting_reason", "failure_reason"), EXPECTED, ids=IDS)
@given(failures=st.integers(0, 10_000), attempt=st.integers(1, 100_000))
def test_no_wait_is_negative_or_beyond_the_cap(
    error: RecordingServiceError,
    waiting_reason: WaitingReason,
    failure_reason: FailureReason | None,
    failures: int,
    attempt: int,
) -> None:
    verdict = RetryPolicy().after(error, a_recording(failures=failures, attempt=attempt))
    if isinstance(verdict, PutOff):
        assert timedelta(0) <= verdict.delay <= timedelta(seconds=RETRY_RULES[type(error)].cap_seconds)


def test_waits_grow_by_doubling_and_are_spread_over_the_whole_of_it() -> None:
    rule = RETRY_RULES[SourceUnavailable]
    for failures in range(6):
        recording = a_recording(failures=failures, attempt=1)
        verdicts = [RetryPolicy().after(SourceUnavailable("503"), recording) for _ in range(300)]
        delays = [verdict.delay.total_seconds() for verdict in verdicts if isinstance(verdict, PutOff)]
        ceiling = rule.base_seconds * 2**failures
        assert len(delays) == 300
        assert max(delays) <= ceiling
        # Of 300 even draws, none in the lowest or the highest fifth has a chance of less than 10^-28.
        assert min(delays) < ceiling / 5
        assert max(delays) > ceiling * 4 / 5


@pytest.mark.parametrize(
    ("error", "hours"), [(SourceNotFound("404"), 24), (SourceUnavailable("503"), 12), (SourceTimedOut("slow"), 12)]
)
def test_an_absent_recording_is_given_a_day_and_a_failing_twilio_half_a_day(
    error: SourceError, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)
    delays, end = failures_until_the_end(error, RetryPolicy())
    assert end is not None
    assert hours * HOUR_SECONDS < sum(delays) < 1.1 * hours * HOUR_SECONDS


def asked_to_wait(seconds: float | None, **fields: int) -> list[float]:
    """The waits, in seconds, after answers that ask for that long."""
    waits = []
    for error in (SourceRateLimited("429", seconds), SourceUnavailable("503", seconds)):
        verdict = RetryPolicy().after(error, a_recording(**{"failures": 0, "attempt": 1, **fields}))
        assert isinstance(verdict, PutOff)
        waits.append(verdict.delay.total_seconds())
    return waits


@given(seconds=st.floats(0.0, RETRY_AFTER_CAP_SECONDS), failures=st.integers(0, 50))
def test_what_twilio_asks_for_wins_with_a_little_jitter_on_top(seconds: float, failures: int) -> None:
    for wait in asked_to_wait(seconds, failures=failures):
        assert seconds - 1e-6 <= wait <= seconds + 2.0


def test_an_absurd_request_to_wait_is_cut() -> None:
    for wait in asked_to_wait(10.0**9):
        assert wait <= RETRY_AFTER_CAP_SECONDS + 2.0


def test_those_who_were_turned_away_together_do_not_return_together() -> None:
    assert len({wait for _ in range(20) for wait in asked_to_wait(5.0)}) > 20


@given(failures=st.integers(0, 30), attempt=st.integers(1, 30))
def test_what_burns_nothing_backs_off_by_its_attempts(failures: int, attempt: int) -> None:
    ceiling = min(120.0, 2.0 * 2 ** (attempt - 1))
    verdict = RetryPolicy().after(SourceRateLimited("429", None), a_recording(failures=failures, attempt=attempt))
    assert isinstance(verdict, PutOff)
    assert verdict.delay.total_seconds() <= ceiling


def test_a_scale_makes_every_wait_shorter() -> None:
    for error in (SourceUnavailable("503"), SourceUnavailable("503", 100.0), SourceRateLimited("429", None)):
        recording: Recording = a_recording(failures=5, attempt=6)
        for _ in range(50):
            verdict = RetryPolicy(scale=0.01).after(error, recording)
            assert isinstance(verdict, PutOff)
            assert verdict.delay.total_seconds() <= 1.02
