"""Waveforms against the samples themselves, and for MP3 against another decoder's."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from recording_service.core.sound import SoundReader, WaveformLevel
from recording_service.twilio_stand_in.audio import conversation
from recording_service.twilio_stand_in.audio import wav as wav_of_call
from recording_service.twilio_stand_in.mp3 import mp3_of_duration
from tests.support.sounds import Sound, channels, decoded_by_ffmpeg, mp3, mp3_by_ffmpeg, noise, wav


def drawn(reader: SoundReader, content: bytes) -> tuple[WaveformLevel, ...]:
    return reader.waveform(io.BytesIO(content), lambda: None)


def peaks(level: WaveformLevel) -> NDArray[np.int8]:
    """Of shape (pixels, channels, least and greatest)."""
    return np.frombuffer(level.peaks, np.int8).reshape(level.length, level.channels, 2)


def expected(samples: NDArray[np.int16], samples_per_pixel: int) -> NDArray[np.int8]:
    """Pixel by pixel, divided by 256 as C++ does: towards zero."""
    pixels = [samples[start : start + samples_per_pixel] for start in range(0, len(samples), samples_per_pixel)]
    extremes = np.array([[pixel.min(axis=0), pixel.max(axis=0)] for pixel in pixels]).transpose(0, 2, 1)
    divided: NDArray[np.int8] = (np.sign(extremes) * (np.abs(extremes.astype(np.int32)) // 256)).astype(np.int8)
    return divided


def in_16_bits(sound: Sound) -> NDArray[np.int16]:
    return np.floor(sound * 32768).clip(-32768, 32767).astype(np.int16)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100])
def test_the_zooms_are_about_twenty_pixels_a_second_and_about_one(reader: SoundReader, rate: int) -> None:
    fine, coarse = drawn(reader, wav(channels(noise(61.3, rate=rate)), rate=rate))
    assert rate / fine.samples_per_pixel == pytest.approx(20, rel=0.01)
    assert rate / coarse.samples_per_pixel == pytest.approx(1, rel=0.01)
    for level in (fine, coarse):
        assert (level.sample_rate, level.channels) == (rate, 1)
        # The last pixel stands for what is left.
        assert level.length == -(-round(61.3 * rate) // level.samples_per_pixel)


@pytest.mark.parametrize("count", [1, 2])
def test_the_peaks_of_a_wav_are_exactly_those_of_its_samples(reader: SoundReader, count: int) -> None:
    call = conversation("peaks", 30.03)[:, :count]
    for level in drawn(reader, wav_of_call(call)):
        assert (peaks(level) == expected(call, level.samples_per_pixel)).all()


def test_the_whole_range_of_samples_is_drawn_and_small_ones_are_nothing(reader: SoundReader) -> None:
    loud = np.array([[-32768, 32767], [-255, 255]] * 4000, np.int16)
    (fine, _) = drawn(reader, wav_of_call(loud))
    assert (peaks(fine)[:, 0] == [-128, 0]).all()
    assert (peaks(fine)[:, 1] == [0, 127]).all()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "ULAW", "ALAW"])
def test_the_peaks_of_other_wavs_are_those_another_decoder_finds(reader: SoundReader, subtype: str) -> None:
    content = wav(channels(noise(5, rate=8000), noise(5, rate=8000, seed=1)), rate=8000, subtype=subtype)
    samples = in_16_bits(decoded_by_ffmpeg(content, channels=2))
    for level in drawn(reader, content):
        assert (peaks(level) == expected(samples, level.samples_per_pixel)).all()


def test_the_peaks_of_twilios_mp3_are_those_another_decoder_finds(reader: SoundReader) -> None:
    for count in (1, 2):
        content = mp3_of_duration("peaks", 30, count)
        samples = in_16_bits(decoded_by_ffmpeg(content, channels=count))
        for level in drawn(reader, content):
            off = peaks(level).astype(int) - expected(samples, level.samples_per_pixel)
            assert np.abs(off).max() <= 1


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100])
@pytest.mark.parametrize("kbits", [32, None])
def test_the_peaks_of_any_mp3_are_those_another_decoder_finds(
    reader: SoundReader, rate: int, kbits: int | None
) -> None:
    sound = channels(noise(5, rate=rate), noise(3, rate=rate, seed=1))
    content = mp3(sound, rate=rate, kbits=kbits)
    samples = in_16_bits(decoded_by_ffmpeg(content, channels=2))
    for level in drawn(reader, content):
        off = peaks(level).astype(int) - expected(samples, level.samples_per_pixel)
        assert np.abs(off).max() <= 1


def test_an_mp3_with_a_header_is_drawn_where_its_sound_was(reader: SoundReader) -> None:
    content = mp3_by_ffmpeg(channels(noise(5, rate=22050)), "-q:a", "3", rate=22050)
    fine, coarse = drawn(reader, content)
    samples = in_16_bits(decoded_by_ffmpeg(content, channels=1))[: 5 * 22050]
    for level in (fine, coarse):
        assert np.abs(peaks(level).astype(int) - expected(samples, level.samples_per_pixel)).max() <= 1


def test_a_waveform_is_written_and_read_back(reader: SoundReader) -> None:
    for level in drawn(reader, mp3_of_duration("peaks", 3, 2)):
        assert WaveformLevel.from_dat(level.to_dat()) == level
