"""Bytes in which nothing, or not everything, can be heard: each gets its reason, and nothing else ever happens."""

import io
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording_service.adapters.sound.reader import SoundfileReader
from recording_service.core.sound import MediaUnreadable, SoundReader, UnreadableReason
from tests.support.sounds import channels, chunk, format_chunk, mp3, mp3_by_ffmpeg, noise, pcm16, riff, tone, wav
from tests.twilio_stand_in.mpeg_frames import walk

EMPTY, NOT_AUDIO, TRUNCATED, BROKEN = UnreadableReason

MP3 = mp3(channels(noise(1, rate=8000)), rate=8000)
FRAMES = walk(MP3)
DATA = pcm16(channels(tone(1, rate=8000))).tobytes()
WAV = riff(format_chunk(), chunk(b"data", DATA))
ID3V2 = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
SIDE_BYTES_OF_MONO_MPEG2 = 9


def info_frame(*, frames: int | None = None, size_bytes: int | None = None) -> bytes:
    """A frame before those of MP3 that announces so many frames or bytes."""
    frame = FRAMES[0]
    flags = (frames is not None) | (size_bytes is not None) << 1
    numbers = b"".join(number.to_bytes(4, "big") for number in (frames, size_bytes) if number is not None)
    head = MP3[:4] + bytes(SIDE_BYTES_OF_MONO_MPEG2)
    return (head + b"Info" + flags.to_bytes(4, "big") + numbers).ljust(frame.size, b"\0")


def reason(reader: SoundReader, content: bytes) -> UnreadableReason | None:
    """Why it can't be heard; None if it can. Every method has the same opinion."""
    found = {
        _reason(listen, io.BytesIO(content))
        for listen in (
            lambda media: reader.probe(media, lambda: None),
            lambda media: reader.waveform(media, lambda: None),
            lambda media: [*reader.speech_clips(media, timedelta(seconds=30), lambda: None)],
        )
    }
    assert len(found) == 1
    return found.pop()


def _reason(listen: Callable[[BinaryIO], object], media: BinaryIO) -> UnreadableReason | None:
    try:
        listen(media)
    except MediaUnreadable as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        ID3V2,
        ID3V2 + ID3V2,
        riff(format_chunk(), chunk(b"data", b"")),
        riff(format_chunk(), chunk(b"data", b"x")),
        riff(format_chunk(), chunk(b"data", b""), chunk(b"LIST", b"INFOISFT" + bytes(26))),
        info_frame(frames=0),
    ],
    ids=["nothing", "a-tag", "two-tags", "a-wav-of-nothing", "half-a-sample", "nothing-and-a-chunk", "an-announcement"],
)
def test_a_file_without_sound_is_empty(reader: SoundReader, content: bytes) -> None:
    assert reason(reader, content) is EMPTY


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"<html><body>502 Bad Gateway</body></html>",
        b"RIFF\x10\0\0\0AVI LIST....",
        "\N{BYTE ORDER MARK}<xml>".encode("utf-16"),
        b"OggS" + bytes(100),
        bytes(1000),
        MP3[:4] + b"no frame follows" * 100,
        riff(format_chunk(tag=3, bits=32), chunk(b"data", DATA)),
        ID3V2 + b"<html>",
    ],
    ids=["brace", "html", "avi", "utf-16", "ogg", "zeros", "a-header-by-chance", "float-wav", "html-after-a-tag"],
)
def test_what_is_neither_mp3_nor_wav_is_not_audio(reader: SoundReader, content: bytes) -> None:
    assert reason(reader, content) is NOT_AUDIO


@pytest.mark.parametrize("cut", range(1, FRAMES[-1].size))
def test_an_mp3_that_ends_within_a_frame_is_truncated(reader: SoundReader, cut: int) -> None:
    assert reason(reader, MP3[:-cut]) is TRUNCATED


def test_an_mp3_with_fewer_frames_than_it_announces_is_truncated(reader: SoundReader) -> None:
    content = mp3_by_ffmpeg(channels(noise(2, rate=8000)), rate=8000)
    assert reason(reader, content) is None
    assert reason(reader, content[: -FRAMES[-1].size]) is TRUNCATED


@pytest.mark.parametrize(
    ("announced", "expected"),
    [
        (info_frame(frames=len(FRAMES)), None),
        (info_frame(frames=len(FRAMES) + 1), TRUNCATED),
        # Too many frames, but all bytes: the encoder has counted the announcement in.
        (info_frame(frames=len(FRAMES) + 1, size_bytes=FRAMES[0].size + len(MP3)), None),
        # Too many bytes, but all frames: it has counted a tag in.
        (info_frame(frames=len(FRAMES), size_bytes=FRAMES[0].size + len(MP3) + 128), None),
        (info_frame(frames=len(FRAMES) + 1, size_bytes=FRAMES[0].size + len(MP3) + 1), TRUNCATED),
        (info_frame(size_bytes=FRAMES[0].size + len(MP3) + 1), TRUNCATED),
        # Written as it went, and never filled in.
        (info_frame(frames=0, size_bytes=0), None),
        (info_frame(), None),
    ],
)
def test_an_announcement_counts_if_nothing_it_says_has_come(
    reader: SoundReader, announced: bytes, expected: UnreadableReason | None
) -> None:
    assert reason(reader, announced + MP3) is expected


@pytest.mark.parametrize(
    "content",
    [
        WAV[:-1],
        WAV[:-2],
        WAV[: len(WAV) // 2],
        WAV[:44],
        WAV[:43],
        WAV[:20],
        WAV[:12],
        WAV[:10],
        WAV[:4],
        riff(chunk(b"LIST", b"", size=1000), format_chunk(), chunk(b"data", DATA)),
        riff(chunk(b"data", DATA)),
        b"ID3\x04\x00",
        ID3V2[:-1],
    ],
)
def test_a_file_that_ends_before_what_it_promises_is_truncated(reader: SoundReader, content: bytes) -> None:
    assert reason(reader, content) is TRUNCATED


@pytest.mark.parametrize(
    "content",
    [
        MP3 + b"something else entirely",
        # Two files in one, the first with a tag at its end.
        MP3 + (b"TAG" + bytes(125)) + MP3,
        MP3[: FRAMES[5].offset] + MP3[FRAMES[5].offset + 1 :],
        MP3[: FRAMES[5].offset] + bytes(FRAMES[5].size) + MP3[FRAMES[6].offset :],
        MP3 + mp3(channels(noise(1, rate=16000)), rate=16000),
        MP3 + mp3(channels(noise(1, rate=8000), noise(1, rate=8000)), rate=8000),
        # Lost blocks of a disk.
        MP3 + bytes(100_000),
        riff(format_chunk(channels=0, bytes_per_frame=2), chunk(b"data", DATA)),
        riff(format_chunk(bytes_per_frame=3), chunk(b"data", DATA)),
        riff(format_chunk(channels=200), chunk(b"data", DATA)),
        riff(format_chunk(rate=0), chunk(b"data", DATA)),
        riff(format_chunk(rate=400_000), chunk(b"data", DATA)),
        riff(chunk(b"fmt ", b"\1\0"), chunk(b"data", DATA)),
        riff(*[chunk(b"junk", b"")] * 2000),
        b"ID3\x04\x00\x00\xff\xff\xff\xff" + MP3,
    ],
)
def test_a_file_that_contradicts_itself_is_broken(reader: SoundReader, content: bytes) -> None:
    assert reason(reader, content) is BROKEN


# Whatever comes


@cache
def whole_files() -> tuple[bytes, ...]:
    """Of each kind one."""
    speech = channels(noise(0.5, rate=8000), tone(0.5, rate=8000))
    return (
        MP3,
        mp3(speech, rate=8000, kbits=None),
        mp3_by_ffmpeg(speech, rate=8000),
        WAV,
        wav(speech, rate=8000, subtype="ULAW"),
    )


@settings(deadline=None)
@given(st.binary(max_size=2000), st.sampled_from([b"", b"ID3\x04\0\0", b"RIFF\0\0\0\0WAVE", b"\xff\xf3\x40\xc4"]))
def test_random_bytes_are_heard_or_refused(content: bytes, head: bytes) -> None:
    reason(SoundfileReader(), head + content)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_file_cut_anywhere_is_never_heard_as_longer_than_it_is(data: st.DataObject) -> None:
    content = data.draw(st.sampled_from(whole_files()))
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    found = reason(SoundfileReader(), cut)
    assert found in (EMPTY, NOT_AUDIO, TRUNCATED, None)
    if found is None:
        # A frame boundary of an MP3 that announces nothing: nobody could tell.
        assert content[:1] == b"\xff"
        assert sum(frame.size for frame in walk(cut)) == len(cut)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_flipped_bits_are_heard_or_refused(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(whole_files())))
    for bit in data.draw(st.lists(st.integers(0, len(content) * 8 - 1), min_size=1, max_size=20)):
        content[bit // 8] ^= 1 << bit % 8
    reason(SoundfileReader(), bytes(content))
