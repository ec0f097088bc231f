"""Each method hands one use case what it asks for, and its result back (grpcio-testing: no wire in between)."""

import logging
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from recording_service.core import errors
from recording_service.core.enqueueing import EnqueueResult
from recording_service.core.model import EnqueueReason, RecordingFilter, RecordingState
from recording_service.core.requests import Target
from recording_service.core.search import Snippet, TextRange
from recording_service.core.service import Page
from recording_service.core.typed_search import word_search
from recording_service.core.watching import WatchUntil
from recording_service.grpc_api.conversion import MAX_RESPONSE_BYTES, recording_message
from recordings.v1 import deletion_pb2, enqueue_pb2, lookup_pb2, recording_pb2, stream_pb2, watch_pb2
from tests.support.grpc_service import ACCOUNT, NOW, RECORDING, FakeRecordingService, recording
from tests.support.grpc_testing_server import Answer, invoke

OK = grpc.StatusCode.OK


def enqueue(**fields: Any) -> enqueue_pb2.EnqueueRecordingRequest:
    return enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING, **fields)


def status_of(answer: Answer) -> status_pb2.Status:
    """The details of a refusal; its code and text must agree with them."""
    serialized = dict(answer.metadata)["grpc-status-details-bin"]
    assert isinstance(serialized, bytes)
    status = status_pb2.Status.FromString(serialized)
    assert (status.code, status.message) == (answer.code.value[0], answer.details)
    return status


def detail(status: status_pb2.Status, kind: type[Message]) -> Any:
    message = kind()
    assert any(packed.Unpack(message) for packed in status.details)
    return message


@pytest.mark.parametrize(
    ("reason", "number"),
    [
        (EnqueueReason.ENQUEUED, enqueue_pb2.ENQUEUE_REASON_ENQUEUED),
        (EnqueueReason.CACHED, enqueue_pb2.ENQUEUE_REASON_CACHED),
        (EnqueueReason.DUPLICATE, enqueue_pb2.ENQUEUE_REASON_DUPLICATE),
    ],
)
def test_an_enqueue_says_what_became_of_it(service: FakeRecordingService, reason: EnqueueReason, number: int) -> None:
    service.answers["enqueue"] = EnqueueResult(reason, recording())

    answer = invoke(service, "EnqueueRecording", enqueue())

    assert (answer.code, answer.response.reason) == (OK, number)
    assert answer.response.recording == recording_message(recording())


@pytest.mark.parametrize(
    ("raised", "code", "reason"),
    [
        (
            errors.EnqueueStorageFull(recording(), retry_seconds=1),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "STORAGE_FULL",
        ),
        (errors.EnqueueFailed(recording()), grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED"),
        (errors.EnqueueFailed(None), grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED"),
        (errors.CatalogueUnavailable(), grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED"),
        (errors.QueueUnavailable(), grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED"),
        (errors.EnqueueBroken(recording()), grpc.StatusCode.INTERNAL, "INTERNAL"),
        (AttributeError("'int' object has no attribute 'max'"), grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
)
def test_a_failing_enqueue_is_an_error_in_its_status_and_in_what_it_returns(
    service: FakeRecordingService, raised: Exception, code: grpc.StatusCode, reason: str
) -> None:
    service.answers["enqueue"] = raised

    answer = invoke(service, "EnqueueRecording", enqueue())

    status = status_of(answer)
    committed = getattr(raised, "recording", None)
    expected = enqueue_pb2.EnqueueRecordingResponse(
        reason=enqueue_pb2.ENQUEUE_REASON_ERROR,
        recording=None if committed is None else recording_message(committed),
    )
    assert (answer.code, detail(status, error_details_pb2.ErrorInfo).reason) == (code, reason)
    assert answer.response == expected
    assert detail(status, enqueue_pb2.EnqueueRecordingResponse) == expected
    assert detail(status, error_details_pb2.RetryInfo).retry_delay.seconds == 1


def test_a_result_of_error_is_never_ok(service: FakeRecordingService) -> None:
    service.answers["enqueue"] = EnqueueResult(EnqueueReason.ERROR, recording())

    answer = invoke(service, "EnqueueRecording", enqueue())

    assert answer.code is grpc.StatusCode.UNAVAILABLE
    assert answer.response.reason == enqueue_pb2.ENQUEUE_REASON_ERROR
    assert answer.response.recording == recording_message(recording())


def test_enqueueing_a_deleted_recording_is_refused(service: FakeRecordingService) -> None:
    service.answers["enqueue"] = errors.RecordingDeleted(RECORDING)

    answer = invoke(service, "EnqueueRecording", enqueue())

    assert answer.code is grpc.StatusCode.FAILED_PRECONDITION
    assert detail(status_of(answer), error_details_pb2.ErrorInfo).reason == "RECORDING_DELETED"
    assert answer.response.reason == enqueue_pb2.ENQUEUE_REASON_ERROR


def test_a_malformed_enqueue_reaches_no_use_case(service: FakeRecordingService) -> None:
    answer = invoke(service, "EnqueueRecording", enqueue(call_sid="CA1"))

    assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [v.field for v in detail(status_of(answer), error_details_pb2.BadRequest).field_violations] == ["call_sid"]
    assert answer.response.reason == enqueue_pb2.ENQUEUE_REASON_ERROR
    assert service.asked("enqueue") == []


def test_a_failed_enqueue_of_a_recording_with_long_labels_still_carries_its_error(
    service: FakeRecordingService,
) -> None:
    labels = {f"key-{number}": "x" * 255 for number in range(16)}
    service.answers["enqueue"] = errors.EnqueueFailed(recording(call=replace(recording().call, labels=labels)))

    answer = invoke(service, "EnqueueRecording", enqueue())

    carried = detail(status_of(answer), enqueue_pb2.EnqueueRecordingResponse)
    assert carried == answer.response
    assert carried.recording.recording_sid == RECORDING


def test_the_callers_request_id_goes_with_the_request(service: FakeRecordingService) -> None:
    invoke(service, "EnqueueRecording", enqueue(), metadata=(("x-request-id", "webhook_1-a"),))

    assert service.asked("enqueue")[0][0].request_id == "webhook_1-a"


@pytest.mark.parametrize("given", [(), (("x-request-id", "short"),), (("x-request-id", "new\nline-in-the-log"),)])
def test_a_request_without_a_proper_id_gets_one(service: FakeRecordingService, given: Any) -> None:
    invoke(service, "EnqueueRecording", enqueue(), metadata=given)
    invoke(service, "EnqueueRecording", enqueue(), metadata=given)

    ids = {arguments[0].request_id for arguments in service.asked("enqueue")}
    assert len(ids) == 2
    assert all(len(request_id) == 32 for request_id in ids)


def test_a_report_is_handed_on(service: FakeRecordingService) -> None:
    request = enqueue_pb2.ReportRecordingUnavailableRequest(
        recording_sid=RECORDING, reason=enqueue_pb2.UNAVAILABLE_REASON_FAILED, error_code=7
    )

    answer = invoke(service, "ReportRecordingUnavailable", request, metadata=(("x-request-id", "webhook_1-a"),))

    report = service.asked("report_unavailable")[0][0]
    assert (report.key.account_sid, report.error_code, report.request_id) == (ACCOUNT, 7, "webhook_1-a")
    assert (answer.code, answer.response.recording.state) == (OK, recording_pb2.RECORDING_STATE_FAILED)


def test_a_recording_is_looked_up(service: FakeRecordingService) -> None:
    answer = invoke(service, "GetRecording", lookup_pb2.GetRecordingRequest(recording_sid=RECORDING))

    assert service.asked("get") == [(Target("", RECORDING),)]
    assert (answer.code, answer.response.recording) == (OK, recording_message(recording()))


def test_a_refused_look_up_has_no_response(service: FakeRecordingService) -> None:
    service.answers["get"] = errors.RecordingNotFound(RECORDING)

    answer = invoke(service, "GetRecording", lookup_pb2.GetRecordingRequest(recording_sid=RECORDING))

    assert (answer.code, answer.response) == (grpc.StatusCode.NOT_FOUND, None)


def test_a_list_is_a_page_and_the_token_of_the_next(service: FakeRecordingService) -> None:
    request = lookup_pb2.ListRecordingsRequest(
        page_size=7, page_token="here", states=[recording_pb2.RECORDING_STATE_READY]
    )

    answer = invoke(service, "ListRecordings", request)

    expected = RecordingFilter(states=frozenset({RecordingState.READY}))
    assert service.asked("list") == [(expected, 7, "here")]
    assert list(answer.response.recordings) == [recording_message(recording())]
    assert answer.response.next_page_token == "next"


def test_a_search_says_where_in_each_recording_the_words_are(service: FakeRecordingService) -> None:
    other = recording(recording_sid="RE" + "2c" * 16)
    snippet = Snippet("good morning", [TextRange(0, 4), TextRange(5, 12)])
    service.answers["list"] = Page([recording(), other], "", {other.key: snippet})

    answer = invoke(service, "ListRecordings", lookup_pb2.ListRecordingsRequest(words="good morning"))

    assert service.asked("list") == [(RecordingFilter(words=word_search("good morning")), 0, "")]
    assert len(answer.response.recordings) == 2
    assert list(answer.response.transcript_matches) == [
        lookup_pb2.TranscriptMatch(
            account_sid=other.account_sid,
            recording_sid=other.recording_sid,
            snippet="good morning",
            highlights=[lookup_pb2.TextRange(end=4), lookup_pb2.TextRange(start=5, end=12)],
        )
    ]


def test_words_that_cannot_be_searched_for_are_refused(service: FakeRecordingService) -> None:
    answer = invoke(service, "ListRecordings", lookup_pb2.ListRecordingsRequest(words="?!"))

    assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
    assert not service.asked("list")


def test_a_page_that_clients_would_refuse_for_its_size_is_made_shorter(service: FakeRecordingService) -> None:
    labels = {f"key-{number}": "x" * 1000 for number in range(16)}
    large = recording(call=replace(recording().call, labels=labels))
    service.answers["list"] = lambda matching, size, token: Page([large] * min(size, 1000), f"after {size}")

    answer = invoke(service, "ListRecordings", lookup_pb2.ListRecordingsRequest(page_size=1000))

    assert answer.response.ByteSize() <= MAX_RESPONSE_BYTES
    assert 1 <= len(answer.response.recordings) < 1000
    assert answer.response.next_page_token == f"after {len(answer.response.recordings)}"


def test_a_watch_ends_well_once_the_recording_is_ready(service: FakeRecordingService) -> None:
    def watched(target: Target, until: WatchUntil) -> Any:
        watch = service._watch(target, until)
        watch.offer(recording(revision=8))
        return watch

    service.answers["watch"] = watched

    answer = invoke(
        service,
        "WatchRecording",
        watch_pb2.WatchRecordingRequest(recording_sid=RECORDING, until=watch_pb2.WATCH_UNTIL_PROCESSED),
    )

    assert service.asked("watch") == [(Target("", RECORDING), WatchUntil.PROCESSED)]
    assert answer.code is OK
    assert [response.recording.revision for response in answer.response] == [8]
    assert service.watches[0].closed.is_set()


def test_a_stream_brings_the_bytes_as_messages(service: FakeRecordingService) -> None:
    service.content = bytes(range(256)) * 1024

    answer = invoke(
        service,
        "StreamRecording",
        stream_pb2.StreamRecordingRequest(account_sid=ACCOUNT, recording_sid=RECORDING, offset=5, etag="e"),
    )

    assert service.asked("open_range") == [(Target(ACCOUNT, RECORDING), 5, 0, "e")]
    assert answer.code is OK
    assert all(isinstance(response, stream_pb2.StreamRecordingResponse) for response in answer.response)
    assert b"".join(response.data for response in answer.response) == service.content[5:]


@pytest.mark.parametrize("left", [None, recording(state=RecordingState.DELETED, delete_time=NOW)])
def test_a_deletion_answers_with_the_tombstone_if_there_is_one(service: FakeRecordingService, left: Any) -> None:
    service.answers["delete"] = left

    answer = invoke(
        service, "DeleteRecording", deletion_pb2.DeleteRecordingRequest(recording_sid=RECORDING, allow_missing=True)
    )

    assert service.asked("delete") == [(Target("", RECORDING), True)]
    assert (answer.code, answer.response.HasField("recording")) == (OK, left is not None)


def test_grpcio_testing_leaves_the_root_logger_alone(service: FakeRecordingService) -> None:
    before = logging.getLogger().handlers[:]

    invoke(service, "GetRecording", lookup_pb2.GetRecordingRequest(recording_sid=RECORDING))

    assert logging.getLogger().handlers == before
