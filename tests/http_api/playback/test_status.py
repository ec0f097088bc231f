"""`GET /recordings/{sid}/status`: what the matter is and how far it is, at once or when it changes."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import grpc
import pytest

from recording_service.core.errors import SourceTooLarge
from recording_service.core.requests import RequestChecker
from recording_service.grpc_api.server import RecordingGrpcServer
from recording_service.grpc_api.settings import GrpcServerSettings
from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingState, WaitingReason
from tests.http_api.conftest import ORIGIN, Settings
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, Failure, FakeRecordings, Hang
from tests.http_api.running_app import Answer, Client, running_app
from tests.support.core_world import ACCOUNT as CORE_ACCOUNT
from tests.support.core_world import AUDIO, KEY, World, a_request
from tests.support.grpc_server import signer
from tests.support.waiting import eventually

PATH = f"/recordings/{RECORDING}/status"
QUEUED = RecordingState.RECORDING_STATE_QUEUED
DOWNLOADING = RecordingState.RECORDING_STATE_DOWNLOADING
READY = RecordingState.RECORDING_STATE_READY
FAILED = RecordingState.RECORDING_STATE_FAILED
#: Too long for a test to wait, in seconds.
LONG = 60
#: Longest wait for an answer that should come at once, in seconds.
SOON = 9.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def queued(recordings: FakeRecordings, revision: int = 1, **fields: Any) -> Recording:
    """A recording that is waiting for its turn."""
    return recordings.add(b"", **{"state": QUEUED, "revision": revision, "attempt": 1, **fields})


def held(pool: ThreadPoolExecutor, client: Client, recordings: FakeRecordings, query: str) -> "Future[Answer]":
    """An answer that has been asked for, and is being held."""
    answer = pool.submit(client.get, f"{PATH}?{query}")
    eventually(lambda: recordings.of("WatchRecording") or answer.done())
    return answer


def watched(recordings: FakeRecordings) -> bool:
    """Whether any watch is open."""
    return len(recordings.of("WatchRecording")) > len(recordings.watches_ended)


# What is said


def test_a_ready_recording_is_playable_and_says_what_it_is(client: Client, recordings: FakeRecordings) -> None:
    recording = recordings.add(b"0123456789", revision=7, attempt=2)
    recording.duration.seconds = 61
    answer = client.get(PATH)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "recording_sid": RECORDING,
        "account_sid": ACCOUNT,
        "state": "READY",
        "playable": True,
        "message": "The recording is ready to be played.",
        "progress": {"received_bytes": 10, "size_bytes": 10},
        "duration": 61,
        "content_type": "audio/mpeg",
        "attempt": 2,
        "revision": 7,
        "retry_after": 60,
    }


def test_one_that_waits_says_what_for_and_until_when(client: Client, recordings: FakeRecordings) -> None:
    recording = queued(recordings, 3, waiting_reason=WaitingReason.WAITING_REASON_RATE_LIMITED)
    recording.next_attempt_time.FromSeconds(int(time.time()) + 30)
    said = client.get(PATH).json()
    assert (said["state"], said["playable"]) == ("QUEUED", False)
    assert said["waiting_reason"] == "RATE_LIMITED"
    assert "patience" in said["message"]
    assert said["next_attempt_time"] == recording.next_attempt_time.ToJsonString()
    assert said["progress"] == {"received_bytes": 0}
    assert 25 <= said["retry_after"] <= 30


def test_one_that_is_being_fetched_says_how_far_it_is(client: Client, recordings: FakeRecordings) -> None:
    queued(recordings, state=DOWNLOADING, received_bytes=123_456_789_012)
    said = client.get(PATH).json()
    assert (said["state"], said["progress"]) == ("DOWNLOADING", {"received_bytes": 123_456_789_012})
    assert said["retry_after"] == 2
    assert "next_attempt_time" not in said


def test_one_that_failed_says_why_in_words(client: Client, recordings: FakeRecordings) -> None:
    queued(recordings, state=FAILED, failure_reason=FailureReason.FAILURE_REASON_SOURCE_ABSENT)
    answer = client.get(PATH)
    assert answer.status == 200
    said = answer.json()
    assert (said["state"], said["playable"], said["failure_reason"]) == ("FAILED", False, "SOURCE_ABSENT")
    assert said["message"] == "There is no recording: the call was too short or silent."


def test_nothing_is_said_of_who_called_whom(client: Client, recordings: FakeRecordings) -> None:
    recording = recordings.add(b"0123456789")
    recording.from_number, recording.to_number = "+4915112345678", "+493012345678"
    recording.call_sid, recording.source_url = "CA" + "2c" * 16, "https://api.twilio.com/secret"
    recording.failure_message = "secret"
    recording.labels["team"] = "secret"
    recording.etag = recording.sha256 = "4e" * 32
    body = client.get(PATH).body.decode()
    for hidden in ("+49", "CA2c", "secret", "twilio", "team", "4e4e"):
        assert hidden not in body


def test_head_is_the_same_without_the_body(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    whole = client.get(PATH)
    answer = client.request("HEAD", PATH)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(client: Client, method: str) -> None:
    answer = client.request(method, PATH)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_scripts_of_allowed_origins_may_read_it(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    assert client.get(PATH, Origin=ORIGIN).headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("query", ["", "?wait=30"])
@pytest.mark.parametrize("state", [None, RecordingState.RECORDING_STATE_DELETED])
def test_a_recording_that_there_is_not_is_not_found(
    client: Client, recordings: FakeRecordings, state: RecordingState | None, query: str
) -> None:
    if state is not None:
        queued(recordings, state=state)
    answer = client.get(PATH + query)
    assert (answer.status, answer.json()["reason"]) == (404, "RECORDING_NOT_FOUND")
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/recordings/RE1/status").status == 404


def test_the_account_is_handed_on(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    for query in ("", "&wait=1"):
        assert client.get(f"{PATH}?account_sid={ACCOUNT}{query}").status == 200
    assert [request.account_sid for request in recordings.of("GetRecording")] == [ACCOUNT]
    assert [request.account_sid for request in recordings.of("WatchRecording")] == [ACCOUNT]


# Waiting


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("wait=", ["wait"]),
        ("wait=-1", ["wait"]),
        ("wait=61", ["wait"]),
        ("wait=1.5", ["wait"]),
        ("wait=soon", ["wait"]),
        ("wait=%D9%A1", ["wait"]),
        ("wait=1&wait=2", ["wait"]),
        ("revision=-1", ["revision"]),
        ("revision=9223372036854775808", ["revision"]),
        ("revision=99999999999999999999999999", ["revision"]),
        ("wait=x&revision=y", ["wait", "revision"]),
    ],
)
def test_a_malformed_wait_or_revision_is_named(
    client: Client, recordings: FakeRecordings, query: str, fields: list[str]
) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert (answer.status, answer.json()["reason"]) == (400, "INVALID_REQUEST")
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert recordings.asked == []


def test_without_a_wait_the_answer_is_there_at_once_whatever_the_revision(
    client: Client, recordings: FakeRecordings
) -> None:
    queued(recordings, 5)
    for query in ("", "?wait=0", "?revision=5", "?wait=0&revision=5"):
        assert client.get(PATH + query).json()["revision"] == 5
    assert recordings.of("WatchRecording") == []


def test_an_answer_is_held_until_something_changes(
    client: Client, recordings: FakeRecordings, pool: ThreadPoolExecutor
) -> None:
    for query, revision in ((f"wait={LONG}", 1), (f"wait={LONG}&revision=3", 3)):
        recordings.asked.clear()
        queued(recordings, revision)
        answer = held(pool, client, recordings, query)
        queued(recordings, revision + 1, state=DOWNLOADING, received_bytes=5)
        said = answer.result(SOON).json()
        assert (said["revision"], said["progress"]["received_bytes"]) == (revision + 1, 5)
    eventually(lambda: not watched(recordings))


def test_who_finds_no_place_to_wait_is_answered_at_once(
    settings: Settings, recordings: FakeRecordings, pool: ThreadPoolExecutor
) -> None:
    # Each that waits takes one of the service's watches from others.
    queued(recordings, 1)
    with running_app(settings(max_held_statuses=1)) as client:
        waiting = held(pool, client, recordings, f"wait={LONG}")
        assert client.get(f"{PATH}?wait={LONG}").json()["revision"] == 1
        queued(recordings, 2)
        assert waiting.result(SOON).json()["revision"] == 2


@pytest.mark.parametrize("revision", [0, 4, 6])
def test_a_page_that_has_seen_another_revision_is_answered_at_once(
    client: Client, recordings: FakeRecordings, revision: int
) -> None:
    queued(recordings, 5)
    assert client.get(f"{PATH}?wait={LONG}&revision={revision}").json()["revision"] == 5
    eventually(lambda: not watched(recordings))


@pytest.mark.parametrize("state", [READY, FAILED])
def test_what_is_settled_is_not_waited_on(client: Client, recordings: FakeRecordings, state: RecordingState) -> None:
    queued(recordings, 5, state=state)
    said = client.get(f"{PATH}?wait={LONG}&revision=5").json()
    assert (said["revision"], said["retry_after"]) == (5, 60)


def test_nothing_is_held_longer_than_was_asked_for(client: Client, recordings: FakeRecordings) -> None:
    queued(recordings, 5)
    began = time.monotonic()
    said = client.get(f"{PATH}?wait=1&revision=5").json()
    assert said["revision"] == 5
    assert time.monotonic() - began >= 0.9
    eventually(lambda: not watched(recordings))


def test_the_watch_of_a_page_that_leaves_ends_at_once(client: Client, recordings: FakeRecordings) -> None:
    queued(recordings)
    with closing(client.raw()) as connection:
        connection.sendall(f"GET {PATH}?wait={LONG} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        eventually(lambda: watched(recordings))
    eventually(lambda: recordings.watches_ended == [RECORDING])


def test_a_recording_that_is_deleted_meanwhile_is_not_found(
    client: Client, recordings: FakeRecordings, pool: ThreadPoolExecutor
) -> None:
    queued(recordings)
    answer = held(pool, client, recordings, f"wait={LONG}")
    queued(recordings, 2, state=RecordingState.RECORDING_STATE_DELETED)
    assert answer.result(SOON).status == 404


def test_where_there_are_too_many_watchers_a_page_is_told_when_to_ask_again(
    client: Client, recordings: FakeRecordings
) -> None:
    queued(recordings)
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    recordings.answers["WatchRecording"] = [Failure(code, "CAPACITY_EXHAUSTED", retry_seconds=7)]
    answer = client.get(f"{PATH}?wait={LONG}")
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    assert client.get(PATH).status == 200


def test_a_server_that_stops_answers_what_it_holds_with_what_it_knows(
    settings: Settings, recordings: FakeRecordings, pool: ThreadPoolExecutor
) -> None:
    queued(recordings, 5)
    with running_app(settings()) as stopping:
        answer = held(pool, stopping, recordings, f"wait={LONG}&revision=5")
    said = answer.result(SOON)
    assert (said.status, said.json()["revision"]) == (200, 5)


def test_a_watch_that_breaks_leaves_what_was_seen(
    client: Client, recordings: FakeRecordings, pool: ThreadPoolExecutor
) -> None:
    queued(recordings, 5)
    answer = held(pool, client, recordings, f"wait={LONG}&revision=5")
    # As when the service stops.
    recordings.released.set()
    assert answer.result(SOON).json()["revision"] == 5


def test_a_service_that_does_not_answer_is_unavailable(impatient: Client, recordings: FakeRecordings) -> None:
    queued(recordings)
    eventually(lambda: impatient.get(PATH).status == 200)
    recordings.answers["WatchRecording"] = [Hang()]
    assert impatient.get(f"{PATH}?wait={LONG}").status == 503


# Over the real core


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def core_client(world: World, settings: Settings) -> Iterator[Client]:
    """The adapter before a service before a core in memory."""
    with closing(world.service()) as service:
        checker = RequestChecker(account_sids={CORE_ACCOUNT}, source_hosts=())
        server = RecordingGrpcServer(service, checker, signer(), GrpcServerSettings(address="127.0.0.1:0"))
        target = f"127.0.0.1:{server.start()}"
        try:
            with running_app(settings(grpc_target=target)) as client:
                yield client
        finally:
            server.stop(0)


def test_a_page_that_waits_sees_a_recording_go_from_queued_over_downloading_to_ready(
    world: World, core_client: Client, pool: ThreadPoolExecutor
) -> None:
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    path = f"/recordings/{KEY.recording_sid}/status"
    seen: list[dict[str, Any]] = []

    def follow() -> None:
        """As a page does it: each answer's revision is what it has seen when it asks again."""
        seen.append(core_client.get(path).json())
        while not seen[-1]["playable"]:
            seen.append(core_client.get(f"{path}?wait={LONG}&revision={seen[-1]['revision']}").json())

    def until_seen(*_: Any, **__: Any) -> None:
        eventually(lambda: seen[-1]["state"] == "DOWNLOADING", within=SOON)

    following = pool.submit(follow)
    eventually(lambda: seen)
    # Twilio answers only when the page has seen that it is asked.
    world.source.before["open"] = until_seen
    world.work()
    following.result(3 * SOON)

    states = [look["state"] for look in seen]
    assert sorted(set(states), key=states.index) == ["QUEUED", "DOWNLOADING", "READY"]
    assert seen[-1]["progress"] == {"received_bytes": len(AUDIO), "size_bytes": len(AUDIO)}
    revisions = [look["revision"] for look in seen]
    assert revisions == sorted(set(revisions))


def test_a_page_that_waits_is_told_that_the_recording_can_not_be_had(
    world: World, core_client: Client, pool: ThreadPoolExecutor
) -> None:
    world.script(SourceTooLarge("too large"))
    world.enqueuer().enqueue(a_request())
    path = f"/recordings/{KEY.recording_sid}/status"
    waiting = pool.submit(core_client.get, f"{path}?wait={LONG}")
    # The watch is in place, and its hub listens.
    eventually(lambda: world.catalogue.calls["get_many"] >= 1)
    world.work()
    said = waiting.result(SOON).json()
    while said["state"] != "FAILED":
        said = core_client.get(f"{path}?wait={LONG}&revision={said['revision']}").json()
    assert (said["failure_reason"], said["playable"]) == ("SOURCE_TOO_LARGE", False)
