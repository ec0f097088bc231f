"""A recording as Twilio's REST interface shows it (twilio.md A1, A4), of what is known here."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import format_datetime
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingState

API_VERSION: Final = "2010-04-01"

#: Twilio's statuses. FAILED is told apart below; a recording that is DELETED is not shown at all.
_STATUSES: Final[Mapping[RecordingState, str]] = {
    RecordingState.RECORDING_STATE_QUEUED: "processing",
    RecordingState.RECORDING_STATE_DOWNLOADING: "processing",
    RecordingState.RECORDING_STATE_READY: "completed",
}
#: Twilio itself has no such recording; otherwise we failed to get it.
_ABSENT: Final = frozenset({FailureReason.FAILURE_REASON_SOURCE_ABSENT, FailureReason.FAILURE_REASON_SOURCE_NOT_FOUND})


def resource_path(recording: Recording) -> str:
    """The recording's path without an extension."""
    return f"/{API_VERSION}/Accounts/{recording.account_sid}/Recordings/{recording.recording_sid}"


def twilio_metadata(recording: Recording, public_url: str) -> dict[str, Any]:
    """The resource: `completed` once it can be played here, whatever it is at Twilio.

    `media_url` is ours; what this service doesn't know (price, encryption, Twilio's error) is null.
    """
    path = resource_path(recording)
    return {
        "account_sid": recording.account_sid,
        "api_version": API_VERSION,
        "call_sid": recording.call_sid or None,
        "conference_sid": recording.conference_sid or None,
        "channels": recording.channels or None,
        "date_created": _date(recording, "create_time"),
        "date_updated": _date(recording, "update_time"),
        "start_time": _date(recording, "start_time"),
        "duration": str(recording.duration.seconds) if recording.HasField("duration") else None,
        "sid": recording.recording_sid,
        "source": recording.source or None,
        "track": recording.track or None,
        "status": _status(recording),
        "error_code": None,
        "price": None,
        "price_unit": "USD",
        "encryption_details": None,
        "uri": f"{path}.json",
        "media_url": public_url.rstrip("/") + path,
        "subresource_uris": {},
    }


def _status(recording: Recording) -> str:
    if recording.state == RecordingState.RECORDING_STATE_FAILED:
        return "absent" if recording.failure_reason in _ABSENT else "failed"
    # A state of a newer service: it is not there to be played, and not known to have failed.
    return _STATUSES.get(recording.state, "processing")


def _date(recording: Recording, field: str) -> str | None:
    """A time of the recording by RFC 2822, as `Fri, 14 Oct 2016 21:56:34 +0000`; `None` if it is not known."""
    if not recording.HasField(field):
        return None
    moment: Timestamp = getattr(recording, field)
    return format_datetime(moment.ToDatetime(tzinfo=UTC))
