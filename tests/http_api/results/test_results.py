"""What all results have in common: conditions, caching, and what is said where there is none."""

import socket

import grpc
import pytest

from recordings.v1.recording_pb2 import RecordingState
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import RECORDING, Failure, FakeRecordings
from tests.http_api.results.making_results import LARGE_WAVEFORM, TRANSCRIPT, WAVEFORM
from tests.http_api.running_app import Client, read_exactly, running_app
from tests.support.waiting import eventually

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
#: Every path, with the method of the service that it asks and the step it is about.
METHODS = {
    "waveform.json": ("GetWaveform", "WAVEFORM"),
    "waveform.dat": ("GetWaveform", "WAVEFORM"),
    "transcript.vtt": ("GetTranscript", "TRANSCRIPT"),
    "transcript.txt": ("GetTranscript", "TRANSCRIPT"),
    "transcript.json": ("GetTranscript", "TRANSCRIPT"),
}
names = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(autouse=True)
def _made(recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    recordings.waveforms[RECORDING] = WAVEFORM
    recordings.transcripts[RECORDING] = TRANSCRIPT


def path(name: str) -> str:
    return f"/recordings/{RECORDING}/{name}"


@names
def test_it_is_kept_by_whoever_asked_and_asked_for_anew(client: Client, name: str) -> None:
    answer = client.get(path(name))

    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert {"Authorization", "Cookie", "Origin"} <= set(answer.headers["vary"].split(", "))
    assert answer.headers["content-length"] == str(len(answer.body))


@names
def test_head_is_the_same_without_the_body(client: Client, name: str) -> None:
    whole, head = client.get(path(name)), client.request("HEAD", path(name))

    assert (head.status, head.body) == (200, b"")
    for field in ("content-length", "content-type", "etag"):
        assert head.headers[field] == whole.headers[field]


@names
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_still_the_same_is_not_sent_again(client: Client, name: str, method: str) -> None:
    etag = client.get(path(name)).headers["etag"]

    for field in (etag, f'"other", W/{etag}', "*"):
        answer = client.request(method, path(name), {"If-None-Match": field})
        assert (answer.status, answer.body) == (304, b"")
        assert (answer.headers["etag"], answer.headers["cache-control"]) == (etag, "private, no-cache")
    assert client.request(method, path(name), {"If-None-Match": '"other"'}).status == 200


@names
def test_another_version_than_the_one_asked_for_is_refused(client: Client, name: str) -> None:
    etag = client.get(path(name)).headers["etag"]

    assert client.get(path(name), If_Match=etag).status == 200
    answer = client.get(path(name), If_Match='"other"')
    assert (answer.status, answer.json()["reason"]) == (412, "PRECONDITION_FAILED")


@names
def test_what_is_not_made_yet_is_to_be_asked_for_again(client: Client, recordings: FakeRecordings, name: str) -> None:
    method, step = METHODS[name]
    about = {"recordingSid": RECORDING, "step": step, "state": "RUNNING"}
    recordings.answers[method] = [Failure(PRECONDITION, "STEP_NOT_DONE", about, retry_seconds=2)]

    answer = client.get(path(name))

    assert (answer.status, answer.headers["retry-after"]) == (202, "2")
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["reason"], body["step"], body["state"]) == ("STEP_NOT_DONE", step, "RUNNING")
    assert answer.headers["cache-control"] == "no-store"


@names
@pytest.mark.parametrize(
    ("told", "members"),
    [
        ({}, {}),
        (
            {"state": "SKIPPED", "processingReason": "NOT_CONFIGURED"},
            {"state": "SKIPPED", "processing_reason": "NOT_CONFIGURED"},
        ),
    ],
)
def test_what_will_not_be_made_says_why(
    client: Client, recordings: FakeRecordings, name: str, told: dict[str, str], members: dict[str, str]
) -> None:
    method, step = METHODS[name]
    recordings.answers[method] = [Failure(PRECONDITION, "STEP_WITHOUT_RESULT", {"step": step, **told})]

    answer = client.get(path(name))

    assert (answer.status, answer.headers["content-type"]) == (424, "application/problem+json")
    body = answer.json()
    assert body["reason"] == "STEP_WITHOUT_RESULT"
    assert {key: body[key] for key in ("step", "state", "processing_reason") if key in body} == {
        "step": step,
        **members,
    }
    assert b"secret" not in answer.body


@names
@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Failure(PRECONDITION, "RECORDING_NOT_READY", {"state": "QUEUED"}, retry_seconds=2), 202),
        (Failure(PRECONDITION, "RECORDING_FAILED", {"failureReason": "SOURCE_ABSENT"}), 424),
        (Failure(grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND"), 404),
        (Failure(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"), 403),
    ],
)
def test_of_a_recording_without_bytes_it_is_said_as_to_a_player(
    client: Client, recordings: FakeRecordings, name: str, failure: Failure, status: int
) -> None:
    recordings.answers[METHODS[name][0]] = [failure]

    answer = client.get(path(name))

    assert (answer.status, answer.json()["reason"]) == (status, failure.reason)


@names
@pytest.mark.parametrize("sid", ["RE123", "RE" + "1g" * 16, RECORDING + "0", "RE%00"])
def test_nothing_but_a_recording_sid_reaches_the_service(
    client: Client, recordings: FakeRecordings, name: str, sid: str
) -> None:
    assert client.get(f"/recordings/{sid}/{name}").status == 404
    assert recordings.asked == []


@names
@pytest.mark.parametrize("query", ["account_sid=", "account_sid=AC1"])
def test_a_malformed_account_is_the_callers_mistake(
    client: Client, recordings: FakeRecordings, name: str, query: str
) -> None:
    answer = client.get(f"{path(name)}?{query}")

    assert [error["field"] for error in answer.json()["errors"]] == ["account_sid"]
    assert recordings.asked == []


@pytest.mark.parametrize("name", ["waveform", "waveform.xml", "transcript", "transcript.srt", "waveform.json/"])
def test_other_forms_are_no_paths_here(client: Client, name: str) -> None:
    assert client.get(path(name)).status == 404


@names
def test_asking_hurries_nothing(client: Client, recordings: FakeRecordings, name: str) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_QUEUED)
    recordings.waveforms.clear()
    recordings.transcripts.clear()

    client.get(path(name))

    assert recordings.of("EnqueueRecording") == []


# How many at once, and for how long


@pytest.mark.parametrize("name", ["waveform.dat", "transcript.vtt"])
def test_more_than_one_process_holds_are_told_when_to_ask_again(
    settings: Settings, recordings: FakeRecordings, name: str
) -> None:
    recordings.waveforms[RECORDING] = LARGE_WAVEFORM
    with running_app(settings(max_results=2)) as client:
        held = [begun(client, "waveform.dat") for _ in range(2)]
        refused = client.get(path(name))
        assert (refused.status, refused.json()["reason"]) == (503, "RESOURCE_EXHAUSTED")
        assert refused.headers["retry-after"] == "1"
        assert client.get(f"/recordings/{RECORDING}").status == 200
        for connection in held:
            connection.close()
        eventually(lambda: client.get(path(name)).status == 200, within=10, what="room for another one")


def test_what_could_not_be_sent_gives_its_place_back(settings: Settings, recordings: FakeRecordings) -> None:
    recordings.answers["GetTranscript"] = [Failure(PRECONDITION, "STEP_NOT_DONE", {"step": "TRANSCRIPT"}), None]
    with running_app(settings(max_results=1)) as client:
        assert client.get(path("transcript.vtt")).status == 202
        whole = client.get(path("transcript.vtt"))
        assert client.get(path("transcript.vtt"), If_None_Match=whole.headers["etag"]).status == 304
        assert client.get(path("transcript.vtt"), If_Match='"other"').status == 412
        assert client.get(path("transcript.vtt")).body == whole.body


def test_a_client_that_does_not_take_it_in_time_is_cut_off(settings: Settings, recordings: FakeRecordings) -> None:
    recordings.waveforms[RECORDING] = LARGE_WAVEFORM
    with running_app(settings(max_results=1, result_seconds=0.3)) as client, begun(client, "waveform.dat") as slow:
        eventually(lambda: client.get(path("transcript.vtt")).status == 200, within=10, what="its place")
        assert 0 < len(read_exactly(slow, len(LARGE_WAVEFORM.peaks))) < len(LARGE_WAVEFORM.peaks)


def begun(client: Client, name: str) -> socket.socket:
    """A connection on which the answer has begun, and that takes no more of it."""
    connection = client.raw(receive_buffer=4096)
    connection.sendall(f"GET {path(name)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert connection.recv(20).startswith(b"HTTP/1.1 200")
    return connection
