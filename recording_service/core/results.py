"""What steps have made of a recording, for whoever asks."""

from recording_service.core.errors import RecordingFailed, RecordingNotReady, StepNotDone, StepWithoutResult
from recording_service.core.model import ProcessingState, Recording, RecordingJob, RecordingState, Step
from recording_service.core.ports import Catalogue
from recording_service.core.sound import WaveformLevel
from recording_service.core.steps import transcript_of, waveform_levels
from recording_service.transcripts.transcript import Transcript

#: When to ask again for what is not there yet, in seconds.
RETRY_SECONDS = 2.0


class Results:
    """Reads them. Safe to use from many threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def waveform(self, recording: Recording, samples_per_pixel: int) -> WaveformLevel:
        """The coarsest level that has at most so many samples a pixel; the finest, if none has (0 asks for that).

        Raises as `content`.
        """
        levels = waveform_levels(self.content(recording, Step.WAVEFORM))
        fitting = [level for level in levels if level.samples_per_pixel <= samples_per_pixel]
        return max(fitting, key=_pixel) if fitting else min(levels, key=_pixel)

    def transcript(self, recording: Recording) -> Transcript:
        """What is said in it. Raises as `content`."""
        return transcript_of(self.content(recording, Step.TRANSCRIPT))

    def content(self, recording: Recording, step: Step) -> bytes:
        """What the step has made of the bytes that the recording has.

        Raises RecordingNotReady, RecordingFailed, StepNotDone, StepWithoutResult, CatalogueUnavailable.
        """
        processing = recording.processing
        state = processing.state_of(step)
        if state is ProcessingState.DONE and recording.state is RecordingState.READY:
            artefact = self._catalogue.artefact(recording.key, step)
            if artefact is not None and artefact.media_sha256 == recording.sha256:
                return artefact.content
            # The recording has changed since it was read: it is being processed again, or is gone.
            raise StepNotDone(recording.recording_sid, step, ProcessingState.PENDING, RETRY_SECONDS)
        self._refuse_what_is_not_ready(recording)
        if state in (ProcessingState.PENDING, ProcessingState.RUNNING):
            raise StepNotDone(recording.recording_sid, step, state, RETRY_SECONDS)
        end = processing.ends.get(step)
        raise StepWithoutResult(recording.recording_sid, step, state, end.reason if end else None)

    def _refuse_what_is_not_ready(self, recording: Recording) -> None:
        if recording.state is RecordingState.FAILED and recording.failure_reason is not None:
            raise RecordingFailed(recording.recording_sid, recording.failure_reason)
        if recording.state is not RecordingState.READY and recording.job is RecordingJob.FULL:
            raise RecordingNotReady(recording.recording_sid, recording.state, RETRY_SECONDS)


def _pixel(level: WaveformLevel) -> int:
    return level.samples_per_pixel
