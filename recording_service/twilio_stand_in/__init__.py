"""A stand-in for Twilio: real recordings, served with every fault a download can meet, and signed webhooks.

    with TwilioStandIn(account_sid="AC…", auth_token="…") as twilio:
        recording = twilio.add_recording(duration=30)
        twilio.behave(recording.recording_sid, server_error(503), times=2)
        twilio.send_webhook("http://127.0.0.1:8080/webhooks/twilio/recording-status", recording.recording_sid)

Needs the extra `demo` (numpy and lameenc). It depends on nothing else of this project.
"""

from recording_service.twilio_stand_in.accounts import Credentials
from recording_service.twilio_stand_in.answers import (
    Answer,
    Content,
    empty,
    error_document,
    forbidden,
    html_document,
    json_document,
    media,
    not_found,
    redirect,
    server_error,
    too_many_requests,
    unauthorized,
    wrong_magic,
    xml_document,
)
from recording_service.twilio_stand_in.encryption import Encryption
from recording_service.twilio_stand_in.gate import Gate
from recording_service.twilio_stand_in.recording import Recording, new_sid
from recording_service.twilio_stand_in.request_log import Outcome, Request
from recording_service.twilio_stand_in.route import Endpoint
from recording_service.twilio_stand_in.script import FOREVER
from recording_service.twilio_stand_in.server import TwilioStandIn, serve
from recording_service.twilio_stand_in.signature import signature
from recording_service.twilio_stand_in.webhooks import WebhookAnswer

__all__ = [
    "FOREVER",
    "Answer",
    "Content",
    "Credentials",
    "Encryption",
    "Endpoint",
    "Gate",
    "Outcome",
    "Recording",
    "Request",
    "TwilioStandIn",
    "WebhookAnswer",
    "empty",
    "error_document",
    "forbidden",
    "html_document",
    "json_document",
    "media",
    "new_sid",
    "not_found",
    "redirect",
    "serve",
    "server_error",
    "signature",
    "too_many_requests",
    "unauthorized",
    "wrong_magic",
    "xml_document",
]
