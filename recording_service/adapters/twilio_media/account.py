"""Where a Twilio account's recordings are fetched, with what credentials and within what limits."""

import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from recording_service.core.model import RecordingKey

_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}")
_API_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?")

#: Where Twilio's API begins, on the host of `api_url`.
API_PATH = "/2010-04-01/"

#: The port that a URL without one means.
DEFAULT_PORTS = {"http": 80, "https": 443}


class MediaFormat(StrEnum):
    """The forms that Twilio has media in (twilio.md A4): MP3 at 32 kbps, or the four times larger WAV."""

    MP3 = "mp3"
    WAV = "wav"


class Origin(NamedTuple):
    """Whom a request is made to (RFC 6454): the same credentials may go to the same origin, and to no other."""

    scheme: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine itself."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """One account. ValueError if `api_url` is not https (http on loopback), or is more than scheme, host and port."""

    account_sid: str
    #: Where its media is fetched. Its origin is the only one that is ever sent the credentials.
    api_url: str
    #: An API key's SID (preferred), or the AccountSid. Empty: none is configured.
    username: str = ""
    #: The API key's secret, or the auth token. Empty: none is configured.
    password: str = field(default="", repr=False)
    #: What is asked for: its path's extension at Twilio.
    media_format: MediaFormat = MediaFormat.MP3
    #: Whether both channels are asked for: where Twilio has no second one, the recording comes mono.
    dual_channel: bool = False

    def __post_init__(self) -> None:
        api_origin(self.api_url)

    @property
    def origin(self) -> Origin:
        """Whom its media is fetched from."""
        return api_origin(self.api_url)

    @property
    def has_credentials(self) -> bool:
        """Whether there is anything to show Twilio."""
        return bool(self.username and self.password)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioLimits:
    """What is waited for, and what is taken."""

    #: For a connection, and again for TLS.
    connect_seconds: float = 10.0
    #: For the next byte, the first one too.
    idle_seconds: float = 30.0
    #: For all of it, redirects too. Below RQ's job timeout, so that this limit and not that one ends a slow download.
    total_seconds: float = 780.0
    #: For the end of the connection after the last byte, which shows that it was the last one.
    settle_seconds: float = 1.0
    #: Largest recording: a day of MP3 has 0.35 GB (twilio.md A4).
    max_bytes: int = 1 << 30
    #: Slower than this, over a window of waiting for Twilio, is as good as not at all.
    min_bytes_per_second: float = 1024.0
    rate_window_seconds: float = 30.0


def media_url(account: TwilioAccount, key: RecordingKey, requested_channels: int | None = None) -> str:
    """Where the recording is in the account's format (twilio.md A4): made of the SIDs, never taken from a webhook.

    `requested_channels` None: as many as Twilio gives by itself. ValueError for what is no key.
    """
    query = "" if requested_channels is None else f"?RequestedChannels={requested_channels}"
    return f"{resource_url(account, key, account.media_format)}{query}"


def resource_url(account: TwilioAccount, key: RecordingKey, extension: str) -> str:
    """Where Twilio has a recording in that form, `json` for what it knows of it. ValueError for what is no key."""
    if not _ACCOUNT_SID.fullmatch(key.account_sid) or not _RECORDING_SID.fullmatch(key.recording_sid):
        raise ValueError(f"not the key of a recording: {key!r}")
    path = f"{API_PATH}Accounts/{key.account_sid}/Recordings/{key.recording_sid}.{extension}"
    return f"{account.api_url.rstrip('/')}{path}"


def api_origin(api_url: str) -> Origin:
    """The origin an API URL names. ValueError if it is not https (http on loopback), or says more than an origin."""
    if not _API_URL.fullmatch(api_url):
        raise ValueError("the URL of Twilio's API is a scheme, a host and a port, with nothing else in it")
    found = origin_of(api_url)
    if found.scheme != "https" and not (found.scheme == "http" and found.is_loopback):
        raise ValueError("the URL of Twilio's API must be https, or http on loopback")
    return found


def origin_of(url: str) -> Origin:
    """The origin of an absolute URL with a scheme of the web's. ValueError if it has none."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("not an absolute http or https URL")
    return Origin(parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme])


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
