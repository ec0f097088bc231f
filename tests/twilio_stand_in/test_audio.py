import io
import json
import shutil
import subprocess
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording_service.twilio_stand_in.audio import SAMPLE_RATE, UNIQUE_SECONDS, conversation, mixed, wav
from recording_service.twilio_stand_in.mp3 import mp3_of_duration, mp3_of_size
from tests.twilio_stand_in import mpeg_frames


@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_is_whole_frames_of_mpeg_2_layer_iii_at_32_kbits(channels: int) -> None:
    data = mp3_of_duration("seed", 4.0, channels)

    frames = mpeg_frames.walk(data)

    assert data[:2] == b"\xff\xf3"
    assert {(frame.version, frame.kbits, frame.sample_rate, frame.channels) for frame in frames} == {
        (2, 32, 22050, channels)
    }


def test_a_mono_mp3_begins_like_twilios() -> None:
    assert mp3_of_duration("seed", 1.0, 1)[:4] == bytes.fromhex("fff340c4")


@settings(max_examples=12, deadline=None)
@given(seed=st.text(max_size=8), duration=st.floats(0.05, 12.0), channels=st.sampled_from([1, 2]))
def test_an_mp3_plays_as_long_as_it_was_asked_to(seed: str, duration: float, channels: int) -> None:
    assert mpeg_frames.seconds(mp3_of_duration(seed, duration, channels)) == pytest.approx(duration, abs=0.1)


def test_an_hour_is_made_of_repeated_minutes_in_a_second_or_two_and_still_exact() -> None:
    begin = time.process_time()
    data = mp3_of_duration("seed", 3600.0, 1)

    assert time.process_time() - begin < 3.0
    assert mpeg_frames.seconds(data) == pytest.approx(3600.0, abs=0.1)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert mp3_of_duration("one", 2.0, 1) == mp3_of_duration("one", 2.0, 1)
    assert mp3_of_duration("one", 2.0, 1) != mp3_of_duration("two", 2.0, 1)
    assert wav(conversation("one", 2.0)) == wav(conversation("one", 2.0))


@settings(max_examples=12, deadline=None)
@given(size=st.integers(10_712, 300_000), channels=st.sampled_from([1, 2]))
def test_an_mp3_can_have_any_exact_size_from_10712_bytes_on(size: int, channels: int) -> None:
    data = mp3_of_size("seed", size, channels)

    assert len(data) == size
    assert mpeg_frames.walk(data)


def test_64_mebibytes_are_made_quickly_and_are_whole_frames() -> None:
    begin = time.process_time()
    data = mp3_of_size("seed", 64 << 20, 1)

    assert time.process_time() - begin < 3.0
    assert len(data) == 64 << 20
    assert mpeg_frames.walk(data)


def test_a_size_that_no_whole_frames_make_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole number"):
        mp3_of_size("seed", 1000, 1)


def test_a_wav_is_8_khz_16_bit_pcm_of_the_length_asked_for() -> None:
    for channels, pcm in ((2, conversation("seed", 3.0)), (1, mixed(conversation("seed", 3.0)))):
        with wave.open(io.BytesIO(wav(pcm))) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (channels, 2, 8000)
            assert file.getnframes() == 3 * SAMPLE_RATE


def test_a_long_wav_repeats_its_unique_part() -> None:
    unique = round(UNIQUE_SECONDS * SAMPLE_RATE)

    call = conversation("seed", UNIQUE_SECONDS + 2)

    assert np.array_equal(call[unique:], call[: 2 * SAMPLE_RATE])


def test_the_two_channels_are_two_voices_that_take_turns() -> None:
    call = conversation("seed", 30.0).astype(np.float64)
    blocks = np.sqrt((call[: 30 * SAMPLE_RATE].reshape(-1, SAMPLE_RATE // 10, 2) ** 2).mean(axis=1))
    speaking = blocks > 200

    assert speaking[:, 0].mean() > 0.1
    assert speaking[:, 1].mean() > 0.1
    assert not (speaking[:, 0] & speaking[:, 1]).any()
    assert _pitch_hz(call[:, 0]) < 150 < _pitch_hz(call[:, 1])


def test_speech_has_pauses_and_is_neither_silent_nor_clipped() -> None:
    call = mixed(conversation("seed", 20.0)).astype(np.int32)[:, 0]
    blocks = np.abs(call.reshape(-1, SAMPLE_RATE // 20)).max(axis=1)

    assert 10_000 < np.abs(call).max() < 32_767
    assert (blocks < 200).mean() > 0.05
    assert (blocks > 2_000).mean() > 0.3


def test_a_fifth_of_a_second_already_has_sound() -> None:
    assert np.abs(conversation("seed", 0.2)).max() > 10_000


def test_ffprobe_agrees_where_it_is_installed(tmp_path: Path) -> None:
    data = mp3_of_duration("seed", 6.0, 1)
    duration = mpeg_frames.seconds(data)
    if (ffprobe := shutil.which("ffprobe")) is not None:
        file = tmp_path / "call.mp3"
        file.write_bytes(data)
        command = [ffprobe, "-v", "error", "-print_format", "json", "-show_streams", str(file)]
        stream = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"][0]
        assert (stream["codec_name"], stream["sample_rate"], stream["channels"]) == ("mp3", "22050", 1)
        duration = float(stream["duration"])

    assert duration == pytest.approx(6.0, abs=0.1)


def _pitch_hz(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """The strongest period of the loudness between 80 and 300 Hz."""
    loudness = np.abs(samples) - np.abs(samples).mean()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(loudness, 2 * len(samples))) ** 2)
    shortest, longest = SAMPLE_RATE // 300, SAMPLE_RATE // 80
    return SAMPLE_RATE / (shortest + int(np.argmax(correlation[shortest:longest])))
