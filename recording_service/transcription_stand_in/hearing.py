"""Where there is sound in a WAV file, and of what pitch."""

import hashlib
import io
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

#: How long a look at the loudness is, in seconds.
LOOK_SECONDS = 0.02

#: Root mean square above which there is sound, as a share of full scale: 48 dB below it.
SOUND_LEVEL = 0.004

#: A gap that is shorter than this is within a stretch of sound, in seconds.
GAP_SECONDS = 0.3

#: Less than this is a click, in seconds.
CLICK_SECONDS = 0.06


class UnreadableSound(Exception):
    """Raised when a file is no WAV, or one that speech recognisers don't take. The text says why."""


@dataclass(frozen=True)
class Sound:
    """The samples of a file, between -1 and 1."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Stretch:
    """A part of a file in which there is sound all the time, but for short gaps."""

    start: float
    end: float
    frequency_hz: float
    """What it has most of."""
    number: int
    """Made from the samples: the same for the same sound."""


def sound_of(wav: bytes) -> Sound:
    """The sound of a WAV file: PCM of 16 bits, one channel, and not a byte more or less. Raises UnreadableSound."""
    if wav[:4] != b"RIFF" or int.from_bytes(wav[4:8], "little") != len(wav) - 8:
        raise UnreadableSound("the file is no WAV, or not as long as it says")
    try:
        with wave.open(io.BytesIO(wav), "rb") as reader:
            if (reader.getnchannels(), reader.getsampwidth()) != (1, 2):
                raise UnreadableSound("the WAV has not one channel of 16 bits")
            frames = reader.readframes(reader.getnframes())
            if not frames or len(frames) != 2 * reader.getnframes():
                raise UnreadableSound("the WAV has no samples, or fewer than it says")
            return Sound(np.frombuffer(frames, dtype="<i2") / 32768.0, reader.getframerate())
    except (wave.Error, EOFError) as exc:
        raise UnreadableSound("the file is no WAV") from exc


def stretches_of(sound: Sound) -> list[Stretch]:
    """Where there is sound, in the order of time."""
    look = max(1, round(LOOK_SECONDS * sound.rate))
    padded = np.pad(sound.samples, (0, -len(sound.samples) % look)).reshape(-1, look)
    loud = np.flatnonzero(np.sqrt(np.mean(padded**2, axis=1)) > SOUND_LEVEL)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) * LOOK_SECONDS > GAP_SECONDS) + 1
    spans = [(run[0] * look, min((run[-1] + 1) * look, len(sound.samples))) for run in np.split(loud, breaks)]
    return [_stretch(sound, int(begin), int(end)) for begin, end in spans if end - begin > CLICK_SECONDS * sound.rate]


def _stretch(sound: Sound, begin: int, end: int) -> Stretch:
    samples = sound.samples[begin:end]
    spectrum = np.abs(np.fft.rfft(samples))
    spectrum[0] = 0.0
    frequency = float(np.argmax(spectrum)) * sound.rate / len(samples)
    number = int.from_bytes(hashlib.sha256(samples.tobytes()).digest()[:8])
    return Stretch(begin / sound.rate, end / sound.rate, frequency, number)
