"""Loudness by the numbers of ITU-R BS.1770-4, the signals of EBU Tech 3341, and ffmpeg."""

import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sosfilt

from recording_service.adapters.sound.loudness import KFilter, k_filter_sections
from recording_service.core.sound import ChannelSound, SoundReader
from tests.support.sounds import channels, decoded_by_ffmpeg, ffmpeg, mp3, noise, silence, tone, wav

#: BS.1770-4, tables 1 and 2: b0, b1, b2, a0, a1, a2 at 48 kHz.
ITU_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585)
ITU_HIGH_PASS = (1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621)
#: A sine of 997 Hz passes the filter 0.691 dB louder, which the offset takes off again; its mean square is 3.01 dB
#: under the square of its peak.
SINE_OFFSET_DB = -3.01

RATES = pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])


def heard(reader: SoundReader, content: bytes) -> tuple[ChannelSound, ...]:
    return reader.probe(io.BytesIO(content), lambda: None).channel_sounds


def test_the_filter_at_48_khz_is_the_one_that_itu_tabulates() -> None:
    assert k_filter_sections(48000) == pytest.approx(np.array([ITU_SHELF, ITU_HIGH_PASS]), abs=1e-8)


@settings(deadline=None, max_examples=40)
@given(
    rate=st.sampled_from([4000, 8000, 22050, 48000, 96000]),
    lengths=st.lists(st.integers(0, 70_000), min_size=1, max_size=6),
)
def test_the_filter_over_blocks_is_a_recursion_over_all(rate: int, lengths: list[int]) -> None:
    sound = np.random.default_rng(1).normal(0, 0.2, (2, sum(lengths))).astype(np.float32)
    k_filter = KFilter(2, rate)
    blocks = np.split(sound, np.cumsum(lengths)[:-1], axis=1)
    filtered = np.concatenate([*[k_filter.filter(block) for block in blocks], k_filter.finish()], axis=1)
    assert filtered.shape == sound.shape
    expected = sosfilt(k_filter_sections(rate), sound.astype(np.float64), axis=1) if sound.size else sound
    assert np.abs(filtered - expected).max(initial=0) < 1e-5


@RATES
@pytest.mark.parametrize("dbfs", [-3.0, -23.0, -33.0, -60.0])
def test_a_sine_in_one_channel_is_as_loud_as_itu_says(reader: SoundReader, rate: int, dbfs: float) -> None:
    # At the lower rates the bilinear transform bends the shelf: at 8 kHz by 0.04 dB at 997 Hz.
    both = channels(tone(20, rate=rate, dbfs=dbfs), silence(20, rate=rate))
    left, right = heard(reader, wav(both, rate=rate, subtype="PCM_24"))
    assert left.loudness_lufs == pytest.approx(dbfs + SINE_OFFSET_DB, abs=0.1)
    assert left.peak_dbfs == pytest.approx(dbfs, abs=0.05)
    assert left.silence_share == (1.0 if dbfs < -47 else 0.0)
    assert right == ChannelSound(loudness_lufs=None, peak_dbfs=None, silence_share=1.0)


def test_channels_are_judged_apart(reader: SoundReader) -> None:
    sounds = (tone(10, rate=8000, dbfs=-10), tone(10, rate=8000, dbfs=-30))
    alone = [heard(reader, wav(channels(sound), rate=8000))[0] for sound in sounds]
    assert heard(reader, wav(channels(*sounds), rate=8000)) == (*alone,)


@pytest.mark.parametrize(
    "parts",
    [
        # EBU Tech 3341, cases 3 to 5, by what each part's peaks are, and how long it is.
        [(-36, 10), (-23, 60), (-36, 10)],
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        [(-26, 20), (-20, 20.1), (-26, 20)],
    ],
    ids=["relative-gate", "absolute-gate", "no-gate"],
)
def test_what_is_far_quieter_than_the_rest_does_not_count(
    reader: SoundReader, parts: list[tuple[float, float]]
) -> None:
    sound = np.concatenate([tone(seconds, rate=48000, hertz=1000, dbfs=dbfs) for dbfs, seconds in parts])
    (mono,) = heard(reader, wav(channels(sound), rate=48000, subtype="PCM_24"))
    # The cases have two equal channels, which are 3.01 LU louder together than each alone.
    assert mono.loudness_lufs == pytest.approx(-23.0 + SINE_OFFSET_DB, abs=0.1)


@pytest.mark.parametrize("seconds", [0.01, 0.39])
def test_what_is_shorter_than_a_gating_block_has_no_loudness(reader: SoundReader, seconds: float) -> None:
    (mono,) = heard(reader, wav(channels(tone(seconds, rate=8000)), rate=8000))
    assert mono.loudness_lufs is None
    assert mono.peak_dbfs == pytest.approx(-23, abs=0.1)


def test_a_noise_under_the_gate_has_no_loudness_but_a_peak(reader: SoundReader) -> None:
    (mono,) = heard(reader, wav(channels(tone(5, rate=8000, dbfs=-75)), rate=8000, subtype="PCM_24"))
    assert mono.loudness_lufs is None
    assert mono.peak_dbfs == pytest.approx(-75, abs=0.1)


def test_the_share_of_silence_is_that_of_its_windows(reader: SoundReader) -> None:
    sound = np.concatenate([tone(3, rate=8000), silence(6, rate=8000), noise(1, rate=8000, scale=0.001)])
    (mono,) = heard(reader, wav(channels(sound), rate=8000))
    assert mono.silence_share == pytest.approx(0.7, abs=0.01)


@RATES
@pytest.mark.parametrize("kind", ["speech-like", "loud"])
def test_ffmpeg_measures_the_same(reader: SoundReader, rate: int, kind: str) -> None:
    parts = [noise(2, rate=rate, seed=seed, scale=0.02 * (seed % 4 + 1)) for seed in range(6)]
    pauses = [silence(0.7, rate=rate)] * 6
    sound = np.concatenate([part for pair in zip(parts, pauses, strict=True) for part in pair])
    # As telephones do it: without the highest part, where the filters of resampling differ.
    sound = np.convolve(sound, np.hanning(9) / 4.5, mode="same") * (3 if kind == "loud" else 1)
    content = wav(channels(sound), rate=rate)
    told = ffmpeg("-i", "-", "-af", "ebur128", "-f", "null", "-", given=content, level="info").stderr.decode()
    measured = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1])
    assert heard(reader, content)[0].loudness_lufs == pytest.approx(measured, abs=0.2)


def test_an_mp3_is_as_loud_as_another_decoder_makes_it(reader: SoundReader) -> None:
    content = mp3(channels(tone(10, rate=22050, dbfs=-20), tone(10, rate=22050, hertz=500)), rate=22050)
    decoded = wav(decoded_by_ffmpeg(content, channels=2), rate=22050, subtype="PCM_24")
    for here, there in zip(heard(reader, content), heard(reader, decoded), strict=True):
        assert here.loudness_lufs == pytest.approx(there.loudness_lufs, abs=0.01)
        assert here.peak_dbfs == pytest.approx(there.peak_dbfs, abs=0.01)
