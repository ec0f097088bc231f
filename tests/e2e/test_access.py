"""Every RPC and every route of a running service, called by everybody who may and may not.

The expected code each time, and nothing of the recording in the answer.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import grpc
import pytest
import requests
from google.protobuf.duration_pb2 import Duration

from recording_service.grpc_api.access import SCOPES
from recording_service.grpc_api.methods import SERVICE
from recording_service.http_api import HttpSettings, build_app
from recording_service.transcription_stand_in import TranscriptionStandIn
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import (
    deletion_pb2,
    enqueue_pb2,
    lookup_pb2,
    playback_url_pb2,
    recording_service_pb2_grpc,
    results_pb2,
    stream_pb2,
    watch_pb2,
)
from tests.support.callers import Known, callers_file, token_of
from tests.support.grpc_client import GrpcClient
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, RunningService, running_service
from tests.support.waiting import eventually

CODE = grpc.StatusCode
OTHER_ACCOUNT = "AC" + "b" * 32
#: What is known of the recording: none of it may be in a refusal.
CALL_SID = "CA" + "5e" * 16
FROM_NUMBER = "+15550006789"

CALLERS = {
    "own": Known(("enqueue", "read", "manage"), (ACCOUNT_SID,)),
    "other": Known(("enqueue", "read", "manage"), (OTHER_ACCOUNT,)),
    "enqueuer": Known(("enqueue",), (ACCOUNT_SID,)),
    "reader": Known(("read",), (ACCOUNT_SID,)),
    "manager": Known(("manage",), (ACCOUNT_SID,)),
}


class Guarded(NamedTuple):
    """A service that asks for credentials, and a recording of ACCOUNT_SID that is READY there."""

    service: RunningService
    recording_sid: str

    def call(self, method: str, token: str | None, account_sid: str = "") -> Any:
        """Calls a method about the recording and reads the first response; with no account, it is found by its SID."""
        with GrpcClient(token or "").connect(self.service.grpc_address) as channel:
            stub = recording_service_pb2_grpc.RecordingServiceStub(channel)
            answer = getattr(stub, method)(self.request(method, account_sid), timeout=20)
            return next(answer) if SERVICE.methods_by_name[method].server_streaming else answer

    def request(self, method: str, account_sid: str) -> Any:
        """A request of a method that would do it, but for its caller."""
        recording_sid = self.recording_sid
        item = enqueue_pb2.EnqueueRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid)
        named: dict[str, Any] = {"account_sid": account_sid, "recording_sid": recording_sid}
        made: dict[str, Any] = {
            "EnqueueRecording": item,
            "BatchEnqueueRecordings": enqueue_pb2.BatchEnqueueRecordingsRequest(requests=[item]),
            "ReportRecordingUnavailable": enqueue_pb2.ReportRecordingUnavailableRequest(
                account_sid=ACCOUNT_SID, recording_sid=recording_sid, reason=enqueue_pb2.UNAVAILABLE_REASON_ABSENT
            ),
            "GetRecording": lookup_pb2.GetRecordingRequest(**named),
            "ListRecordings": lookup_pb2.ListRecordingsRequest(account_sids=[account_sid] if account_sid else []),
            "WatchRecording": watch_pb2.WatchRecordingRequest(**named),
            "WatchRecordings": watch_pb2.WatchRecordingsRequest(account_sids=[account_sid] if account_sid else []),
            "StreamRecording": stream_pb2.StreamRecordingRequest(**named),
            "CreatePlaybackUrl": playback_url_pb2.CreatePlaybackUrlRequest(**named),
            "GetWaveform": results_pb2.GetWaveformRequest(**named),
            "GetTranscript": results_pb2.GetTranscriptRequest(**named),
            "DeleteRecording": deletion_pb2.DeleteRecordingRequest(**named),
        }
        return made[method]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, shared_twilio: TwilioStandIn) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    recording_sid = shared_twilio.add_recording(duration=3).recording_sid
    variables = {"RECORDING_CALLERS_FILE": str(callers_file(folder, CALLERS)), "RECORDING_TIME_SCALE": "0.1"}
    with (
        TranscriptionStandIn() as scribe,
        running_service(
            folder, shared_twilio, GrpcClient(token_of("own")), RECORDING_TRANSCRIPTION_URL=scribe.url, **variables
        ) as service,
    ):
        service.enqueue(recording_sid, call_sid=CALL_SID, from_number=FROM_NUMBER, labels={"case": "secret-label"})
        service.processed(recording_sid)
        yield Guarded(service, recording_sid)
        # Whatever was tried: it is there, and as it was.
        assert service.ready(recording_sid).call_sid == CALL_SID
        assert "Traceback" not in service.log
        for name in CALLERS:
            assert token_of(name) not in service.log


METHODS = sorted(method.name for method in SERVICE.methods)
#: What is asked for another account's recording, and reveals nothing of it: that it may not be asked for.
ASKING = ("EnqueueRecording", "ReportRecordingUnavailable")


def nothing_of_the_recording_in(text: str, recording_sid: str) -> None:
    for secret in (CALL_SID, FROM_NUMBER[1:], "secret-label", ".mp3", "size_bytes", "sha256"):
        assert secret not in text.replace(recording_sid, "")


def refusal(guarded: Guarded, method: str, token: str | None, account_sid: str = "") -> grpc.StatusCode:
    """The code of a call that is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        guarded.call(method, token, account_sid)
    error: Any = caught.value
    nothing_of_the_recording_in(f"{error.details()} {error.trailing_metadata()}", guarded.recording_sid)
    code: grpc.StatusCode = error.code()
    return code


@pytest.mark.parametrize("token", [None, "wrong", token_of("own") + "x", token_of("own").upper()])
@pytest.mark.parametrize("method", METHODS)
def test_no_rpc_answers_without_good_credentials(guarded: Guarded, method: str, token: str | None) -> None:
    assert refusal(guarded, method, token) is CODE.UNAUTHENTICATED


@pytest.mark.parametrize("method", METHODS)
def test_no_rpc_answers_to_too_little_scope(guarded: Guarded, method: str) -> None:
    needed = SCOPES[f"/{SERVICE.full_name}/{method}"]
    for scope, name in (("enqueue", "enqueuer"), ("read", "reader"), ("manage", "manager")):
        if scope != needed:
            assert refusal(guarded, method, token_of(name)) is CODE.PERMISSION_DENIED


@pytest.mark.parametrize("account_sid", ["", ACCOUNT_SID])
@pytest.mark.parametrize("method", METHODS)
def test_to_another_accounts_caller_no_rpc_knows_the_recording(guarded: Guarded, method: str, account_sid: str) -> None:
    token = token_of("other")
    if method == "BatchEnqueueRecordings":
        (result,) = guarded.call(method, token).results
        assert (result.reason, result.error.reason) == (enqueue_pb2.ENQUEUE_REASON_ERROR, "ACCOUNT_NOT_ALLOWED")
        assert not result.HasField("recording")
    elif method == "ListRecordings":
        assert not guarded.call(method, token, account_sid).recordings
    elif method == "WatchRecordings":
        assert guarded.call(method, token, account_sid).snapshot_complete
    else:
        expected = CODE.PERMISSION_DENIED if method in ASKING else CODE.NOT_FOUND
        assert refusal(guarded, method, token, account_sid) is expected


@pytest.mark.parametrize("method", [method for method in METHODS if method != "DeleteRecording"])
def test_every_rpc_answers_to_whom_it_may(guarded: Guarded, method: str) -> None:
    assert guarded.call(method, token_of("own")) is not None


@pytest.mark.parametrize("path", ["/grpc.health.v1.Health/Check", "/recordings.v1.RecordingService/No", "/a.B/C"])
def test_what_is_no_method_of_the_contract_is_behind_the_gate_too(guarded: Guarded, path: str) -> None:
    with grpc.insecure_channel(guarded.service.grpc_address) as channel:
        call = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", timeout=20)
    error: Any = caught.value
    assert error.code() is CODE.UNAUTHENTICATED


# HTTP


class Route(NamedTuple):
    """What a route says to whom: without credentials, with wrong ones, to another account's caller, and to those who
    have each one scope of the account (enqueue, read, manage)."""

    method: str
    nothing: int
    wrong: int
    other: int
    enqueuer: int
    reader: int
    manager: int


LISTENING = Route("GET", 401, 401, 404, 403, 200, 403)
TWILIO = Route("GET", 401, 401, 401, 401, 401, 401)
OPEN = Route("GET", 200, 200, 200, 200, 200, 200)
#: By Twilio's signature alone; nobody here has one.
WEBHOOK = Route("POST", 403, 403, 403, 403, 403, 403)

ROUTES: Mapping[str, Route] = {
    "/webhooks/twilio/recording-status": WEBHOOK,
    "/webhooks/twilio/recording": WEBHOOK,
    "/recordings": Route("GET", 401, 401, 200, 403, 200, 403),
    "/recordings/events": Route("GET", 401, 401, 200, 403, 200, 403),
    "/recordings/{recording_sid}": LISTENING,
    "/recordings/{recording_sid}/stream": LISTENING,
    "/recordings/{recording_sid}/stream.{extension:audio}": LISTENING,
    "/recordings/{recording_sid}/download": LISTENING,
    "/recordings/{recording_sid}/download.{extension:audio}": LISTENING,
    "/recordings/{recording_sid}/status": LISTENING,
    "/recordings/{recording_sid}/waveform.json": LISTENING,
    "/recordings/{recording_sid}/waveform.dat": LISTENING,
    "/recordings/{recording_sid}/transcript.vtt": LISTENING,
    "/recordings/{recording_sid}/transcript.txt": LISTENING,
    "/recordings/{recording_sid}/transcript.json": LISTENING,
    # It is READY: there is nothing to be tried again.
    "/recordings/{recording_sid}/retry": Route("POST", 401, 401, 404, 403, 409, 403),
    "/2010-04-01/Accounts/{account_sid}/Recordings/{recording_sid}.json": TWILIO,
    "/2010-04-01/Accounts/{account_sid}/Recordings/{recording_sid}.{extension:audio}": TWILIO,
    "/2010-04-01/Accounts/{account_sid}/Recordings/{recording_sid}": TWILIO,
    "/session": OPEN,
    "/": OPEN,
    "/healthz": OPEN,
    "/readyz": OPEN,
}


def test_every_route_of_the_adapter_is_called_here() -> None:
    app = build_app(HttpSettings(grpc_target="127.0.0.1:1", public_url="http://127.0.0.1"))

    paths = {getattr(route, "path", "") for route in app.routes}
    # The files of the console's page say nothing of anybody.
    assert {path for path in paths if not path.startswith("/console/")} == set(ROUTES)


def asked(guarded: Guarded, path: str, token: str | None) -> requests.Response:
    """One request of a route, and what there is of its answer at once."""
    filled = path.replace("{recording_sid}", guarded.recording_sid).replace("{account_sid}", ACCOUNT_SID)
    filled = filled.replace("{extension:audio}", "mp3")
    method = ROUTES[path].method
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    data = {"AccountSid": ACCOUNT_SID, "RecordingSid": guarded.recording_sid} if "webhooks" in path else None
    with requests.request(
        method, guarded.service.http_url + filled, headers=headers, data=data, timeout=20, stream=True
    ) as answer:
        if "event-stream" not in answer.headers["Content-Type"]:
            _ = answer.content
        else:
            answer._content = next(answer.iter_content(4096))
        return answer


WHO = {
    "nothing": None,
    "wrong": "wrong",
    **{name: token_of(name) for name in ("other", "enqueuer", "reader", "manager")},
}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("path", ROUTES)
def test_every_route_says_the_same_to_everybody_who_is_the_same(guarded: Guarded, path: str, who: str) -> None:
    expected = getattr(ROUTES[path], who)

    answer = asked(guarded, path, WHO[who])

    assert answer.status_code == expected, answer.text
    if who != "reader":
        nothing_of_the_recording_in(answer.text, guarded.recording_sid)
    if expected >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (expected == 401) == ("WWW-Authenticate" in answer.headers)


@pytest.mark.parametrize("path", [path for path in ROUTES if path.startswith("/2010")])
@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        (ACCOUNT_SID, AUTH_TOKEN, 200),
        (ACCOUNT_SID, "wrong", 401),
        (OTHER_ACCOUNT, AUTH_TOKEN, 401),
        (ACCOUNT_SID, token_of("own"), 401),
    ],
)
def test_twilios_own_paths_take_what_twilio_takes(
    guarded: Guarded, path: str, user: str, password: str, status: int
) -> None:
    filled = path.replace("{recording_sid}", guarded.recording_sid).replace("{account_sid}", ACCOUNT_SID)
    url = guarded.service.http_url + filled.replace("{extension:audio}", "mp3")
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()

    answer = requests.get(url, headers={"Authorization": f"Basic {basic}"}, timeout=20)

    assert answer.status_code == status
    if status != 200:
        nothing_of_the_recording_in(answer.text, guarded.recording_sid)


def test_a_signed_url_plays_until_it_expires_and_says_then_that_it_has(guarded: Guarded) -> None:
    client = GrpcClient(token_of("reader"))
    request = guarded.request("CreatePlaybackUrl", "")
    with client.connect(guarded.service.grpc_address) as channel:
        stub = recording_service_pb2_grpc.RecordingServiceStub(channel)
        request.ttl.CopyFrom(Duration(seconds=60))
        made = stub.CreatePlaybackUrl(request, timeout=20)
        request.ttl.CopyFrom(Duration(seconds=1))
        short = stub.CreatePlaybackUrl(request, timeout=20)

    assert made.url.startswith(guarded.service.http_url)
    answer = requests.get(made.url, headers={"Range": "bytes=0-1"}, timeout=20)
    assert (answer.status_code, len(answer.content)) == (206, 2)
    status = requests.get(made.status_url, timeout=20)
    assert (status.status_code, status.json()["playable"]) == (200, True)
    for secret in (CALL_SID, FROM_NUMBER[1:], "secret-label"):
        assert secret not in status.text
    # It opens nothing else.
    other = requests.get(f"{guarded.service.http_url}/recordings?{urlsplit(made.url).query}", timeout=20)
    assert other.status_code == 401

    def expired() -> bool:
        return requests.get(short.url, timeout=20).status_code == 403

    eventually(expired, within=10, what="the end of the URL")
    for url in (short.url, short.status_url):
        assert requests.get(url, timeout=20).json()["reason"] == "PLAYBACK_URL_EXPIRED"
    assert urlsplit(made.url).query.rpartition("=")[2] not in guarded.service.log


def test_one_signs_in_with_a_token_and_then_with_nothing_but_the_cookie(guarded: Guarded) -> None:
    url = guarded.service.http_url
    own = {"Origin": url}
    with requests.Session() as browser:
        assert browser.get(f"{url}/session", timeout=20).json() == {"required": True, "open": False}
        wrong = browser.post(f"{url}/session", json={"token": "wrong"}, headers=own, timeout=20)
        assert wrong.status_code == 401
        signed_in = browser.post(f"{url}/session", json={"token": token_of("reader")}, headers=own, timeout=20)
        assert signed_in.status_code == 204
        assert browser.get(f"{url}/session", timeout=20).json() == {"required": True, "open": True}
        played = browser.get(f"{url}/recordings/{guarded.recording_sid}/stream", timeout=20)
        assert played.status_code == 200
        listed = browser.get(f"{url}/recordings", timeout=20).json()
        assert guarded.recording_sid in json.dumps(listed)
        assert browser.delete(f"{url}/session", headers=own, timeout=20).status_code == 204
        assert browser.get(f"{url}/recordings/{guarded.recording_sid}/stream", timeout=20).status_code == 401
