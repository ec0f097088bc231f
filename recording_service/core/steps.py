"""What makes a recording useful: each step, out of the stored bytes, in the form in which its result is kept."""

import re
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from struct import Struct
from typing import BinaryIO

from recording_service.core.errors import StepImpossible
from recording_service.core.model import Recording, StepReason
from recording_service.core.processor import Made
from recording_service.core.sound import MediaUnreadable, SoundReader, UnreadableReason, WaveformLevel
from recording_service.core.transcription import Transcriber, transcribe_clips
from recording_service.transcripts.transcript import Transcript

#: Longest piece that is transcribed at once. Whisper hears half a minute at a time; what is longer it cuts itself, and
#: not where nobody speaks.
LONGEST_CLIP = timedelta(seconds=30)

_REASONS = {
    UnreadableReason.EMPTY: StepReason.MEDIA_EMPTY,
    UnreadableReason.NOT_AUDIO: StepReason.MEDIA_NOT_AUDIO,
    UnreadableReason.TRUNCATED: StepReason.MEDIA_TRUNCATED,
    UnreadableReason.BROKEN: StepReason.MEDIA_BROKEN,
}
_LENGTH = Struct("<I")
#: PostgreSQL has no text with a NUL in it, and UTF-8 none of half a pair of surrogates.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class ProbeStep:
    """Says what the bytes are."""

    def __init__(self, sound: SoundReader) -> None:
        self._sound = sound

    def run(self, recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        """Listens to all of it."""
        try:
            return Made(probe=self._sound.probe(media, check))
        except MediaUnreadable as error:
            raise _impossible(error) from error


class WaveformStep:
    """Draws them."""

    def __init__(self, sound: SoundReader) -> None:
        self._sound = sound

    def run(self, recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        """Draws all of it."""
        try:
            return Made(waveform_content(self._sound.waveform(media, check)))
        except MediaUnreadable as error:
            raise _impossible(error) from error


class TranscriptStep:
    """Says what is said in them."""

    def __init__(self, sound: SoundReader, transcriber: Transcriber, longest_seconds: float) -> None:
        """`longest_seconds` are what it may take; the attempt's own end has to come later."""
        self._sound = sound
        self._transcriber = transcriber
        self._longest_seconds = longest_seconds

    def run(self, recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        """Has every stretch of speech transcribed. Raises TranscriptionError."""
        try:
            with closing(self._sound.speech_clips(media, LONGEST_CLIP, check)) as clips:
                transcript = transcribe_clips(clips, self._transcriber, check, self._longest_seconds)
        except MediaUnreadable as error:
            raise _impossible(error) from error
        return Made(transcript_content(transcript), text=transcript_text(transcript))


def waveform_content(levels: Sequence[WaveformLevel]) -> bytes:
    """The levels as one artefact, the finer first."""
    parts = [level.to_dat() for level in levels]
    return zlib.compress(b"".join(_LENGTH.pack(len(part)) + part for part in parts))


def waveform_levels(content: bytes) -> list[WaveformLevel]:
    """What `waveform_content` was made of. Raises ValueError, zlib.error for anything else."""
    data, levels = zlib.decompress(content), []
    while data:
        (length,) = _LENGTH.unpack_from(data)
        levels.append(WaveformLevel.from_dat(data[_LENGTH.size : _LENGTH.size + length]))
        data = data[_LENGTH.size + length :]
    return levels


def transcript_content(transcript: Transcript) -> bytes:
    """The transcript as an artefact."""
    return zlib.compress(transcript.to_json().encode())


def transcript_text(transcript: Transcript) -> str:
    """What is said in it, in one line that every database can hold."""
    said = " ".join(segment.text for segment in transcript.segments)
    return " ".join(_NOT_TEXT.sub(" ", said).split())


def transcript_of(content: bytes) -> Transcript:
    """What `transcript_content` was made of. Raises ValueError, zlib.error for anything else."""
    return Transcript.from_json(zlib.decompress(content).decode())


def _impossible(error: MediaUnreadable) -> StepImpossible:
    return StepImpossible(_REASONS[error.reason], str(error))
