"""What the tests of `twilio_media` share: an account, short limits, and fetching a recording whole."""

from dataclasses import replace
from typing import Any

from recording_service.adapters.twilio_media.account import TwilioAccount, TwilioLimits
from recording_service.adapters.twilio_media.media import TwilioMedia
from recording_service.core.model import RecordingKey

ACCOUNT_SID = "AC" + "0a" * 16
KEY = RecordingKey(ACCOUNT_SID, "RE" + "1b" * 16)
USERNAME = "SK" + "2c" * 16
PASSWORD = "secret-of-the-key"

#: Short enough for a test, long enough for a machine that is busy.
LIMITS = TwilioLimits(
    connect_seconds=5.0,
    idle_seconds=5.0,
    total_seconds=10.0,
    settle_seconds=0.3,
    max_bytes=1 << 28,
    min_bytes_per_second=1.0,
    rate_window_seconds=5.0,
)


def account(api_url: str, **changes: Any) -> TwilioAccount:
    return replace(TwilioAccount(ACCOUNT_SID, api_url, USERNAME, PASSWORD), **changes)


def source(api_url: str, *, further: tuple[str, ...] = (), certificates: Any = None, **limits: float) -> TwilioMedia:
    """A source for that account, whose limits are LIMITS but for those given."""
    return TwilioMedia(
        [account(api_url)],
        replace(LIMITS, **limits),  # type: ignore[arg-type] # max_bytes is an int
        further_redirect_origins=further,
        certificates=certificates,
    )


def fetched(source: TwilioMedia, key: RecordingKey = KEY) -> bytes:
    """The recording, whole."""
    with source.open(key) as media:
        return b"".join(media.chunks())
