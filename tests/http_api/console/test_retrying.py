"""`POST /recordings/{sid}/retry`, and who may."""

import grpc
import pytest

from recording_service.http_api import HttpSettings
from recordings.v1.enqueue_pb2 import EnqueueReason, EnqueueRecordingResponse
from recordings.v1.recording_pb2 import RecordingJob, RecordingState
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, Failure, FakeRecordings
from tests.http_api.running_app import PUBLIC_URL, Answer, Client, running_app

PATH = f"/recordings/{RECORDING}/retry"
OURS = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}


def add_failed(recordings: FakeRecordings) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_FAILED, job=RecordingJob.RECORDING_JOB_DOWNLOAD_ONLY)


def test_a_failed_recording_is_enqueued_with_its_account_and_its_job(
    client: Client, recordings: FakeRecordings
) -> None:
    add_failed(recordings)
    answer = client.request("POST", f"{PATH}?account_sid={ACCOUNT}", OURS)
    assert (answer.status, answer.json()) == (200, {"reason": "ENQUEUED"})
    assert answer.headers["cache-control"] == "no-store"
    (looked_up,) = recordings.of("GetRecording")
    assert looked_up.account_sid == ACCOUNT
    (asked,) = recordings.of("EnqueueRecording")
    assert (asked.account_sid, asked.recording_sid) == (ACCOUNT, RECORDING)
    assert asked.job == RecordingJob.RECORDING_JOB_DOWNLOAD_ONLY


@pytest.mark.parametrize(
    "state", [state for name, state in RecordingState.items() if name.rpartition("_")[2] in {"QUEUED", "READY"}]
)
def test_what_has_not_failed_is_left_alone(client: Client, recordings: FakeRecordings, state: int) -> None:
    recordings.add(b"audio", state=state)
    answer = client.request("POST", PATH, OURS)
    assert (answer.status, answer.json()["reason"]) == (409, "RECORDING_NOT_FAILED")
    assert recordings.of("EnqueueRecording") == []


def test_what_there_is_not_is_404(client: Client, recordings: FakeRecordings) -> None:
    assert client.request("POST", PATH, OURS).status == 404
    assert client.request("POST", "/recordings/RE12/retry", OURS).status == 404


def test_only_what_the_service_accepts_is_an_acceptance(client: Client, recordings: FakeRecordings) -> None:
    add_failed(recordings)
    recordings.answers["EnqueueRecording"] = [
        EnqueueRecordingResponse(reason=EnqueueReason.ENQUEUE_REASON_DUPLICATE),
        EnqueueRecordingResponse(reason=EnqueueReason.ENQUEUE_REASON_ERROR),
        Failure(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"),
    ]
    answers = [client.request("POST", PATH, OURS) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 500, 403]
    assert answers[0].json() == {"reason": "DUPLICATE"}
    assert answers[1].json()["reason"] == "ENQUEUE_FAILED"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nothing_but_a_post_retries(client: Client, recordings: FakeRecordings, method: str) -> None:
    add_failed(recordings)
    answer = client.request(method, PATH, OURS)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_body_is_refused_unread(client: Client, recordings: FakeRecordings) -> None:
    add_failed(recordings)
    assert client.request("POST", PATH, OURS, b"{}").status == 413
    assert client.request("POST", PATH, OURS, iter([b"{", b"}"])).status == 413
    with client.raw() as connection:
        # Announced, and never sent: nobody waits for it.
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nOrigin: {PUBLIC_URL}\r\nContent-Length: 9\r\n\r\n".encode()
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert recordings.of("EnqueueRecording") == []


# Who may


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://recordings.example.com.evil.example"},
        {"Origin": "http://recordings.example.com"},
        {"Origin": "https://recordings.example.com:8443"},
        {"Origin": "https://recordings.example.com:port"},
        {"Origin": "https://app.example.com"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-site"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none", "Origin": PUBLIC_URL},
    ],
)
def test_another_sites_page_can_make_nobody_retry(
    client: Client, recordings: FakeRecordings, headers: dict[str, str]
) -> None:
    add_failed(recordings)
    answer = client.request("POST", PATH, headers)
    assert (answer.status, answer.json()["reason"]) == (403, "CROSS_SITE_REQUEST")
    assert recordings.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": PUBLIC_URL},
        {"Origin": f"{PUBLIC_URL}:443"},
        {"Authorization": "Bearer a-token"},
        {"Authorization": "Bearer a-token", "Origin": "https://evil.example"},
    ],
)
def test_our_own_page_may_and_whoever_shows_credentials(
    client: Client, recordings: FakeRecordings, headers: dict[str, str]
) -> None:
    add_failed(recordings)
    assert client.request("POST", PATH, headers).status == 200


def test_callers_are_asked_for_and_their_token_is_handed_on(settings: Settings, recordings: FakeRecordings) -> None:
    add_failed(recordings)
    with running_app(settings(requires_credentials=True)) as client:
        recordings.asked.clear()
        assert client.request("POST", PATH, OURS).status == 401
        assert recordings.asked == []
        # A cookie is what another site could make a browser send: it takes the Origin as well.
        cookie = {"Cookie": "__Host-recording_session=a-token"}
        assert client.request("POST", PATH, cookie).status == 403
        assert client.request("POST", PATH, {**OURS, **cookie}).status == 200
    assert {call.metadata["authorization"] for call in recordings.asked} == {"Bearer a-token"}


def _retry_from(settings: HttpSettings, origin: str) -> Answer:
    with running_app(settings) as client:
        return client.request("POST", PATH, {"Origin": origin})


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8080", 200),
        ("http://[::1]:8080", 200),
        ("http://localhost:9090", 403),
        ("http://evil:8080", 403),
    ],
)
def test_on_loopback_its_other_names_will_do(
    settings: Settings, recordings: FakeRecordings, origin: str, status: int
) -> None:
    add_failed(recordings)
    assert _retry_from(settings(public_url="http://127.0.0.1:8080"), origin).status == status
