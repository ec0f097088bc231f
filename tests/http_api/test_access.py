"""Who is let in over HTTP, and on whose behalf the service is asked then."""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import grpc
import pytest

from recording_service.signed_urls import SigningKey, UrlSigner
from recordings.v1.results_pb2 import GetTranscriptResponse, GetWaveformResponse
from tests.http_api.conftest import ORIGIN, Settings
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, Failure, FakeRecordings
from tests.http_api.results.making_results import LARGE_WAVEFORM
from tests.http_api.running_app import PUBLIC_URL, Answer, Client, running_app
from tests.support.waiting import eventually

KEY = SigningKey("k2", bytes(range(32)))
RETIRED = SigningKey("k1", bytes(range(1, 33)))
UNKNOWN = SigningKey("k2", bytes(32))
OWN_TOKEN = "token-of-the-adapter"
OTHER_RECORDING = "RE" + "2c" * 16
OTHER_ACCOUNT = "AC" + "3d" * 16

LISTENING = [f"/recordings/{RECORDING}/stream", f"/recordings/{RECORDING}/stream.mp3"]
SAVING = [f"/recordings/{RECORDING}/download", f"/recordings/{RECORDING}/download.mp3"]
CALLERS_ONLY = [f"/recordings/{RECORDING}"]
#: What whoever may listen may see and read as well.
RESULTS = [
    f"/recordings/{RECORDING}/{name}"
    for name in ("waveform.json", "waveform.dat", "transcript.vtt", "transcript.txt", "transcript.json")
]
STATUS = [f"/recordings/{RECORDING}/status", f"/recordings/{RECORDING}/status?wait=1"]


@pytest.fixture
def guarded(settings: Settings, recordings: FakeRecordings) -> Iterator[Client]:
    """The adapter as it is once a credential is configured."""
    recordings.add(b"0123456789")
    recordings.waveforms[RECORDING] = GetWaveformResponse(samples_per_pixel=400, sample_rate=8000, channels=1)
    recordings.transcripts[RECORDING] = GetTranscriptResponse(language="en")
    with running_app(settings(requires_credentials=True, grpc_token=OWN_TOKEN, signing_keys=(KEY, RETIRED))) as client:
        recordings.asked.clear()
        yield client


def signed(
    *,
    key: SigningKey = KEY,
    ttl: int = 3600,
    disposition: str = "inline",
    account_sid: str = ACCOUNT,
    recording_sid: str = RECORDING,
) -> str:
    """The query of a signed URL."""
    made = UrlSigner([key], PUBLIC_URL).sign(account_sid, recording_sid, int(time.time()) + ttl, disposition)
    return urlsplit(made.url).query


def shown(recordings: FakeRecordings) -> set[str]:
    """On whose behalf the service was asked."""
    return {call.metadata.get("authorization", "") for call in recordings.asked}


def refused(answer: Answer) -> tuple[int, str]:
    """The status and reason of a problem that says nothing of the recording."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert ACCOUNT not in answer.body.decode()
    return answer.status, answer.json()["reason"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [*LISTENING, *SAVING, *CALLERS_ONLY, *STATUS, *RESULTS])
def test_without_credentials_nothing_is_shown_and_nobody_is_asked(
    guarded: Client, recordings: FakeRecordings, path: str, method: str
) -> None:
    answer = guarded.request(method, path)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    if method == "GET":
        assert refused(answer) == (401, "UNAUTHENTICATED")
    assert recordings.asked == []


@pytest.mark.parametrize("path", [*LISTENING, *SAVING, *CALLERS_ONLY, *STATUS, *RESULTS])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_callers_token_is_handed_on_for_the_service_to_judge(
    guarded: Client, recordings: FakeRecordings, path: str, scheme: str
) -> None:
    answer = guarded.get(path, Authorization=f"{scheme} a-callers.token")

    assert answer.status == 200
    assert shown(recordings) == {"Bearer a-callers.token"}


def test_a_session_is_as_good_as_the_token_in_it(guarded: Client, recordings: FakeRecordings) -> None:
    answer = guarded.get(LISTENING[0], Cookie="other=1; __Host-recording_session=a-callers.token")

    assert answer.status == 200
    assert shown(recordings) == {"Bearer a-callers.token"}


@pytest.mark.parametrize(
    "fields",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer a b"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer " + "x" * 513},
        {"Authorization": "Bearer \xfc"},
        {"Cookie": "__Host-recording_session="},
        {"Cookie": "__Host-recording_session=a b"},
        {"Cookie": "__Host-recording_session=" + "x" * 513},
        {"Cookie": "__Host-recording_session=a; __Host-recording_session=b"},
        # By this name a sibling domain could have set it.
        {"Cookie": "recording_session=a-callers.token"},
        {"Cookie": "session=a-callers.token"},
    ],
)
def test_what_can_be_no_token_is_not_handed_on(
    guarded: Client, recordings: FakeRecordings, fields: dict[str, str]
) -> None:
    assert refused(guarded.request("GET", LISTENING[0], fields)) == (401, "UNAUTHENTICATED")
    assert recordings.asked == []


@pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        (Failure(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"), 401, "UNAUTHENTICATED"),
        (Failure(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"), 403, "SCOPE_MISSING"),
        (Failure(grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND"), 404, "RECORDING_NOT_FOUND"),
    ],
)
@pytest.mark.parametrize("path", CALLERS_ONLY)
def test_what_the_service_says_to_a_token_is_the_answer(
    guarded: Client, recordings: FakeRecordings, path: str, failure: Failure, status: int, reason: str
) -> None:
    recordings.answers["GetRecording"] = [failure]

    assert refused(guarded.get(path, Authorization="Bearer token")) == (status, reason)


def test_a_caller_that_takes_more_than_its_share_is_told_so_and_when_to_ask_again(
    guarded: Client, recordings: FakeRecordings
) -> None:
    recordings.answers["GetRecording"] = [
        Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "CALLER_LIMIT_EXCEEDED", retry_seconds=3)
    ]

    answer = guarded.get(CALLERS_ONLY[0], Authorization="Bearer token")

    assert refused(answer) == (429, "CALLER_LIMIT_EXCEEDED")
    assert answer.headers["Retry-After"] == "3"


# Signed URLs


@pytest.mark.parametrize("disposition", ["inline", "attachment"])
@pytest.mark.parametrize("extra", ["", "&wait=1", "&wait=60&revision=3"])
def test_a_signed_url_of_either_kind_says_how_far_its_recording_is_and_no_other(
    guarded: Client, recordings: FakeRecordings, disposition: str, extra: str
) -> None:
    query = signed(disposition=disposition) + extra
    answer = guarded.get(f"/recordings/{RECORDING}/status?{query}")

    assert (answer.status, answer.json()["playable"]) == (200, True)
    assert shown(recordings) == {f"Bearer {OWN_TOKEN}"}
    assert {call.request.account_sid for call in recordings.asked} == {ACCOUNT}
    elsewhere = guarded.get(f"/recordings/{OTHER_RECORDING}/status?{query}")
    assert refused(elsewhere) == (403, "PLAYBACK_URL_INVALID")
    expired = guarded.get(f"/recordings/{RECORDING}/status?{signed(disposition=disposition, ttl=-1)}{extra}")
    assert refused(expired) == (403, "PLAYBACK_URL_EXPIRED")


@pytest.mark.parametrize("disposition", ["inline", "attachment"])
@pytest.mark.parametrize("path", RESULTS)
def test_a_signed_url_of_either_kind_shows_what_was_made_of_its_recording_and_of_no_other(
    guarded: Client, recordings: FakeRecordings, path: str, disposition: str
) -> None:
    query = signed(disposition=disposition)

    answer = guarded.get(f"{path}?{query}")

    assert answer.status == 200
    assert shown(recordings) == {f"Bearer {OWN_TOKEN}"}
    assert {call.request.account_sid for call in recordings.asked} == {ACCOUNT}
    elsewhere = guarded.get(f"{path.replace(RECORDING, OTHER_RECORDING)}?{query}")
    assert refused(elsewhere) == (403, "PLAYBACK_URL_INVALID")
    expired = guarded.get(f"{path}?{signed(disposition=disposition, ttl=-1)}")
    assert refused(expired) == (403, "PLAYBACK_URL_EXPIRED")


@pytest.mark.parametrize(
    ("path", "disposition"), [(p, "inline") for p in LISTENING] + [(p, "attachment") for p in SAVING]
)
@pytest.mark.parametrize("key", [KEY, RETIRED], ids=lambda key: key.key_id)
def test_a_signed_url_plays_on_the_adapters_own_behalf(
    guarded: Client, recordings: FakeRecordings, path: str, disposition: str, key: SigningKey
) -> None:
    answer = guarded.get(f"{path}?{signed(key=key, disposition=disposition)}", Range="bytes=2-4")

    assert (answer.status, answer.body) == (206, b"234")
    assert shown(recordings) == {f"Bearer {OWN_TOKEN}"}
    assert {call.request.account_sid for call in recordings.asked} == {ACCOUNT}


def test_it_may_be_asked_about_as_well(guarded: Client) -> None:
    assert guarded.request("HEAD", f"{LISTENING[0]}?{signed()}").status == 200


REFUSED = {
    "expired": ("PLAYBACK_URL_EXPIRED", signed(ttl=-1)),
    "of another recording": ("PLAYBACK_URL_INVALID", signed(recording_sid=OTHER_RECORDING)),
    "by an unknown key": ("PLAYBACK_URL_INVALID", signed(key=UNKNOWN)),
    "for saving": ("PLAYBACK_URL_INVALID", signed(disposition="attachment")),
    "of another account": ("PLAYBACK_URL_INVALID", signed().replace(ACCOUNT, OTHER_ACCOUNT)),
    "with a later expiry": ("PLAYBACK_URL_INVALID", signed().replace("expires=", "expires=9")),
    "with two accounts": ("PLAYBACK_URL_INVALID", f"{signed()}&account_sid={OTHER_ACCOUNT}"),
    "with a signature alone": ("PLAYBACK_URL_INVALID", "signature=" + "A" * 43),
    "with an empty signature": ("PLAYBACK_URL_INVALID", "signature="),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("fields", [{}, {"Authorization": "Bearer token"}, {"Cookie": "recording_session=token"}])
def test_a_signed_url_is_judged_by_its_signature_alone(
    guarded: Client, recordings: FakeRecordings, case: str, fields: dict[str, str]
) -> None:
    reason, query = REFUSED[case]

    answer = guarded.request("GET", f"{LISTENING[0]}?{query}", {**fields, "Origin": ORIGIN})

    assert refused(answer) == (403, reason)
    # A page has to be able to read why.
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert recordings.asked == []


def test_a_signed_url_shows_the_bytes_and_not_what_is_known_of_the_call(guarded: Client) -> None:
    assert refused(guarded.get(f"{CALLERS_ONLY[0]}?{signed()}")) == (401, "UNAUTHENTICATED")


def test_an_answer_under_way_goes_on_after_the_url_has_expired(settings: Settings, recordings: FakeRecordings) -> None:
    content = bytes(range(256)) * 8192
    recordings.add(content)
    configured = settings(requires_credentials=True, grpc_token=OWN_TOKEN, signing_keys=(KEY,))
    with running_app(configured) as client, client.raw(receive_buffer=4096) as connection:
        path = f"{LISTENING[0]}?{signed(ttl=1)}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = connection.recv(1000)
        deadline = time.monotonic() + 10
        while client.get(path).status != 403:
            assert time.monotonic() < deadline
        while piece := connection.recv(65536):
            received += piece
    header, _, body = received.partition(b"\r\n\r\n")
    assert header.startswith(b"HTTP/1.1 200")
    assert body == content


def test_the_log_has_no_signature(guarded: Client, caplog: pytest.LogCaptureFixture) -> None:
    query = signed()
    with caplog.at_level("DEBUG"):
        guarded.get(f"{LISTENING[0]}?{query}")
        eventually(lambda: LISTENING[0] in caplog.text, within=10, what="the line of the request")

    assert query.rpartition("signature=")[2] not in caplog.text


def test_one_link_takes_no_more_than_its_share(settings: Settings, recordings: FakeRecordings) -> None:
    recordings.add(bytes(4_000_000))
    configured = settings(requires_credentials=True, grpc_token=OWN_TOKEN, signing_keys=(KEY,), max_players_each=1)
    first, second = signed(), signed(ttl=3000)
    with running_app(configured) as client, client.raw(receive_buffer=4096) as listening:
        listening.sendall(f"GET {LISTENING[0]}?{first} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert listening.recv(20).startswith(b"HTTP/1.1 200")

        refusal = client.get(f"{LISTENING[0]}?{first}", Range="bytes=0-1")
        assert refused(refusal) == (429, "CALLER_LIMIT_EXCEEDED")
        assert int(refusal.headers["Retry-After"]) >= 1
        assert client.get(f"{LISTENING[0]}?{second}", Range="bytes=0-1").status == 206


def test_one_link_holds_no_more_results_than_its_share(settings: Settings, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    recordings.waveforms[RECORDING] = LARGE_WAVEFORM
    configured = settings(requires_credentials=True, grpc_token=OWN_TOKEN, signing_keys=(KEY,), max_results_each=1)
    first, second = signed(), signed(ttl=3000)
    path = f"/recordings/{RECORDING}/waveform.dat"
    with running_app(configured) as client, client.raw(receive_buffer=4096) as looking:
        looking.sendall(f"GET {path}?{first} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert looking.recv(20).startswith(b"HTTP/1.1 200")

        assert refused(client.get(f"{path}?{first}")) == (429, "CALLER_LIMIT_EXCEEDED")
        assert client.get(f"{path}?{second}").status == 200


# Without any credential


def test_where_none_is_needed_everyone_is_served(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")

    for path in (*LISTENING, *SAVING, *CALLERS_ONLY):
        assert client.get(path).status == 200
    assert shown(recordings) == {""}


def test_a_signed_url_expires_there_too(settings: Settings, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    with running_app(settings(signing_keys=(KEY,))) as client:
        assert client.get(f"{LISTENING[0]}?{signed()}").status == 200
        assert refused(client.get(f"{LISTENING[0]}?{signed(ttl=-1)}")) == (403, "PLAYBACK_URL_EXPIRED")


def test_probes_and_webhooks_need_no_token_of_a_caller(guarded: Client, recordings: FakeRecordings) -> None:
    assert guarded.get("/healthz").status == 200
    assert guarded.get("/readyz").status == 200
    # By its own signature.
    assert guarded.request("POST", "/webhooks/twilio/recording", {"Content-Type": "text/plain"}).status == 415


def test_the_adapter_asks_for_the_health_with_its_own_credential(guarded: Client, recordings: FakeRecordings) -> None:
    guarded.get("/readyz")

    assert recordings.health_metadata["authorization"] == f"Bearer {OWN_TOKEN}"
