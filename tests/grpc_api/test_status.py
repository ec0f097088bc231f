"""The one table of errors, as clients see it over a real connection."""

import inspect
import logging
import re
from typing import Any

import grpc
import pytest

from recording_service.core import errors
from recording_service.core.errors import FieldViolation, InvalidRequest, RecordingServiceError
from recording_service.core.model import FailureReason, ProcessingState, RecordingState, Step, StepReason
from recording_service.grpc_api.status import MAX_STATUS_BYTES, NEVER_AT_THE_EDGE, TABLE, build_status, refusal
from recordings.v1 import enqueue_pb2, lookup_pb2, recording_pb2, stream_pb2, watch_pb2
from tests.support.grpc_server import RunningServer, refused
from tests.support.grpc_service import RECORDING

CODE = grpc.StatusCode

#: Every row of design.md §3: the error, its code, reason and metadata, and when to ask again.
ROWS: list[tuple[RecordingServiceError, grpc.StatusCode, str, dict[str, str], float | None]] = [
    (InvalidRequest.of("page_size", "is negative"), CODE.INVALID_ARGUMENT, "INVALID_REQUEST", {}, None),
    (errors.Unauthenticated(), CODE.UNAUTHENTICATED, "UNAUTHENTICATED", {}, None),
    (errors.ScopeMissing("read"), CODE.PERMISSION_DENIED, "SCOPE_MISSING", {"scope": "read"}, None),
    (errors.AccountNotAllowed("AC1"), CODE.PERMISSION_DENIED, "ACCOUNT_NOT_ALLOWED", {"accountSid": "AC1"}, None),
    (errors.RecordingNotFound("RE1"), CODE.NOT_FOUND, "RECORDING_NOT_FOUND", {"recordingSid": "RE1"}, None),
    (errors.RecordingDeleted("RE1"), CODE.FAILED_PRECONDITION, "RECORDING_DELETED", {"recordingSid": "RE1"}, None),
    (
        errors.RecordingNotReady("RE1", RecordingState.DOWNLOADING, 2.5),
        CODE.FAILED_PRECONDITION,
        "RECORDING_NOT_READY",
        {"recordingSid": "RE1", "state": "DOWNLOADING"},
        2.5,
    ),
    (
        errors.RecordingFailed("RE1", FailureReason.SOURCE_ABSENT),
        CODE.FAILED_PRECONDITION,
        "RECORDING_FAILED",
        {"recordingSid": "RE1", "failureReason": "SOURCE_ABSENT"},
        None,
    ),
    (
        errors.StepNotDone("RE1", Step.TRANSCRIPT, ProcessingState.RUNNING, 2),
        CODE.FAILED_PRECONDITION,
        "STEP_NOT_DONE",
        {"recordingSid": "RE1", "step": "TRANSCRIPT", "state": "RUNNING"},
        2,
    ),
    (
        errors.StepWithoutResult("RE1", Step.WAVEFORM, ProcessingState.FAILED, StepReason.MEDIA_EMPTY),
        CODE.FAILED_PRECONDITION,
        "STEP_WITHOUT_RESULT",
        {"recordingSid": "RE1", "step": "WAVEFORM", "state": "FAILED", "processingReason": "MEDIA_EMPTY"},
        None,
    ),
    (
        errors.StepWithoutResult("RE1", Step.WAVEFORM, None, None),
        CODE.FAILED_PRECONDITION,
        "STEP_WITHOUT_RESULT",
        {"recordingSid": "RE1", "step": "WAVEFORM"},
        None,
    ),
    (errors.RecordingTruncated("RE1"), CODE.DATA_LOSS, "RECORDING_TRUNCATED", {"recordingSid": "RE1"}, None),
    (errors.OffsetPastEnd(9, 8), CODE.OUT_OF_RANGE, "OFFSET_PAST_END", {"offset": "9", "sizeBytes": "8"}, None),
    (errors.EtagMismatch("RE1", "e2"), CODE.ABORTED, "ETAG_MISMATCH", {"recordingSid": "RE1", "etag": "e2"}, None),
    (errors.EnqueueFailed(None, retry_seconds=3), CODE.UNAVAILABLE, "ENQUEUE_FAILED", {}, 3),
    (errors.EnqueueStorageFull(None, retry_seconds=30), CODE.RESOURCE_EXHAUSTED, "STORAGE_FULL", {}, 30),
    (
        errors.WatchOverrun(2000, retry_seconds=0.5),
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "WATCH_OVERRUN",
        {"limit": "2000"},
        0.5,
    ),
    (
        errors.CapacityExhausted("streams", 256, retry_seconds=0.5),
        CODE.RESOURCE_EXHAUSTED,
        "CAPACITY_EXHAUSTED",
        {"resource": "streams", "limit": "256"},
        0.5,
    ),
    (
        errors.CallerLimitExceeded("requests a second", 12.5, retry_seconds=0.5),
        CODE.RESOURCE_EXHAUSTED,
        "CALLER_LIMIT_EXCEEDED",
        {"resource": "requests a second", "limit": "12.5"},
        0.5,
    ),
    (
        errors.RevisionPruned(3, 8),
        CODE.OUT_OF_RANGE,
        "REVISION_PRUNED",
        {"afterRevision": "3", "oldestRevision": "8"},
        None,
    ),
    (
        errors.RevisionAhead(9, 8),
        CODE.OUT_OF_RANGE,
        "REVISION_AHEAD",
        {"afterRevision": "9", "newestRevision": "8"},
        None,
    ),
    (errors.ServerDraining(), CODE.UNAVAILABLE, "SERVER_DRAINING", {}, None),
    (errors.CatalogueUnavailable(), CODE.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", {"dependency": "the catalogue"}, 1),
    (errors.QueueUnavailable(), CODE.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", {"dependency": "the queue"}, 1),
    (errors.StorageFull(), CODE.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", {"dependency": "the storage"}, 1),
    (errors.StorageUnavailable(), CODE.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", {"dependency": "the storage"}, 1),
]

CALLS = {
    "get": lambda stub: stub.GetRecording(lookup_pb2.GetRecordingRequest(recording_sid=RECORDING)),
    "watch": lambda stub: stub.WatchRecording(watch_pb2.WatchRecordingRequest(recording_sid=RECORDING)),
    "open_range": lambda stub: stub.StreamRecording(stream_pb2.StreamRecordingRequest(recording_sid=RECORDING)),
}


def every_error() -> list[type[RecordingServiceError]]:
    return [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, RecordingServiceError) and kind is not RecordingServiceError
    ]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_core_is_in_the_table_or_is_never_at_the_edge(kind: type[RecordingServiceError]) -> None:
    in_table = issubclass(kind, tuple(TABLE))
    never_at_the_edge = issubclass(kind, tuple(NEVER_AT_THE_EDGE))

    assert in_table is not never_at_the_edge


def test_every_row_of_the_table_is_tested_here() -> None:
    # EnqueueBroken is a bug, tested with the bugs.
    assert {kind for kind in TABLE if not any(isinstance(row[0], kind) for row in ROWS)} == {errors.EnqueueBroken}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(("error", "code", "reason", "metadata", "retry_seconds"), ROWS, ids=lambda row: str(row)[:20])
def test_an_error_is_its_row_of_the_table(
    server: RunningServer,
    method: str,
    error: RecordingServiceError,
    code: grpc.StatusCode,
    reason: str,
    metadata: dict[str, str],
    retry_seconds: float | None,
) -> None:
    server.service.answers[method] = error

    found = refused(lambda: CALLS[method](server.stub))

    assert (found.code, found.reason, found.metadata, found.retry_seconds) == (code, reason, metadata, retry_seconds)
    assert found.message == str(error)


def test_every_wrong_field_is_named(server: RunningServer) -> None:
    server.service.answers["get"] = InvalidRequest(FieldViolation("offset", "is -1"), FieldViolation("length", "is -2"))

    found = refused(lambda: CALLS["get"](server.stub))

    assert found.fields == ["offset", "length"]
    assert found.message == "offset: is -1; length: is -2"


def test_details_stay_under_4_kib_however_much_is_wrong(server: RunningServer) -> None:
    server.service.answers["get"] = InvalidRequest(
        *(FieldViolation(f"labels.{'ä' * 500}{number}", "ö" * 900) for number in range(300))
    )

    found = refused(lambda: CALLS["get"](server.stub))

    assert found.size < MAX_STATUS_BYTES
    assert found.fields
    assert len(found.message.encode()) <= 512


def test_a_detail_that_does_not_fit_is_left_out() -> None:
    error = errors.EnqueueFailed(None)
    detail = enqueue_pb2.EnqueueRecordingResponse(recording=recording_pb2.Recording(source="x" * MAX_STATUS_BYTES))

    status = build_status(error, refusal(error), detail)

    assert status.ByteSize() < MAX_STATUS_BYTES
    assert len(status.details) == 2


@pytest.mark.parametrize("text", ["line\nbreak", "100 % ü\t\x00 \udc80", "", " spaces "])
def test_any_text_arrives_and_agrees_with_the_details(server: RunningServer, text: str) -> None:
    server.service.answers["get"] = InvalidRequest.of(text, text)

    assert refused(lambda: CALLS["get"](server.stub)).code is CODE.INVALID_ARGUMENT


SECRET = "redis://:password@10.1.2.3:6379"

BUGS: list[Exception] = [
    RuntimeError(SECRET),
    AttributeError("'int' object has no attribute 'max'"),
    errors.EnqueueBroken(None),
    errors.ObjectMissing(SECRET),
    errors.SourceUnavailable(SECRET),
    errors.AttemptSuperseded(SECRET, 1),
    StopIteration(SECRET),
]


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: type(bug).__name__)
def test_a_bug_is_internal_and_its_text_stays_in_the_log(
    server: RunningServer, caplog: pytest.LogCaptureFixture, method: str, bug: Exception
) -> None:
    server.service.answers[method] = bug

    found = refused(lambda: CALLS[method](server.stub))

    assert (found.code, found.reason) == (CODE.INTERNAL, "INTERNAL")
    assert str(bug) not in found.everything
    error_id = found.metadata["errorId"]
    assert re.fullmatch("[0-9a-f]{32}", error_id)
    assert found.message == f"internal error {error_id}"
    logged = [record for record in caplog.records if error_id in record.getMessage()]
    assert [record.levelno for record in logged] == [logging.ERROR]
    assert logged[0].exc_info
    # A generator wraps a StopIteration.
    assert bug in (logged[0].exc_info[1], getattr(logged[0].exc_info[1], "__cause__", None))


def test_what_callers_do_wrong_is_no_noise_in_the_log(server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    server.service.answers["get"] = errors.RecordingNotFound(RECORDING)

    with caplog.at_level(logging.INFO):
        refused(lambda: CALLS["get"](server.stub))

    assert caplog.records == []


def test_a_refusal_is_logged_with_the_callers_request_id(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.service.answers["get"] = errors.CatalogueUnavailable()
    request: Any = lookup_pb2.GetRecordingRequest(recording_sid=RECORDING)

    refused(lambda: server.stub.GetRecording(request, metadata=(("x-request-id", "request-42"),)))

    assert ["request_id=request-42" in record.getMessage() for record in caplog.records] == [True]
