"""Synthetic telephone calls: two voices taking turns, the same for the same seed.

The voices are not words but behave like speech: voiced syllables with the formants of vowels, some opened by a hiss,
gaps between words, pauses between turns, a little line noise. Each glottal pulse rings the formants once.
"""

import hashlib
import io
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

#: Samples a second of a telephone call, and so of Twilio's WAV files (twilio.md A4).
SAMPLE_RATE = 8000

#: Seconds of speech made for one seed; a longer recording repeats them, so that hours cost no more than minutes.
UNIQUE_SECONDS = 180.0

#: First three formants, in Hz, of six English vowels (Peterson and Barney, 1952, men).
VOWELS_HZ = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (490, 1350, 1690),
)

#: Loudness and bandwidth in Hz of each formant.
FORMANT_GAINS = (1.0, 0.6, 0.3)
FORMANT_BANDWIDTHS_HZ = (60, 90, 130)

#: How long a pulse rings, in samples: 20 ms.
RING_SAMPLES = SAMPLE_RATE // 50

#: Share of full scale that the loudest sample takes.
PEAK = 0.7

#: Standard deviation of the line's noise, as a share of full scale.
LINE_NOISE = 0.0006


@dataclass(frozen=True)
class Voice:
    """How a speaker differs from another: the pitch, and the length of the throat, which scales the formants."""

    pitch_hz: float
    formant_scale: float


#: The caller and the called.
VOICES = (Voice(pitch_hz=112, formant_scale=1.0), Voice(pitch_hz=208, formant_scale=1.17))


def conversation(seed: str, seconds: float) -> NDArray[np.int16]:
    """Makes `seconds` of a two-party call as 8 kHz PCM of shape (samples, 2): one party a channel.

    The same seed and length give the same samples. At most UNIQUE_SECONDS are made; what is longer repeats.
    """
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))
    wanted = max(1, round(seconds * SAMPLE_RATE))
    length = min(wanted, round(UNIQUE_SECONDS * SAMPLE_RATE))
    call = np.zeros((length, len(VOICES)), dtype=np.float32)
    speaker = int(random.integers(len(VOICES)))
    position = round(0.03 * SAMPLE_RATE)
    while position < length:
        turn = _turn(random, VOICES[speaker])[: length - position]
        call[position : position + len(turn), speaker] = turn
        position += len(turn) + round(random.uniform(0.35, 0.9) * SAMPLE_RATE)
        speaker = (speaker + 1) % len(VOICES)
    call *= PEAK / max(float(np.abs(call).max()), 1e-6)
    call += random.standard_normal(call.shape, dtype=np.float32) * LINE_NOISE
    pcm: NDArray[np.int16] = (call.clip(-1, 1) * np.iinfo(np.int16).max).astype(np.int16)
    repeated: NDArray[np.int16] = np.tile(pcm, (-(-wanted // length), 1))[:wanted]
    return repeated


def mixed(call: NDArray[np.int16]) -> NDArray[np.int16]:
    """Lays all channels of a call over one another, as a mono recording has them."""
    limits = np.iinfo(np.int16)
    total: NDArray[np.int32] = call.sum(axis=1, keepdims=True, dtype=np.int32)
    return total.clip(limits.min, limits.max).astype(np.int16)


def wav(pcm: NDArray[np.int16]) -> bytes:
    """Wraps PCM of shape (samples, channels) as a WAV file: 8 kHz, 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(pcm.shape[1])
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(pcm.astype("<i2").tobytes())
    return file.getvalue()


def _turn(random: np.random.Generator, voice: Voice) -> Samples:
    """What one party says before the other answers: a few words of one to three syllables."""
    pieces: list[Samples] = []
    syllables = int(random.integers(4, 14))
    for index in range(syllables):
        falling = 1.12 - 0.24 * index / syllables
        pieces.append(_syllable(random, voice, voice.pitch_hz * falling))
        if random.random() < 0.4:
            pieces.append(np.zeros(round(random.uniform(0.04, 0.12) * SAMPLE_RATE), dtype=np.float32))
    return np.concatenate(pieces)


def _syllable(random: np.random.Generator, voice: Voice, pitch_hz: float) -> Samples:
    """A vowel of 0.1 to 0.26 s whose pitch glides a little, opened by a hiss one time in three."""
    length = round(random.uniform(0.1, 0.26) * SAMPLE_RATE)
    glide = np.linspace(random.uniform(0.95, 1.1), random.uniform(0.9, 1.05), length)
    turns = np.cumsum(pitch_hz * glide / SAMPLE_RATE)
    pulses = np.diff(np.floor(turns), prepend=0.0).astype(np.float32)
    vowel = VOWELS_HZ[int(random.integers(len(VOWELS_HZ)))]
    voiced = np.convolve(pulses, _ring(vowel, voice.formant_scale))[:length].astype(np.float32)
    voiced *= _envelope(length) * random.uniform(0.6, 1.0)
    if random.random() < 1 / 3:
        return np.concatenate([_hiss(random), voiced])
    return voiced


def _ring(vowel: tuple[int, ...], scale: float) -> Samples:
    """What one glottal pulse sounds like in a throat with these formants."""
    seconds = np.arange(RING_SAMPLES) / SAMPLE_RATE
    ring = np.zeros(RING_SAMPLES)
    for formant_hz, gain, bandwidth_hz in zip(vowel, FORMANT_GAINS, FORMANT_BANDWIDTHS_HZ, strict=True):
        ring += gain * np.exp(-np.pi * bandwidth_hz * seconds) * np.sin(2 * np.pi * formant_hz * scale * seconds)
    return ring.astype(np.float32)


def _hiss(random: np.random.Generator) -> Samples:
    """A fricative: 40 to 90 ms of noise, the high part of it."""
    length = round(random.uniform(0.04, 0.09) * SAMPLE_RATE)
    noise = np.diff(random.standard_normal(length + 1, dtype=np.float32))
    return noise * np.hanning(length).astype(np.float32) * np.float32(0.12)


def _envelope(length: int) -> Samples:
    """Rises within 20 ms and falls within 60, so that no syllable clicks."""
    samples = np.arange(length)
    rise = np.minimum(1.0, samples / (0.02 * SAMPLE_RATE))
    fall = np.minimum(1.0, (length - samples) / (0.06 * SAMPLE_RATE))
    return (rise * fall).astype(np.float32)
