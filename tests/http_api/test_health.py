"""`/healthz` and `/readyz`."""

import time

import grpc
import pytest
from grpc_health.v1 import health_pb2

from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import Failure, FakeRecordings, FakeServer, Hang
from tests.http_api.running_app import Client, running_app


def test_a_living_process_is_alive_whatever_the_service_does(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers["Check"] = [Hang()]
    answer = client.get("/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "alive"})
    assert answer.headers["cache-control"] == "no-store"
    assert recordings.checked == []


def test_a_serving_service_is_ready_and_shows_its_queue(client: Client, recordings: FakeRecordings) -> None:
    recordings.health_details = (("recording-queued", "17"), ("recording-oldest-due-seconds", "3.25"))
    answer = client.get("/readyz")
    assert answer.status == 200
    assert answer.json() == {
        "ready": True,
        "status": "SERVING",
        "queued": 17,
        "oldest_due_seconds": 3.25,
        "storage_full": None,
    }
    assert answer.headers["cache-control"] == "no-store"
    (request,) = recordings.checked
    assert request.service == "recordings.v1.RecordingService"


@pytest.mark.parametrize(
    "details",
    [(), (("recording-queued", "many"), ("recording-oldest-due-seconds", "nan")), (("recording-queued", ""),)],
)
def test_what_is_not_known_of_the_queue_is_null(
    client: Client, recordings: FakeRecordings, details: tuple[tuple[str, str], ...]
) -> None:
    recordings.health_details = details
    assert client.get("/readyz").json() == {
        "ready": True,
        "status": "SERVING",
        "queued": None,
        "oldest_due_seconds": None,
        "storage_full": None,
    }


@pytest.mark.parametrize(
    ("told", "expected"), [("true", True), ("false", False), ("True", None), ("", None), ("perhaps", None)]
)
def test_a_full_shelf_is_shown_and_is_ready_all_the_same(
    client: Client, recordings: FakeRecordings, told: str, expected: bool | None
) -> None:
    recordings.health_details = (("recording-storage-full", told),)
    answer = client.get("/readyz")
    assert (answer.status, answer.json()["storage_full"]) == (200, expected)


def test_a_service_that_is_not_serving_is_not_ready_and_shows_its_queue(
    client: Client, recordings: FakeRecordings
) -> None:
    recordings.serving = health_pb2.HealthCheckResponse.NOT_SERVING
    recordings.health_details = (("recording-queued", "17"),)
    answer = client.get("/readyz")
    assert answer.status == 503
    assert answer.json() == {
        "ready": False,
        "status": "NOT_SERVING",
        "queued": 17,
        "oldest_due_seconds": None,
        "storage_full": None,
    }


def test_a_service_whose_check_fails_is_not_ready(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers["Check"] = [Failure(grpc.StatusCode.NOT_FOUND)]
    answer = client.get("/readyz")
    assert (answer.status, answer.json()["status"]) == (503, "NOT_FOUND")


def test_a_service_that_hangs_is_not_ready_in_time(impatient: Client, recordings: FakeRecordings) -> None:
    recordings.answers["Check"] = [Hang()]
    started = time.monotonic()
    answer = impatient.get("/readyz")
    assert (answer.status, answer.json()["status"]) == (503, "DEADLINE_EXCEEDED")
    assert time.monotonic() - started < 3


def test_a_service_that_is_gone_is_not_ready(settings: Settings) -> None:
    server = FakeServer()
    server.stop()
    with running_app(settings(grpc_target=server.target)) as client:
        answer = client.get("/readyz")
        assert (answer.status, answer.json()["status"]) == (503, "UNAVAILABLE")
        assert client.get("/healthz").status == 200
