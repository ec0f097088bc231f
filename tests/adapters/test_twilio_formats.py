"""What is asked for is the account's choice: MP3 or WAV, and both channels where Twilio has them."""

from collections.abc import Iterator

import pytest

from recording_service.adapters.twilio_media.account import MediaFormat
from recording_service.adapters.twilio_media.media import TwilioMedia
from recording_service.core.audio import MP3, WAV, recognise
from recording_service.core.errors import (
    SourceError,
    SourceNotFound,
    SourceRateLimited,
    SourceRefused,
    SourceUnauthorized,
    SourceUnavailable,
)
from recording_service.core.model import RecordingKey
from recording_service.twilio_stand_in import (
    Answer,
    TwilioStandIn,
    not_found,
    server_error,
    too_many_requests,
    unauthorized,
)
from tests.adapters.raw_server import RawServer, answer
from tests.adapters.twilio_fetching import ACCOUNT_SID, LIMITS, PASSWORD, USERNAME, account, fetched

FORMATS = {MediaFormat.MP3: MP3, MediaFormat.WAV: WAV}


@pytest.fixture(scope="module")
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token="token", api_key=USERNAME, api_secret=PASSWORD) as stand_in:
        yield stand_in


def source(url: str, media_format: MediaFormat = MediaFormat.MP3, *, dual_channel: bool = True) -> TwilioMedia:
    return TwilioMedia([account(url, media_format=media_format, dual_channel=dual_channel)], LIMITS)


def asked_for(twilio: TwilioStandIn, recording_sid: str) -> list[str]:
    """What was asked for, after the SID."""
    return [request.path.partition(recording_sid)[2] for request in twilio.requests if recording_sid in request.path]


@pytest.mark.parametrize("media_format", MediaFormat)
@pytest.mark.parametrize(
    ("dual_channel", "recorded", "given", "queries"),
    [
        (False, 1, 1, [""]),
        (False, 2, 2, [""]),
        (True, 2, 2, ["?RequestedChannels=2"]),
        (True, 1, 1, ["?RequestedChannels=2", "?RequestedChannels=1"]),
    ],
    ids=["mono", "as recorded", "dual", "mono for want of a second channel"],
)
def test_each_choice_brings_the_very_bytes_that_twilio_has_in_that_form(
    twilio: TwilioStandIn,
    media_format: MediaFormat,
    dual_channel: bool,
    recorded: int,
    given: int,
    queries: list[str],
) -> None:
    sid = twilio.add_recording(channels=recorded, duration=1.0).recording_sid

    body = fetched(source(twilio.url, media_format, dual_channel=dual_channel), RecordingKey(ACCOUNT_SID, sid))

    assert body == twilio.media(sid, f".{media_format}", channels=given)
    assert recognise(body[:24]) == FORMATS[media_format]._replace(channels=given)
    assert asked_for(twilio, sid) == [f".{media_format}{query}" for query in queries]


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (not_found(), SourceNotFound),
        (too_many_requests(), SourceRateLimited),
        (server_error(), SourceUnavailable),
        (unauthorized(), SourceUnauthorized),
    ],
    ids=["404", "429", "500", "401"],
)
def test_no_other_refusal_is_taken_for_a_missing_channel(
    twilio: TwilioStandIn, refusal: Answer, error: type[SourceError]
) -> None:
    sid = twilio.add_recording(channels=2).recording_sid
    twilio.behave(sid, refusal)

    with pytest.raises(error):
        fetched(source(twilio.url), RecordingKey(ACCOUNT_SID, sid))

    assert asked_for(twilio, sid) == [".mp3?RequestedChannels=2"]


def test_a_page_for_people_says_nothing_of_channels() -> None:
    page = answer(b"<html>", "Content-Type: text/html", "Content-Length: 6", status="400 Bad Request")
    with RawServer(page, answer(b"mono", "Content-Length: 4")) as server:
        with pytest.raises(SourceRefused):
            fetched(source(server.url))

        assert len(server.heads) == 1


def test_whoever_refuses_the_mono_recording_too_has_refused_it() -> None:
    refused = "Content-Length: 0"
    with RawServer(*[answer(b"", refused, status="400 Bad Request")] * 2) as server:
        with pytest.raises(SourceRefused):
            fetched(source(server.url))

        assert len(server.heads) == 2
