"""Where speech is cut: channels apart, in silences, and to the millisecond."""

import io
import wave
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recording_service.adapters.sound.reader import SoundfileReader
from recording_service.adapters.sound.speech_spans import speech_spans
from recording_service.core.sound import SoundReader, SpeechClip
from recording_service.twilio_stand_in.audio import conversation
from recording_service.twilio_stand_in.audio import wav as wav_of_call
from recording_service.twilio_stand_in.mp3 import mp3_of_duration
from tests.support.sounds import channels, pcm16, silence, tone, wav

RATE = 8000
LONGEST = timedelta(seconds=30)


def clips_of(reader: SoundReader, content: bytes, longest: timedelta = LONGEST) -> list[SpeechClip]:
    return [*reader.speech_clips(io.BytesIO(content), longest, lambda: None)]


def samples(clip: SpeechClip, rate: int = RATE) -> NDArray[np.int16]:
    """Of its WAV, which has to say what it is; without the silence that fills up a short one."""
    with wave.open(io.BytesIO(clip.wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
        found = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    count = round(clip.duration.total_seconds() * rate)
    assert clip.duration == timedelta(microseconds=round(count * 1_000_000 / rate))
    assert len(found) == max(count, round(0.5 * rate))
    assert not found[count:].any()
    return found[:count]


def saying(*words: tuple[float, float], until: float, rate: int = RATE) -> NDArray[np.float64]:
    """Silence with a tone from each of these seconds to the other."""
    sound = silence(until, rate=rate)
    for begin, end in words:
        part = tone(end - begin, rate=rate, dbfs=-20)
        sound[round(begin * rate) :][: len(part)] = part
    return sound


def places(clips: list[SpeechClip]) -> list[tuple[int, float, float]]:
    """Channel, beginning and end of each."""
    return [(clip.channel, clip.start.total_seconds(), (clip.start + clip.duration).total_seconds()) for clip in clips]


def test_a_silent_recording_has_no_clips(reader: SoundReader) -> None:
    assert clips_of(reader, wav(channels(silence(10, rate=RATE), silence(10, rate=RATE)), rate=RATE)) == []


def test_the_noise_of_a_line_is_silence(reader: SoundReader) -> None:
    assert clips_of(reader, wav(channels(tone(10, rate=RATE, dbfs=-55)), rate=RATE)) == []


def test_a_click_is_no_speech(reader: SoundReader) -> None:
    assert clips_of(reader, wav(channels(saying((5, 5.02), until=10)), rate=RATE)) == []


def test_what_is_said_is_cut_out_with_two_tenths_of_a_second_around_it(reader: SoundReader) -> None:
    sound = channels(saying((3, 4), (20, 21.5), until=30))
    clips = clips_of(reader, wav(sound, rate=RATE))
    assert places(clips) == [(0, 2.8, 4.2), (0, 19.8, 21.7)]
    for clip in clips:
        begin = round(clip.start.total_seconds() * RATE)
        assert (samples(clip) == pcm16(sound)[begin:, 0][: len(samples(clip))]).all()


def test_a_short_clip_is_filled_up_with_silence_and_its_duration_is_the_true_one(reader: SoundReader) -> None:
    sound = channels(saying((0, 0.08), until=0.08))
    (clip,) = clips_of(reader, wav(sound, rate=RATE))
    assert clip.duration == timedelta(seconds=0.08)
    assert (samples(clip) == pcm16(sound)[:, 0]).all()
    with wave.open(io.BytesIO(clip.wav)) as file:
        assert file.getnframes() == RATE // 2


def test_channels_are_cut_apart_and_a_silent_one_not_at_all(reader: SoundReader) -> None:
    sound = channels(saying((3, 4), until=30), silence(30, rate=RATE), saying((3.5, 5), (10, 11), until=30))
    assert places(clips_of(reader, wav(sound, rate=RATE))) == [(0, 2.8, 4.2), (2, 3.3, 5.2), (2, 9.8, 11.2)]


def test_a_margin_ends_where_the_recording_does(reader: SoundReader) -> None:
    sound = channels(saying((0, 1), (9.05, 9.999), until=9.999))
    assert places(clips_of(reader, wav(sound, rate=RATE))) == [(0, 0, 1.2), (0, 8.84, 9.999)]


def test_words_with_short_pauses_between_them_stay_together(reader: SoundReader) -> None:
    sound = channels(saying((1, 2), (3.9, 5), (5.5, 6), until=10))
    assert places(clips_of(reader, wav(sound, rate=RATE))) == [(0, 0.8, 6.2)]


def test_a_long_speech_is_cut_in_its_last_pause_between_words(reader: SoundReader) -> None:
    words = [(1.0, 4.0), (4.4, 7.0), (7.4, 9.0), (9.1, 10.9), (11.0, 16.0)]
    clips = clips_of(reader, wav(channels(saying(*words, until=20)), rate=RATE), timedelta(seconds=11))
    # The pauses of 100 ms, at 9.0 and 10.9, are nearer to the end; but they may be within a word.
    assert places(clips) == [(0, 0.8, 7.2), (0, 7.2, 16.2)]


def test_where_there_is_no_long_pause_the_longest_late_one_is_taken(reader: SoundReader) -> None:
    words = [(1.0, 3.0), (3.2, 7.0), (7.08, 8.0), (8.16, 10.0), (10.04, 14.0)]
    clips = clips_of(reader, wav(channels(saying(*words, until=20)), rate=RATE), timedelta(seconds=11))
    assert places(clips) == [(0, 0.8, 8.08), (0, 8.08, 14.2)]


def test_who_never_pauses_is_cut_where_the_voice_is_lowest(reader: SoundReader) -> None:
    sound = saying((1, 18), until=20)
    sound[round(8 * RATE) : round(8.1 * RATE)] *= 0.2
    clips = clips_of(reader, wav(channels(sound), rate=RATE), timedelta(seconds=11))
    assert [clip.channel for clip in clips] == [0, 0]
    assert clips[0].start + clips[0].duration == clips[1].start
    assert 8 <= clips[1].start.total_seconds() <= 8.1


@pytest.mark.parametrize("count", [1, 2])
def test_the_clips_of_an_mp3_lie_where_its_speech_is(reader: SoundReader, count: int) -> None:
    content = mp3_of_duration("clips", 120, count)
    clips = clips_of(reader, content, timedelta(seconds=10))
    assert {clip.channel for clip in clips} == {*range(count)}
    for clip in clips:
        assert clip.duration <= timedelta(seconds=10)
        assert np.abs(samples(clip, 22050).astype(int)).max() > 1000


def test_no_loud_sample_of_a_call_is_left_out(reader: SoundReader) -> None:
    call = conversation("left out", 60)
    heard = np.zeros(call.shape, bool)
    for clip in clips_of(reader, wav_of_call(call), timedelta(seconds=5)):
        begin = round(clip.start.total_seconds() * RATE)
        taken = samples(clip)
        assert (call[begin : begin + len(taken), clip.channel] == taken).all()
        assert not heard[begin : begin + len(taken), clip.channel].any()
        heard[begin : begin + len(taken), clip.channel] = True
    missed = np.flatnonzero(((np.abs(call) > 2000) & ~heard).any(axis=1))
    # A turn that begins less than 60 ms before the end is a click, for all one can hear.
    assert missed.size == 0 or missed.min() > len(call) - 0.06 * RATE


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.999])
def test_a_limit_under_a_second_is_refused_at_once(reader: SoundReader, seconds: float) -> None:
    with pytest.raises(ValueError, match="too short"):
        reader.speech_clips(io.BytesIO(b""), timedelta(seconds=seconds), lambda: None)


@settings(deadline=None, max_examples=200)
@given(
    runs=st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), max_size=20),
    longest=st.integers(50, 600),
    seed=st.integers(0, 2**16),
)
def test_spans_hold_all_that_is_said_fit_the_limit_and_never_overlap(
    runs: list[tuple[int, int]], longest: int, seed: int
) -> None:
    loud = np.concatenate([np.zeros(0, bool), *[np.repeat([False, True], run) for run in runs]])
    energies = np.where(loud, np.random.default_rng(seed).uniform(1e-4, 1e-2, len(loud)), 0.0)
    spans = speech_spans(energies, longest)
    covered = np.zeros(len(loud), int)
    for begin, end in spans:
        assert 0 <= begin < end <= len(loud)
        assert end - begin <= longest
        covered[begin:end] += 1
    assert covered.max(initial=0) <= 1
    missed = np.flatnonzero(loud & (covered == 0))
    # Nothing but clicks: fewer than three windows, with nothing within two seconds of them.
    for window in missed:
        assert loud[max(0, window - 100) : window + 101].sum() <= 2
    for begin, end in spans:
        assert loud[begin:end].any()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0.1, 3.0), min_size=1, max_size=8), st.sampled_from([8000, 11025, 22050]))
def test_the_start_of_a_clip_is_exact_at_every_sample_rate(gaps: list[float], rate: int) -> None:
    sound = np.concatenate([part for gap in gaps for part in (silence(gap, rate=rate), tone(0.3, rate=rate, dbfs=-20))])
    whole = pcm16(channels(sound))[:, 0]
    for clip in clips_of(SoundfileReader(), wav(channels(sound), rate=rate)):
        begin = round(clip.start.total_seconds() * rate)
        assert (whole[begin : begin + len(samples(clip, rate))] == samples(clip, rate)).all()
