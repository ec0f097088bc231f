"""Webhook → enqueue → download → shelf → stream, over gRPC and HTTP, in real processes."""

import hashlib
import uuid

import pytest
import requests

from recordings.v1 import enqueue_pb2, recording_pb2
from tests.support.running_service import ACCOUNT_SID, RunningService
from tests.support.waiting import eventually

READY = recording_pb2.RECORDING_STATE_READY


def test_a_webhook_becomes_a_recording_that_plays_everywhere(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=30).recording_sid
    source = service.twilio.media(recording_sid)

    answer = service.twilio.send_webhook(f"{service.http_url}/webhooks/twilio/recording-status", recording_sid)
    assert (answer.status, b"ENQUEUED" in answer.body) == (200, True)
    recording = service.ready(recording_sid)

    assert recording.sha256 == hashlib.sha256(source).hexdigest()
    assert (recording.size_bytes, recording.content_type) == (len(source), "audio/mpeg")
    assert recording.job == recording_pb2.RECORDING_JOB_FULL
    assert service.stream(recording_sid, 1000, 5000) == source[1000:6000]
    for path in ("stream", "download"):
        played = requests.get(
            f"{service.http_url}/recordings/{recording_sid}/{path}", headers={"Range": "bytes=0-1"}, timeout=10
        )
        assert (played.status_code, played.content) == (206, source[:2])
        assert played.headers["Content-Range"] == f"bytes 0-1/{len(source)}"
        assert requests.get(f"{service.http_url}/recordings/{recording_sid}/{path}", timeout=10).content == source


def test_asking_again_is_duplicate_in_flight_and_cached_when_it_is_there(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=10).recording_sid
    gate = service.twilio.hold(recording_sid, after=1000)

    assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
    gate.wait_reached()
    assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_DUPLICATE
    gate.release()
    service.processed(recording_sid)

    assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_CACHED
    assert len(service.twilio.wait_for_requests(1, recording_sid=recording_sid)) == 1


@pytest.mark.parametrize("form", ["{path}", "{path}.json", "{path}.xml", "{path}.wav", "{path}.mp3", "relative.json"])
def test_every_form_of_the_url_ends_at_the_one_mp3(service: RunningService, form: str) -> None:
    recording_sid = service.twilio.add_recording(duration=3).recording_sid
    url = service.twilio.media_url(recording_sid)
    relative = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{recording_sid}.json"

    service.enqueue(recording_sid, source_url=relative if form == "relative.json" else form.format(path=url))
    service.ready(recording_sid)

    asked = service.twilio.wait_for_requests(1, recording_sid=recording_sid)
    assert [request.path.rsplit("/", 1)[1] for request in asked] == [f"{recording_sid}.mp3"]


def test_two_recordings_of_one_call_are_two_recordings(service: RunningService) -> None:
    call_sid = "CA" + uuid.uuid4().hex
    first, second = (service.twilio.add_recording(duration=3, call_sid=call_sid).recording_sid for _ in range(2))

    for recording_sid in (first, second):
        assert service.enqueue(recording_sid, call_sid=call_sid).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED

    for recording_sid in (first, second):
        assert service.ready(recording_sid).call_sid == call_sid
        assert service.stream(recording_sid) == service.twilio.media(recording_sid)


def test_the_same_sid_under_a_wrong_account_gets_in_nobodys_way(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=3).recording_sid
    stranger = "AC" + "b" * 32

    assert service.enqueue(recording_sid, account_sid=stranger).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
    assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED

    service.ready(recording_sid)
    assert requests.get(f"{service.http_url}/recordings/{recording_sid}/stream", timeout=10).status_code == 200
    wrong = service.get(recording_sid, account_sid=stranger)
    assert wrong.state == recording_pb2.RECORDING_STATE_QUEUED or not wrong.sha256


def test_a_request_id_runs_from_the_webhook_to_the_workers_log_line(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=3).recording_sid
    request_id = uuid.uuid4().hex

    service.twilio.send_webhook(
        f"{service.http_url}/webhooks/twilio/recording-status", recording_sid, headers={"X-Request-Id": request_id}
    )
    service.ready(recording_sid)

    def parts_that_named_it() -> set[str]:
        return {line.split()[2].split("-")[0] for line in service.log.splitlines() if request_id in line}

    eventually(lambda: parts_that_named_it() >= {"http", "worker"}, what="the request id in both logs")


def test_absent_ends_as_failed_and_says_so(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=1).recording_sid
    answer = service.twilio.send_webhook(
        f"{service.http_url}/webhooks/twilio/recording-status", recording_sid, "absent", ErrorCode="16101"
    )

    assert answer.status == 200
    recording = service.get(recording_sid)
    assert recording.state == recording_pb2.RECORDING_STATE_FAILED
    assert recording.failure_reason == recording_pb2.FAILURE_REASON_SOURCE_ABSENT


def test_no_secret_is_in_the_log(service: RunningService) -> None:
    assert service.environment["TWILIO_AUTH_TOKEN"] not in service.log
