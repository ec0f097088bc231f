"""A batch has a result an item; one that could do nothing is a failing enqueue, and never OK."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import grpc
import pytest

from recording_service.core import errors
from recording_service.core.enqueueing import EnqueueResult
from recording_service.core.model import EnqueueReason, EnqueueRequest
from recording_service.grpc_api.conversion import MAX_RESPONSE_BYTES, recording_message
from recordings.v1 import enqueue_pb2
from tests.support.grpc_server import RunningServer, refused
from tests.support.grpc_service import RECORDING, recording

ERROR = enqueue_pb2.ENQUEUE_REASON_ERROR

OUR_FAILURES: list[Exception] = [errors.EnqueueFailed(None), errors.QueueUnavailable(), errors.CatalogueUnavailable()]


def batch(*recording_sids: str) -> enqueue_pb2.BatchEnqueueRecordingsRequest:
    return enqueue_pb2.BatchEnqueueRecordingsRequest(
        requests=[enqueue_pb2.EnqueueRecordingRequest(recording_sid=sid) for sid in recording_sids]
    )


def sid(number: int) -> str:
    return f"RE{number:032x}"


def answering(server: RunningServer, *outcomes: Any) -> None:
    """The outcomes of the well-formed items, in order."""
    server.service.answers["enqueue_batch"] = list(outcomes)


def test_each_item_has_its_result_in_the_order_of_the_items(server: RunningServer) -> None:
    def outcomes(requests: Sequence[EnqueueRequest]) -> list[EnqueueResult]:
        reasons = [EnqueueReason.ENQUEUED, EnqueueReason.CACHED, EnqueueReason.DUPLICATE]
        return [
            EnqueueResult(reason, recording(recording_sid=request.key.recording_sid))
            for reason, request in zip(reasons, requests, strict=True)
        ]

    server.service.answers["enqueue_batch"] = outcomes

    response = server.stub.BatchEnqueueRecordings(batch(sid(3), sid(1), sid(2)))

    assert [(result.reason, result.recording.recording_sid) for result in response.results] == [
        (enqueue_pb2.ENQUEUE_REASON_ENQUEUED, sid(3)),
        (enqueue_pb2.ENQUEUE_REASON_CACHED, sid(1)),
        (enqueue_pb2.ENQUEUE_REASON_DUPLICATE, sid(2)),
    ]
    assert not any(result.HasField("error") for result in response.results)


def test_a_malformed_item_has_an_error_of_its_own_and_fails_no_other(server: RunningServer) -> None:
    response = server.stub.BatchEnqueueRecordings(batch(sid(1), "RE1", sid(2)))

    assert [result.reason == ERROR for result in response.results] == [False, True, False]
    malformed = response.results[1]
    assert (malformed.error.reason, malformed.error.field) == ("INVALID_REQUEST", "recording_sid")
    assert malformed.error.message.startswith("recording_sid: ")
    assert not malformed.HasField("recording")
    assert len(server.service.asked("enqueue_batch")[0][0]) == 2


def test_items_that_fail_beside_others_that_do_not_have_their_errors(server: RunningServer) -> None:
    answering(
        server,
        EnqueueResult(EnqueueReason.ENQUEUED, recording()),
        errors.EnqueueFailed(recording()),
        errors.RecordingDeleted(sid(3)),
        errors.CatalogueUnavailable(),
        errors.EnqueueStorageFull(recording()),
    )

    response = server.stub.BatchEnqueueRecordings(batch(sid(1), sid(2), sid(3), sid(4), sid(5)))

    assert [result.reason == ERROR for result in response.results] == [False, True, True, True, True]
    assert [result.error.reason for result in response.results] == [
        "",
        "ENQUEUE_FAILED",
        "RECORDING_DELETED",
        "ENQUEUE_FAILED",
        "STORAGE_FULL",
    ]
    assert response.results[1].recording == recording_message(recording())
    assert not response.results[3].HasField("recording")


def test_a_bug_in_one_item_is_internal_and_its_text_stays_in_the_log(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    answering(server, EnqueueResult(EnqueueReason.ENQUEUED, recording()), RuntimeError("a secret"))

    response = server.stub.BatchEnqueueRecordings(batch(sid(1), sid(2)))

    error = response.results[1].error
    assert error.reason == "INTERNAL"
    assert "secret" not in error.message
    error_id = error.message.removeprefix("internal error ")
    assert any(error_id in record.getMessage() and record.exc_info for record in caplog.records)


@pytest.mark.parametrize("failure", OUR_FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("malformed", [(), ("RE1",)])
def test_a_batch_whose_well_formed_items_all_failed_fails_as_a_whole(
    server: RunningServer, failure: Exception, malformed: tuple[str, ...]
) -> None:
    answering(server, failure, failure)

    found = refused(lambda: server.stub.BatchEnqueueRecordings(batch(sid(1), sid(2), *malformed)))

    assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")
    assert found.retry_seconds == 1


def test_a_batch_that_all_failed_and_once_by_a_bug_is_internal(server: RunningServer) -> None:
    answering(server, errors.EnqueueFailed(None), errors.EnqueueBroken(None))

    found = refused(lambda: server.stub.BatchEnqueueRecordings(batch(sid(1), sid(2))))

    assert (found.code, found.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")


def test_a_batch_of_results_of_error_is_never_ok(server: RunningServer) -> None:
    answering(server, EnqueueResult(EnqueueReason.ERROR, recording()))

    found = refused(lambda: server.stub.BatchEnqueueRecordings(batch(sid(1))))

    assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")


@pytest.mark.parametrize("failure", OUR_FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_batch_that_could_not_even_begin_fails_as_a_whole(server: RunningServer, failure: Exception) -> None:
    server.service.answers["enqueue_batch"] = failure

    found = refused(lambda: server.stub.BatchEnqueueRecordings(batch(sid(1))))

    assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")


def test_a_batch_of_deleted_recordings_is_answered_item_by_item(server: RunningServer) -> None:
    answering(server, errors.RecordingDeleted(sid(1)))

    response = server.stub.BatchEnqueueRecordings(batch(sid(1)))

    assert [result.error.reason for result in response.results] == ["RECORDING_DELETED"]


def test_a_batch_of_malformed_items_alone_reaches_no_use_case(server: RunningServer) -> None:
    response = server.stub.BatchEnqueueRecordings(batch("RE1", ""))

    assert [result.error.field for result in response.results] == ["recording_sid", "recording_sid"]
    assert server.service.asked("enqueue_batch") == []


def test_an_empty_batch_has_no_results(server: RunningServer) -> None:
    assert list(server.stub.BatchEnqueueRecordings(batch()).results) == []


def test_a_thousand_items_are_a_batch_and_one_more_is_not(server: RunningServer) -> None:
    full = [sid(number) for number in range(1000)]

    assert len(server.stub.BatchEnqueueRecordings(batch(*full)).results) == 1000
    found = refused(lambda: server.stub.BatchEnqueueRecordings(batch(*full, RECORDING)))

    assert (found.code, found.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["requests"])


def test_an_answer_that_clients_would_refuse_for_its_size_has_the_essentials(server: RunningServer) -> None:
    labels = {f"key-{number}": "x" * 255 for number in range(16)}
    large = EnqueueResult(EnqueueReason.CACHED, recording(call=replace(recording().call, labels=labels)))
    server.service.answers["enqueue_batch"] = lambda requests: [large] * len(requests)

    response = server.stub.BatchEnqueueRecordings(batch(*(sid(number) for number in range(1000))))

    assert response.ByteSize() <= MAX_RESPONSE_BYTES
    assert {(result.reason, result.recording.etag, len(result.recording.labels)) for result in response.results} == {
        (enqueue_pb2.ENQUEUE_REASON_CACHED, recording().etag, 0)
    }
