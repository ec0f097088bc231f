"""Twilio's calls: recordingStatusCallback and the action of <Record>, form-encoded and signed (twilio.md A1 to A3)."""

import base64
import http.client
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import format_datetime
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from recording_service.twilio_stand_in.documents import API_VERSION, resource_path
from recording_service.twilio_stand_in.recording import Recording
from recording_service.twilio_stand_in.signature import SIGNATURE_HEADER, Parameters, signature, signed_form

#: Twilio's ceiling for a voice webhook, in seconds (twilio.md A3).
TIMEOUT_SECONDS = 15.0

#: The form's Content-Type, as Twilio writes it.
FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"

#: ErrorCode that goes with a status, unless the recording has one of its own (twilio.md A1).
ERROR_CODES = {"absent": 16101, "failed": 16105}

#: The other end of every call that these webhooks tell of; a number reserved for fiction.
CALLER, CALLED = "+12025550123", "+12025550187"


@dataclass(frozen=True)
class WebhookAnswer:
    """What the receiver answered."""

    status: int
    headers: Message
    body: bytes


def status_callback(recording: Recording, status: str, base_url: str) -> dict[str, str]:
    """A recordingStatusCallback: RecordingDuration only when `completed`, RecordingUrl without extension."""
    parameters = {
        "AccountSid": recording.account_sid,
        "RecordingSid": recording.recording_sid,
        "RecordingUrl": base_url + resource_path(recording),
        "RecordingStatus": status,
        "RecordingChannels": str(recording.channels),
        "RecordingStartTime": format_datetime(recording.start_time),
        "RecordingSource": recording.source,
        "RecordingTrack": recording.track,
        "ErrorCode": str(recording.error_code or ERROR_CODES.get(status, 0)),
    }
    if recording.call_sid is not None:
        parameters["CallSid"] = recording.call_sid
    if recording.conference_sid is not None:
        parameters["ConferenceSid"] = recording.conference_sid
    if recording.encryption is not None:
        parameters["EncryptionDetails"] = recording.encryption.in_webhook()
    if status == "completed":
        parameters["RecordingDuration"] = str(round(recording.seconds))
    return parameters


def record_action(recording: Recording, digits: str, base_url: str) -> dict[str, str]:
    """A <Record> action: a voice request with RecordingUrl, RecordingDuration and Digits, but no status.

    Twilio's page does not list RecordingSid there; requests carry it. Override it with None for the other case.
    """
    return {
        "AccountSid": recording.account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": recording.call_sid or "",
        "CallStatus": "completed" if digits == "hangup" else "in-progress",
        "Called": CALLED,
        "Caller": CALLER,
        "Digits": digits,
        "Direction": "inbound",
        "From": CALLER,
        "RecordingDuration": str(round(recording.seconds)),
        "RecordingSid": recording.recording_sid,
        "RecordingUrl": base_url + resource_path(recording),
        "To": CALLED,
    }


def overridden(parameters: Parameters, overrides: Mapping[str, str | Sequence[str] | None]) -> Parameters:
    """The parameters with others added or in their place; None leaves one out."""
    return {name: value for name, value in {**parameters, **overrides}.items() if value is not None}


@dataclass(frozen=True)
class Delivery:
    """How a webhook is sent."""

    url: str
    """Where to; userinfo becomes Basic credentials, a fragment (`#rc=5`) is not sent."""
    signed_url: str | None = None
    """The URL to sign instead of `url`: the public one, when a proxy stands in front of the receiver."""
    method: str = "POST"
    """POST, or GET, which puts the parameters into the query."""
    headers: Mapping[str, str | None] | None = None
    """Sent as well, or instead of the usual ones; None leaves the usual one out."""
    timeout: float = TIMEOUT_SECONDS
    """Seconds for the connection and for each read."""

    def send(self, parameters: Parameters, auth_token: str) -> WebhookAnswer:
        """Signs and sends once, and returns what came back.

        Raises OSError or http.client.HTTPException when nothing did, ValueError for a URL that is not http or https.
        """
        parts, signed = urlsplit(self.url), signed_form(self.signed_url or self.url)
        form = urlencode(parameters, doseq=True)
        if self.method == "GET":
            parts = parts._replace(query=f"{parts.query}&{form}" if parts.query else form)
            signed += ("&" if "?" in signed else "?") + form
            headers, body = self._headers(parts, signature(auth_token, signed, {}), None), None
        else:
            headers, body = self._headers(parts, signature(auth_token, signed, parameters), FORM_TYPE), form
        connection = _connection(parts, self.timeout)
        try:
            connection.request(
                self.method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers
            )
            response = connection.getresponse()
            return WebhookAnswer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def _headers(self, parts: SplitResult, signed: str, content_type: str | None) -> dict[str, str]:
        usual = {
            "Accept": "*/*",
            "Authorization": _basic(parts),
            "Content-Type": content_type,
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            SIGNATURE_HEADER: signed,
        }
        return {name: value for name, value in {**usual, **(self.headers or {})}.items() if value is not None}


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    if parts.hostname is None:
        raise ValueError("a webhook goes to a host")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname, parts.port, timeout=timeout)


def _basic(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
