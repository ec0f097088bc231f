"""What is most urgent is fetched next, however much is queued."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from recording_service.twilio_stand_in.answers import not_found
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2, recording_pb2
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService

#: What the backfill of the issue has.
BULK_ROWS = 10_000


def enqueue_in_bulk(service: RunningService, recording_sids: list[str]) -> None:
    """Enqueues a backfill by batches of a thousand."""
    for start in range(0, len(recording_sids), 1000):
        requests = [
            enqueue_pb2.EnqueueRecordingRequest(
                account_sid=ACCOUNT_SID, recording_sid=recording_sid, priority=recording_pb2.PRIORITY_BULK
            )
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


def test_a_recording_that_is_not_there_yet_is_asked_for_again(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=3).recording_sid
    service.twilio.behave(recording_sid, not_found(), times=3)

    service.enqueue(recording_sid)

    assert service.ready(recording_sid).attempt == 4
