"""What every source of recordings does (`ports.MediaSource`)."""

import pytest

from recording_service.core.encryption import TAG_BYTES
from recording_service.core.errors import (
    SourceError,
    SourceNotFound,
    SourceRateLimited,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
)
from recording_service.core.model import RecordingKey
from tests.contract.sources import ACCOUNT_SID, CUT_AFTER_BYTES, RETRY_AFTER_SECONDS, Event, SourceUnderTest
from tests.support.encrypted import an_encryption, details

#: Largest piece the port allows.
PIECE_BYTES = 64 * 1024

BODY = bytes(range(256)) * 1000


def fetched(source: SourceUnderTest, key: RecordingKey) -> bytes:
    with source.source.open(key) as media:
        return b"".join(media.chunks())


@pytest.mark.parametrize("body", [BODY, BODY[: 1 << 16], b"x", b""], ids=len)
def test_a_recording_comes_whole_in_pieces_and_its_length_before_it(source: SourceUnderTest, body: bytes) -> None:
    key = source.add(body)

    with source.source.open(key) as media:
        assert media.content_length == len(body)
        pieces = list(media.chunks())

    assert b"".join(pieces) == body
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


def test_a_length_may_not_be_announced(source: SourceUnderTest) -> None:
    key = source.add(BODY)
    source.script(key, Event.UNANNOUNCED)

    with source.source.open(key) as media:
        assert media.content_length is None
        assert b"".join(media.chunks()) == BODY


def test_a_body_that_is_cut_is_an_error_and_what_came_was_right(source: SourceUnderTest) -> None:
    key = source.add(BODY)
    source.script(key, Event.CUT)
    received = b""

    with source.source.open(key) as media:
        pieces = media.chunks()
        with pytest.raises(SourceTruncated):  # noqa: PT012 - it comes at the end
            for piece in pieces:
                received += piece

    assert received == BODY[:CUT_AFTER_BYTES]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (Event.NOT_FOUND, SourceNotFound),
        (Event.UNAUTHORIZED, SourceUnauthorized),
        (Event.RATE_LIMITED, SourceRateLimited),
        (Event.UNAVAILABLE, SourceUnavailable),
    ],
)
def test_a_refusal_is_raised_when_it_is_asked_and_the_next_time_is_new(
    source: SourceUnderTest, event: Event, error: type[SourceError]
) -> None:
    key = source.add(BODY)
    source.script(key, event, event)

    for _ in range(2):
        with pytest.raises(SourceError) as raised, source.source.open(key):
            pytest.fail("there was something to read")
        assert type(raised.value) is error

    assert fetched(source, key) == BODY


@pytest.mark.parametrize("event", [Event.RATE_LIMITED, Event.UNAVAILABLE])
def test_what_twilio_asks_to_wait_is_passed_on(source: SourceUnderTest, event: Event) -> None:
    key = source.add(BODY)
    source.script(key, event)

    with pytest.raises((SourceRateLimited, SourceUnavailable)) as raised:
        fetched(source, key)

    assert isinstance(raised.value, SourceRateLimited | SourceUnavailable)
    assert raised.value.retry_after_seconds == RETRY_AFTER_SECONDS


def test_a_recording_that_nobody_has_is_not_found(source: SourceUnderTest) -> None:
    with pytest.raises(SourceNotFound):
        fetched(source, RecordingKey(ACCOUNT_SID, "RE" + "ee" * 16))


def test_a_recording_that_is_left_early_can_be_had_again(source: SourceUnderTest) -> None:
    key = source.add(BODY)

    with source.source.open(key) as media:
        assert BODY.startswith(next(iter(media.chunks())))

    assert fetched(source, key) == BODY


def test_what_goes_wrong_while_it_is_open_is_raised_on(source: SourceUnderTest) -> None:
    key = source.add(BODY)

    with pytest.raises(ZeroDivisionError), source.source.open(key):
        raise ZeroDivisionError


def test_several_recordings_may_be_open_at_once(source: SourceUnderTest) -> None:
    first, second = source.add(b"first" * 100), source.add(b"second" * 100)

    with source.source.open(first) as one, source.source.open(second) as other:
        assert b"".join(other.chunks()) == b"second" * 100
        assert b"".join(one.chunks()) == b"first" * 100


def test_an_encrypted_recording_comes_as_it_was_encrypted(source: SourceUnderTest) -> None:
    encryption = an_encryption()
    key = source.add_encrypted(BODY, encryption)

    with source.source.open_encrypted(key) as media:
        assert media.content_length == len(BODY) + TAG_BYTES
        pieces = list(media.chunks())

    assert b"".join(pieces) == encryption.sealed(BODY)
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


def test_how_a_recording_is_encrypted_is_said_of_those_that_are(source: SourceUnderTest) -> None:
    encryption = an_encryption()
    encrypted, plain = source.add_encrypted(BODY, encryption), source.add(BODY)

    assert source.source.encryption_details(encrypted) == details(encryption)
    assert source.source.encryption_details(plain) is None


def test_what_fails_for_others_fails_for_encrypted_recordings(source: SourceUnderTest) -> None:
    with pytest.raises(SourceNotFound), source.source.open_encrypted(RecordingKey(ACCOUNT_SID, "RE" + "f" * 32)):
        pytest.fail("there is no such recording")
