import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.audio import MP3, SNIFF_BYTES, WAV, Audio, recognise

#: The header of a real Twilio MP3: MPEG-2, layer III, 32 kbit/s, mono (twilio.md A4).
TWILIO_FRAME = bytes.fromhex("fff340c4")

MP3_MONO, MP3_DUAL = MP3._replace(channels=1), MP3._replace(channels=2)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (TWILIO_FRAME + bytes(20), MP3_MONO),
        (TWILIO_FRAME, MP3_MONO),
        (bytes.fromhex("fffb9064"), MP3_DUAL),
        (bytes.fromhex("fffa9004"), MP3_DUAL),
        (bytes.fromhex("fffa9084"), MP3_DUAL),
        (bytes.fromhex("ffe340c4"), MP3_MONO),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", MP3),
        (b"RIFF\x24\x08\x00\x00WAVEfmt ", WAV),
        (b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00", WAV._replace(channels=2)),
        (b"RIFF\x24\x08\x00\x00WAVELIST\x10\x00\x00\x00\x01\x00\x02\x00", WAV),
    ],
    ids=[
        "twilio",
        "four bytes are enough",
        "mpeg-1 in joint stereo",
        "with a checksum",
        "of two channels",
        "mpeg-2.5",
        "tagged",
        "the beginning of a wav",
        "wav",
        "a wav with something before its format",
    ],
)
def test_audio_and_its_channels_are_recognised_by_its_first_bytes(head: bytes, expected: Audio) -> None:
    assert recognise(head) == expected


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff",
        b"\xff\xf3\x40",
        b'{"code": 20404, ',
        b"<?xml version='1.",
        b"<TwilioResponse>",
        b"<!DOCTYPE html>\n",
        b"\xef\xbb\xbf<html></html",
        b"RIFF\x24\x08\x00\x00AVI LIST",
        b"RIFX\x24\x08\x00\x00WAVEfmt ",
        b"RIFF\x24\x08\x00\x00WAV",
        b"OggS\x00\x02\x00\x00",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        b"PK\x03\x04\x14\x00\x00\x00",
        bytes(SNIFF_BYTES),
        b"\xff" * SNIFF_BYTES,
        bytes.fromhex("fff14c80"),
        bytes.fromhex("ffeb9064"),
        bytes.fromhex("fff3f0c4"),
        bytes.fromhex("fff34cc4"),
        bytes.fromhex("fffd9064"),
        "<?xml version".encode("utf-16"),
        '{"code": 204'.encode("utf-16"),
    ],
    ids=[
        "empty",
        "one byte",
        "half a header",
        "json",
        "xml",
        "twilio's error",
        "html",
        "html with a byte order mark",
        "avi",
        "big-endian riff",
        "cut riff",
        "ogg",
        "png",
        "jpeg",
        "gzip",
        "zip",
        "zeros",
        "ones",
        "aac (no layer)",
        "reserved version",
        "reserved bit rate",
        "reserved sample rate",
        "layer II is no mp3",
        "utf-16 xml",
        "utf-16 json",
    ],
)
def test_what_is_no_audio_is_not_taken_for_it(head: bytes) -> None:
    assert recognise(head) is None


@given(head=st.binary(min_size=SNIFF_BYTES, max_size=SNIFF_BYTES), rest=st.binary(max_size=64))
def test_more_than_the_head_changes_nothing(head: bytes, rest: bytes) -> None:
    assert recognise(head + rest) == recognise(head)


@given(text=st.text(st.characters(codec="utf-8"), max_size=64), encoding=st.sampled_from(["utf-8", "utf-16"]))
def test_no_text_is_audio_unless_it_begins_as_audio_does(text: str, encoding: str) -> None:
    body = text.encode(encoding)
    if not body.startswith((b"ID3", b"RIFF")):
        assert recognise(body) is None
