from collections.abc import Callable, Iterator

import pytest

from recording_service.twilio_stand_in import Recording, TwilioStandIn
from tests.twilio_stand_in import raw_http

ACCOUNT_SID = "AC" + "0a" * 16
AUTH_TOKEN = "token-of-the-account"
API_KEY = "SK" + "0b" * 16
API_SECRET = "secret-of-the-key"

GetMedia = Callable[..., raw_http.RawAnswer]


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn(
        account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, api_key=API_KEY, api_secret=API_SECRET
    ) as stand_in:
        yield stand_in


@pytest.fixture
def recording(twilio: TwilioStandIn) -> Recording:
    return twilio.add_recording(duration=2)


@pytest.fixture
def credentials() -> dict[str, str]:
    return raw_http.basic(ACCOUNT_SID, AUTH_TOKEN)


@pytest.fixture
def get_media(twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]) -> GetMedia:
    """Fetches the recording's MP3 with good credentials, without a library in between."""

    def get(headers: dict[str, str] | None = None, method: str = "GET") -> raw_http.RawAnswer:
        url = twilio.media_url(recording.recording_sid, ".mp3")
        return raw_http.get(url, {**credentials, **(headers or {})}, method)

    return get
