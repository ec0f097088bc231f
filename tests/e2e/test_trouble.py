"""What is promised when something is down, dead or wrong. Each test has a service of its own."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise

import grpc
import pytest
import requests

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2, recording_pb2
from tests.support.running_service import (
    ACCOUNT_SID,
    RunningService,
    error_reason,
    seconds_since,
)
from tests.support.waiting import eventually

Start = Callable[..., AbstractContextManager[RunningService]]


def enqueue_reason_in(error: grpc.RpcError) -> int:
    """The reason of the EnqueueRecordingResponse in a refusal's details."""
    from grpc_status import rpc_status

    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    response = enqueue_pb2.EnqueueRecordingResponse()
    assert any(detail.Unpack(response) for detail in status.details)
    return response.reason


def test_a_stopped_redis_costs_an_honest_error_and_nothing_is_lost(start_service: Start, twilio: TwilioStandIn) -> None:
    with start_service() as service:
        there = twilio.add_recording(duration=5).recording_sid
        service.enqueue(there)
        service.ready(there)
        over_grpc, over_http = (twilio.add_recording(duration=5).recording_sid for _ in range(2))
        [redis] = service.parts("redis")
        redis.stop()  # black-holed: the worst case, connections stay open and nothing answers

        started = time.monotonic()
        with pytest.raises(grpc.RpcError) as refused:
            service.enqueue(over_grpc)
        assert seconds_since(started) < 3.0
        assert error_reason(refused.value) == (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")
        assert enqueue_reason_in(refused.value) == enqueue_pb2.ENQUEUE_REASON_ERROR
        with pytest.raises(grpc.RpcError):
            service.enqueue(over_grpc)  # and not DUPLICATE: no bell has rung
        started = time.monotonic()
        answer = twilio.send_webhook(f"{service.http_url}/webhooks/twilio/recording-status", over_http)
        assert answer.status == 500
        assert seconds_since(started) < 5.0
        assert service.stream(there) == twilio.media(there)
        assert requests.get(f"{service.http_url}/recordings/{there}/stream", timeout=5).content == twilio.media(there)
        assert requests.get(f"{service.http_url}/readyz", timeout=5).status_code == 200

        redis.go_on()
        for recording_sid in (over_grpc, over_http):
            service.ready(recording_sid)


def test_a_redis_that_forgets_everything_costs_time_only(start_service: Start, twilio: TwilioStandIn) -> None:
    with start_service(RECORDING_WORKERS="1") as service:
        held = twilio.add_recording(duration=5).recording_sid
        gate = twilio.hold(held, after=100)
        service.enqueue(held)
        gate.wait_reached()
        queued = [twilio.add_recording(duration=2).recording_sid for _ in range(20)]
        for recording_sid in queued:
            service.enqueue(recording_sid)
        [redis] = service.parts("redis")
        redis.kill()
        for file in (service.data_dir / "redis").rglob("*"):
            if file.is_file():
                file.unlink()
        gate.release()

        for recording_sid in [held, *queued]:
            service.ready(recording_sid)


@pytest.mark.parametrize("victim", ["worker", "work-horse"])
def test_a_worker_killed_in_mid_download_loses_nothing(
    start_service: Start, twilio: TwilioStandIn, victim: str
) -> None:
    with start_service(RECORDING_WORKERS="1", RECORDING_TIME_SCALE="1") as service:
        recording_sid = twilio.add_recording(duration=30).recording_sid
        gate = twilio.hold(recording_sid, after=20_000)
        service.enqueue(recording_sid)
        gate.wait_reached()
        [worker] = service.parts("worker-")
        [horse] = worker.children()

        killed_at = time.monotonic()
        (worker if victim == "worker" else horse).kill()
        horse.wait_for_end(within=2.0)
        gate.release()
        recording = service.ready(recording_sid, within=75.0)

        assert seconds_since(killed_at) < 75.0
        assert service.stream(recording_sid) == twilio.media(recording_sid)
        [stored] = service.stored_files()
        assert stored.name == f"{recording.attempt}.mp3"
        assert recording.attempt > 1


def test_a_wrong_token_holds_the_accounts_recordings_until_it_is_right(
    start_service: Start, twilio: TwilioStandIn
) -> None:
    with start_service(RECORDING_TIME_SCALE="0.05") as service:  # a probe each 3 s
        twilio.set_auth_token(ACCOUNT_SID, "another token")
        recording_sids = [twilio.add_recording(duration=2).recording_sid for _ in range(10)]
        for recording_sid in recording_sids:
            service.enqueue(recording_sid)

        def all_wait() -> bool:
            waiting = recording_pb2.WAITING_REASON_ACCOUNT_UNAUTHORIZED
            return all(service.get(recording_sid).waiting_reason == waiting for recording_sid in recording_sids)

        eventually(all_wait, what="the waiting reason of every row")
        asked = len(twilio.requests)
        assert asked <= 4, "more than each worker's first request, and a probe"
        twilio.wait_for_requests(asked + 3, timeout=30.0)
        times = [request.time for request in twilio.requests][asked:]
        assert all(later - earlier > 2.0 for earlier, later in pairwise(times)), times
        assert all(service.get(recording_sid).failures == 0 for recording_sid in recording_sids)

        twilio.set_auth_token(ACCOUNT_SID, service.environment["TWILIO_AUTH_TOKEN"])
        for recording_sid in recording_sids:
            service.ready(recording_sid)


def test_a_file_shortened_on_disk_is_data_loss_and_is_fetched_again(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=20).recording_sid
    service.enqueue(recording_sid)
    first = service.ready(recording_sid)
    [stored] = [path for path in service.stored_files() if path.parent.name == recording_sid]
    os.truncate(stored, 1000)

    with pytest.raises(grpc.RpcError) as refused:
        service.stream(recording_sid)
    assert error_reason(refused.value) == (grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED")

    again = service.ready(recording_sid)
    assert again.attempt > first.attempt
    assert again.etag == first.etag
    assert service.stream(recording_sid) == service.twilio.media(recording_sid)


def test_an_object_that_is_gone_is_not_said_to_be_cached(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=5).recording_sid
    service.enqueue(recording_sid)
    service.ready(recording_sid)
    [stored] = [path for path in service.stored_files() if path.parent.name == recording_sid]
    stored.unlink()

    assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
    service.ready(recording_sid)
    assert service.stream(recording_sid) == service.twilio.media(recording_sid)
