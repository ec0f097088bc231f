"""The words of a segment, each with its times.

OpenAI lists the words of the whole answer, speaches those of each segment, whisper.cpp pieces of words, where a new
word begins with a space. They are an extra: where they are not complete, a segment is better off without.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from recording_service.adapters.openai_transcription.fields import cleaned, number_of, span_of
from recording_service.transcripts.transcript import TranscriptWord

#: What stands for bytes that are no character.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def among(
    words: Sequence[Mapping[str, Any]], spans: Sequence[tuple[timedelta, timedelta]]
) -> list[list[Mapping[str, Any]]]:
    """The words by the segment they are in: the last one that had begun in the middle of the word.

    What begins before all segments is in the first.
    """
    order = sorted(range(len(spans)), key=lambda at: spans[at])
    starts = [spans[at][0].total_seconds() for at in order]
    divided: list[list[Mapping[str, Any]]] = [[] for _ in spans]
    for word in words if spans else ():
        start, end = number_of(word, "start") or 0.0, number_of(word, "end") or 0.0
        divided[order[max(0, bisect_right(starts, (start + end) / 2) - 1)]].append(word)
    return divided


def timed_words(documents: Sequence[Mapping[str, Any]], text: str) -> tuple[TranscriptWord, ...]:
    """The words of a text, each beginning no earlier than the one before it.

    None if one of them lacks its text, or a character that the whole text has, or its times.
    TranscriptionAnswerInvalid if a time is there and is none.
    """
    pieces = [_written(document) for document in documents]
    if any(piece is None or _is_broken(piece, text) for piece in pieces) or not all(map(_is_timed, documents)):
        return ()
    words: list[TranscriptWord] = []
    spaced = any(piece and piece[0].isspace() for piece in pieces if piece)
    for document, piece in zip(documents, pieces, strict=True):
        word_text = cleaned(piece or "")
        start, end = span_of(document)
        if words:
            start = max(start, words[-1].start)
        word = TranscriptWord(start, max(start, end), word_text, _probability(document))
        if words and word_text and spaced and not (piece or "")[0].isspace():
            words[-1] = _joined(words[-1], word)
        elif word_text:
            words.append(word)
    return tuple(words)


def _written(document: Mapping[str, Any]) -> str | None:
    text = document.get("word", document.get("text"))
    return text if isinstance(text, str) else None


def _is_broken(piece: str, text: str) -> bool:
    """Whether it has only a part of a character: of a rare one, whisper.cpp makes several pieces of a word."""
    return _REPLACEMENT in piece and _REPLACEMENT not in text


def _is_timed(document: Mapping[str, Any]) -> bool:
    """Whether it has times at all: whisper.cpp leaves them out, or says -0.01, where it has not measured them."""
    start, end = document.get("start"), document.get("end")
    return start is not None and end is not None and not (isinstance(start, int | float) and start < 0)


def _probability(document: Mapping[str, Any]) -> float | None:
    for name in ("probability", "confidence"):
        if (value := number_of(document, name)) is not None and 0 <= value <= 1:
            return round(value, 4)
    return None


def _joined(word: TranscriptWord, piece: TranscriptWord) -> TranscriptWord:
    """A word with one more piece of it; as sure as its least sure piece."""
    known = [each for each in (word.confidence, piece.confidence) if each is not None]
    end = max(word.end, piece.end)
    return TranscriptWord(word.start, end, word.text + piece.text, min(known, default=None))
