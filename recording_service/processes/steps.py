"""Who does which step after the download, by the settings."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from recording_service.config import ConfigurationError, Settings
from recording_service.core.model import Step
from recording_service.core.steps import ProbeStep, TranscriptStep, WaveformStep

if TYPE_CHECKING:
    from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings
    from recording_service.core.processor import StepRunner

#: By what the variables are called here, what the adapter calls them.
_VARIABLES = {
    "url": "RECORDING_TRANSCRIPTION_URL",
    "api_key": "RECORDING_TRANSCRIPTION_API_KEY",
    "model": "RECORDING_TRANSCRIPTION_MODEL",
    "language": "RECORDING_TRANSCRIPTION_LANGUAGE",
    "path": "RECORDING_TRANSCRIPTION_PATH",
}


def available_steps(settings: Settings) -> frozenset[Step]:
    """The steps that somebody is configured for. Raises ConfigurationError."""
    return frozenset({Step.PROBE, Step.WAVEFORM} | ({Step.TRANSCRIPT} if transcription(settings) else set()))


def runners(settings: Settings) -> "Mapping[Step, StepRunner]":
    """Who does them. Raises ConfigurationError."""
    # One thread: the work-horses that are forked from this process have no others, and each does one thing.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Imported here: of all processes only this one listens.
    from recording_service.adapters.openai_transcription.transcriber import OpenAiTranscriber
    from recording_service.adapters.sound.reader import SoundfileReader

    sound = SoundfileReader()
    does: dict[Step, StepRunner] = {Step.PROBE: ProbeStep(sound), Step.WAVEFORM: WaveformStep(sound)}
    server = transcription(settings)
    if server is not None:
        does[Step.TRANSCRIPT] = TranscriptStep(sound, OpenAiTranscriber(server), settings.processing_seconds)
    return does


def transcription(settings: Settings) -> "OpenAiTranscriptionSettings | None":
    """Where recordings are transcribed; None if they are not. Raises ConfigurationError."""
    if not settings.transcription_url:
        if settings.transcription_api_key.get_secret_value():
            raise ConfigurationError(["RECORDING_TRANSCRIPTION_URL: is missing; whose is the key?"])
        return None
    from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings

    try:
        return OpenAiTranscriptionSettings(
            url=settings.transcription_url,
            api_key=settings.transcription_api_key.get_secret_value(),
            model=settings.transcription_model,
            language=settings.transcription_language,
            path=settings.transcription_path,
            word_times=settings.transcription_word_times,
            allow_plain_http=settings.transcription_allow_plain_http,
            certificates=settings.transcription_ca_file,
        )
    except ValueError as error:
        field, _, problem = str(error).partition(": ")
        raise ConfigurationError([f"{_VARIABLES.get(field, field)}: {problem}"]) from error
