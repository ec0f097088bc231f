"""The port `core.sound.SoundReader`, by soundfile and numpy."""

from collections.abc import Generator
from datetime import timedelta
from typing import BinaryIO

from recording_service.adapters.sound import clips, peaks, probing
from recording_service.adapters.sound.decoding import find_sound
from recording_service.core.sound import Checkpoint, Probe, SpeechClip, WaveformLevel, no_checkpoint


class SoundfileReader:
    """Implements `core.sound.SoundReader`. Holds nothing: one is enough for any number of threads."""

    def probe(self, media: BinaryIO, checkpoint: Checkpoint = no_checkpoint) -> Probe:
        """Listens to all of it and says what it is."""
        return probing.probe(find_sound(media, checkpoint), checkpoint)

    def waveform(self, media: BinaryIO, checkpoint: Checkpoint = no_checkpoint) -> tuple[WaveformLevel, ...]:
        """The waveform at two zooms, the finer first."""
        return peaks.waveform(find_sound(media, checkpoint), checkpoint)

    def speech_clips(
        self, media: BinaryIO, longest: timedelta, checkpoint: Checkpoint = no_checkpoint
    ) -> Generator[SpeechClip, None, None]:
        """Pieces in which something is said, none longer than `longest`."""
        if longest < clips.SHORTEST_LONGEST:
            raise ValueError(f"clips of at most {longest} are too short: allow {clips.SHORTEST_LONGEST} or more")
        return clips.speech_clips(find_sound(media, checkpoint), longest, checkpoint)
