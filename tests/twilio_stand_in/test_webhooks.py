import base64
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from twilio.request_validator import RequestValidator

from recording_service.twilio_stand_in import Recording, TwilioStandIn
from tests.twilio_stand_in.conftest import ACCOUNT_SID, AUTH_TOKEN


@dataclass
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        text = self.body if self.method == "POST" else self.target.partition("?")[2]
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}

    def is_signed(self, url: str, token: str = AUTH_TOKEN) -> bool:
        form = self.form if self.method == "POST" else {}
        return bool(RequestValidator(token).validate(url, form, self.headers["X-Twilio-Signature"]))


@dataclass
class Receiver:
    url: str
    received: list[Received] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            made.received.append(Received(self.command, self.path, dict(self.headers), body))
            self.send_response(made.status)
            self.send_header("Content-Length", "2")
            self.send_header("X-Receiver", "yes")
            self.end_headers()
            self.wfile.write(b"ok")

        do_GET = do_POST  # noqa: N815 - the base class wants it

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Receiver(f"http://127.0.0.1:{cast(tuple[str, int], server.server_address)[1]}/hook?tenant=7&b=%27")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def test_a_completed_webhook_has_all_of_twilios_parameters(twilio: TwilioStandIn, receiver: Receiver) -> None:
    recording = twilio.add_recording(
        duration=42.3,
        channels=2,
        source="DialVerb",
        track="inbound",
        start_time=datetime(2016, 10, 14, 21, 56, 34, tzinfo=UTC),
    )

    answer = twilio.send_webhook(receiver.url, recording.recording_sid)

    assert (answer.status, answer.body, answer.headers["x-receiver"]) == (200, b"ok", "yes")
    assert receiver.received[0].form == {
        "AccountSid": ACCOUNT_SID,
        "CallSid": recording.call_sid,
        "RecordingSid": recording.recording_sid,
        "RecordingUrl": f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{recording.recording_sid}",
        "RecordingStatus": "completed",
        "RecordingDuration": "42",
        "RecordingChannels": "2",
        "RecordingStartTime": "Fri, 14 Oct 2016 21:56:34 +0000",
        "RecordingSource": "DialVerb",
        "RecordingTrack": "inbound",
        "ErrorCode": "0",
    }


def test_a_webhook_is_signed_as_twilio_signs_it(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver
) -> None:
    twilio.send_webhook(f"{receiver.url}#rc=5&rp=all", recording.recording_sid)

    request = receiver.received[0]
    assert request.method == "POST"
    assert request.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert request.headers["I-Twilio-Idempotency-Token"]
    assert "#" not in request.target
    assert request.is_signed(receiver.url)
    assert not request.is_signed(receiver.url + "&more=1")
    assert not request.is_signed(receiver.url, "another token")


@pytest.mark.parametrize(
    ("status", "error_code"), [("in-progress", "0"), ("absent", "16101"), ("failed", "16105"), ("stopped", "0")]
)
def test_only_completed_has_a_duration(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver, status: str, error_code: str
) -> None:
    twilio.send_webhook(receiver.url, recording.recording_sid, status)

    form = receiver.received[0].form
    assert "RecordingDuration" not in form
    assert (form["RecordingStatus"], form["ErrorCode"]) == (status, error_code)
    assert receiver.received[0].is_signed(receiver.url)


def test_each_webhook_has_an_idempotency_token_of_its_own(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver
) -> None:
    twilio.send_webhook(receiver.url, recording.recording_sid)
    twilio.send_webhook(receiver.url, recording.recording_sid)

    tokens = [request.headers["I-Twilio-Idempotency-Token"] for request in receiver.received]
    assert tokens[0] != tokens[1]


def test_parameters_can_be_added_replaced_repeated_and_left_out(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver
) -> None:
    twilio.send_webhook(
        receiver.url,
        recording.recording_sid,
        RecordingDuration="-1",
        ErrorCode=None,
        Newcomer="Zoë & '+",
        Blank="",
        Twice=["b", "a"],
    )

    form = receiver.received[0].form
    assert (form["RecordingDuration"], form["Newcomer"], form["Blank"]) == ("-1", "Zoë & '+", "")
    assert "ErrorCode" not in form
    assert re.search(r"Twice=b&Twice=a", receiver.received[0].body)


def test_the_public_url_can_be_signed_while_another_is_called(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver
) -> None:
    public = "https://recordings.example:8443/hook?tenant=7"

    twilio.send_webhook(receiver.url, recording.recording_sid, signed_url=public)

    assert receiver.received[0].is_signed("https://recordings.example/hook?tenant=7")
    assert not receiver.received[0].is_signed(receiver.url)


def test_a_webhook_can_be_signed_wrongly_or_not_at_all(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver
) -> None:
    twilio.send_webhook(receiver.url, recording.recording_sid, auth_token="wrong")
    twilio.send_webhook(receiver.url, recording.recording_sid, headers={"X-Twilio-Signature": None})

    wrong, unsigned = receiver.received
    assert not wrong.is_signed(receiver.url)
    assert wrong.is_signed(receiver.url, "wrong")
    assert "X-Twilio-Signature" not in unsigned.headers


def test_webhooks_are_signed_with_the_accounts_own_current_token(twilio: TwilioStandIn, receiver: Receiver) -> None:
    other = "AC" + "ee" * 16
    twilio.add_account(other, "first")
    recording = twilio.add_recording(account_sid=other, duration=1)
    twilio.set_auth_token(other, "second")

    twilio.send_webhook(receiver.url, recording.recording_sid)

    assert receiver.received[0].is_signed(receiver.url, "second")
    assert receiver.received[0].form["AccountSid"] == other


def test_a_get_webhook_has_its_parameters_in_the_signed_url(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver
) -> None:
    twilio.send_webhook(receiver.url, recording.recording_sid, method="GET")

    request = receiver.received[0]
    assert (request.method, request.body) == ("GET", "")
    assert request.form["RecordingSid"] == recording.recording_sid
    assert request.is_signed(receiver.url.partition("/hook")[0] + request.target)


def test_userinfo_becomes_credentials_and_is_not_signed(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver
) -> None:
    twilio.send_webhook(receiver.url.replace("//", "//user:p%40ss@"), recording.recording_sid)

    request = receiver.received[0]
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"user:p@ss"
    assert request.is_signed(receiver.url)


def test_a_record_action_is_a_voice_request_without_a_status(
    twilio: TwilioStandIn, recording: Recording, receiver: Receiver
) -> None:
    twilio.send_record_action(receiver.url, recording.recording_sid, digits="#", To="+12025550111")

    form = receiver.received[0].form
    assert "RecordingStatus" not in form
    assert (form["Digits"], form["CallStatus"], form["To"]) == ("#", "in-progress", "+12025550111")
    assert (form["RecordingDuration"], form["CallSid"]) == ("2", recording.call_sid)
    assert form["RecordingUrl"].endswith(recording.recording_sid)
    assert receiver.received[0].is_signed(receiver.url)


def test_the_receivers_refusal_is_returned(twilio: TwilioStandIn, recording: Recording, receiver: Receiver) -> None:
    receiver.status = 500

    assert twilio.send_webhook(receiver.url, recording.recording_sid).status == 500


def test_a_conference_recording_may_have_no_call(twilio: TwilioStandIn, receiver: Receiver) -> None:
    recording = twilio.add_recording(call_sid=None, conference_sid="CF" + "1" * 32, source="Conference", duration=1)

    twilio.send_webhook(receiver.url, recording.recording_sid)

    form = receiver.received[0].form
    assert "CallSid" not in form
    assert form["ConferenceSid"] == recording.conference_sid


def test_the_start_time_is_an_rfc_2822_date(twilio: TwilioStandIn, recording: Recording, receiver: Receiver) -> None:
    twilio.send_webhook(receiver.url, recording.recording_sid)

    assert parsedate_to_datetime(receiver.received[0].form["RecordingStartTime"]) == recording.start_time


def test_a_webhook_to_nobody_raises(twilio: TwilioStandIn, recording: Recording) -> None:
    with pytest.raises(ValueError, match="http or https"):
        twilio.send_webhook("ftp://host.example/", recording.recording_sid)
    with pytest.raises(KeyError):
        twilio.send_webhook(twilio.url, "RE" + "9" * 32)
