"""Clips, transcribed by an API like OpenAI's."""

import math
import re
from contextlib import closing
from datetime import UTC, datetime
from http import HTTPStatus

import requests
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from recording_service.adapters.answer_times import time_of_answer
from recording_service.adapters.openai_transcription.answers import error_of
from recording_service.adapters.openai_transcription.connection import PatientAdapter
from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings
from recording_service.adapters.openai_transcription.verbose_json import clip_transcript_of
from recording_service.core.errors import (
    TranscriptionAnswerInvalid,
    TranscriptionError,
    TranscriptionUnavailable,
)
from recording_service.core.transcription import ClipTranscript

#: Largest piece of an answer that is read at once, in bytes.
PIECE_BYTES = 65536

#: What every request says. The connection is wanted for this answer only.
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "recording-service",
}

#: What a file may be called: servers tell the format by the end of its name.
_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.wav")


class OpenAiTranscriber:
    """Implements `core.transcription.Transcriber`. Holds no connection: may be used by many threads, and over a fork.

    Nothing is logged here, and neither errors nor what led to them have the key, the clip or the answer in them.
    """

    def __init__(self, settings: OpenAiTranscriptionSettings) -> None:
        self._settings = settings

    def transcribe(self, wav: bytes, file_name: str, longest_seconds: float = math.inf) -> ClipTranscript:
        """What is said in the clip. Raises TranscriptionError; ValueError for a file name that is none."""
        if not _FILE_NAME.fullmatch(file_name):
            raise ValueError("a clip's file name is of letters, digits, dots and hyphens, and ends with .wav")
        return clip_transcript_of(self._answer(self._request(wav, file_name), longest_seconds), self._settings.language)

    def _request(self, wav: bytes, file_name: str) -> requests.PreparedRequest:
        settings = self._settings
        form = [("model", settings.model), ("response_format", "verbose_json")]
        form += [("timestamp_granularities[]", each) for each in ("segment", "word")[: 1 + settings.word_times]]
        if settings.temperature is not None:
            form.append(("temperature", f"{settings.temperature:g}"))
        if settings.language:
            form.append(("language", settings.language))
        key = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        file = {"file": (file_name, wav, "audio/wav")}
        return requests.Request("POST", settings.endpoint, headers={**HEADERS, **key}, data=form, files=file).prepare()

    def _answer(self, request: requests.PreparedRequest, longest_seconds: float) -> bytes:
        """The body of the answer, whole. Raises TranscriptionError."""
        with closing(PatientAdapter(self._settings, longest_seconds)) as adapter:
            try:
                with closing(adapter.fetch(request).raw) as raw:
                    _check_head(raw)
                    return self._body(raw)
            except (requests.RequestException, HTTPError, OSError) as exc:
                failure = _failure(exc)
        # Raised here and not there: what the libraries raise has the request in it, with the clip and the key.
        raise failure

    def _body(self, raw: BaseHTTPResponse) -> bytes:
        body = bytearray()
        while piece := raw.read1(PIECE_BYTES, decode_content=False):
            body += piece
            if len(body) > self._settings.max_answer_bytes:
                raise TranscriptionAnswerInvalid(
                    f"the transcription server sent more than {self._settings.max_answer_bytes} bytes"
                )
        if not body:
            # The connection may have ended within the header: without a length, that is an answer without a body.
            raise TranscriptionUnavailable("no whole answer came from the transcription server")
        return bytes(body)


def _check_head(raw: BaseHTTPResponse) -> None:
    """Raises TranscriptionError for an answer that can't be a transcript."""
    headers = raw.headers
    if raw.status != HTTPStatus.OK:
        raise error_of(raw.status, headers.get("Retry-After"), time_of_answer(headers.get("Date"), datetime.now(UTC)))
    if headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise TranscriptionAnswerInvalid("the transcription server used an encoding that was not asked for")
    if headers.get("Content-Type", "").strip().lower().startswith("text/html"):
        raise TranscriptionAnswerInvalid("the transcription server sent a web page: check the URL")


def _failure(error: Exception) -> TranscriptionError:
    """What it is called here if no whole answer came. Its cause is what was at the bottom: that knows of no clip."""
    late = isinstance(error, requests.Timeout)
    failure = TranscriptionUnavailable(
        "the transcription server did not answer in time"
        if late
        else "no whole answer came from the transcription server"
    )
    bottom: BaseException = error
    while (inner := bottom.__cause__ or bottom.__context__) is not None:
        bottom = inner
    if isinstance(bottom, OSError) and not isinstance(bottom, requests.RequestException):
        failure.__cause__ = bottom
    return failure
