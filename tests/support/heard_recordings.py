"""Puts beside a recording of the fake service what the real steps make of its sound, with words for its speech."""

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import cycle

from recording_service.adapters.sound.reader import SoundfileReader
from recording_service.core.model import CallDetails, Processing, ProcessingState, Step, StepEnd
from recording_service.core.sound import SpeechClip
from recording_service.grpc_api.processing import fill_processing, transcript_response, waveform_response
from recording_service.transcripts.transcript import Transcript, TranscriptSegment
from recordings.v1.recording_pb2 import Recording
from tests.http_api.fake_recordings import FakeRecordings
from tests.support.grpc_service import recording as core_recording

_LONGEST_CLIP = timedelta(seconds=30)


def hear(recordings: FakeRecordings, recording: Recording, content: bytes, talk: Sequence[str]) -> None:
    """Every step is DONE then. `talk` is what its parties say, one after the other, and from the beginning again."""
    sound = SoundfileReader()
    probe = sound.probe(io.BytesIO(content), _go_on)
    fine, _ = sound.waveform(io.BytesIO(content), _go_on)
    clips = list(sound.speech_clips(io.BytesIO(content), _LONGEST_CLIP, _go_on))
    segments = [
        TranscriptSegment(clip.start, clip.start + clip.duration, clip.channel, text)
        for clip, text in zip(_turns(clips), cycle(talk), strict=False)
    ]
    done = {step: StepEnd(ProcessingState.DONE) for step in Step}
    row = core_recording(
        call=CallDetails(duration=recording.duration.ToTimedelta(), channels=recording.channels),
        processing=Processing(ProcessingState.DONE, attempt=1, ends=done, probe=probe),
    )
    fill_processing(recording, row)
    recordings.waveforms[recording.recording_sid] = waveform_response(row, fine)
    recordings.transcripts[recording.recording_sid] = transcript_response(row, Transcript("en", tuple(segments)))


def _turns(clips: Iterable[SpeechClip]) -> Iterator[SpeechClip]:
    """Clips of which each is by another party than the one before."""
    last: SpeechClip | None = None
    for clip in sorted(clips, key=lambda clip: clip.start):
        if last is None or clip.channel != last.channel:
            last = clip
            yield clip


def _go_on() -> None:
    """Nothing ends the work early."""
