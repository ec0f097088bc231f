"""How a transcript is written by the servers that follow OpenAI: each its own `verbose_json`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

#: Names of languages, as OpenAI and whisper.cpp say them.
ENGLISH_NAMES = {"de": "german", "en": "english", "es": "spanish", "fr": "french", "it": "italian", "nl": "dutch"}

#: How sure the stand-in is: of a segment, as a logarithm, and of a word.
LOG_PROBABILITY = -0.25
WORD_PROBABILITY = 0.9


class Dialect(Enum):
    """Whose answers are given."""

    OPENAI = "openai"
    """Names of languages; the words of the whole answer, without what is written around them."""
    WHISPER_CPP = "whisper.cpp"
    """Names of languages; pieces of words in each segment, a new word beginning with a space; null for NaN."""
    FASTER_WHISPER = "faster-whisper"
    """Codes of languages; the words of each segment, with spaces and commas."""
    VLLM = "vllm"
    """Codes of languages, the duration as text, and no words."""


@dataclass(frozen=True)
class Said:
    """A text and when it was said, in seconds."""

    start: float
    end: float
    text: str

    def words(self) -> list[tuple[float, float, str]]:
        """Its words, each as long as it has letters."""
        written = self.text.split()
        total = sum(map(len, written))
        passed, words = 0, []
        for word in written:
            begin, passed = passed, passed + len(word)
            words.append((self._at(begin / total), self._at(passed / total), word))
        return words

    def _at(self, share: float) -> float:
        return round(self.start + (self.end - self.start) * share, 3)


def verbose_json(
    dialect: Dialect, said: Sequence[Said], *, language: str, seconds: float, wants_words: bool
) -> dict[str, Any]:
    """The document. `language` is a code, or any other text, which then is said as it is."""
    has_names = dialect in (Dialect.OPENAI, Dialect.WHISPER_CPP)
    document: dict[str, Any] = {
        "task": "transcribe",
        "language": ENGLISH_NAMES.get(language, language) if has_names else language,
        "duration": str(seconds) if dialect is Dialect.VLLM else seconds,
        "text": "".join(f" {each.text}" for each in said),
        "segments": [_segment(dialect, number, each, wants_words) for number, each in enumerate(said)],
    }
    if dialect is Dialect.OPENAI:
        document["usage"] = {"type": "duration", "seconds": math.ceil(seconds)}
        if wants_words:
            document["words"] = [_bare(word) for each in said for word in each.words()]
    if dialect in (Dialect.FASTER_WHISPER, Dialect.VLLM):
        document["words"] = None
    return document


def _segment(dialect: Dialect, number: int, said: Said, wants_words: bool) -> dict[str, Any]:
    segment: dict[str, Any] = {
        "id": number,
        "start": round(said.start, 2),
        "end": round(said.end, 2),
        "text": f" {said.text}",
        "tokens": [50364 + number],
        "temperature": 0.0,
        "avg_logprob": LOG_PROBABILITY,
        "no_speech_prob": None if dialect is Dialect.VLLM else 0.01,
    }
    if dialect is Dialect.WHISPER_CPP:
        segment["avg_logprob"] = None
        segment["words"] = [piece for word in said.words() for piece in _pieces(word)]
    else:
        segment["seek"] = 0
        segment["compression_ratio"] = 1.2
    if dialect is Dialect.FASTER_WHISPER and wants_words:
        segment["words"] = [
            {"start": start, "end": end, "word": f" {word}", "probability": WORD_PROBABILITY}
            for start, end, word in said.words()
        ]
    return segment


def _bare(word: tuple[float, float, str]) -> dict[str, Any]:
    start, end, text = word
    return {"word": text.strip(".,?!") or text, "start": start, "end": end}


def _pieces(word: tuple[float, float, str]) -> list[dict[str, Any]]:
    """A word as whisper.cpp has it: in tokens, here of three letters at most."""
    start, end, text = word
    texts = [text[at : at + 3] for at in range(0, len(text), 3)]
    step = (end - start) / len(texts)
    return [
        {
            "word": piece if at else f" {piece}",
            "start": round(start + step * at, 2),
            "end": round(start + step * (at + 1), 2),
            "t_dtw": -1,
            "probability": WORD_PROBABILITY,
        }
        for at, piece in enumerate(texts)
    ]
