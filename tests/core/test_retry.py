import random
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import (
    DecryptionError,
    EncryptionDetailsInvalid,
    EncryptionKeyUnknown,
    EncryptionKeyWrong,
    EncryptionTagMismatch,
    RecordingServiceError,
    RedirectRefused,
    SourceEncrypted,
    SourceError,
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
    StepError,
    StepImpossible,
    StorageFull,
    StorageUnavailable,
    TranscriptionError,
    WorkerCrashed,
)
from recording_service.core.model import (
    FailureReason,
    Processing,
    ProcessingState,
    Recording,
    StepReason,
    WaitingReason,
)
from recording_service.core.retry import (
    LONGEST_DELAY_SECONDS,
    RETRY_AFTER_CAP_SECONDS,
    RETRY_RULES,
    STEP_RETRY_RULES,
    GiveUp,
    PutOff,
    RetryPolicy,
)
from tests.support.recordings import a_recording

#: Every kind of failure, how it waits, and how it ends (None: never).
EXPECTED: list[tuple[RecordingServiceError, WaitingReason, FailureReason | None]] = [
    (SourceNotFound("404"), WaitingReason.RETRY, FailureReason.SOURCE_NOT_FOUND),
    (SourceGone("410"), WaitingReason.RETRY, FailureReason.SOURCE_NOT_FOUND),
    (SourceUnavailable("503"), WaitingReason.RETRY, FailureReason.SOURCE_UNAVAILABLE),
    (SourceTimedOut("slow"), WaitingReason.RETRY, FailureReason.SOURCE_UNAVAILABLE),
    (SourceTruncated("cut"), WaitingReason.RETRY, FailureReason.SOURCE_TRUNCATED),
    (SourceNotAudio("html"), WaitingReason.RETRY, FailureReason.SOURCE_NOT_AUDIO),
    (SourceOtherFormat("mp3"), WaitingReason.RETRY, FailureReason.SOURCE_NOT_AUDIO),
    (SourceTooLarge("large"), WaitingReason.RETRY, FailureReason.SOURCE_TOO_LARGE),
    (SourceRefused("400"), WaitingReason.RETRY, FailureReason.SOURCE_REFUSED),
    (SourceEncrypted("16109"), WaitingReason.RETRY, FailureReason.SOURCE_REFUSED),
    (EncryptionDetailsInvalid("iv"), WaitingReason.RETRY, FailureReason.ENCRYPTION_DETAILS_INVALID),
    (EncryptionKeyUnknown("CR"), WaitingReason.RETRY, FailureReason.ENCRYPTION_KEY_UNKNOWN),
    (EncryptionKeyWrong("CR"), WaitingReason.RETRY, FailureReason.ENCRYPTION_KEY_WRONG),
    (EncryptionTagMismatch("tag"), WaitingReason.RETRY, FailureReason.ENCRYPTION_TAG_MISMATCH),
    (RedirectRefused("elsewhere"), WaitingReason.RETRY, FailureReason.SOURCE_REDIRECT_REFUSED),
    (WorkerCrashed(), WaitingReason.RETRY, FailureReason.WORKER_CRASHED),
    (SourceRateLimited("429", None), WaitingReason.RATE_LIMITED, None),
    (SourceUnauthorized("401"), WaitingReason.ACCOUNT_UNAUTHORIZED, None),
    (StorageUnavailable(), WaitingReason.STORAGE_UNAVAILABLE, None),
]
IDS = [type(error).__name__ for error, _, _ in EXPECTED]

HOUR_SECONDS = 3600.0

#: The last failure with which a recording ends, whatever kinds come in turn (`RETRY_RULES`).
MOST_FAILURES = 303

#: How it ends by each kind, and that kind's budget.
BUDGETS = {rule.failure_reason: 0 for rule in RETRY_RULES.values()} | {
    rule.failure_reason: rule.budget for kind, rule in RETRY_RULES.items() if rule.budget and kind is not SourceGone
}


def after_failures(error: RecordingServiceError, failures: int, attempt: int = 1) -> Recording:
    """A recording that has met this kind of failure so many times, and others as often as they may be met."""
    own = RETRY_RULES[type(error)].failure_reason
    others = {reason: budget - 1 for reason, budget in BUDGETS.items() if budget > 1}
    return a_recording(failures_by_reason=others | {own: failures}, attempt=attempt)


def failures_until_the_end(
    error: RecordingServiceError, policy: RetryPolicy
) -> tuple[list[float], GiveUp[FailureReason] | None]:
    """The delays of one failure after the other, in seconds, and the end; None if there is none in 200."""
    delays: list[float] = []
    for failures in range(200):
        verdict = policy.after(error, after_failures(error, failures, failures + 1))
        if isinstance(verdict, GiveUp):
            return delays, verdict
        delays.append(verdict.delay.total_seconds())
    return delays, None


def test_every_kind_of_failure_is_expected_here() -> None:
    kinds = {
        *SourceError.__subclasses__(),
        SourceGone,
        SourceEncrypted,
        SourceOtherFormat,
        StorageUnavailable,
        WorkerCrashed,
    }
    kinds |= {*DecryptionError.__subclasses__()}
    assert {type(error) for error, _, _ in EXPECTED} == kinds == set(RETRY_RULES)


@pytest.mark.parametrize(("error", "waiting_reason", "failure_reason"), EXPECTED, ids=IDS)
def test_each_kind_waits_and_ends_in_its_own_way(
    error: RecordingServiceError, waiting_reason: WaitingReason, failure_reason: FailureReason | None
) -> None:
    verdict = RetryPolicy().after(error, after_failures(error, 0))
    if not isinstance(verdict, GiveUp):
        assert (verdict.waiting_reason, verdict.spent_of) == (waiting_reason, failure_reason)
    _, end = failures_until_the_end(error, RetryPolicy())
    assert end == (None if failure_reason is None else GiveUp(failure_reason))


@pytest.mark.parametrize("error", [SourceTooLarge("large"), RedirectRefused("elsewhere")])
def test_what_can_only_go_wrong_again_ends_at_once(error: SourceError) -> None:
    assert isinstance(RetryPolicy().after(error, a_recording()), GiveUp)


@pytest.mark.parametrize("end", sorted(reason for reason, budget in BUDGETS.items() if budget > 1))
def test_no_kind_of_failure_spends_of_the_budget_of_another(end: FailureReason) -> None:
    spent = a_recording(failures_by_reason={end: BUDGETS[end] - 1}, attempt=BUDGETS[end])
    for error, _, failure_reason in EXPECTED:
        verdict = RetryPolicy().after(error, spent)
        ends = failure_reason is not None and (failure_reason is end or BUDGETS[failure_reason] == 1)
        assert isinstance(verdict, GiveUp) is ends


def test_a_recording_that_has_waited_through_an_outage_survives_a_worker_killed_in_a_deploy() -> None:
    waited = a_recording(failures_by_reason={FailureReason.SOURCE_UNAVAILABLE: 100}, attempt=101)
    verdict = RetryPolicy().after(WorkerCrashed(), waited)
    assert isinstance(verdict, PutOff)
    assert verdict.delay <= timedelta(seconds=1), "the back-off is that of a first crash"


@given(data=st.data())
def test_whatever_kinds_of_failure_come_in_turn_there_is_an_end(data: st.DataObject) -> None:
    burning = [error for error, _, end in EXPECTED if end is not None and BUDGETS[end] > 1]
    spent: dict[FailureReason, int] = {}
    chance = data.draw(st.randoms(use_true_random=False))
    for failures in range(MOST_FAILURES):
        verdict = RetryPolicy().after(chance.choice(burning), a_recording(failures_by_reason=spent))
        if isinstance(verdict, GiveUp):
            return
        assert verdict.spent_of is not None
        spent[verdict.spent_of] = spent.get(verdict.spent_of, 0) + 1
        assert sum(spent.values()) == failures + 1
    pytest.fail(f"not given up by failure {MOST_FAILURES}")


def test_the_last_failure_a_recording_can_have_is_the_one_that_is_documented() -> None:
    most = {reason: max(0, budget - 1) for reason, budget in BUDGETS.items()}
    assert sum(most.values()) + 1 == MOST_FAILURES
    worst = a_recording(failures_by_reason=most)
    assert all(isinstance(RetryPolicy().after(error, worst), GiveUp) is (end is not None) for error, _, end in EXPECTED)


def test_a_recording_that_is_gone_has_spent_of_the_same_day_as_one_that_is_not_found() -> None:
    missing, gone = (RETRY_RULES[kind] for kind in (SourceNotFound, SourceGone))
    assert (gone.failure_reason, gone.base_seconds, gone.cap_seconds) == (
        missing.failure_reason,
        missing.base_seconds,
        missing.cap_seconds,
    )
    for failures, ends in ((16, False), (17, True)):
        recording = a_recording(failures_by_reason={FailureReason.SOURCE_NOT_FOUND: failures})
        assert isinstance(RetryPolicy().after(SourceGone("410"), recording), GiveUp) is ends
        assert isinstance(RetryPolicy().after(SourceNotFound("404"), recording), PutOff)


@pytest.mark.parametrize(("error", "waiting_reason", "failure_reason"), EXPECTED, ids=IDS)
@given(failures=st.integers(0, 10_000), attempt=st.integers(1, 100_000))
def test_no_wait_is_negative_or_beyond_the_cap(
    error: RecordingServiceError,
    waiting_reason: WaitingReason,
    failure_reason: FailureReason | None,
    failures: int,
    attempt: int,
) -> None:
    verdict = RetryPolicy().after(error, after_failures(error, failures, attempt))
    if isinstance(verdict, PutOff):
        assert timedelta(0) <= verdict.delay <= timedelta(seconds=RETRY_RULES[type(error)].cap_seconds)


def test_waits_grow_by_doubling_and_are_spread_over_the_whole_of_it() -> None:
    rule = RETRY_RULES[SourceUnavailable]
    for failures in range(6):
        recording = after_failures(SourceUnavailable("503"), failures)
        verdicts = [RetryPolicy().after(SourceUnavailable("503"), recording) for _ in range(300)]
        delays = [verdict.delay.total_seconds() for verdict in verdicts if isinstance(verdict, PutOff)]
        ceiling = rule.base_seconds * 2**failures
        assert len(delays) == 300
        assert max(delays) <= ceiling
        # Of 300 even draws, none in the lowest or the highest fifth has a chance of less than 10^-28.
        assert min(delays) < ceiling / 5
        assert max(delays) > ceiling * 4 / 5


@pytest.mark.parametrize(
    ("error", "hours"),
    [
        (SourceNotFound("404"), 24),
        (SourceGone("410"), 6),
        (SourceUnavailable("503"), 12),
        (SourceTimedOut("slow"), 12),
        (SourceNotAudio("html"), 6),
        (SourceRefused("400"), 6),
        (SourceEncrypted("16109"), 6),
        (SourceTruncated("cut"), 2.5),
    ],
)
def test_each_budget_lasts_for_as_many_hours_as_its_table_says(
    error: SourceError, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)
    delays, end = failures_until_the_end(error, RetryPolicy())
    assert end is not None
    assert hours * HOUR_SECONDS < sum(delays) < 1.1 * hours * HOUR_SECONDS


@pytest.mark.parametrize(
    "error",
    [error for error, _, end in EXPECTED if isinstance(error, SourceError) and end is not None and BUDGETS[end] > 1],
    ids=lambda error: type(error).__name__,
)
def test_an_hours_maintenance_is_outlasted_whatever_it_answers(error: SourceError) -> None:
    for _ in range(100):
        delays, end = failures_until_the_end(error, RetryPolicy())
        assert end is not None
        # Of each kind nearly five deviations of its sum, or more, are between an hour and the mean.
        assert sum(delays) > HOUR_SECONDS


def test_the_budget_of_a_failing_twilio_lasts_though_it_asks_to_come_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)
    delays, _ = failures_until_the_end(SourceUnavailable("503", retry_after_seconds=0.0), RetryPolicy())
    assert sum(delays) > 12 * HOUR_SECONDS


def test_the_table_of_the_documentation_is_the_one_that_is_followed() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]+\| `([A-Z_]+)` \| (?:(\d+), (\d+))? ?\| (\d+)", text, re.MULTILINE)
    documented = {
        (end.lower(), int(budget), *((float(base), float(cap)) if base else ())) for end, base, cap, budget in rows
    }
    followed = {
        (rule.failure_reason.value, rule.budget, *((rule.base_seconds, rule.cap_seconds) if rule.budget > 1 else ()))
        for rule in RETRY_RULES.values()
        if rule.budget
    }
    assert documented == followed
    assert f"failure {MOST_FAILURES} at the latest" in text


def asked_to_wait(seconds: float | None, failures: int = 0) -> list[float]:
    """The waits, in seconds, after answers that ask for that long."""
    waits = []
    for error in (SourceRateLimited("429", seconds), SourceUnavailable("503", seconds)):
        verdict = RetryPolicy().after(error, after_failures(error, failures))
        assert isinstance(verdict, PutOff)
        waits.append(verdict.delay.total_seconds())
    return waits


@given(seconds=st.floats(0.0, RETRY_AFTER_CAP_SECONDS), failures=st.integers(0, 50))
def test_what_twilio_asks_for_is_waited_with_a_little_jitter_on_top_and_the_back_off_at_least(
    seconds: float, failures: int
) -> None:
    limited, unavailable = asked_to_wait(seconds, failures)
    assert seconds - 1e-6 <= limited <= seconds + 2.0
    assert seconds - 1e-6 <= unavailable <= max(seconds + 1.0, min(900.0, 2.0**failures))


def test_an_absurd_request_to_wait_is_cut() -> None:
    for wait in asked_to_wait(10.0**9):
        assert wait <= RETRY_AFTER_CAP_SECONDS + 2.0


def test_those_who_were_turned_away_together_do_not_return_together() -> None:
    assert len({wait for _ in range(20) for wait in asked_to_wait(5.0)}) > 20


@given(failures=st.integers(0, 30), attempt=st.integers(1, 30))
def test_what_burns_nothing_backs_off_by_its_attempts(failures: int, attempt: int) -> None:
    ceiling = min(120.0, 2.0 * 2 ** (attempt - 1))
    spent = {FailureReason.SOURCE_UNAVAILABLE: failures}
    limited = a_recording(failures_by_reason=spent, attempt=attempt)
    verdict = RetryPolicy().after(SourceRateLimited("429", None), limited)
    assert isinstance(verdict, PutOff)
    assert verdict.delay.total_seconds() <= ceiling


def test_a_scale_makes_every_wait_shorter() -> None:
    for error in (SourceUnavailable("503"), SourceUnavailable("503", 100.0), SourceRateLimited("429", None)):
        recording = a_recording(failures_by_reason={FailureReason.SOURCE_UNAVAILABLE: 5}, attempt=6)
        for _ in range(50):
            verdict = RetryPolicy(scale=0.01).after(error, recording)
            assert isinstance(verdict, PutOff)
            assert verdict.delay.total_seconds() <= 1.02


# Steps after the download


def processing(failures: int = 0, attempt: int = 1) -> Processing:
    spent = {StepReason.WORKER_CRASHED: failures} if failures else {}
    return Processing(ProcessingState.RUNNING, attempt=attempt, failures_by_reason=spent)


def every_kind_of(kind: type[RecordingServiceError]) -> set[type[RecordingServiceError]]:
    """The class and all that are made of it."""
    return {kind}.union(*(every_kind_of(of_it) for of_it in kind.__subclasses__()))


def test_whatever_a_step_may_raise_has_a_rule_or_is_its_end() -> None:
    # The bases themselves are raised by nobody, and what is impossible needs no other attempt.
    may_be_raised = every_kind_of(StepError) - {StepError, TranscriptionError} - every_kind_of(StepImpossible)
    assert {*may_be_raised, WorkerCrashed, StorageUnavailable} == set(STEP_RETRY_RULES)


def test_a_step_that_kills_its_process_is_given_up_sooner_than_a_download() -> None:
    budget, of_a_download = STEP_RETRY_RULES[WorkerCrashed].budget, RETRY_RULES[WorkerCrashed].budget
    assert budget is not None
    assert of_a_download is not None
    assert 1 < budget < of_a_download
    for failures in range(budget - 1):
        verdict = RetryPolicy().after_step(WorkerCrashed(), processing(failures, failures + 1))
        assert isinstance(verdict, PutOff)
        assert (verdict.waiting_reason, verdict.spent_of) == (WaitingReason.RETRY, StepReason.WORKER_CRASHED)
        assert verdict.delay <= timedelta(seconds=min(20.0, 2.0**failures))
    assert RetryPolicy().after_step(WorkerCrashed(), processing(budget - 1)) == GiveUp(StepReason.WORKER_CRASHED)


@pytest.mark.parametrize("error", [StorageUnavailable(), StorageFull()])
@given(failures=st.integers(0, 100), attempt=st.integers(1, 100_000))
def test_a_shelf_that_is_away_never_ends_a_step_and_spends_nothing(
    error: StorageUnavailable, failures: int, attempt: int
) -> None:
    verdict = RetryPolicy().after_step(error, processing(failures, attempt))
    assert isinstance(verdict, PutOff)
    assert (verdict.waiting_reason, verdict.spent_of) == (WaitingReason.STORAGE_UNAVAILABLE, None)
    assert timedelta(0) <= verdict.delay <= timedelta(seconds=60)


def test_a_scale_makes_the_waits_of_steps_shorter_too() -> None:
    for _ in range(50):
        verdict = RetryPolicy(scale=0.01).after_step(StorageUnavailable(), processing(attempt=20))
        assert isinstance(verdict, PutOff)
        assert verdict.delay <= timedelta(seconds=0.6)


def test_no_rule_of_either_kind_waits_longer_than_the_longest() -> None:
    caps = [rule.cap_seconds for rule in RETRY_RULES.values()]
    caps += [rule.cap_seconds for rule in STEP_RETRY_RULES.values()]
    assert max(*caps, RETRY_AFTER_CAP_SECONDS) <= LONGEST_DELAY_SECONDS
