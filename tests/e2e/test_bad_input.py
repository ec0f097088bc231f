"""Bad input over the real wire: named, refused, and nothing stored."""

import socket
from typing import Any

import grpc
import pytest
import requests
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from recordings.v1 import enqueue_pb2, lookup_pb2, stream_pb2
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService, error_reason

RECORDING_SID = "RE" + "0123456789abcdef" * 2
CALL_SID = "CA" + "0123456789abcdef" * 2


def named_fields(error: Any) -> set[str]:
    """The fields that a refusal names."""
    status = rpc_status.from_call(error)
    assert status is not None
    bad = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad) for detail in status.details)
    return {violation.field for violation in bad.field_violations}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"recording_sid": "nonsense"}, {"recording_sid"}),
        ({"recording_sid": CALL_SID}, {"recording_sid"}),
        ({"recording_sid": ""}, {"recording_sid"}),
        ({"recording_sid": RECORDING_SID, "account_sid": "../../etc"}, {"account_sid"}),
        ({"recording_sid": RECORDING_SID, "call_sid": RECORDING_SID}, {"call_sid"}),
        ({"recording_sid": RECORDING_SID, "source_url": "https://evil.example/x.mp3"}, {"source_url"}),
        ({"recording_sid": RECORDING_SID, "source_url": "file:///etc/passwd"}, {"source_url"}),
        ({"recording_sid": RECORDING_SID, "channels": -1, "job": 99}, {"channels", "job"}),
        ({"recording_sid": RECORDING_SID, "labels": {str(n): "" for n in range(17)}}, {"labels"}),
    ],
)
def test_a_malformed_enqueue_names_its_fields_and_stores_nothing(
    service: RunningService, fields: dict[str, Any], named: set[str]
) -> None:
    before = set(service.data_dir.rglob("AC*"))
    with pytest.raises(grpc.RpcError) as refused:
        service.enqueue(**fields)

    assert error_reason(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert named_fields(refused.value) >= named
    listed = service.stub.ListRecordings(lookup_pb2.ListRecordingsRequest(page_size=1000), timeout=CALL_SECONDS)
    assert RECORDING_SID not in {recording.recording_sid for recording in listed.recordings}
    assert set(service.data_dir.rglob("AC*")) == before


@pytest.mark.parametrize("field", ["offset", "length"])
def test_a_negative_range_names_its_field(service: RunningService, field: str) -> None:
    recording_sid = service.twilio.add_recording(duration=2).recording_sid
    service.enqueue(recording_sid)
    service.ready(recording_sid)
    request = stream_pb2.StreamRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid)
    setattr(request, field, -1)
    with pytest.raises(grpc.RpcError) as refused:
        list(service.stub.StreamRecording(request, timeout=CALL_SECONDS))

    assert error_reason(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert named_fields(refused.value) == {field}


def test_an_oversized_message_is_refused_without_a_traceback(service: RunningService) -> None:
    requests_ = [
        enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING_SID, source="x" * 60_000) for _ in range(200)
    ]
    with pytest.raises(grpc.RpcError) as refused:
        service.stub.BatchEnqueueRecordings(
            enqueue_pb2.BatchEnqueueRecordingsRequest(requests=requests_), timeout=CALL_SECONDS
        )

    assert "INVALID_ARGUMENT" in str(refused.value) or "RESOURCE_EXHAUSTED" in str(refused.value)
    assert "Traceback" not in str(refused.value)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"RecordingSid=%zz", "application/x-www-form-urlencoded", {400, 403}),
        (b"\xff\xfe", "application/x-www-form-urlencoded", {400, 403}),
        (b"{}", "application/json", {415}),
        (b"a=" + b"b" * 20_000, "application/x-www-form-urlencoded", {413}),
        (b"", "application/x-www-form-urlencoded", {400, 403}),
    ],
)
def test_a_webhook_that_is_no_form_is_refused(
    service: RunningService, body: bytes, content_type: str, status: set[int]
) -> None:
    answer = requests.post(
        f"{service.http_url}/webhooks/twilio/recording-status",
        data=body,
        headers={"Content-Type": content_type},
        timeout=10,
    )

    assert answer.status_code in status
    assert "Traceback" not in answer.text


def test_an_unsigned_webhook_and_a_wrongly_signed_one_are_refused(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=2).recording_sid
    url = f"{service.http_url}/webhooks/twilio/recording-status"

    unsigned = service.twilio.send_webhook(url, recording_sid, headers={"X-Twilio-Signature": None})
    forged = service.twilio.send_webhook(url, recording_sid, auth_token="somebody else's")

    assert (unsigned.status, forged.status) == (403, 403)
    with pytest.raises(grpc.RpcError) as unknown:
        service.get(recording_sid)
    assert error_reason(unknown.value) == (grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND")


@pytest.mark.parametrize(
    "path", ["/recordings/../../etc/passwd", "/recordings/%2e%2e/stream", "/recordings/RE12/stream"]
)
def test_path_tricks_find_nothing(service: RunningService, path: str) -> None:
    host, _, port = service.http_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        status = int(raw.makefile("rb").readline().split()[1])

    assert status in (400, 404)


def test_nothing_of_all_this_left_a_traceback_in_the_log(service: RunningService) -> None:
    assert "Traceback" not in service.log
