"""Encrypted recordings at Twilio: in which format they are asked for, and what the resource says of them."""

import json
from collections.abc import Iterator

import pytest

from recording_service.adapters.twilio_media.media import TwilioMedia
from recording_service.core.encryption import details_of
from recording_service.core.errors import (
    EncryptionDetailsInvalid,
    SourceEncrypted,
    SourceError,
    SourceNotFound,
    SourceRefused,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
)
from recording_service.core.model import RecordingKey
from recording_service.twilio_stand_in import Answer, TwilioStandIn, server_error
from tests.adapters.raw_server import RawServer, answer
from tests.adapters.twilio_fetching import ACCOUNT_SID, KEY, PASSWORD, USERNAME, account, fetched, source
from tests.support.encrypted import an_encryption, details

TOKEN = "token-of-the-account"
AUDIO = b"RIFF\x00\x00\x00\x00WAVE" + bytes(5000)


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=TOKEN, api_key=USERNAME, api_secret=PASSWORD) as stand_in:
        yield stand_in


def resource(said: object) -> bytes:
    return json.dumps({"sid": KEY.recording_sid, "encryption_details": said}).encode()


def asked(server: RawServer) -> list[str]:
    return [head.split(" ")[1] for head in server.heads]


def test_an_encrypted_recording_comes_as_wav_as_it_was_encrypted_whatever_the_account_likes(
    twilio: TwilioStandIn,
) -> None:
    encryption = an_encryption()
    sid = twilio.add_recording(body=AUDIO, channels=2, encryption=encryption).recording_sid
    media = TwilioMedia([account(twilio.url, dual_channel=True)])
    with media.open_encrypted(RecordingKey(ACCOUNT_SID, sid)) as opened:
        body = b"".join(opened.chunks())
    assert body == encryption.sealed(AUDIO)
    assert [request.path.partition(sid)[2] for request in twilio.requests] == [".wav"]


def test_the_resource_says_how_it_is_encrypted(twilio: TwilioStandIn) -> None:
    encryption = an_encryption()
    encrypted = twilio.add_recording(body=AUDIO, encryption=encryption).recording_sid
    plain = twilio.add_recording(body=AUDIO).recording_sid
    media = source(twilio.url)
    assert media.encryption_details(RecordingKey(ACCOUNT_SID, encrypted)) == details(encryption)
    assert media.encryption_details(RecordingKey(ACCOUNT_SID, plain)) is None
    assert [request.headers["accept"] for request in twilio.requests] == ["application/json"] * 2


def test_mp3_of_an_encrypted_recording_is_refused_as_such(twilio: TwilioStandIn) -> None:
    sid = twilio.add_recording(body=AUDIO, encryption=an_encryption()).recording_sid
    with pytest.raises(SourceEncrypted):
        fetched(source(twilio.url), RecordingKey(ACCOUNT_SID, sid))


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "406 Not Acceptable", "415 Unsupported"])
@pytest.mark.parametrize(
    "document",
    [
        b"<TwilioResponse><RestException><Code>16109</Code></RestException></TwilioResponse>",
        b'{"code": 16109, "message": "Voice Recording: Cannot fetch .mp3 encrypted recording", "status": 400}',
    ],
    ids=["XML", "JSON"],
)
def test_the_code_says_that_it_is_encrypted_whatever_the_status(status: str, document: bytes) -> None:
    with (
        RawServer(answer(document, f"Content-Length: {len(document)}", status=status)) as server,
        pytest.raises(SourceEncrypted),
    ):
        fetched(source(server.url))


@pytest.mark.parametrize(
    ("status", "error"), [("400 Bad Request", SourceRefused), ("404 Not Found", SourceNotFound)], ids=["400", "404"]
)
@pytest.mark.parametrize(
    ("document", "length"),
    [(b"<Code>20404</Code>", 18), (b'{"code": 161090}', 16), (b"", 0), (b"<Code>161", 18), (b"x" * 9000, 9000)],
    ids=["another code", "a longer code", "nothing", "cut", "long"],
)
def test_other_refusals_stay_what_they_are(status: str, error: type[SourceError], document: bytes, length: int) -> None:
    with RawServer(answer(document, f"Content-Length: {length}", status=status)) as server:
        with pytest.raises(error) as caught:
            fetched(source(server.url))
        assert not isinstance(caught.value, SourceEncrypted)


@pytest.mark.parametrize("said", [None, {}, "", []])
def test_a_resource_without_details_is_of_a_recording_that_is_not_encrypted(said: object) -> None:
    document = resource(said)
    with RawServer(answer(document, f"Content-Length: {len(document)}")) as server:
        assert source(server.url).encryption_details(KEY) is None
        assert asked(server) == [f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{KEY.recording_sid}.json"]


def test_the_names_of_webhooks_are_understood_in_a_resource_too() -> None:
    expected = details(an_encryption())
    document = resource(expected._asdict())
    with RawServer(answer(document, f"Content-Length: {len(document)}")) as server:
        assert source(server.url).encryption_details(KEY) == expected == details_of(expected._asdict())


@pytest.mark.parametrize("said", ["CR", [1], {"iv": "x"}, {"encryption_public_key_sid": "CR1"}], ids=str)
def test_details_that_can_not_be_read_are_an_error_of_their_own(said: object) -> None:
    document = resource(said)
    with (
        RawServer(answer(document, f"Content-Length: {len(document)}")) as server,
        pytest.raises(EncryptionDetailsInvalid),
    ):
        source(server.url).encryption_details(KEY)


@pytest.mark.parametrize(
    "document",
    [b"", b"<html>maintenance</html>", b"[]", b"{}", b"\xff", b"[" * 60_000, b'{"sid": "' + b"x" * 70_000 + b'"}'],
    ids=lambda document: document[:12].decode(errors="replace"),
)
def test_a_page_of_something_in_between_is_no_resource(document: bytes) -> None:
    with (
        RawServer(answer(document, f"Content-Length: {len(document)}")) as server,
        pytest.raises(SourceUnavailable, match="not the resource"),
    ):
        source(server.url).encryption_details(KEY)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (answer(b"", "Content-Length: 0", status="401 Unauthorized"), SourceUnauthorized),
        (answer(b"", "Content-Length: 0", status="404 Not Found"), SourceNotFound),
        (answer(b"", "Content-Length: 0", status="503 Unavailable"), SourceUnavailable),
        (answer(b"{", "Content-Length: 9"), SourceTruncated),
    ],
    ids=["401", "404", "503", "cut"],
)
def test_a_resource_that_is_not_given_is_an_error_of_the_source(refusal: bytes, error: type[SourceError]) -> None:
    with RawServer(refusal) as server, pytest.raises(error):
        source(server.url).encryption_details(KEY)


def test_an_account_without_credentials_asks_for_nothing(twilio: TwilioStandIn) -> None:
    media = TwilioMedia([account(twilio.url, password="")])
    with pytest.raises(SourceUnauthorized), media.open_encrypted(KEY):
        pytest.fail("it was opened")
    with pytest.raises(SourceUnauthorized):
        media.encryption_details(KEY)
    assert twilio.requests == []


def test_what_fails_on_the_way_fails_as_with_others(twilio: TwilioStandIn) -> None:
    sid = twilio.add_recording(body=AUDIO, encryption=an_encryption()).recording_sid
    twilio.behave(sid, server_error(503), Answer().truncate(after=100))
    for error in (SourceUnavailable, SourceTruncated):
        with (
            pytest.raises(error),
            source(twilio.url).open_encrypted(RecordingKey(ACCOUNT_SID, sid)) as opened,
        ):
            list(opened.chunks())
