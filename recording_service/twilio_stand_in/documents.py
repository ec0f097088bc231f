"""The documents of Twilio's REST interface: a recording's metadata, and errors (twilio.md A1, A4)."""

import json
from collections.abc import Mapping
from email.utils import format_datetime
from xml.sax.saxutils import escape

from recording_service.twilio_stand_in.recording import Recording

#: The path every resource of the interface is under.
API_VERSION = "2010-04-01"

#: Twilio's own error code and message for a status; others are 20000 + status.
ERRORS = {
    401: (20003, "Authenticate"),
    404: (20404, "The requested resource was not found"),
    429: (20429, "Too Many Requests"),
}

#: Twilio's error code and message where an encrypted recording is asked for as MP3.
ENCRYPTED_ERROR = (16109, "Voice Recording: Cannot fetch .mp3 encrypted recording")

#: What a proxy says when it has nothing to say.
HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Down for maintenance</title></head><body><h1>Back soon</h1></body></html>\n"
)


def resource_path(recording: Recording) -> str:
    """The recording's path without an extension."""
    return f"/{API_VERSION}/Accounts/{recording.account_sid}/Recordings/{recording.recording_sid}"


def metadata(recording: Recording, base_url: str) -> dict[str, object]:
    """The recording's resource; as Twilio shows it, `uri` is relative and ends in .json, `media_url` is plain http."""
    path = resource_path(recording)
    completed = recording.status == "completed"
    date = format_datetime(recording.start_time)
    return {
        "account_sid": recording.account_sid,
        "api_version": API_VERSION,
        "call_sid": recording.call_sid,
        "channels": recording.channels,
        "conference_sid": recording.conference_sid,
        "date_created": date,
        "date_updated": date,
        "duration": str(round(recording.seconds)) if completed else "-1",
        "encryption_details": None if recording.encryption is None else recording.encryption.in_resource(),
        "error_code": recording.error_code or None,
        "media_url": base_url + path,
        "price": None,
        "price_unit": "USD",
        "sid": recording.recording_sid,
        "source": recording.source,
        "start_time": date,
        "status": recording.status,
        "track": recording.track,
        "uri": f"{path}.json",
    }


def metadata_json(recording: Recording, base_url: str) -> bytes:
    """The resource as `….json` answers it."""
    return json.dumps(metadata(recording, base_url)).encode()


def metadata_xml(recording: Recording, base_url: str) -> bytes:
    """The resource as `….xml` answers it."""
    return _xml("Recording", metadata(recording, base_url))


def encrypted_error_xml(status: int) -> bytes:
    """Twilio's refusal of an encrypted recording in another format than WAV."""
    code, message = ENCRYPTED_ERROR
    fields = {"code": code, "detail": "", "message": message, "more_info": _more_info(code), "status": status}
    return _xml("RestException", fields)


def error_xml(status: int) -> bytes:
    """Twilio's RestException for a status."""
    code, message = _error(status)
    fields = {"code": code, "detail": "", "message": message, "more_info": _more_info(code), "status": status}
    return _xml("RestException", fields)


def error_json(status: int) -> bytes:
    """Twilio's error for a status, as paths that end in .json answer it."""
    code, message = _error(status)
    return json.dumps({"code": code, "message": message, "more_info": _more_info(code), "status": status}).encode()


def _error(status: int) -> tuple[int, str]:
    return ERRORS.get(status, (20000 + status, "An error occurred"))


def _more_info(code: int) -> str:
    return f"https://www.twilio.com/docs/errors/{code}"


def _xml(element: str, fields: Mapping[str, object]) -> bytes:
    body = "".join(_xml_field(name, value) for name, value in fields.items())
    document = f"<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse><{element}>{body}</{element}></TwilioResponse>"
    return document.encode()


def _xml_field(name: str, value: object) -> str:
    tag = "".join(word.capitalize() for word in name.split("_"))
    return f"<{tag}>{'' if value is None else escape(str(value))}</{tag}>"
