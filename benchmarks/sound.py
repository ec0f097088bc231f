"""How fast a recording is listened to: the probe and the waveform of an hour, beside a bare decoding of it."""

import io
import time
from collections.abc import Callable, Iterator

import soundfile

from benchmarks.results import RATIO, Result, Say, Target, compare, measure_in_turns
from recording_service.adapters.sound.reader import SoundfileReader
from recording_service.twilio_stand_in.mp3 import mp3_of_duration

#: Seconds of sound, in two channels.
HOUR = 3600.0
ROUNDS = 3
#: Frames that the bare decoder takes at once.
BLOCK = 65_536
#: How many times faster than real time it should be at least: a worker keeps up with that many calls at once.
TARGET = Target(100, RATIO)


def sound(say: Say) -> Iterator[Result]:
    """Probe and waveform of an hour of MP3 in two channels: times faster than real time."""
    media = mp3_of_duration("an hour of the benchmark", HOUR, 2)
    reader = SoundfileReader()
    for name, listen in (
        ("probe", lambda: reader.probe(io.BytesIO(media))),
        ("waveform", lambda: reader.waveform(io.BytesIO(media))),
    ):
        found = compare(measure_in_turns(ROUNDS, _timed(listen), _timed(lambda: _decoded(media))), "s", say)
        measured = f"{found.first:.2f} s, {found.ratio:.1f} times a bare decoding ({found.second:.2f} s)"
        yield Result(f"{name} of an hour", measured, HOUR / found.first, TARGET)


class _Forwards(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Does not seek after each block, by which MP3s are decoded twice."""

    def seekable(self) -> bool:
        return False


def _timed(listen: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        started = time.perf_counter()
        listen()
        return time.perf_counter() - started

    return measure


def _decoded(media: bytes) -> None:
    with _Forwards(io.BytesIO(media)) as file:
        while len(file.read(BLOCK, dtype="float32")):
            pass
