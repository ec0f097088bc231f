"""From the form of a Twilio callback to a request of the contract (twilio.md A1).

AccountSid, RecordingSid and RecordingStatus are checked strictly: they decide which recording is meant, and what of it.
Everything else is a hint (the signature allows fields to be shifted into one another, reliability.md C3): a hint that
doesn't fit is left out, because losing a recording over its track, or its call, would be worse. Parameters that are not
named here are ignored: Twilio adds new ones.
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from recording_service.http_api import sids
from recording_service.http_api.problems import Problem
from recording_service.http_api.webhooks.encryption import encryption_details
from recording_service.http_api.webhooks.forms import Form
from recordings.errors import FieldViolation
from recordings.v1.enqueue_pb2 import EnqueueRecordingRequest, ReportRecordingUnavailableRequest, UnavailableReason
from recordings.v1.recording_pb2 import RecordingJob

#: Names that Twilio gives to sources, tracks, directions and statuses.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Telephone numbers, SIP addresses, client names: at most so many printable characters, as the contract bounds them.
_MAX_TEXT: Final = 255
_ANYTHING: Final = re.compile(r".*", re.DOTALL)
#: Whole seconds; `-1` and the like mean that it is not known.
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_CHANNELS: Final = re.compile(r"[1-9]|[1-5][0-9]|6[0-4]")
#: At most nine digits, so that it fits an int32.
_ERROR_CODE: Final = re.compile(r"[0-9]{1,9}")
#: The longest URL that is passed on as a hint, in characters.
_MAX_URL: Final = 2048
#: Where Twilio has a recording; the same shape as the contract takes, or the hint would lose the recording.
_URL: Final = re.compile(
    r"(?:https?://(?P<host>[A-Za-z0-9.-]+)(?::[0-9]{1,5})?)?"
    r"/2010-04-01/Accounts/(?P<account_sid>[A-Za-z0-9]+)/Recordings/(?P<recording_sid>[A-Za-z0-9]+)"
    r"(?:\.(?:mp3|wav|json|xml))?(?:\?[!-~]*)?"
)


def recording_status(form: Form) -> str:
    """The RecordingStatus of a callback.

    Raises:
        Problem: 400, it is missing or no name.
    """
    status = _identifier(form, "RecordingStatus", _NAME)
    if not status:
        raise Problem.invalid(FieldViolation("RecordingStatus", "is required"))
    return status


def enqueue_request(form: Form, source_hosts: frozenset[str]) -> EnqueueRecordingRequest:
    """The request for a completed recording, with everything that is known of it.

    Raises:
        Problem: 400, an identifier is missing or malformed.
    """
    seconds = _hint(form, "RecordingDuration", _SECONDS)
    return EnqueueRecordingRequest(
        account_sid=_required(form, "AccountSid", sids.ACCOUNT_SID),
        recording_sid=_required(form, "RecordingSid", sids.RECORDING_SID),
        call_sid=_hint(form, "CallSid", sids.CALL_SID),
        conference_sid=_hint(form, "ConferenceSid", sids.CONFERENCE_SID),
        source_url=_source_url(form, source_hosts),
        job=RecordingJob.RECORDING_JOB_FULL,
        source=_hint(form, "RecordingSource", _NAME),
        track=_hint(form, "RecordingTrack", _NAME),
        direction=_hint(form, "Direction", _NAME),
        channels=int(_hint(form, "RecordingChannels", _CHANNELS) or 0),
        start_time=_start_time(form),
        duration=Duration(seconds=int(seconds)) if seconds else None,
        from_number=_text(form, "From"),
        to_number=_text(form, "To"),
        encryption_details=encryption_details(_hint(form, "EncryptionDetails", _ANYTHING)),
    )


def unavailable_request(form: Form, reason: UnavailableReason) -> ReportRecordingUnavailableRequest:
    """The report of a recording that Twilio does not have.

    Raises:
        Problem: 400, an identifier is missing or malformed.
    """
    return ReportRecordingUnavailableRequest(
        account_sid=_required(form, "AccountSid", sids.ACCOUNT_SID),
        recording_sid=_required(form, "RecordingSid", sids.RECORDING_SID),
        call_sid=_hint(form, "CallSid", sids.CALL_SID),
        reason=reason,
        error_code=int(_hint(form, "ErrorCode", _ERROR_CODE) or 0),
    )


def recording_sid(form: Form) -> str:
    """The RecordingSid alone, of a callback that asks for nothing.

    Raises:
        Problem: 400, an identifier is missing or malformed.
    """
    _required(form, "AccountSid", sids.ACCOUNT_SID)
    return _required(form, "RecordingSid", sids.RECORDING_SID)


def _required(form: Form, name: str, pattern: re.Pattern[str]) -> str:
    value = _identifier(form, name, pattern)
    if not value:
        raise Problem.invalid(FieldViolation(name, "is required"))
    return value


def _identifier(form: Form, name: str, pattern: re.Pattern[str]) -> str:
    """The one value of a parameter, empty if it is missing or blank."""
    values = set(form.getall(name)) - {""}
    if len(values) > 1:
        raise Problem.invalid(FieldViolation(name, "was sent with several values"))
    value = values.pop() if values else ""
    if value and pattern.fullmatch(value) is None:
        raise Problem.invalid(FieldViolation(name, "is malformed"))
    return value


def _hint(form: Form, name: str, pattern: re.Pattern[str]) -> str:
    """The one value of a parameter, empty if it is missing, ambiguous or unfit."""
    values = set(form.getall(name))
    value = values.pop() if len(values) == 1 else ""
    return value if pattern.fullmatch(value) else ""


def _text(form: Form, name: str) -> str:
    """The one value of a parameter, empty if it is missing, ambiguous, too long or not printable."""
    value = _hint(form, name, _ANYTHING)
    return value if len(value) <= _MAX_TEXT and value.isprintable() else ""


def _source_url(form: Form, source_hosts: frozenset[str]) -> str:
    """RecordingUrl if it is this recording's, at one of our hosts or relative. The service only notes it."""
    url = _hint(form, "RecordingUrl", _URL)
    found = _URL.fullmatch(url) if len(url) <= _MAX_URL else None
    if found is None or (found["host"] or "").lower() not in source_hosts | {""}:
        return ""
    named = found["account_sid"], found["recording_sid"]
    asked = _required(form, "AccountSid", sids.ACCOUNT_SID), _required(form, "RecordingSid", sids.RECORDING_SID)
    return url if named == asked else ""


def _start_time(form: Form) -> Timestamp | None:
    """RecordingStartTime (RFC 2822); `None` if it is missing or none."""
    try:
        moment = parsedate_to_datetime(_text(form, "RecordingStartTime"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        timestamp = Timestamp()
        timestamp.FromDatetime(moment)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return timestamp
