"""What a whole file is said to be: MP3s of every kind, WAVs of every kind; how long, to the sample."""

import io
import struct
from datetime import timedelta

import numpy as np
import pytest

from recording_service.core.sound import Codec, Container, Probe, SoundReader
from recording_service.twilio_stand_in.mp3 import mp3_of_duration
from tests.support.sounds import (
    Sound,
    channels,
    chunk,
    decoded_by_ffmpeg,
    format_chunk,
    mp3,
    mp3_by_ffmpeg,
    noise,
    pcm16,
    riff,
    silence,
    tone,
    wav,
)
from tests.twilio_stand_in.mpeg_frames import walk

#: MPEG 2.5, 2 and 1.
RATES = pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
CHANNELS = pytest.mark.parametrize("count", [1, 2])
KBITS = pytest.mark.parametrize("kbits", [32, None])


def lasting(frames: int, rate: int) -> timedelta:
    return timedelta(microseconds=round(frames * 1_000_000 / rate))


def probed(reader: SoundReader, content: bytes) -> Probe:
    return reader.probe(io.BytesIO(content), lambda: None)


def loud_then_silent(rate: int, count: int) -> Sound:
    """At a variable bit rate the first frames are the largest: from them a decoder guesses too short a file."""
    return channels(*[np.concatenate([noise(1, rate=rate, seed=seed), silence(4, rate=rate)]) for seed in range(count)])


# MP3


@RATES
@CHANNELS
@KBITS
def test_an_mp3_without_a_header_is_as_long_as_its_frames(
    reader: SoundReader, rate: int, count: int, kbits: int | None
) -> None:
    content = mp3(loud_then_silent(rate, count), rate=rate, kbits=kbits)
    probe = probed(reader, content)
    frames = walk(content)
    assert (probe.container, probe.codec, probe.sample_rate, probe.channels) == (
        Container.MP3,
        Codec.MP3,
        rate,
        count,
    )
    samples = len(frames) * (1152 if rate >= 32000 else 576)
    assert probe.duration == lasting(samples, rate)
    assert probe.bit_rate == round(len(content) * 8 * rate / samples)
    assert len(probe.channel_sounds) == count


@RATES
@CHANNELS
@pytest.mark.parametrize("options", [("-b:a", "32k"), ("-q:a", "3")], ids=["constant", "variable"])
def test_an_mp3_with_a_header_is_as_long_as_what_was_encoded(
    reader: SoundReader, rate: int, count: int, options: tuple[str, ...]
) -> None:
    sound = loud_then_silent(rate, count)
    content = mp3_by_ffmpeg(sound, *options, rate=rate)
    assert b"Xing" in content[:500] or b"Info" in content[:500]
    assert probed(reader, content).duration == lasting(len(sound), rate)


@pytest.mark.parametrize("seconds", [0.01, 0.1, 0.5, 1.37])
def test_a_short_mp3_with_a_header_is_as_long_as_what_was_encoded(reader: SoundReader, seconds: float) -> None:
    sound = channels(tone(seconds, rate=22050))
    assert probed(reader, mp3_by_ffmpeg(sound, rate=22050)).duration == lasting(len(sound), 22050)


def test_an_mp3_of_a_single_frame_is_heard(reader: SoundReader) -> None:
    content = mp3(channels(tone(1, rate=8000)), rate=8000)
    assert probed(reader, content[: walk(content)[0].size]).duration == lasting(576, 8000)


def test_twilios_mp3_is_32_kbits_a_second_whatever_its_channels(reader: SoundReader) -> None:
    for count in (1, 2):
        probe = probed(reader, mp3_of_duration("call", 10, count))
        assert (probe.sample_rate, probe.channels) == (22050, count)
        assert probe.bit_rate == pytest.approx(32_000, abs=20)
        assert probe.duration.total_seconds() == pytest.approx(10, abs=0.03)


ID3V1 = b"TAG" + b"A title".ljust(125, b"\0")
ID3V2 = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ID3V2, b""),
        (ID3V2 + ID3V2, b""),
        (b"ID3\x04\x00\x10\x00\x00\x01\x00" + bytes(128) + b"3DI\x04\x00\x10\x00\x00\x01\x00", b""),
        (b"", ID3V1),
        (ID3V2, ID3V1),
        (b"", b"APETAGEX" + struct.pack("<III", 2000, 100, 0) + bytes(112) + ID3V1),
        (b"", b"TAG+" + bytes(223) + ID3V1),
        (b"", ID3V1 + bytes(20)),
        (b"", ID3V1[:100]),
        (b"", b"TA"),
        (b"", ID3V2),
        (b"", bytes(1)),
        (b"", bytes(3)),
        (b"", bytes(2000)),
    ],
)
def test_tags_and_padding_are_no_sound(reader: SoundReader, before: bytes, after: bytes) -> None:
    content = mp3(channels(tone(2, rate=8000)), rate=8000)
    assert probed(reader, before + content + after) == probed(reader, content)


# WAV


@pytest.mark.parametrize(
    ("subtype", "codec", "bits"),
    [
        ("PCM_U8", Codec.PCM_U8, 8),
        ("PCM_16", Codec.PCM_S16, 16),
        ("PCM_24", Codec.PCM_S24, 24),
        ("ULAW", Codec.MULAW, 8),
        ("ALAW", Codec.ALAW, 8),
    ],
)
@CHANNELS
def test_a_wav_is_as_long_as_its_data(reader: SoundReader, subtype: str, codec: Codec, bits: int, count: int) -> None:
    sound = channels(*[tone(1.2345, rate=8000, dbfs=-6)] * count)
    probe = probed(reader, wav(sound, rate=8000, subtype=subtype))
    assert (probe.container, probe.codec, probe.sample_rate, probe.channels) == (Container.WAV, codec, 8000, count)
    assert probe.bit_rate == 8000 * count * bits
    assert probe.duration == lasting(len(sound), 8000)
    for heard in probe.channel_sounds:
        assert heard.peak_dbfs == pytest.approx(-6, abs=0.3)


def test_a_sample_of_each_kind_is_what_ffmpeg_hears(reader: SoundReader) -> None:
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "ULAW", "ALAW"):
        content = wav(channels(noise(2, rate=8000)), rate=8000, subtype=subtype)
        fine = reader.waveform(io.BytesIO(content), lambda: None)[0]
        pixels = decoded_by_ffmpeg(content, channels=1)[:, 0].reshape(-1, fine.samples_per_pixel)
        greatest = memoryview(fine.peaks).cast("b").tolist()[1::2]
        assert greatest == pytest.approx([*(pixels.max(axis=1) * 128)], abs=1.01), subtype


DATA = pcm16(channels(tone(1, rate=8000))).tobytes()
EXTENSIBLE = chunk(
    b"fmt ",
    struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 16, 4)
    + bytes.fromhex("0100000000001000800000aa00389b71"),
)


@pytest.mark.parametrize(
    "content",
    [
        riff(format_chunk(), chunk(b"data", DATA)),
        riff(chunk(b"data", DATA), format_chunk()),
        riff(chunk(b"LIST", b"odd"), format_chunk(), chunk(b"fact", b"\0" * 4), chunk(b"data", DATA)),
        riff(format_chunk(), chunk(b"data", DATA), chunk(b"LIST", b"INFOodd")),
        riff(EXTENSIBLE, chunk(b"data", DATA)),
        riff(format_chunk(), chunk(b"data", DATA, size=0), size=0),
        riff(format_chunk(), chunk(b"data", DATA, size=0xFFFFFFFF), size=0xFFFFFFFF),
        riff(format_chunk(), chunk(b"data", DATA), size=0),
        riff(format_chunk(), chunk(b"data", DATA, size=0), size=0xFFFFFFFF),
        riff(format_chunk(), chunk(b"data", DATA), size=12),
        riff(format_chunk(), chunk(b"data", DATA + b"x")),
    ],
    ids=[
        "plain",
        "data-first",
        "others",
        "after",
        "extensible",
        "streamed",
        "streamed-max",
        "riff-0",
        "streamed-by-halves",
        "riff-12",
        "odd",
    ],
)
def test_chunks_of_a_wav_may_be_in_any_order_and_sizes_left_open(reader: SoundReader, content: bytes) -> None:
    assert probed(reader, content) == probed(reader, wav(channels(tone(1, rate=8000)), rate=8000))


def test_a_file_is_read_from_its_beginning_wherever_it_stands(reader: SoundReader) -> None:
    content = mp3_of_duration("call", 3, 2)
    file = io.BytesIO(content)
    file.seek(len(content) // 2)
    assert reader.probe(file, lambda: None) == probed(reader, content)
    assert reader.probe(file, lambda: None) == probed(reader, content)
