"""What a player is told when there are no bytes: the table of design.md §3."""

import time
from typing import Any

import grpc
import pytest

from recordings.v1.enqueue_pb2 import EnqueueReason, EnqueueRecordingResponse
from recordings.v1.lookup_pb2 import GetRecordingResponse
from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingJob, RecordingState, WaitingReason
from recordings.v1.stream_pb2 import ContentRange, StreamRecordingResponse
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, Failure, FakeRecordings, FakeServer, Hang
from tests.http_api.running_app import Client, running_app

STREAM = f"/recordings/{RECORDING}/stream"
CONTENT = b"0123456789"

#: Requests that open the stream at once, and requests that look the recording up first.
BOTH_WAYS = pytest.mark.parametrize("range_field", ["bytes=0-", "bytes=-5"])


def _problem(answer: Any, status: int, reason: str) -> dict[str, Any]:
    """The body of an error, which has everything every error has, and nothing it must not have."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert b"10.0.0.1" not in answer.body
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["reason"] == reason
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


@pytest.mark.parametrize("suffix", ["stream", "download", ""])
def test_an_unknown_recording_is_not_found(client: Client, suffix: str) -> None:
    _problem(client.get(f"/recordings/{RECORDING}/{suffix}".rstrip("/")), 404, "RECORDING_NOT_FOUND")


@pytest.mark.parametrize(
    "sid",
    ["RE123", "CA" + "1b" * 16, "RE" + "1g" * 16, "re" + "1b" * 16, RECORDING + "0", RECORDING + "%0A", "..", "RE%00"],
)
@pytest.mark.parametrize("suffix", ["/stream", "/download", ""])
def test_nothing_but_a_recording_sid_reaches_the_service(
    client: Client, recordings: FakeRecordings, sid: str, suffix: str
) -> None:
    answer = client.get(f"/recordings/{sid}{suffix}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert recordings.asked == []


@pytest.mark.parametrize("query", ["account_sid=", "account_sid=AC1", f"account_sid={ACCOUNT}&account_sid={ACCOUNT}"])
@pytest.mark.parametrize("suffix", ["/stream", ""])
def test_a_malformed_account_is_the_callers_mistake(
    client: Client, recordings: FakeRecordings, query: str, suffix: str
) -> None:
    body = _problem(client.get(f"/recordings/{RECORDING}{suffix}?{query}"), 400, "INVALID_REQUEST")
    assert [error["field"] for error in body["errors"]] == ["account_sid"]
    assert recordings.asked == []


@BOTH_WAYS
@pytest.mark.parametrize("state", [RecordingState.RECORDING_STATE_QUEUED, RecordingState.RECORDING_STATE_DOWNLOADING])
def test_a_recording_on_its_way_is_hurried_and_answered_202(
    client: Client, recordings: FakeRecordings, state: RecordingState, range_field: str
) -> None:
    recordings.add(b"", state=state, received_bytes=4711)
    answer = client.get(STREAM, Range=range_field)
    assert answer.status == 202
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["reason"] == "RECORDING_NOT_READY"
    assert body["state"] == RecordingState.Name(state).removeprefix("RECORDING_STATE_")
    assert body["received_bytes"] == 4711
    assert body["recording_sid"] == RECORDING
    (hurried,) = recordings.of("EnqueueRecording")
    assert hurried.job == RecordingJob.RECORDING_JOB_DOWNLOAD_ONLY
    assert (hurried.account_sid, hurried.recording_sid) == (ACCOUNT, RECORDING)


def test_a_waiting_recording_says_what_for_and_when_to_ask_again(client: Client, recordings: FakeRecordings) -> None:
    recording = recordings.add(b"", state=RecordingState.RECORDING_STATE_QUEUED)
    recording.waiting_reason = WaitingReason.WAITING_REASON_RATE_LIMITED
    recording.next_attempt_time.seconds = int(time.time()) + 30
    answer = client.get(STREAM)
    assert answer.json()["waiting_reason"] == "RATE_LIMITED"
    assert 25 <= int(answer.headers["retry-after"]) <= 31
    recording.next_attempt_time.seconds = int(time.time()) + 3600
    assert client.get(STREAM).headers["retry-after"] == "60"


def test_what_the_hurrying_call_knows_is_what_is_said(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_QUEUED)
    recordings.answers["EnqueueRecording"] = [
        EnqueueRecordingResponse(
            reason=EnqueueReason.ENQUEUE_REASON_DUPLICATE,
            recording=Recording(recording_sid=RECORDING, state=RecordingState.RECORDING_STATE_DOWNLOADING),
        )
    ]
    assert client.get(STREAM).json()["state"] == "DOWNLOADING"


def test_a_recording_that_can_not_be_hurried_is_still_on_its_way(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture
) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_QUEUED)
    recordings.answers["EnqueueRecording"] = [Failure(grpc.StatusCode.INTERNAL, "INTERNAL")]
    answer = client.get(STREAM)
    assert (answer.status, answer.json()["state"]) == (202, "QUEUED")
    assert f"{RECORDING} not hurried: INTERNAL INTERNAL request_id=" in caplog.text
    assert "10.0.0.1" not in caplog.text


def test_a_recording_that_became_ready_while_it_was_hurried_is_served(
    client: Client, recordings: FakeRecordings
) -> None:
    recording = recordings.add(CONTENT)
    queued = Recording(account_sid=ACCOUNT, recording_sid=RECORDING, state=RecordingState.RECORDING_STATE_QUEUED)
    recordings.answers["GetRecording"] = [
        GetRecordingResponse(recording=queued),
        GetRecordingResponse(recording=recording),
    ]
    recordings.answers["EnqueueRecording"] = [
        EnqueueRecordingResponse(reason=EnqueueReason.ENQUEUE_REASON_CACHED, recording=recording)
    ]
    answer = client.get(STREAM, Range="bytes=-3")
    assert (answer.status, answer.body) == (206, b"789")


def test_a_recording_that_keeps_changing_is_on_its_way(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_QUEUED)
    recordings.answers["EnqueueRecording"] = [EnqueueRecordingResponse(reason=EnqueueReason.ENQUEUE_REASON_CACHED)]
    assert client.get(STREAM).status == 202


@BOTH_WAYS
def test_a_recording_that_was_deleted_while_it_was_hurried_is_not_found(
    client: Client, recordings: FakeRecordings, range_field: str
) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_QUEUED)
    recordings.answers["EnqueueRecording"] = [Failure(grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_DELETED")]
    _problem(client.get(STREAM, Range=range_field), 404, "RECORDING_NOT_FOUND")


def test_a_tombstone_is_not_found(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_DELETED)
    _problem(client.get(STREAM), 404, "RECORDING_NOT_FOUND")
    assert recordings.of("EnqueueRecording") == []


@BOTH_WAYS
def test_a_failed_recording_is_424_with_its_reason_and_is_not_enqueued_again(
    client: Client, recordings: FakeRecordings, range_field: str
) -> None:
    recordings.add(
        b"",
        state=RecordingState.RECORDING_STATE_FAILED,
        failure_reason=FailureReason.FAILURE_REASON_SOURCE_ABSENT,
    )
    body = _problem(client.get(STREAM, Range=range_field), 424, "RECORDING_FAILED")
    assert body["failure_reason"] == "SOURCE_ABSENT"
    assert recordings.of("EnqueueRecording") == []


def test_a_failure_reason_of_a_newer_service_is_its_number(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_FAILED, failure_reason=99)
    assert client.get(STREAM).json()["failure_reason"] == "99"


def test_a_state_of_a_newer_service_is_not_guessed_at(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT, state=99)
    _problem(client.get(STREAM), 500, "INTERNAL")


def _failing(code: grpc.StatusCode, reason: str, status: int, said: str, **details: Any) -> Any:
    return pytest.param(Failure(code, reason, **details), status, said, id=f"{code.name}-{reason}")


FAILURES = pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        _failing(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", 400, "INVALID_REQUEST", fields=["recording_sid"]),
        _failing(grpc.StatusCode.UNAUTHENTICATED, "", 401, "UNAUTHENTICATED"),
        _failing(grpc.StatusCode.PERMISSION_DENIED, "", 403, "PERMISSION_DENIED"),
        _failing(grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND", 404, "RECORDING_NOT_FOUND"),
        _failing(grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED", 500, "RECORDING_TRUNCATED"),
        _failing(grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED", 503, "RESOURCE_EXHAUSTED", retry_seconds=7),
        _failing(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING", 503, "SERVER_DRAINING"),
        _failing(grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", 503, "UNAVAILABLE"),
        _failing(grpc.StatusCode.INTERNAL, "INTERNAL", 500, "INTERNAL"),
        _failing(grpc.StatusCode.UNKNOWN, "", 500, "INTERNAL"),
        _failing(grpc.StatusCode.CANCELLED, "", 500, "INTERNAL"),
        _failing(grpc.StatusCode.UNIMPLEMENTED, "", 500, "INTERNAL"),
    ],
)


@FAILURES
@pytest.mark.parametrize("method", ["StreamRecording", "GetRecording"])
def test_a_failure_before_the_first_byte_is_a_status(
    client: Client, recordings: FakeRecordings, method: str, failure: Failure, status: int, reason: str
) -> None:
    recordings.add(CONTENT)
    recordings.answers[method] = [failure]
    answer = client.get(STREAM, Range="bytes=0-" if method == "StreamRecording" else "bytes=-5")
    body = _problem(answer, status, reason)
    if status == 503:
        assert answer.headers["retry-after"] == str(failure.retry_seconds or 1)
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    if failure.fields:
        assert [error["field"] for error in body["errors"]] == list(failure.fields)


def test_a_range_that_is_out_of_range_for_the_service_says_the_size(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    recordings.answers["StreamRecording"] = [
        Failure(grpc.StatusCode.OUT_OF_RANGE, "OFFSET_PAST_END", {"sizeBytes": "7"})
    ]
    answer = client.get(STREAM, Range="bytes=-5")
    _problem(answer, 416, "OFFSET_PAST_END")
    assert answer.headers["content-range"] == "bytes */7"


ABORTED = Failure(grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


def test_a_version_that_changes_between_two_calls_is_looked_up_again(
    client: Client, recordings: FakeRecordings
) -> None:
    newer = recordings.add(CONTENT, etag="e2")
    older = Recording()
    older.CopyFrom(newer)
    older.etag, older.size_bytes = "e1", 3
    recordings.answers["GetRecording"] = [GetRecordingResponse(recording=older), GetRecordingResponse(recording=newer)]
    answer = client.get(STREAM, Range="bytes=-3")
    assert (answer.status, answer.body) == (206, b"789")
    assert answer.headers["etag"] == '"e2"'


def test_a_client_that_insists_on_the_older_version_hears_412(client: Client, recordings: FakeRecordings) -> None:
    newer = recordings.add(CONTENT, etag="e2")
    older = Recording()
    older.CopyFrom(newer)
    older.etag = "e1"
    recordings.answers["GetRecording"] = [GetRecordingResponse(recording=older), GetRecordingResponse(recording=newer)]
    answer = client.get(STREAM, If_Match='"e1"')
    _problem(answer, 412, "PRECONDITION_FAILED")


def test_a_version_that_changes_all_the_time_is_412(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT)
    recordings.answers["StreamRecording"] = [ABORTED]
    _problem(client.get(STREAM, Range="bytes=-3"), 412, "ETAG_MISMATCH")
    assert len(recordings.of("StreamRecording")) == 2


def test_bytes_lost_between_two_calls_are_on_their_way_again(client: Client, recordings: FakeRecordings) -> None:
    recording = recordings.add(CONTENT)
    queued = Recording()
    queued.CopyFrom(recording)
    queued.state = RecordingState.RECORDING_STATE_QUEUED
    recordings.answers["GetRecording"] = [
        GetRecordingResponse(recording=recording),
        GetRecordingResponse(recording=queued),
    ]
    recordings.answers["StreamRecording"] = [Failure(grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_NOT_READY")]
    assert client.get(STREAM, Range="bytes=-3").status == 202


def _first(recording: Recording, start: int, end: int, size: int, data: bytes = b"") -> StreamRecordingResponse:
    return StreamRecordingResponse(
        data=data,
        offset=start,
        recording=recording,
        content_range=ContentRange(start=start, end=end, complete_length=size),
    )


@BOTH_WAYS
def test_a_first_message_that_contradicts_itself_is_never_served(
    client: Client, recordings: FakeRecordings, range_field: str
) -> None:
    recording = recordings.add(CONTENT)
    start, end = (0, 10) if range_field == "bytes=0-" else (5, 10)
    another = Recording()
    another.CopyFrom(recording)
    another.etag = ""
    for first in (
        StreamRecordingResponse(data=CONTENT[start:end], offset=start),
        _first(recording, start + 1, end, 10),
        _first(recording, start, end - 1, 10),
        _first(recording, start, 11, 11),
        _first(another, start, end, 10),
        _first(recording, start, end, 10, CONTENT),
    ):
        recordings.answers["StreamRecording"] = [first]
        if first.data == CONTENT and start == 0:
            continue
        _problem(client.get(STREAM, Range=range_field), 500, "INTERNAL")


def test_a_ready_recording_without_an_etag_is_never_served(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT, etag='a"b')
    _problem(client.get(STREAM), 500, "INTERNAL")
    _problem(client.request("GET", STREAM, {"If-None-Match": "*"}), 500, "INTERNAL")


@pytest.mark.parametrize("method", ["StreamRecording", "GetRecording"])
def test_a_service_that_does_not_answer_is_unavailable(
    impatient: Client, recordings: FakeRecordings, method: str
) -> None:
    recordings.add(CONTENT)
    recordings.answers[method] = [Hang()]
    started = time.monotonic()
    answer = impatient.get(STREAM, Range="bytes=0-" if method == "StreamRecording" else "bytes=-5")
    _problem(answer, 503, "UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"
    assert time.monotonic() - started < 3


def test_a_service_that_restarts_meanwhile_goes_unnoticed(settings: Settings) -> None:
    server = FakeServer()
    server.recordings.add(CONTENT)
    with running_app(settings(grpc_target=server.target, call_timeout_seconds=10.0)) as client:
        assert client.get(STREAM).status == 200
        server.stop()
        server.start()
        assert client.get(STREAM, Range="bytes=-3").body == b"789"
        server.stop()


def test_a_service_that_is_gone_is_unavailable(settings: Settings) -> None:
    server = FakeServer()
    server.stop()
    with running_app(settings(grpc_target=server.target, call_timeout_seconds=0.1)) as client:
        _problem(client.get(STREAM), 503, "UNAVAILABLE")
        _problem(client.get(f"/recordings/{RECORDING}"), 503, "UNAVAILABLE")
