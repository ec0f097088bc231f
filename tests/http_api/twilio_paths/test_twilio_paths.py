"""Twilio's own paths: its credentials, its metadata, and the bytes as on every other route."""

import base64
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client as TwilioClient

from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingState
from tests.http_api.conftest import API_KEY, ORIGIN, OTHER_ACCOUNT, Settings
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, FakeRecordings
from tests.http_api.running_app import PUBLIC_URL, Answer, Client, running_app

CONTENT = b"0123456789"
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}"
ENDINGS = pytest.mark.parametrize("ending", ["", ".mp3", ".json"])


def basic(username: str, password: str) -> dict[str, str]:
    """The field of these credentials."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


TOKEN = basic(ACCOUNT, "token-of-the-account")


def get(client: Client, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    """One request with the account's token and perhaps more."""
    return client.request(method, path, TOKEN | (headers or {}))


@pytest.fixture
def recording(recordings: FakeRecordings) -> Recording:
    return recordings.add(CONTENT)


@ENDINGS
@pytest.mark.parametrize(
    "credentials",
    [
        (ACCOUNT, "token-of-the-account"),
        (ACCOUNT, "older-token"),
        API_KEY,
    ],
    ids=["token", "older token", "API key"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_each_of_the_accounts_credentials_opens_its_recordings(
    client: Client, recording: Recording, ending: str, credentials: tuple[str, str], method: str
) -> None:
    answer = client.request(method, PATH + ending, basic(*credentials))
    assert answer.status == 200
    assert bool(answer.body) == (method == "GET")


WRONG: dict[str, dict[str, str]] = {
    "none": {},
    "an empty one": {"Authorization": ""},
    "a wrong token": basic(ACCOUNT, "another-token"),
    "a token that goes on": basic(ACCOUNT, "token-of-the-account-and-more"),
    "a token that is cut": basic(ACCOUNT, "token-of-the-accoun"),
    "an empty token": basic(ACCOUNT, ""),
    "a blank token": basic(ACCOUNT, " "),
    "another account's": basic(OTHER_ACCOUNT, "token-of-the-other"),
    "a token with another account's SID": basic(OTHER_ACCOUNT, "token-of-the-account"),
    "an API secret with the account's SID": basic(ACCOUNT, API_KEY[1]),
    "bearer": {"Authorization": "Bearer token-of-the-account"},
    "no scheme": {"Authorization": TOKEN["Authorization"].removeprefix("Basic ")},
    "a scheme alone": {"Authorization": "Basic"},
    "no base64": {"Authorization": f"Basic {ACCOUNT}:token-of-the-account"},
    "broken base64": {"Authorization": TOKEN["Authorization"] + "!"},
    "no colon": {"Authorization": "Basic " + base64.b64encode(b"token-of-the-account").decode()},
    "no ASCII": {"Authorization": "Basic \xe4\xf6\xfc"},
    "no UTF-8": {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()},
    "very long": {"Authorization": "Basic " + "QUFB" * 2000},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
@ENDINGS
def test_nobody_else_learns_whether_there_is_a_recording(
    client: Client, recordings: FakeRecordings, headers: dict[str, str], ending: str
) -> None:
    def asked() -> tuple[int, dict[str, Any], dict[str, str]]:
        answer = client.request("GET", PATH + ending, headers)
        fields = {name.lower(): value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
        return answer.status, answer.json() | {"request_id": ""}, fields

    status, body, fields = without = asked()
    recordings.add(CONTENT)
    assert asked() == without
    assert status == 401
    assert fields["www-authenticate"] == 'Basic realm="Twilio API"'
    assert fields["content-type"] == "application/problem+json"
    assert fields["cache-control"] == "no-store"
    assert (body["title"], body["reason"]) == ("Unauthorized", "UNAUTHENTICATED")
    assert recordings.asked == []


def test_two_authorizations_are_none(client: Client, recording: Recording) -> None:
    with client.raw() as connection:
        field = f"Authorization: {TOKEN['Authorization']}\r\n"
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: h\r\n{field}{field}\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 401"


def test_the_scheme_is_written_as_one_likes(client: Client, recording: Recording) -> None:
    headers = {"Authorization": TOKEN["Authorization"].replace("Basic ", "bASIC  ")}
    assert client.request("GET", PATH, headers).status == 200


@pytest.mark.parametrize(
    "credentials",
    [{}, {ACCOUNT: ()}, {ACCOUNT: ((ACCOUNT, ""), (ACCOUNT, " "), ("SK1", ""))}],
    ids=["no", "none", "empty"],
)
@pytest.mark.parametrize("password", ["", " ", "token-of-the-account"])
def test_an_account_without_credentials_is_open_to_nobody(
    settings: Settings, recording: Recording, credentials: dict[str, Any], password: str
) -> None:
    with running_app(settings(basic_credentials=credentials)) as client:
        assert client.request("GET", PATH, basic(ACCOUNT, password)).status == 401
        assert client.request("GET", PATH).status == 401


@pytest.mark.parametrize(
    ("content_type", "ending", "status"),
    [
        ("audio/mpeg", "", 200),
        ("audio/mpeg", ".mp3", 200),
        ("audio/mpeg", ".wav", 404),
        ("audio/wav", "", 200),
        ("audio/wav", ".wav", 200),
        ("audio/wav", ".mp3", 404),
        ("audio/mpeg", ".xml", 404),
        ("audio/mpeg", ".MP3", 404),
        ("audio/mpeg", ".", 404),
        ("audio/mpeg", "/", 404),
    ],
)
def test_what_is_stored_is_served_and_nothing_else(
    client: Client, recording: Recording, content_type: str, ending: str, status: int
) -> None:
    recording.content_type = content_type
    answer = get(client, PATH + ending)
    assert answer.status == status
    if status == 200:
        assert (answer.body, answer.headers["content-type"]) == (CONTENT, content_type)
    else:
        assert answer.headers["content-type"] == "application/problem+json"


def test_ranges_and_conditions_are_those_of_every_other_route(client: Client, recording: Recording) -> None:
    part = get(client, PATH, {"Range": "bytes=2-4"})
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert get(client, PATH, {"If-None-Match": '"e1"'}).status == 304
    assert get(client, PATH, {"If-Match": '"e0"'}).status == 412
    assert get(client, PATH, {"Range": "bytes=10-"}).headers["content-range"] == "bytes */10"


def test_parameters_of_twilios_change_nothing(client: Client, recording: Recording) -> None:
    assert get(client, f"{PATH}.mp3?RequestedChannels=2&account_sid=x").body == CONTENT


def test_the_recording_is_looked_for_under_the_paths_account_alone(
    client: Client, recording: Recording, recordings: FakeRecordings
) -> None:
    path = PATH.replace(ACCOUNT, OTHER_ACCOUNT)
    for ending in ("", ".mp3", ".json"):
        answer = client.request("GET", path + ending, basic(OTHER_ACCOUNT, "token-of-the-other"))
        assert (answer.status, answer.json()["reason"]) == (404, "RECORDING_NOT_FOUND")
    assert {call.request.account_sid for call in recordings.asked} == {OTHER_ACCOUNT}


@pytest.mark.parametrize("sid", ["RE123", "CA" + "1b" * 16, RECORDING + "0", RECORDING + "%0A", "RE%00"])
def test_nothing_but_a_recording_sid_reaches_the_service(client: Client, recordings: FakeRecordings, sid: str) -> None:
    assert get(client, PATH.replace(RECORDING, sid)).status == 404
    assert recordings.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@ENDINGS
def test_recordings_are_only_read_here(client: Client, recording: Recording, method: str, ending: str) -> None:
    answer = get(client, PATH + ending, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_no_script_of_another_origin_is_let_in(client: Client, recording: Recording) -> None:
    answer = get(client, PATH, {"Origin": ORIGIN})
    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("ending", ["", ".mp3", ".wav"])
def test_a_recording_on_its_way_is_hurried_and_answered_202(
    client: Client, recordings: FakeRecordings, ending: str
) -> None:
    recordings.add(b"", state=RecordingState.RECORDING_STATE_QUEUED)
    answer = get(client, PATH + ending)
    assert (answer.status, answer.json()["state"]) == (202, "QUEUED")
    assert "retry-after" in answer.headers
    assert len(recordings.of("EnqueueRecording")) == 1


def test_the_metadata_has_twilios_shape(client: Client, recordings: FakeRecordings) -> None:
    recording = recordings.add(
        CONTENT,
        call_sid="CA" + "2c" * 16,
        channels=2,
        source="RecordVerb",
        track="both",
        conference_sid="CF" + "3d" * 16,
    )
    recording.create_time.seconds = 1772532000
    recording.update_time.FromJsonString("2026-03-03T10:00:07.9Z")
    recording.start_time.seconds = 1772531900
    recording.duration.seconds = 42
    answer = get(client, f"{PATH}.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "call_sid": "CA" + "2c" * 16,
        "conference_sid": "CF" + "3d" * 16,
        "channels": 2,
        "date_created": "Tue, 03 Mar 2026 10:00:00 +0000",
        "date_updated": "Tue, 03 Mar 2026 10:00:07 +0000",
        "start_time": "Tue, 03 Mar 2026 09:58:20 +0000",
        "duration": "42",
        "sid": RECORDING,
        "source": "RecordVerb",
        "track": "both",
        "status": "completed",
        "error_code": None,
        "price": None,
        "price_unit": "USD",
        "encryption_details": None,
        "uri": f"{PATH}.json",
        "media_url": f"{PUBLIC_URL}{PATH}",
        "subresource_uris": {},
    }


def test_what_is_not_known_is_null(client: Client, recording: Recording) -> None:
    body = get(client, f"{PATH}.json").json()
    unknown = {name for name, value in body.items() if value is None}
    assert unknown >= {"call_sid", "conference_sid", "channels", "start_time", "duration", "source", "track"}


@pytest.mark.parametrize(
    ("state", "reason", "status"),
    [
        ("QUEUED", "UNSPECIFIED", "processing"),
        ("DOWNLOADING", "UNSPECIFIED", "processing"),
        ("READY", "UNSPECIFIED", "completed"),
        ("FAILED", "SOURCE_ABSENT", "absent"),
        ("FAILED", "SOURCE_NOT_FOUND", "absent"),
        ("FAILED", "SOURCE_FAILED", "failed"),
        ("FAILED", "WORKER_CRASHED", "failed"),
    ],
)
def test_the_state_is_told_as_a_status_of_twilios(
    client: Client, recordings: FakeRecordings, state: str, reason: str, status: str
) -> None:
    recordings.add(
        CONTENT,
        state=RecordingState.Value(f"RECORDING_STATE_{state}"),
        failure_reason=FailureReason.Value(f"FAILURE_REASON_{reason}"),
    )
    assert get(client, f"{PATH}.json").json()["status"] == status


def test_a_state_that_is_not_known_here_is_not_completed(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(CONTENT, state=99)
    assert get(client, f"{PATH}.json").json()["status"] == "processing"


def test_twilios_own_client_reads_the_metadata(client: Client, recording: Recording) -> None:
    recording.start_time.seconds = 1772531900
    recording.duration.seconds = 42
    twilio = TwilioClient(*API_KEY, account_sid=ACCOUNT)
    twilio.api.base_url = f"http://127.0.0.1:{client.port}"
    fetched = twilio.recordings(RECORDING).fetch()
    assert (fetched.sid, fetched.status, fetched.duration) == (RECORDING, "completed", "42")
    assert fetched.start_time is not None
    assert fetched.start_time.timestamp() == 1772531900
    stranger = TwilioClient(API_KEY[0], "wrong", account_sid=ACCOUNT)
    stranger.api.base_url = twilio.api.base_url
    with pytest.raises(TwilioRestException) as refused:
        stranger.recordings(RECORDING).fetch()
    assert refused.value.status == 401


def test_passwords_don_t_show_in_the_settings(settings: Settings) -> None:
    shown = repr(settings())
    assert "token-of-the-account" not in shown
    assert API_KEY[1] not in shown
