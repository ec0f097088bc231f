"""Cross-origin reading: configured origins only, on errors too (reliability.md D2)."""

import grpc
import pytest

from recordings.v1.recording_pb2 import RecordingState
from recordings.v1.results_pb2 import GetTranscriptResponse
from tests.http_api.conftest import ORIGIN
from tests.http_api.fake_recordings import RECORDING, Failure, FakeRecordings
from tests.http_api.running_app import Client

STREAM = f"/recordings/{RECORDING}/stream"
EXPOSED = {"content-range", "accept-ranges", "etag", "content-disposition", "content-length"}

#: (path, further headers, expected status): whatever the answer is.
ANSWERS = [
    (STREAM, {}, 200),
    (STREAM, {"Range": "bytes=0-1"}, 206),
    (STREAM, {"If-None-Match": "*"}, 304),
    (STREAM, {"Range": "bytes=99-"}, 416),
    (STREAM, {"If-Match": '"x"'}, 412),
    (f"/recordings/{RECORDING}", {}, 200),
    # A `<track crossorigin>`, and what it can't have.
    (f"/recordings/{RECORDING}/transcript.vtt", {}, 200),
    (f"/recordings/{RECORDING}/transcript.vtt", {"If-None-Match": "*"}, 304),
    (f"/recordings/{RECORDING}/waveform.json", {}, 424),
    (f"/recordings/RE{'00' * 16}/stream", {}, 404),
    (f"{STREAM}?account_sid=x", {}, 400),
    ("/recordings/x/y/z", {}, 404),
]


@pytest.fixture(autouse=True)
def _recording(recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    recordings.transcripts[RECORDING] = GetTranscriptResponse(language="en")


@pytest.mark.parametrize(("path", "headers", "status"), ANSWERS)
def test_an_allowed_origin_may_read_every_answer(
    client: Client, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.request("GET", path, headers | {"Origin": ORIGIN})
    assert answer.status == status
    assert answer.headers.get_all("access-control-allow-origin") == [ORIGIN]
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert exposed >= EXPOSED
    assert "Origin" in answer.headers["vary"].split(", ")
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(("path", "headers", "status"), ANSWERS)
@pytest.mark.parametrize(
    "origin", [None, "https://evil.example.com", "null", ORIGIN + ".evil.example.com", ORIGIN + "/", ORIGIN.upper(), ""]
)
def test_no_other_origin_may(
    client: Client, path: str, headers: dict[str, str], status: int, origin: str | None
) -> None:
    answer = client.request("GET", path, headers | ({} if origin is None else {"Origin": origin}))
    assert answer.status == status
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-expose-headers" not in answer.headers
    assert "Origin" in answer.headers["vary"].split(", ")


def test_an_unexpected_error_may_be_read_as_well(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789", state=99)
    answer = client.get(STREAM, Origin=ORIGIN)
    assert answer.status == 500
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_wrong_method_a_failed_recording_and_a_full_service_may_be_read_as_well(
    client: Client, recordings: FakeRecordings
) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_FAILED)
    answers = {405: client.request("POST", STREAM, {"Origin": ORIGIN}), 424: client.get(STREAM, Origin=ORIGIN)}
    recordings.answers["StreamRecording"] = [Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED")]
    answers[503] = client.get(STREAM, Origin=ORIGIN)
    for status, answer in answers.items():
        assert answer.status == status
        assert answer.headers.get_all("access-control-allow-origin") == [ORIGIN]
        assert "Content-Range" in answer.headers["access-control-expose-headers"]


def test_a_recording_on_its_way_says_when_to_ask_again_to_scripts(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_QUEUED)
    answer = client.get(STREAM, Origin=ORIGIN)
    assert answer.status == 202
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", [STREAM, f"/recordings/{RECORDING}/download", f"/recordings/{RECORDING}"])
def test_a_preflight_of_an_allowed_origin_is_204(client: Client, recordings: FakeRecordings, path: str) -> None:
    answer = client.request(
        "OPTIONS",
        path,
        {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "if-range,range",
        },
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert allowed >= {"range", "if-range"}
    assert answer.headers["access-control-max-age"] == "600"
    assert "Origin" in answer.headers["vary"].split(", ")
    assert recordings.asked == []


def test_a_preflight_of_another_origin_is_refused(client: Client) -> None:
    answer = client.request(
        "OPTIONS", STREAM, {"Origin": "https://evil.example.com", "Access-Control-Request-Method": "GET"}
    )
    assert (answer.status, answer.json()["reason"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"].split(", ")


def test_options_without_a_preflight_names_the_methods_to_scripts_as_well(client: Client) -> None:
    answer = client.request("OPTIONS", STREAM, {"Origin": ORIGIN})
    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-methods" not in answer.headers


@pytest.mark.parametrize("path", ["/healthz", "/webhooks/twilio/recording-status"])
def test_nothing_but_recordings_is_shared(client: Client, path: str) -> None:
    answer = client.get(path, Origin=ORIGIN)
    assert "access-control-allow-origin" not in answer.headers
