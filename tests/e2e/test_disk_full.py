"""A disk that is full: said to whoever asks, harmless to what is stored, and forgotten once there is room again."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
import pytest
import requests

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2, recording_pb2
from tests.e2e.test_trouble import enqueue_reason_in
from tests.support.full_disk import disk_to_itself, files_no_larger_than, filled, free_bytes
from tests.support.running_service import RunningService, error_reason
from tests.support.waiting import eventually

Start = Callable[..., AbstractContextManager[RunningService]]

CODE = grpc.StatusCode

#: How far the free space is above the reserve to begin with, and below it once the disk is "full": more than others
#: write to this disk, or remove from it, meanwhile.
MARGIN_BYTES = 128 * 1024**2

#: All is READY within this time after there is room again.
HEALED_SECONDS = 75.0


@pytest.fixture
def own_disk() -> Iterator[None]:
    with disk_to_itself():
        yield


def shown_as_full(service: RunningService) -> object:
    answer = requests.get(f"{service.http_url}/readyz", timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()["storage_full"]


@pytest.mark.usefixtures("own_disk")
def test_a_full_disk_refuses_what_is_new_plays_what_is_there_and_heals_by_itself(
    start_service: Start, twilio: TwilioStandIn, tmp_path: Path
) -> None:
    reserve = free_bytes(tmp_path) - MARGIN_BYTES
    with start_service(RECORDING_MIN_FREE_BYTES=str(reserve), RECORDING_TIME_SCALE="1") as service:
        there, over_grpc, over_http = (twilio.add_recording(duration=5).recording_sid for _ in range(3))
        service.enqueue(there)
        service.processed(there)
        assert shown_as_full(service) is False
        processes = set(service.parts())

        with filled(tmp_path, down_to=reserve - MARGIN_BYTES):
            for _ in range(2):
                with pytest.raises(grpc.RpcError) as refused:
                    service.enqueue(over_grpc)
                assert error_reason(refused.value) == (CODE.RESOURCE_EXHAUSTED, "STORAGE_FULL")
                assert enqueue_reason_in(refused.value) == enqueue_pb2.ENQUEUE_REASON_ERROR
            answer = twilio.send_webhook(f"{service.http_url}/webhooks/twilio/recording-status", over_http)
            assert answer.status == 500
            assert service.enqueue(there).reason == enqueue_pb2.ENQUEUE_REASON_CACHED
            assert service.stream(there) == twilio.media(there)
            played = requests.get(f"{service.http_url}/recordings/{there}/stream", timeout=5)
            assert played.content == twilio.media(there)
            eventually(lambda: shown_as_full(service) is True, what="the full disk in /readyz")
            eventually(lambda: "the storage is full" in service.log, what="the full disk in the log")
            for recording_sid in (over_grpc, over_http):
                row = service.get(recording_sid)
                assert (row.state, row.attempt, row.failures) == (recording_pb2.RECORDING_STATE_QUEUED, 1, 0)

        for recording_sid in (over_grpc, over_http):
            assert service.ready(recording_sid, within=HEALED_SECONDS).attempt == 1
            assert service.stream(recording_sid) == twilio.media(recording_sid)
        eventually(lambda: shown_as_full(service) is False, what="the room in /readyz")
        assert service.log.count("the storage is full") == 1
        assert service.log.count("dispatching goes on") == 2  # "… when it is back", and that it is
        assert set(service.parts()) == processes, "nothing was restarted"


@pytest.mark.usefixtures("own_disk")
def test_a_disk_that_fills_in_mid_download_costs_an_attempt_and_nothing_else(
    start_service: Start, twilio: TwilioStandIn, tmp_path: Path
) -> None:
    reserve = free_bytes(tmp_path) - MARGIN_BYTES
    with start_service(RECORDING_MIN_FREE_BYTES=str(reserve), RECORDING_WORKERS="1") as service:
        recording_sid = twilio.add_recording(duration=600).recording_sid
        assert len(twilio.media(recording_sid)) > 2 * 1024**2, "it is not written in one step"
        gate = twilio.hold(recording_sid, after=200_000)
        service.enqueue(recording_sid)
        gate.wait_reached()
        with filled(tmp_path, down_to=reserve - MARGIN_BYTES):
            gate.release()

            def put_off() -> bool:
                return service.get(recording_sid).waiting_reason == recording_pb2.WAITING_REASON_STORAGE_UNAVAILABLE

            eventually(put_off, what="the end of the attempt")
            assert service.get(recording_sid).failures == 0
            assert service.stored_files() == []

        recording = service.ready(recording_sid, within=HEALED_SECONDS)
        assert (recording.attempt, recording.failures) == (2, 0)
        assert service.stream(recording_sid) == twilio.media(recording_sid)


def test_a_catalogue_that_can_not_grow_costs_an_honest_error_until_it_can(
    start_service: Start, twilio: TwilioStandIn
) -> None:
    with start_service() as service:
        there, new = (twilio.add_recording(duration=5).recording_sid for _ in range(2))
        service.enqueue(there)
        service.processed(there)
        [server] = service.parts("grpc")
        with files_no_larger_than(0, of=lambda: [server.pid]):
            for _ in range(3):
                with pytest.raises(grpc.RpcError) as refused:
                    service.enqueue(new)
                assert error_reason(refused.value) == (CODE.UNAVAILABLE, "ENQUEUE_FAILED")
            answer = twilio.send_webhook(f"{service.http_url}/webhooks/twilio/recording-status", new)
            assert answer.status == 500
            assert service.stream(there) == twilio.media(there)

        assert service.enqueue(new).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
        service.ready(new)
        assert service.parts("grpc") == [server]
