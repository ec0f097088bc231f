"""What is most urgent is fetched next, however much is queued."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from recording_service.twilio_stand_in.answers import not_found
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2, lookup_pb2, recording_pb2
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService
from tests.support.waiting import eventually

#: What the backfill of the issue has.
BULK_ROWS = 10_000
#: What one account has queued when another comes with a single recording.
TENANT_ROWS = 2_000
OTHER_ACCOUNT_SID = "AC" + "d" * 32


def enqueue_in_bulk(
    service: RunningService, recording_sids: list[str], priority: recording_pb2.Priority = recording_pb2.PRIORITY_BULK
) -> None:
    """Enqueues a backfill by batches of a thousand."""
    for start in range(0, len(recording_sids), 1000):
        requests = [
            enqueue_pb2.EnqueueRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid, priority=priority)
            for recording_sid in recording_sids[start : start + 1000]
        ]
        batch = enqueue_pb2.BatchEnqueueRecordingsRequest(requests=requests)
        results = service.stub.BatchEnqueueRecordings(batch, timeout=CALL_SECONDS).results
        assert all(result.reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED for result in results)


def test_behind_10_000_bulk_rows_a_playback_row_is_next_and_so_is_one_that_is_raised(
    start_service: Callable[..., AbstractContextManager[RunningService]], twilio: TwilioStandIn
) -> None:
    with start_service(RECORDING_WORKERS="1", RECORDING_TIME_SCALE="1") as service:
        first = twilio.add_recording(duration=2).recording_sid
        gate = twilio.hold(first, after=10)
        service.enqueue(first)
        gate.wait_reached()
        bulk = ["RE" + uuid.uuid4().hex for _ in range(BULK_ROWS)]
        enqueue_in_bulk(service, bulk)
        urgent = twilio.add_recording(duration=2).recording_sid
        raised = bulk[-1]
        twilio.add_recording(recording_sid=raised, duration=2)

        playback = recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY
        assert service.enqueue(urgent, job=playback).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
        assert service.enqueue(raised, job=playback).reason == enqueue_pb2.ENQUEUE_REASON_DUPLICATE
        gate.release()
        service.ready(urgent)
        service.ready(raised)

        fetched = [request.recording_sid for request in twilio.requests[:3]]
        assert set(fetched) == {first, urgent, raised}


def test_behind_2_000_of_one_account_the_one_of_another_is_next_though_a_single_worker_does_all(
    start_service: Callable[..., AbstractContextManager[RunningService]], twilio: TwilioStandIn, tmp_path: Path
) -> None:
    twilio.add_account(OTHER_ACCOUNT_SID, "the-other-token")
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(f'[{OTHER_ACCOUNT_SID}]\nauth_tokens = ["the-other-token"]\napi_url = "{twilio.url}"\n')
    choices = {"RECORDING_WORKERS": "1", "RECORDING_TIME_SCALE": "1", "RECORDING_ACCOUNTS_FILE": str(accounts)}
    with start_service(**choices) as service:
        first = twilio.add_recording(duration=2).recording_sid
        gate = twilio.hold(first, after=10)
        service.enqueue(first)
        gate.wait_reached()
        body = twilio.media(first)
        backfill = [twilio.add_recording(body=body).recording_sid for _ in range(TENANT_ROWS)]
        enqueue_in_bulk(service, backfill, recording_pb2.PRIORITY_NORMAL)
        single = twilio.add_recording(duration=2, account_sid=OTHER_ACCOUNT_SID).recording_sid

        service.enqueue(single, account_sid=OTHER_ACCOUNT_SID)
        gate.release()
        ready = recording_pb2.RECORDING_STATE_READY
        eventually(lambda: service.get(single, OTHER_ACCOUNT_SID).state == ready, within=10.0, what="the single one")

        assert [request.recording_sid for request in twilio.requests[:2]] == [first, single]
        waiting = service.stub.ListRecordings(
            lookup_pb2.ListRecordingsRequest(states=[recording_pb2.RECORDING_STATE_QUEUED], page_size=1000),
            timeout=CALL_SECONDS,
        )
        assert len(waiting.recordings) == 1000


def test_a_recording_that_is_not_there_yet_is_asked_for_again(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=3).recording_sid
    service.twilio.behave(recording_sid, not_found(), times=3)

    service.enqueue(recording_sid)

    assert service.ready(recording_sid).attempt == 4
