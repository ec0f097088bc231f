"""Segments that were wrapped within a word, made whole again.

whisper.cpp's server begins a new segment after 60 characters, at whatever token comes then, and a token may be the rest
of a word, or the comma after it. What tells is what Whisper begins every word with: the rest has no space before it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from recording_service.adapters.openai_transcription.fields import span_of


def unwrapped(documents: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The segments of an answer, each that goes on with the word before it joined to the segment with that word.

    Where no segment begins with a space, as with servers that trim their texts, none is known to go on. Raises
    TranscriptionAnswerInvalid for times that are none.
    """
    spaced = any(text[:1].isspace() for text in map(_text, documents))
    whole: list[Mapping[str, Any]] = []
    for document in documents:
        if spaced and whole and _goes_on(_text(whole[-1]), _text(document)):
            whole[-1] = _joined(whole[-1], document)
        else:
            whole.append(document)
    return whole


def _text(document: Mapping[str, Any]) -> str:
    text = document.get("text")
    return text if isinstance(text, str) else ""


def _goes_on(before: str, text: str) -> bool:
    return bool(before and text) and not before[-1].isspace() and not text[0].isspace()


def _joined(before: Mapping[str, Any], rest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both as one segment; what was measured is that of the first. Words that only one of them has are not all."""
    words, more = before.get("words"), rest.get("words")
    return {
        **before,
        "text": _text(before) + _text(rest),
        "end": max(span_of(before)[1], span_of(rest)[1]).total_seconds(),
        "words": [*words, *more] if isinstance(words, list) and isinstance(more, list) and words and more else None,
    }
