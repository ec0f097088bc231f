"""The table from a failed call to a status is complete."""

import grpc
import pytest

from recording_service.http_api.problems import named, problem_of, retry_after
from recordings.errors import ContractBroken, RecordingsError


def failure(code: grpc.StatusCode, reason: str, metadata: dict[str, str] | None = None) -> RecordingsError:
    return RecordingsError("connecting to 10.0.0.1", code=code, reason=reason, metadata=metadata)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK], ids=str)
def test_every_code_has_an_answer_that_is_no_success(code: grpc.StatusCode) -> None:
    problem = problem_of(failure(code, "A_REASON_OF_THE_FUTURE"))
    assert 400 <= problem.status < 600
    assert problem.reason
    assert problem.detail


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", 400),
        (grpc.StatusCode.UNAUTHENTICATED, "", 401),
        (grpc.StatusCode.PERMISSION_DENIED, "", 403),
        (grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND", 404),
        (grpc.StatusCode.OUT_OF_RANGE, "OFFSET_PAST_END", 416),
        (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_NOT_READY", 202),
        (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_FAILED", 424),
        (grpc.StatusCode.FAILED_PRECONDITION, "STEP_NOT_DONE", 202),
        (grpc.StatusCode.FAILED_PRECONDITION, "STEP_WITHOUT_RESULT", 424),
        (grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED", 500),
        (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", 412),
        (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED", 500),
        (grpc.StatusCode.INTERNAL, "INTERNAL", 500),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED", 503),
        (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING", 503),
    ],
)
def test_the_table_is_the_designs(code: grpc.StatusCode, reason: str, status: int) -> None:
    assert problem_of(failure(code, reason)).status == status


def test_what_a_failed_recording_failed_of_is_passed_on() -> None:
    failed = failure(grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_FAILED", {"failureReason": "SOURCE_ABSENT"})
    assert problem_of(failed).members == {"failure_reason": "SOURCE_ABSENT"}


def test_what_a_step_has_no_result_of_is_passed_on_and_nothing_else() -> None:
    told = {"recordingSid": "RE1", "step": "WAVEFORM", "state": "FAILED", "processingReason": "MEDIA_EMPTY"}
    without = failure(grpc.StatusCode.FAILED_PRECONDITION, "STEP_WITHOUT_RESULT", told)
    assert problem_of(without).members == {"step": "WAVEFORM", "state": "FAILED", "processing_reason": "MEDIA_EMPTY"}


@pytest.mark.parametrize("size", ["", "-1", "x", "1\r\nX: y", "\u0661"])
def test_a_size_that_is_none_is_not_passed_on(size: str) -> None:
    past_end = failure(grpc.StatusCode.OUT_OF_RANGE, "OFFSET_PAST_END", {"sizeBytes": size})
    assert "Content-Range" not in problem_of(past_end).headers


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "1"), (0.0, "1"), (0.2, "1"), (1.2, "2"), (30.0, "30"), (1e9, "3600")]
)
def test_retry_after_is_whole_seconds_within_bounds(seconds: float | None, said: str) -> None:
    assert retry_after(seconds) == said


def test_a_failure_is_named_without_its_text() -> None:
    assert named(failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")) == "UNAVAILABLE SERVER_DRAINING"
    assert named(failure(grpc.StatusCode.DEADLINE_EXCEEDED, "")) == "DEADLINE_EXCEEDED"


def test_what_the_client_has_found_out_is_named_by_its_own_words() -> None:
    assert named(ContractBroken("a chunk that is not the next one")) == "a chunk that is not the next one"
