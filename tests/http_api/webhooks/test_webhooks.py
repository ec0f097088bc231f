"""Twilio's webhooks over a real socket: what is passed on, and what each outcome is answered with."""

import dataclasses
import http.client
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import grpc
import pytest
from twilio.request_validator import RequestValidator

from recording_service.http_api.webhooks.forms import MAX_BODY_BYTES, Form
from recordings.v1.enqueue_pb2 import (
    EnqueueReason,
    EnqueueRecordingRequest,
    EnqueueRecordingResponse,
    UnavailableReason,
)
from recordings.v1.recording_pb2 import Priority, RecordingJob
from tests.http_api.conftest import TOKEN, Settings
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, Failure, FakeRecordings, FakeServer, Hang
from tests.http_api.running_app import PUBLIC_URL, Answer, Client, running_app

STATUS = "/webhooks/twilio/recording-status"
ACTION = "/webhooks/twilio/recording"
BOTH = pytest.mark.parametrize("path", [STATUS, ACTION])
FORM = "application/x-www-form-urlencoded"

CALLBACK = {
    "AccountSid": ACCOUNT,
    "CallSid": "CA" + "2c" * 16,
    "RecordingSid": RECORDING,
    "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}",
    "RecordingStatus": "completed",
    "RecordingDuration": "42",
    "RecordingChannels": "2",
    "RecordingStartTime": "Fri, 14 Oct 2016 21:56:34 +0000",
    "RecordingSource": "DialVerb",
    "RecordingTrack": "both",
    "Direction": "inbound",
    "From": "+4915112345678",
    "To": "+493012345678",
    "ConferenceSid": "CF" + "3d" * 16,
    "ErrorCode": "0",
    "AParameterOfTheFuture": " \u00e4 ",
}


def _signed(path: str, body: bytes, token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(PUBLIC_URL + path, Form.parse(body)))


def post(
    client: Client, path: str, pairs: dict[str, str] | list[tuple[str, str]], headers: dict[str, str] | None = None
) -> Answer:
    """A webhook as Twilio sends it."""
    body = urlencode(pairs).encode()
    sent = {"Content-Type": FORM, "X-Twilio-Signature": _signed(path, body), **(headers or {})}
    return client.request("POST", path, sent, body)


def changed(**changes: str) -> dict[str, str]:
    """The callback with other values."""
    return CALLBACK | changes


def test_a_completed_recording_is_enqueued_with_everything_known_of_it(
    client: Client, recordings: FakeRecordings
) -> None:
    answer = post(client, STATUS, CALLBACK)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"reason": "ENQUEUED", "recording_sid": RECORDING}
    expected = EnqueueRecordingRequest(
        account_sid=ACCOUNT,
        recording_sid=RECORDING,
        call_sid="CA" + "2c" * 16,
        conference_sid="CF" + "3d" * 16,
        source_url=CALLBACK["RecordingUrl"],
        job=RecordingJob.RECORDING_JOB_FULL,
        priority=Priority.PRIORITY_UNSPECIFIED,
        source="DialVerb",
        track="both",
        direction="inbound",
        channels=2,
        from_number="+4915112345678",
        to_number="+493012345678",
    )
    expected.start_time.seconds = 1476482194
    expected.duration.seconds = 42
    assert recordings.of("EnqueueRecording") == [expected]


def test_the_record_action_is_answered_with_empty_twiml(client: Client, recordings: FakeRecordings) -> None:
    callback = {name: value for name, value in CALLBACK.items() if name != "RecordingStatus"} | {"Digits": "hangup"}
    answer = post(client, ACTION, callback)
    assert answer.status == 200
    assert answer.headers["content-type"].partition(";")[0] == "text/xml"
    assert answer.body == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    (request,) = recordings.of("EnqueueRecording")
    assert request.job == RecordingJob.RECORDING_JOB_FULL
    assert request.recording_sid == RECORDING


def test_a_callback_with_nothing_but_identifiers_is_enough(client: Client, recordings: FakeRecordings) -> None:
    answer = post(
        client,
        STATUS,
        {"AccountSid": ACCOUNT, "RecordingSid": RECORDING, "RecordingStatus": "completed", "CallSid": ""},
    )
    assert answer.status == 200
    assert recordings.of("EnqueueRecording") == [
        EnqueueRecordingRequest(account_sid=ACCOUNT, recording_sid=RECORDING, job=RecordingJob.RECORDING_JOB_FULL)
    ]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        *[("RecordingDuration", value, "duration") for value in ("", "-1", "x", "4.2", " 42", "\u0664", "9" * 12)],
        *[("RecordingChannels", value, "channels") for value in ("", "0", "-1", "x", "100")],
        *[("RecordingStartTime", value, "start_time") for value in ("", "yesterday", "0", "Fri, 99 Oct 2016 21:56:34")],
        *[("RecordingSource", value, "source") for value in ("", "a b", "x" * 65, "<script>")],
        ("RecordingTrack", "in bound", "track"),
        ("Direction", "\r\n", "direction"),
        ("From", "x" * 257, "from_number"),
        ("To", "a\nb", "to_number"),
        ("RecordingUrl", "https://evil.example.com/x", "source_url"),
        ("RecordingUrl", "https://api.twilio.com.evil.example.com/x", "source_url"),
        ("RecordingUrl", "https://user:pw@api.twilio.com/x", "source_url"),
        ("RecordingUrl", "ftp://api.twilio.com/x", "source_url"),
        ("RecordingUrl", "//evil.example.com/x", "source_url"),
        ("RecordingUrl", "/\\evil.example.com/x", "source_url"),
        ("RecordingUrl", "https://[x/", "source_url"),
        ("RecordingUrl", "javascript:x", "source_url"),
        ("RecordingUrl", "/" + "x" * 2048, "source_url"),
        ("RecordingUrl", f"{CALLBACK['RecordingUrl']}?{'x' * 2048}", "source_url"),
        ("RecordingUrl", f"https://api.twilio.com/2010-04-01/x/{RECORDING}", "source_url"),
        ("RecordingUrl", f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/RE{'ff' * 16}", "source_url"),
        ("RecordingUrl", f"/2010-04-01/Accounts/AC{'ff' * 16}/Recordings/{RECORDING}", "source_url"),
    ],
)
def test_a_hint_that_does_not_fit_is_left_out_and_loses_no_recording(
    client: Client, recordings: FakeRecordings, name: str, value: str, field: str
) -> None:
    assert post(client, STATUS, changed(**{name: value})).status == 200
    (request,) = recordings.of("EnqueueRecording")
    empty = EnqueueRecordingRequest()
    assert getattr(request, field) == getattr(empty, field)
    if field in {"duration", "start_time"}:
        assert not request.HasField(field)


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        (
            "RecordingUrl",
            f"http://API.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}.json",
            "source_url",
            None,
        ),
        ("RecordingUrl", f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}.json", "source_url", None),
        ("RecordingSource", "ASourceOfTheFuture", "source", None),
        ("From", "sip:alice@example.com;user=phone", "from_number", None),
        ("From", "client:\u00e4lice", "from_number", None),
        ("RecordingChannels", "1", "channels", 1),
    ],
)
def test_a_hint_is_passed_on_as_it_came(
    client: Client, recordings: FakeRecordings, name: str, value: str, field: str, expected: Any
) -> None:
    assert post(client, STATUS, changed(**{name: value})).status == 200
    (request,) = recordings.of("EnqueueRecording")
    assert getattr(request, field) == (value if expected is None else expected)


def test_a_duration_of_nothing_is_known(client: Client, recordings: FakeRecordings) -> None:
    post(client, STATUS, changed(RecordingDuration="0"))
    (request,) = recordings.of("EnqueueRecording")
    assert request.HasField("duration")
    assert request.duration.seconds == 0


@pytest.mark.parametrize("zone", ["+0200", "-0000", "GMT", ""])
def test_a_start_time_is_read_in_any_zone(client: Client, recordings: FakeRecordings, zone: str) -> None:
    post(client, STATUS, changed(RecordingStartTime=f"Fri, 14 Oct 2016 21:56:34 {zone}".strip()))
    (request,) = recordings.of("EnqueueRecording")
    assert request.start_time.seconds == 1476482194 - (7200 if zone == "+0200" else 0)


def test_a_hint_that_was_sent_twice_is_not_known(client: Client, recordings: FakeRecordings) -> None:
    post(client, STATUS, [*CALLBACK.items(), ("RecordingDuration", "43"), ("RecordingTrack", "both")])
    (request,) = recordings.of("EnqueueRecording")
    assert not request.HasField("duration")
    assert request.track == "both"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RecordingSid", ""),
        ("RecordingSid", "RE1"),
        ("RecordingSid", RECORDING + "\n"),
        ("RecordingSid", "CA" + "1b" * 16),
        ("RecordingSid", f"{RECORDING}RecordingUrlhttps://x"),
        ("RecordingStatus", ""),
        ("RecordingStatus", "com pleted"),
    ],
)
def test_a_malformed_identifier_is_named_and_nothing_is_asked_for(
    client: Client, recordings: FakeRecordings, name: str, value: str
) -> None:
    answer = post(client, STATUS, changed(**{name: value}))
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [name]
    assert recordings.asked == []


@pytest.mark.parametrize("name", ["RecordingSid", "RecordingStatus"])
def test_an_identifier_that_was_sent_with_two_values_is_malformed(
    client: Client, recordings: FakeRecordings, name: str
) -> None:
    other = {"RecordingSid": "RE" + "ff" * 16, "RecordingStatus": "absent"}[name]
    answer = post(client, STATUS, [*CALLBACK.items(), (name, other)])
    assert (answer.status, answer.json()["errors"][0]["field"]) == (400, name)
    assert recordings.asked == []
    # The same value twice is no contradiction.
    assert post(client, STATUS, [*CALLBACK.items(), (name, CALLBACK[name])]).status == 200


@pytest.mark.parametrize("name", ["CallSid", "ConferenceSid"])
@pytest.mark.parametrize("value", ["CA1", "SC" + "2c" * 16, "unknown", CALLBACK["CallSid"] + "\n"])
def test_a_call_that_is_none_is_left_out_because_the_recording_is_what_counts(
    client: Client, recordings: FakeRecordings, name: str, value: str
) -> None:
    # Of a conference or a trunk Twilio may send none, or another one than expected (twilio.md A1).
    assert post(client, STATUS, changed(**{name: value})).status == 200
    (request,) = recordings.of("EnqueueRecording")
    assert getattr(request, {"CallSid": "call_sid", "ConferenceSid": "conference_sid"}[name]) == ""


@pytest.mark.parametrize(
    ("status", "reason"),
    [("absent", UnavailableReason.UNAVAILABLE_REASON_ABSENT), ("failed", UnavailableReason.UNAVAILABLE_REASON_FAILED)],
)
@pytest.mark.parametrize(("error_code", "expected"), [("16102", 16102), ("", 0), ("x", 0), ("9" * 10, 0)])
def test_a_recording_that_twilio_does_not_have_is_reported(
    client: Client, recordings: FakeRecordings, status: str, reason: int, error_code: str, expected: int
) -> None:
    answer = post(client, STATUS, changed(RecordingStatus=status, ErrorCode=error_code))
    assert (answer.status, answer.json()) == (200, {"reason": "REPORTED", "recording_sid": RECORDING})
    (request,) = recordings.of("ReportRecordingUnavailable")
    assert (request.account_sid, request.recording_sid) == (ACCOUNT, RECORDING)
    assert request.call_sid == CALLBACK["CallSid"]
    assert (request.reason, request.error_code) == (reason, expected)
    assert recordings.of("EnqueueRecording") == []


@pytest.mark.parametrize("status", ["in-progress", "paused", "stopped", "processing", "a-status-of-the-future"])
def test_a_status_that_asks_for_nothing_is_accepted_without_a_call(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    answer = post(client, STATUS, changed(RecordingStatus=status))
    assert (answer.status, answer.json()) == (200, {"reason": "IGNORED", "recording_sid": RECORDING})
    assert recordings.asked == []
    assert ("unknown status a-status-of-the-future" in caplog.text) == status.startswith("a-status")


def _answer(reason: int) -> EnqueueRecordingResponse:
    return EnqueueRecordingResponse(reason=reason)  # type: ignore[arg-type]


@BOTH
@pytest.mark.parametrize("reason", ["ENQUEUED", "CACHED", "DUPLICATE"])
def test_what_is_committed_and_rung_for_is_200(
    client: Client, recordings: FakeRecordings, path: str, reason: str
) -> None:
    recordings.answers["EnqueueRecording"] = [_answer(EnqueueReason.Value(f"ENQUEUE_REASON_{reason}"))]
    answer = post(client, path, CALLBACK)
    assert answer.status == 200
    if path == STATUS:
        assert answer.json()["reason"] == reason


ERROR = _answer(EnqueueReason.ENQUEUE_REASON_ERROR)


@BOTH
@pytest.mark.parametrize(
    "outcome",
    [
        ERROR,
        _answer(0),
        _answer(17),
        Failure(grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED", retry_seconds=1, detail=ERROR),
        Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL", retry_seconds=10, detail=ERROR),
        Failure(grpc.StatusCode.INTERNAL, "INTERNAL", detail=ERROR),
        Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING"),
        Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_seconds=1),
        Failure(grpc.StatusCode.FAILED_PRECONDITION, "SOMETHING_ELSE"),
        Failure(grpc.StatusCode.UNAUTHENTICATED),
        Failure(grpc.StatusCode.PERMISSION_DENIED),
        Failure(grpc.StatusCode.NOT_FOUND),
        Failure(grpc.StatusCode.ALREADY_EXISTS),
        Failure(grpc.StatusCode.UNKNOWN),
        Failure(grpc.StatusCode.CANCELLED),
    ],
    ids=lambda outcome: outcome.code.name if isinstance(outcome, Failure) else str(outcome.reason),
)
def test_anything_that_is_not_is_500(
    client: Client, recordings: FakeRecordings, path: str, outcome: Failure | EnqueueRecordingResponse
) -> None:
    recordings.answers["EnqueueRecording"] = [outcome]
    answer = post(client, path, CALLBACK)
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["reason"] == "ERROR"
    assert body["recording_sid"] == RECORDING
    assert b"10.0.0.1" not in answer.body


def test_a_report_that_fails_is_500(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers["ReportRecordingUnavailable"] = [Failure(grpc.StatusCode.INTERNAL, "INTERNAL")]
    answer = post(client, STATUS, changed(RecordingStatus="absent"))
    assert (answer.status, answer.json()["reason"]) == (500, "ERROR")


@BOTH
def test_a_deleted_recording_is_answered_200_and_revived_by_nothing(
    client: Client, recordings: FakeRecordings, path: str
) -> None:
    recordings.answers["EnqueueRecording"] = [Failure(grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_DELETED")]
    answer = post(client, path, CALLBACK)
    assert answer.status == 200
    if path == STATUS:
        assert answer.json()["reason"] == "DELETED"
    else:
        assert answer.body.endswith(b"<Response/>")
    assert len(recordings.asked) == 1


@BOTH
def test_what_the_service_finds_malformed_is_400(client: Client, recordings: FakeRecordings, path: str) -> None:
    recordings.answers["EnqueueRecording"] = [
        Failure(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", fields=["source_url"])
    ]
    answer = post(client, path, CALLBACK)
    assert answer.status == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["source_url"]


def test_a_moment_of_unavailability_is_bridged(recordings: FakeRecordings, settings: Settings) -> None:
    unavailable = Failure(grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")
    recordings.answers["EnqueueRecording"] = [unavailable, unavailable, _answer(EnqueueReason.ENQUEUE_REASON_ENQUEUED)]
    # A channel of its own: gRPC retries less on one that has seen many failures.
    with running_app(settings()) as client:
        assert post(client, STATUS, CALLBACK).status == 200
    assert len(recordings.of("EnqueueRecording")) == 3


def test_a_restart_of_the_service_is_bridged(settings: Settings) -> None:
    server = FakeServer()
    with running_app(settings(grpc_target=server.target, webhook_deadline_seconds=8.0)) as client:
        assert post(client, STATUS, CALLBACK).status == 200
        server.stop()
        server.start()
        assert post(client, STATUS, CALLBACK).status == 200
        server.stop()


def test_the_answer_comes_within_five_seconds_whatever_the_service_does(settings: Settings) -> None:
    hanging, gone = FakeServer(), FakeServer()
    hanging.recordings.answers["EnqueueRecording"] = [Hang()]
    gone.stop()

    def timed(client: Client, path: str) -> tuple[Answer, float]:
        started = time.monotonic()
        return post(client, path, CALLBACK), time.monotonic() - started

    # The very deadline that is used in production.
    production = settings(webhook_deadline_seconds=4.5)
    with (
        running_app(dataclasses.replace(production, grpc_target=hanging.target)) as of_hanging,
        running_app(dataclasses.replace(production, grpc_target=gone.target)) as of_gone,
        ThreadPoolExecutor() as pool,
    ):
        for answer, took in pool.map(timed, [of_hanging, of_hanging, of_gone, of_gone], [STATUS, ACTION] * 2):
            assert answer.status == 500
            assert answer.json()["reason"] == "ERROR"
            assert took < 5.0
    hanging.stop()


@BOTH
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_post_is_allowed(client: Client, recordings: FakeRecordings, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == "application/problem+json"


@BOTH
@pytest.mark.parametrize(
    "content_type", [None, "application/json", "multipart/form-data; boundary=x", "text/plain", ""]
)
def test_only_forms_are_read(client: Client, recordings: FakeRecordings, path: str, content_type: str | None) -> None:
    body = urlencode(CALLBACK).encode()
    headers = {"X-Twilio-Signature": _signed(path, body)}
    if content_type is not None:
        headers["Content-Type"] = content_type
    answer = client.request("POST", path, headers, body)
    assert (answer.status, answer.json()["reason"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert recordings.asked == []


def test_a_media_type_may_have_a_parameter_and_any_case(client: Client, recordings: FakeRecordings) -> None:
    headers = {"Content-Type": "Application/X-WWW-Form-URLEncoded; charset=UTF-8"}
    assert post(client, STATUS, CALLBACK, headers).status == 200


def test_a_body_above_the_limit_is_refused_and_one_at_the_limit_is_read(
    client: Client, recordings: FakeRecordings
) -> None:
    padding = MAX_BODY_BYTES - len(urlencode(CALLBACK | {"Padding": ""}))
    assert post(client, STATUS, changed(Padding="x" * padding)).status == 200
    answer = post(client, STATUS, changed(Padding="x" * (padding + 1)))
    assert (answer.status, answer.json()["reason"]) == (413, "BODY_TOO_LARGE")


def test_a_body_of_unannounced_length_is_limited_as_well(client: Client, recordings: FakeRecordings) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * 4096

    answer = client.request("POST", STATUS, {"Content-Type": FORM}, pieces())
    assert answer.status == 413
    small = urlencode(CALLBACK).encode()
    answer = client.request(
        "POST",
        STATUS,
        {"Content-Type": FORM, "X-Twilio-Signature": _signed(STATUS, small)},
        iter([small[:10], small[10:]]),
    )
    assert answer.status == 200


def test_an_announced_length_above_the_limit_is_refused_before_the_body(client: Client) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", client.port, timeout=5)) as connection:
        connection.putrequest("POST", STATUS)
        connection.putheader("Content-Type", FORM)
        connection.putheader("Content-Length", str(10**12))
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        assert response.status == 413


@pytest.mark.parametrize("body", [b"", b"&", b"a=%zz", b"a=%ff", b"\xff=1"])
def test_a_body_that_is_no_form_is_400(client: Client, recordings: FakeRecordings, body: bytes) -> None:
    answer = client.request("POST", STATUS, {"Content-Type": FORM, "X-Twilio-Signature": "x"}, body)
    assert (answer.status, answer.json()["reason"]) == (400, "INVALID_REQUEST")


def test_a_body_that_does_not_arrive_is_408_in_time(impatient: Client) -> None:
    started = time.monotonic()
    with closing(impatient.raw()) as connection:
        connection.sendall(
            f"POST {STATUS} HTTP/1.1\r\nHost: h\r\nContent-Type: {FORM}\r\nContent-Length: 100\r\n\r\na=".encode()
        )
        assert connection.recv(12) == b"HTTP/1.1 408"
    assert time.monotonic() - started < 3


@BOTH
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"X-Twilio-Signature": "\u00ff" * 28},
        {"X-Twilio-Signature": "signed with another token"},
        {"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256", "X-Twilio-Signature": "x"},
    ],
)
def test_a_forged_webhook_is_403_and_asks_for_nothing(
    client: Client, recordings: FakeRecordings, path: str, headers: dict[str, str]
) -> None:
    if headers["X-Twilio-Signature"].startswith("signed"):
        headers = {"X-Twilio-Signature": _signed(path, urlencode(CALLBACK).encode(), "another-token")}
    answer = post(client, path, CALLBACK, headers)
    assert (answer.status, answer.json()["reason"]) == (403, "SIGNATURE_INVALID")
    assert recordings.asked == []


def test_a_webhook_without_a_signature_is_403(client: Client, recordings: FakeRecordings) -> None:
    answer = client.request("POST", STATUS, {"Content-Type": FORM}, urlencode(CALLBACK).encode())
    assert answer.status == 403
    assert recordings.asked == []


def test_a_changed_dropped_or_added_parameter_breaks_the_signature(client: Client, recordings: FakeRecordings) -> None:
    signature = {"X-Twilio-Signature": _signed(STATUS, urlencode(CALLBACK).encode())}
    assert post(client, STATUS, changed(RecordingSid="RE" + "ff" * 16), signature).status == 403
    assert post(client, STATUS, CALLBACK | {"New": "x"}, signature).status == 403
    without = {name: value for name, value in CALLBACK.items() if name != "ErrorCode"}
    assert post(client, STATUS, without, signature).status == 403
    assert recordings.asked == []


def test_the_older_token_of_a_rotation_is_still_accepted(client: Client, recordings: FakeRecordings) -> None:
    body = urlencode(CALLBACK).encode()
    assert post(client, STATUS, CALLBACK, {"X-Twilio-Signature": _signed(STATUS, body, "older-token")}).status == 200


def test_another_accounts_webhook_is_403(client: Client, recordings: FakeRecordings) -> None:
    assert post(client, STATUS, changed(AccountSid="AC" + "ff" * 16)).status == 403


def test_the_query_is_part_of_what_is_signed_byte_for_byte(client: Client, recordings: FakeRecordings) -> None:
    path = f"{STATUS}?tenant=7&b=%7E'&a="
    assert post(client, path, CALLBACK).status == 200
    signature = {"X-Twilio-Signature": _signed(STATUS, urlencode(CALLBACK).encode())}
    assert post(client, path, CALLBACK, signature).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.com"},
        {"X-Forwarded-Host": "evil.example.com", "X-Forwarded-Proto": "http"},
        {"Forwarded": "host=evil.example.com;proto=http"},
        {"X-Original-URL": "/other"},
    ],
)
def test_what_a_request_claims_of_its_address_changes_nothing(
    client: Client, recordings: FakeRecordings, headers: dict[str, str]
) -> None:
    assert post(client, STATUS, CALLBACK, headers).status == 200


def test_without_a_token_every_webhook_is_refused_with_what_to_configure(
    recordings: FakeRecordings, settings: Settings
) -> None:
    with running_app(settings(auth_tokens={ACCOUNT: ("",)})) as client:
        answer = post(client, STATUS, CALLBACK)
        assert (answer.status, answer.json()["reason"]) == (403, "WEBHOOKS_NOT_CONFIGURED")
        assert "TWILIO_AUTH_TOKEN" in answer.json()["detail"]
    assert recordings.asked == []


def test_unsigned_webhooks_are_accepted_only_if_allowed_and_with_a_warning(
    recordings: FakeRecordings, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with running_app(settings(auth_tokens={}, allow_unsigned_webhooks=True)) as client:
        assert "UNSIGNED WEBHOOKS ARE ACCEPTED" in caplog.text
        body = urlencode(CALLBACK).encode()
        assert client.request("POST", STATUS, {"Content-Type": FORM}, body).status == 200
        assert post(client, STATUS, changed(RecordingSid="RE1")).status == 400
    assert len(recordings.asked) == 1


def test_no_log_line_has_a_number_a_token_or_a_signature(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"{STATUS}?key=a-secret-key"
    post(client, path, CALLBACK)
    post(client, path, CALLBACK, {"X-Twilio-Signature": "a-signature"})
    recordings.answers["EnqueueRecording"] = [Failure(grpc.StatusCode.INTERNAL)]
    post(client, path, CALLBACK)
    assert "ENQUEUED" in caplog.text
    for secret in (CALLBACK["From"], CALLBACK["To"], TOKEN, "a-signature", "a-secret-key", "10.0.0.1"):
        assert secret not in caplog.text
