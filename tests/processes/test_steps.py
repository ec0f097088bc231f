"""Who does the steps after the download, by the configuration."""

import io

import pytest

from recording_service.config import Settings
from recording_service.core.errors import TranscriptionTooSlow
from recording_service.core.model import Step
from recording_service.processes import steps
from recording_service.transcription_stand_in import TranscriptionStandIn, transcribed
from tests.support.recordings import a_recording
from tests.support.tones import wav_of


def no_check() -> None:
    """For tests that are not about it."""


def test_a_transcript_is_given_up_when_the_time_for_processing_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    with TranscriptionStandIn() as server:
        server.behave(transcribed().stall())
        runner = steps.runners(Settings(transcription_url=server.url, processing_seconds=0.5))[Step.TRANSCRIPT]

        with pytest.raises(TranscriptionTooSlow, match=r"within 0\.5 s"):
            runner.run(a_recording(), io.BytesIO(wav_of((0, 0.5), (440, 1))), no_check)
