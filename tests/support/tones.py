"""Sounds that are easy to tell apart: tones and silence, as a WAV file."""

import io
import math
import wave
from array import array

RATE = 16000

#: A tone's loudest sample, as a share of full scale.
PEAK = 0.5


def wav_of(*parts: tuple[float, float], rate: int = RATE, channels: int = 1) -> bytes:
    """A WAV file of 16 bits: for each part a tone of so many Hz, 0 for silence, that lasts so many seconds."""
    samples = array("h")
    for frequency_hz, seconds in parts:
        step = 2 * math.pi * frequency_hz / rate
        for at in range(round(seconds * rate)):
            samples.extend([round(PEAK * 32767 * math.sin(step * at))] * channels)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    return file.getvalue()
