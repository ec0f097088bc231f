"""What other systems write into cells: times, durations, SIDs, and Twilio's URLs in all their forms."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from recordings.command_line.parameters import parse_rfc3339

_CLOCK: Final = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d(?:\.\d{1,9})?)", re.ASCII)
_SECONDS: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?s?", re.ASCII)
_SID: Final = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}", re.ASCII)
_SID_IN_PATH: Final = re.compile(r"((?:AC|RE)[0-9a-fA-F]{32})(?:\.[A-Za-z0-9]{1,8})?", re.ASCII)
_TWILIO_PATH: Final = re.compile(
    r"/2010-04-01/Accounts/AC[0-9a-fA-F]{32}/Recordings/RE[0-9a-fA-F]{32}(?:\.(?:mp3|wav|json|xml))?", re.ASCII
)


class RecordingUrl(NamedTuple):
    """What a URL says: the SIDs in its path, empty if there are none, and the hint it makes for the service, if any."""

    account_sid: str
    recording_sid: str
    source_url: str


def parse_recording_url(text: str) -> RecordingUrl:
    """The SIDs in the path, of whichever host. Only Twilio's own URLs make a hint, without query or credentials.

    Raises:
        ValueError: it is no URL, or names several recordings or accounts.
    """
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").lower()
    except ValueError:
        raise ValueError("is no URL") from None
    sids = {matched[1] for segment in parts.path.split("/") if (matched := _SID_IN_PATH.fullmatch(segment))}
    accounts = sorted(sid for sid in sids if sid.startswith("AC"))
    recordings = sorted(sid for sid in sids if sid.startswith("RE"))
    if len(accounts) > 1 or len(recordings) > 1:
        raise ValueError("names more than one recording or account")
    is_twilios = not parts.netloc or host == "twilio.com" or host.endswith(".twilio.com")
    hint = ""
    if is_twilios and host != "twilio.com" and _TWILIO_PATH.fullmatch(parts.path):
        hint = f"https://{host}{parts.path}" if host else parts.path
    return RecordingUrl(accounts[0] if accounts else "", recordings[0] if recordings else "", hint)


def parse_sid(text: str, letters: str) -> str:
    """The SID. ValueError if it isn't one with these letters."""
    if not _SID.fullmatch(text) or not text.startswith(letters):
        raise ValueError(f"is malformed; give {letters} and 32 hex digits")
    return text


def parse_time(text: str, zone: tzinfo | None) -> datetime:
    """A time in RFC 3339, as databases print it, or as Twilio does (RFC 2822).

    Parameters:
        zone: of a time that has none of its own.

    Raises:
        ValueError: it is none of these, or nobody says in which zone it is.
    """
    time = _parse_any_time(text)
    if time is None:
        raise ValueError("is no time; write it like 2026-03-01T09:30:00Z")
    if time.tzinfo is None:
        if zone is None:
            raise ValueError("has no time zone; say which is meant by --time-zone UTC, or Europe/Berlin")
        time = time.replace(tzinfo=zone)
    try:
        # Contract: from the year 1 to 9999, in UTC.
        time.timestamp()
        return time.astimezone(UTC)
    except (OverflowError, ValueError):
        raise ValueError("is a time out of range") from None


def parse_duration(text: str) -> timedelta:
    """Seconds (`90`, `90s`) or a clock's (`1:30`, `00:01:30`). ValueError if it is neither."""
    if matched := _SECONDS.fullmatch(text):
        return timedelta(seconds=float(matched[1]))
    if matched := _CLOCK.fullmatch(text):
        return timedelta(hours=int(matched[1] or 0), minutes=int(matched[2]), seconds=float(matched[3]))
    raise ValueError("is no duration; write seconds, or 0:01:30")


def parse_channels(text: str) -> int:
    """A small number, or Twilio's words for one and two. ValueError if it is neither."""
    words = {"mono": 1, "dual": 2, "stereo": 2}
    if text.lower() in words:
        return words[text.lower()]
    if not re.fullmatch(r"\d{1,3}(?:\.0)?", text, re.ASCII):
        raise ValueError("is no number of channels")
    return int(float(text))


def _parse_any_time(text: str) -> datetime | None:
    if time := parse_rfc3339(text):
        return time
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
