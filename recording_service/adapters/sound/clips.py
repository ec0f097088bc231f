"""Cuts the speech of each channel out of a recording: once to hear where it is, once more to take it."""

import io
import wave
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import timedelta

import numpy as np

from recording_service.adapters.sound.decoder import Samples
from recording_service.adapters.sound.decoding import Sound
from recording_service.adapters.sound.probing import time_of
from recording_service.adapters.sound.silence import EnergyMeter, window_samples
from recording_service.adapters.sound.speech_spans import Span, speech_spans
from recording_service.core.sound import Checkpoint, SpeechClip

#: Shorter clips would be hardly more than their margins.
SHORTEST_LONGEST = timedelta(seconds=1)
#: Shorter files are filled up with silence, in seconds: OpenAI refuses what is under 0.1 s, and with one clip all of a
#: recording would be refused.
SHORTEST_FILE_SECONDS = 0.5
_BYTES_A_SAMPLE = 2
_FULL_SCALE = 32768


def speech_clips(sound: Sound, longest: timedelta, checkpoint: Checkpoint) -> Generator[SpeechClip, None, None]:
    """The clips as they end. Keeps at most one a channel. Raises MediaUnreadable."""
    channels = [
        ChannelClips(channel, spans, sound) for channel, spans in enumerate(_spans(sound, longest, checkpoint)) if spans
    ]
    if not channels:
        return
    with closing(sound.blocks(checkpoint)) as blocks:
        for block in blocks:
            for channel in channels:
                yield from channel.take(block[channel.number])
    for channel in channels:
        yield from channel.finish()


def _spans(sound: Sound, longest: timedelta, checkpoint: Checkpoint) -> list[list[Span]]:
    meter = EnergyMeter(sound.channels, sound.sample_rate)
    with closing(sound.blocks(checkpoint)) as blocks:
        for block in blocks:
            meter.take(block)
    # By samples: at some sample rates a window is not quite 20 ms.
    windows = int(longest.total_seconds() * sound.sample_rate) // window_samples(sound.sample_rate)
    return [speech_spans(energies, windows) for energies in meter.finish()]


class ChannelClips:
    """Collects the samples of one channel's clips."""

    def __init__(self, number: int, spans: list[Span], sound: Sound) -> None:
        self.number = number
        self._sample_rate = sound.sample_rate
        self._spans = deque(spans)
        self._window = window_samples(sound.sample_rate)
        self._position = 0
        self._pcm = bytearray()

    def take(self, samples: Samples) -> Iterator[SpeechClip]:
        """Listens on; gives the clips that are complete now."""
        position, self._position = self._position, self._position + len(samples)
        while self._spans and self._spans[0].begin * self._window < self._position:
            begin, end = (window * self._window for window in self._spans[0])
            taken = samples[max(0, begin - position) : end - position]
            self._pcm += np.rint(taken * _FULL_SCALE).clip(-_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()
            if end > self._position:
                return
            yield self._clip()

    def finish(self) -> Iterator[SpeechClip]:
        """The last clip, if it lasts until the end of the recording, in the middle of a window."""
        if self._pcm:
            yield self._clip()

    def _clip(self) -> SpeechClip:
        span, pcm = self._spans.popleft(), bytes(self._pcm)
        self._pcm.clear()
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(_BYTES_A_SAMPLE)
            writer.setframerate(self._sample_rate)
            writer.writeframes(pcm.ljust(round(SHORTEST_FILE_SECONDS * self._sample_rate) * _BYTES_A_SAMPLE, b"\0"))
        return SpeechClip(
            channel=self.number,
            start=time_of(span.begin * self._window, self._sample_rate),
            duration=time_of(len(pcm) // _BYTES_A_SAMPLE, self._sample_rate),
            wav=file.getvalue(),
        )
