"""Which accounts can be configured, and where their recordings are."""

import pytest

from recording_service.adapters.twilio_media.account import MediaFormat, Origin, TwilioAccount, media_url
from recording_service.core.model import RecordingKey

KEY = RecordingKey("AC" + "1a" * 16, "RE" + "2B" * 16)


@pytest.mark.parametrize("api_url", ["https://api.twilio.com", "https://api.twilio.com/"])
def test_a_recording_is_where_its_sids_say(api_url: str) -> None:
    assert media_url(TwilioAccount(KEY.account_sid, api_url), KEY) == (
        f"https://api.twilio.com/2010-04-01/Accounts/AC{'1a' * 16}/Recordings/RE{'2B' * 16}.mp3"
    )


def test_its_format_and_channels_are_part_of_where_it_is() -> None:
    account = TwilioAccount(KEY.account_sid, "https://api.twilio.com", media_format=MediaFormat.WAV)

    assert media_url(account, KEY, 2).endswith(f"/RE{'2B' * 16}.wav?RequestedChannels=2")


@pytest.mark.parametrize(
    "key",
    [
        RecordingKey("", ""),
        RecordingKey(KEY.recording_sid, KEY.account_sid),
        KEY._replace(account_sid=KEY.account_sid + "\n"),
        KEY._replace(account_sid=KEY.account_sid + "/../x"),
        KEY._replace(recording_sid=KEY.recording_sid + ".mp3"),
        KEY._replace(recording_sid=KEY.recording_sid[:-1]),
        KEY._replace(recording_sid="RE" + "g" * 32),
        KEY._replace(recording_sid="RE" + "\u0661" * 32),
    ],
)
def test_what_is_no_sid_gets_into_no_url(key: RecordingKey) -> None:
    with pytest.raises(ValueError, match="not the key of a recording"):
        media_url(TwilioAccount(KEY.account_sid, "https://api.twilio.com"), key)


@pytest.mark.parametrize(
    ("api_url", "origin"),
    [
        ("https://api.twilio.com", Origin("https", "api.twilio.com", 443)),
        ("https://API.Twilio.com:8443/", Origin("https", "api.twilio.com", 8443)),
        ("https://127.0.0.1:1", Origin("https", "127.0.0.1", 1)),
        ("http://127.0.0.1:8081", Origin("http", "127.0.0.1", 8081)),
        ("http://127.9.9.9", Origin("http", "127.9.9.9", 80)),
        ("http://localhost:8081", Origin("http", "localhost", 8081)),
        ("http://[::1]:8081", Origin("http", "::1", 8081)),
    ],
)
def test_an_api_is_reached_by_https_or_on_loopback(api_url: str, origin: Origin) -> None:
    assert TwilioAccount(KEY.account_sid, api_url).origin == origin


@pytest.mark.parametrize(
    "api_url",
    [
        "",
        "api.twilio.com",
        "http://api.twilio.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://api.twilio.com",
        "https://",
        "https://user:password@api.twilio.com",
        "https://api.twilio.com/2010-04-01",
        "https://api.twilio.com?x=y",
        "https://api.twilio.com#x",
        "https://api.twilio.com\n",
        "https://api.twilio.com:99999",
        "https://api.twilio.com:x",
        "https://api twilio.com",
    ],
)
def test_any_other_api_is_refused_without_repeating_it(api_url: str) -> None:
    with pytest.raises(ValueError, match=r"URL of Twilio's API|Port|port") as refused:
        TwilioAccount(KEY.account_sid, api_url)

    assert "password" not in str(refused.value)


def test_an_account_does_not_show_its_secret() -> None:
    account = TwilioAccount(KEY.account_sid, "https://api.twilio.com", "SK1", "very secret")

    assert account.has_credentials
    assert "very secret" not in repr(account)
