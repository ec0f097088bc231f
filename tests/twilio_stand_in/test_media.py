import io
import json
import wave

import pytest
import requests

from recording_service.twilio_stand_in import Credentials, Endpoint, Recording, TwilioStandIn, new_sid, not_found
from tests.twilio_stand_in import mpeg_frames, raw_http
from tests.twilio_stand_in.conftest import ACCOUNT_SID, API_KEY, API_SECRET, AUTH_TOKEN

GOOD = (ACCOUNT_SID, AUTH_TOKEN)


def test_an_mp3_is_served_byte_for_byte_as_the_oracle_says(twilio: TwilioStandIn, recording: Recording) -> None:
    answer = requests.get(twilio.media_url(recording.recording_sid, ".mp3"), auth=GOOD, timeout=10)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.content == twilio.media(recording.recording_sid)
    assert mpeg_frames.seconds(answer.content) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("extension", ["", ".wav"])
def test_without_an_extension_the_answer_is_a_wav(twilio: TwilioStandIn, recording: Recording, extension: str) -> None:
    answer = requests.get(twilio.media_url(recording.recording_sid, extension), auth=GOOD, timeout=10)

    assert answer.headers["Content-Type"] == "audio/x-wav"
    assert answer.content == twilio.media(recording.recording_sid, ".wav")
    with wave.open(io.BytesIO(answer.content)) as file:
        assert file.getnchannels() == 1


def test_an_exact_size_is_served(twilio: TwilioStandIn) -> None:
    recording = twilio.add_recording(size=1 << 20)

    answer = requests.get(twilio.media_url(recording.recording_sid, ".mp3"), auth=GOOD, timeout=10)

    assert len(answer.content) == 1 << 20
    assert mpeg_frames.walk(answer.content)


def test_exact_bytes_are_served(twilio: TwilioStandIn) -> None:
    recording = twilio.add_recording(body=b"\xff\xf3tiny")

    answer = requests.get(twilio.media_url(recording.recording_sid, ".mp3"), auth=GOOD, timeout=10)

    assert answer.content == b"\xff\xf3tiny" == twilio.media(recording.recording_sid)


def test_the_audio_follows_from_the_seed_not_from_the_stand_in(twilio: TwilioStandIn) -> None:
    one, two, other = (twilio.add_recording(seed=seed, duration=1) for seed in ("a", "a", "b"))

    assert twilio.media(one.recording_sid) == twilio.media(two.recording_sid)
    assert twilio.media(one.recording_sid) != twilio.media(other.recording_sid)


@pytest.mark.parametrize(("requested", "channels"), [(None, 2), ("2", 2), ("1", 1)])
def test_a_dual_channel_recording_is_served_as_requested(
    twilio: TwilioStandIn, requested: str | None, channels: int
) -> None:
    recording = twilio.add_recording(channels=2, duration=1)
    parameters = {} if requested is None else {"RequestedChannels": requested}

    answer = requests.get(twilio.media_url(recording.recording_sid, ".mp3"), params=parameters, auth=GOOD, timeout=10)

    assert {frame.channels for frame in mpeg_frames.walk(answer.content)} == {channels}
    assert answer.content == twilio.media(recording.recording_sid, channels=channels)


@pytest.mark.parametrize("requested", ["2", "3", "many"])
def test_channels_that_are_not_there_get_400(twilio: TwilioStandIn, recording: Recording, requested: str) -> None:
    url = twilio.media_url(recording.recording_sid, ".mp3")

    assert requests.get(url, params={"RequestedChannels": requested}, auth=GOOD, timeout=10).status_code == 400


def test_metadata_is_served_as_json_with_a_relative_uri(twilio: TwilioStandIn, recording: Recording) -> None:
    answer = requests.get(twilio.media_url(recording.recording_sid, ".json"), auth=GOOD, timeout=10)
    document = answer.json()

    assert answer.headers["Content-Type"] == "application/json"
    assert document["uri"] == f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{recording.recording_sid}.json"
    assert document["media_url"] == twilio.media_url(recording.recording_sid)
    assert (document["sid"], document["duration"], document["status"]) == (recording.recording_sid, "2", "completed")


def test_metadata_is_served_as_xml(twilio: TwilioStandIn, recording: Recording) -> None:
    answer = requests.get(twilio.media_url(recording.recording_sid, ".xml"), auth=GOOD, timeout=10)

    document = raw_http.parsed(answer.content)
    assert document.findtext("Recording/Sid") == recording.recording_sid
    assert document.findtext("Recording/MediaUrl") == twilio.media_url(recording.recording_sid)


@pytest.mark.parametrize(
    ("auth", "credentials"), [(GOOD, Credentials.AUTH_TOKEN), ((API_KEY, API_SECRET), Credentials.API_KEY)]
)
def test_the_auth_token_and_the_api_key_open_media(
    twilio: TwilioStandIn, recording: Recording, auth: tuple[str, str], credentials: Credentials
) -> None:
    assert requests.get(twilio.media_url(recording.recording_sid, ".mp3"), auth=auth, timeout=10).status_code == 200

    assert twilio.requests[0].credentials is credentials


@pytest.mark.parametrize(
    "header",
    [
        {},
        raw_http.basic(ACCOUNT_SID, "wrong"),
        raw_http.basic(API_KEY, AUTH_TOKEN),
        raw_http.basic("", ""),
        {"Authorization": "Bearer " + AUTH_TOKEN},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic /w=="},
    ],
)
def test_other_credentials_get_401_with_twilios_document(
    twilio: TwilioStandIn, recording: Recording, header: dict[str, str]
) -> None:
    answer = raw_http.get(twilio.media_url(recording.recording_sid, ".mp3"), header)

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert raw_http.parsed(answer.body).findtext("RestException/Code") == "20003"
    assert twilio.requests[0].credentials is (Credentials.WRONG if header else Credentials.NONE)


def test_metadata_paths_give_errors_as_json(twilio: TwilioStandIn, recording: Recording) -> None:
    answer = raw_http.get(twilio.media_url(recording.recording_sid, ".json"), {})

    assert (answer.status, json.loads(answer.body)["code"]) == (401, 20003)


def test_credentials_of_one_account_open_nothing_of_another(twilio: TwilioStandIn) -> None:
    other = "AC" + "ee" * 16
    twilio.add_account(other, "its token")
    recording = twilio.add_recording(account_sid=other, duration=1)
    url = twilio.media_url(recording.recording_sid, ".mp3")

    assert requests.get(url, auth=GOOD, timeout=10).status_code == 401
    assert requests.get(url, auth=(other, "its token"), timeout=10).status_code == 200
    assert requests.get(url.replace(other, ACCOUNT_SID), auth=GOOD, timeout=10).status_code == 404


@pytest.mark.parametrize("suffix", ["", ".mp3", ".wav"])
def test_an_unknown_recording_gets_404_with_twilios_document(
    twilio: TwilioStandIn, credentials: dict[str, str], suffix: str
) -> None:
    url = f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/RE{'9' * 32}{suffix}"

    answer = raw_http.get(url, credentials)

    assert answer.status == 404
    assert raw_http.parsed(answer.body).findtext("RestException/Code") == "20404"


@pytest.mark.parametrize("suffix", [".mp3.wav", ".json.mp3", ".ogg", "/"])
def test_paths_twilio_does_not_have_get_404(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str], suffix: str
) -> None:
    assert raw_http.get(twilio.media_url(recording.recording_sid, suffix), credentials).status == 404
    assert twilio.requests[0].recording_sid == recording.recording_sid


@pytest.mark.parametrize("status", ["in-progress", "processing", "absent", "deleted"])
def test_there_is_media_only_when_completed(twilio: TwilioStandIn, recording: Recording, status: str) -> None:
    url = twilio.media_url(recording.recording_sid)
    twilio.set_status(recording.recording_sid, status)

    assert requests.get(url + ".mp3", auth=GOOD, timeout=10).status_code == 404
    assert requests.get(url + ".json", auth=GOOD, timeout=10).json()["status"] == status

    twilio.set_status(recording.recording_sid, "completed")
    assert requests.get(url + ".mp3", auth=GOOD, timeout=10).status_code == 200


def test_the_auth_token_changes_at_once(twilio: TwilioStandIn, recording: Recording) -> None:
    url = twilio.media_url(recording.recording_sid, ".mp3")
    twilio.set_auth_token(ACCOUNT_SID, "the next token")

    assert requests.get(url, auth=GOOD, timeout=10).status_code == 401
    assert requests.get(url, auth=(ACCOUNT_SID, "the next token"), timeout=10).status_code == 200
    assert requests.get(url, auth=(API_KEY, API_SECRET), timeout=10).status_code == 200


def test_a_head_request_gets_the_headers_and_no_body(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    answer = raw_http.get(twilio.media_url(recording.recording_sid, ".mp3"), credentials, "HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(twilio.media(recording.recording_sid))


def test_other_methods_get_405(twilio: TwilioStandIn, recording: Recording) -> None:
    url = twilio.media_url(recording.recording_sid, ".mp3")

    assert requests.post(url, data="a body", auth=GOOD, timeout=10).status_code == 405


def test_what_is_not_http_gets_400(twilio: TwilioStandIn) -> None:
    with raw_http.connect(twilio.url) as client:
        client.sendall(b"hello\r\n\r\n")
        assert raw_http.receive(client).status == 400


def test_the_cdn_serves_without_credentials_and_refuses_them(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    url = twilio.cdn_url(recording.recording_sid)

    assert raw_http.get(url, {}).body == twilio.media(recording.recording_sid)
    refused = raw_http.get(url, credentials)

    assert (refused.status, b"Only one auth mechanism allowed" in refused.body) == (400, True)
    assert [request.credentials for request in twilio.requests] == [Credentials.NONE, Credentials.AUTH_TOKEN]


def test_the_cdn_misbehaves_on_its_own(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    twilio.behave(recording.recording_sid, not_found(), at=Endpoint.CDN)

    assert raw_http.get(twilio.media_url(recording.recording_sid, ".mp3"), credentials).status == 200
    assert raw_http.get(twilio.cdn_url(recording.recording_sid), {}).status == 404
    assert raw_http.get(twilio.cdn_url(recording.recording_sid), {}).status == 200


def test_a_recording_that_is_there_cannot_be_added_again(twilio: TwilioStandIn, recording: Recording) -> None:
    with pytest.raises(ValueError, match="already"):
        twilio.add_recording(recording)


def test_a_recording_of_an_unknown_account_or_with_three_channels_is_refused(twilio: TwilioStandIn) -> None:
    with pytest.raises(KeyError):
        twilio.add_recording(account_sid="AC" + "9" * 32)
    with pytest.raises(ValueError, match="1 or 2 channels"):
        twilio.add_recording(channels=3)


def test_recordings_are_invented_where_asked_for() -> None:
    recording_sid = new_sid("RE")
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, invent_recordings=True) as twilio:
        url = f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{recording_sid}.mp3"
        first = requests.get(url, auth=GOOD, timeout=10).content
        assert first == twilio.media(recording_sid)
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, invent_recordings=True) as again:
        assert first == again.media(recording_sid)
    assert 8 <= mpeg_frames.seconds(first) <= 90


def test_connections_are_kept_alive(twilio: TwilioStandIn, recording: Recording) -> None:
    with requests.Session() as session:
        session.auth = GOOD
        for extension in (".mp3", ".json", ".ogg", ".wav"):
            session.get(twilio.media_url(recording.recording_sid, extension), timeout=10)

    assert {request.connection for request in twilio.requests} == {0}
