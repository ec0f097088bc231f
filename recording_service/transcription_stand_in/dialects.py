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

#: Most characters of a segment of whisper.cpp's.
WRAPPED_CHARACTERS = 60


class Dialect(Enum):
    """Whose answers are given."""

    OPENAI = "openai"
    """Names of languages; the words of the whole answer, without what is written around them."""
    WHISPER_CPP = "whisper.cpp"
    """Names of languages; pieces of words in each segment, a new word beginning with a space; null for NaN.

    A segment has at most 60 characters, and may end within a word: so its server cuts them unless it is started with
    `--split-on-word`.
    """
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
    if dialect is Dialect.WHISPER_CPP:
        segments = [_wrapped_segment(*each) for each in enumerate(tokens for each in said for tokens in _wrapped(each))]
    else:
        segments = [_segment(dialect, number, each, wants_words) for number, each in enumerate(said)]
    line_end = "\n" if dialect is Dialect.WHISPER_CPP else ""
    document: dict[str, Any] = {
        "task": "transcribe",
        "language": ENGLISH_NAMES.get(language, language) if has_names else language,
        "duration": str(seconds) if dialect is Dialect.VLLM else seconds,
        "text": "".join(segment["text"] + line_end for segment in segments),
        "segments": segments,
    }
    if dialect is Dialect.OPENAI:
        document["usage"] = {"type": "duration", "seconds": math.ceil(seconds)}
        if wants_words:
            document["words"] = [_bare(word) for each in said for word in each.words()]
    if dialect in (Dialect.FASTER_WHISPER, Dialect.VLLM):
        document["words"] = None
    return document


def _segment(dialect: Dialect, number: int, said: Said, wants_words: bool) -> dict[str, Any]:
    segment = {
        **_usual(number, said.start, said.end, f" {said.text}"),
        "avg_logprob": LOG_PROBABILITY,
        "no_speech_prob": None if dialect is Dialect.VLLM else 0.01,
        "seek": 0,
        "compression_ratio": 1.2,
    }
    if dialect is Dialect.FASTER_WHISPER and wants_words:
        segment["words"] = [
            {"start": start, "end": end, "word": f" {word}", "probability": WORD_PROBABILITY}
            for start, end, word in said.words()
        ]
    return segment


def _wrapped_segment(number: int, tokens: Sequence[dict[str, Any]]) -> dict[str, Any]:
    text = "".join(token["word"] for token in tokens)
    return {
        **_usual(number, tokens[0]["start"], tokens[-1]["end"], text),
        "avg_logprob": None,
        "no_speech_prob": 0.01,
        "words": tokens,
    }


def _usual(number: int, start: float, end: float, text: str) -> dict[str, Any]:
    return {
        "id": number,
        "start": round(start, 2),
        "end": round(end, 2),
        "text": text,
        "tokens": [50364 + number],
        "temperature": 0.0,
    }


def _wrapped(said: Said) -> list[list[dict[str, Any]]]:
    """What was said in tokens, by segments: as whisper.cpp does it, a new one at the first token that is too much."""
    segments: list[list[dict[str, Any]]] = []
    length = WRAPPED_CHARACTERS
    for token in (piece for word in said.words() for piece in _pieces(word)):
        length += len(token["word"])
        if length > WRAPPED_CHARACTERS:
            segments.append([])
            length = len(token["word"])
        segments[-1].append(token)
    return segments


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
