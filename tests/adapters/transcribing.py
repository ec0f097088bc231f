"""What the tests of `openai_transcription` share: a clip, short limits, and a transcriber."""

from typing import Any

from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings
from recording_service.adapters.openai_transcription.transcriber import OpenAiTranscriber
from recording_service.core.transcription import ClipTranscript
from tests.support.tones import wav_of

API_KEY = "sk-the-key-of-the-account"

#: A second of sound, half a second after the beginning, and a second after it.
CLIP = wav_of((0, 0.5), (440, 1), (0, 1))

#: Short enough for a test, long enough for a machine that is busy.
LIMITS: dict[str, Any] = {"connect_seconds": 5.0, "idle_seconds": 5.0, "total_seconds": 10.0}


def transcriber(url: str, **changes: Any) -> OpenAiTranscriber:
    return OpenAiTranscriber(
        OpenAiTranscriptionSettings(**{"url": url, "model": "whisper-1", "api_key": API_KEY, **LIMITS, **changes})
    )


def transcribed(url: str, clip: bytes = CLIP, **changes: Any) -> ClipTranscript:
    return transcriber(url, **changes).transcribe(clip, "channel-1-at-0-ms.wav")
