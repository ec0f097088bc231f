"""What a server heard, out of its `verbose_json`.

Every server leaves out something and adds something of its own. What is needed are segments with a text and two times;
all else is taken where it is there and makes sense. Nothing of the answer gets into an error.
"""

import json
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from recording_service.adapters.openai_transcription.fields import array_of, cleaned, number_of, span_of
from recording_service.adapters.openai_transcription.languages import code_of
from recording_service.adapters.openai_transcription.words import among, timed_words
from recording_service.adapters.openai_transcription.wrapping import unwrapped
from recording_service.core.errors import TranscriptionAnswerInvalid, TranscriptionWrongLanguage
from recording_service.core.transcription import ClipSegment, ClipTranscript
from recording_service.transcripts.transcript import TranscriptWord

#: Whisper's own measures of silence: it hears probably nothing, and is unsure of what it wrote down nevertheless, or
#: repeats itself (its `no_speech_threshold`, `logprob_threshold` and `compression_ratio_threshold`; OpenAI's reference
#: of the segment's fields).
SILENT_NO_SPEECH_PROBABILITY = 0.6
SILENT_LOG_PROBABILITY = -1.0
SILENT_COMPRESSION_RATIO = 2.4

#: Decimals that are kept of a confidence: no transcriber is as sure of it as a float is.
CONFIDENCE_DECIMALS = 4


def clip_transcript_of(body: bytes, language: str) -> ClipTranscript:
    """What the answer says. TranscriptionAnswerInvalid if it is no transcript.

    TranscriptionWrongLanguage if a language is given, and the answer names another one.
    """
    answer = _parsed(body)
    heard = _language(answer, language)
    text, found = answer.get("text"), answer.get("segments")
    if not isinstance(text, str) and not isinstance(found, list):
        raise TranscriptionAnswerInvalid("the transcription server sent neither text nor segments")
    documents = unwrapped(array_of(found, "segments"))
    spans = [span_of(document) for document in documents]
    shared = among(array_of(answer.get("words"), "words"), spans)
    said = [_segment(*each) for each in zip(documents, spans, shared, strict=True)]
    if isinstance(text, str) and cleaned(text) and not any(segment.text for segment, _ in said):
        raise TranscriptionAnswerInvalid(
            "the transcription server sent text without segments: it must support response_format=verbose_json"
        )
    segments = [segment for segment, is_silent in said if segment.text and not is_silent]
    return ClipTranscript(heard, tuple(sorted(segments, key=lambda segment: segment.start)))


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        # Raised here and not there: what json raises has the whole body in it.
        raise TranscriptionAnswerInvalid("the transcription server sent what is no JSON object")
    return answer


def _language(answer: Mapping[str, Any], wanted: str) -> str:
    name = answer.get("language")
    if not isinstance(name, str) or not name.strip():
        return wanted
    got = code_of(name)
    if wanted and got != code_of(wanted):
        raise TranscriptionWrongLanguage(wanted, got)
    return got


def _segment(
    document: Mapping[str, Any], span: tuple[timedelta, timedelta], shared: list[Mapping[str, Any]]
) -> tuple[ClipSegment, bool]:
    """A segment, and whether it is silence. Its words are its own, or those of the whole answer that are in it."""
    text = document.get("text")
    if not isinstance(text, str):
        raise TranscriptionAnswerInvalid("the transcription server sent a segment without text")
    words = timed_words(array_of(document.get("words"), "words") or shared, text)
    log_probability = number_of(document, "avg_logprob")
    confidence = _confidence(document, log_probability, words)
    return ClipSegment(*span, cleaned(text), confidence, words), _is_silent(document, log_probability)


def _is_silent(document: Mapping[str, Any], log_probability: float | None) -> bool:
    no_speech, compression = number_of(document, "no_speech_prob"), number_of(document, "compression_ratio")
    if no_speech is None or no_speech <= SILENT_NO_SPEECH_PROBABILITY:
        return False
    is_unsure = log_probability is not None and log_probability < SILENT_LOG_PROBABILITY
    return is_unsure or (compression is not None and compression > SILENT_COMPRESSION_RATIO)


def _confidence(
    document: Mapping[str, Any], log_probability: float | None, words: tuple[TranscriptWord, ...]
) -> float | None:
    stated = number_of(document, "confidence")
    if stated is not None and 0 <= stated <= 1:
        return round(stated, CONFIDENCE_DECIMALS)
    # Nobody is certain: servers that don't know write 0 there.
    if log_probability is not None and log_probability < 0:
        return round(math.exp(log_probability), CONFIDENCE_DECIMALS)
    known = [word.confidence for word in words if word.confidence is not None]
    return round(sum(known) / len(known), CONFIDENCE_DECIMALS) if known else None
