"""Searching transcripts: what is asked for, whether a text has it, and what is shown of it.

A catalogue renders a `WordSearch`, whose words are those of `spoken_words`, into its own language.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from recording_service.core.spoken_words import Word, searched_words, words_of

#: Longest snippet, in characters.
MAX_SNIPPET_CHARACTERS = 200

#: How much of a snippet is what comes before the first match, in characters.
_CHARACTERS_BEFORE = 60


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """Words that follow each other; the last may be the beginning of one. There is at least one."""

    words: tuple[str, ...]
    is_prefix: bool = False

    def places_in(self, words: Sequence[str]) -> Iterator[int]:
        """Where it begins among the words of a text."""
        first, count = self.words[0], len(self.words)
        for place, word in enumerate(words):
            if word.startswith(first) and self._is(words[place : place + count]):
                yield place

    def _is(self, words: Sequence[str]) -> bool:
        *others, last = self.words
        if len(words) < len(self.words) or list(words[:-1]) != others:
            return False
        return words[-1].startswith(last) if self.is_prefix else words[-1] == last


@dataclass(frozen=True, slots=True)
class WordSearch:
    """What is searched for: all of the terms must be there. There is at least one."""

    terms: tuple[SearchTerm, ...]

    def finds(self, text: str) -> bool:
        """Whether a text has all of it: what a catalogue says without reading the text."""
        words = searched_words(text)
        return all(any(True for _ in term.places_in(words)) for term in self.terms)


class TextRange(NamedTuple):
    """A piece of a text: its first character, and the one behind its last."""

    start: int
    end: int


class Snippet(NamedTuple):
    """Some of a text, and where in it the words are that were searched for: in order, none overlapping."""

    text: str
    highlights: Sequence[TextRange]


def snippet_of(text: str, search: WordSearch) -> Snippet | None:
    """What is said around the first match of any term; None if there is none."""
    words = list(words_of(text))
    matches = _matches(words, search)
    if not matches:
        return None
    whole = _around(text, words, matches[0])
    within = [match for match in matches if match.start < whole.end and match.end > whole.start]
    highlights = [
        TextRange(max(match.start, whole.start) - whole.start, min(match.end, whole.end) - whole.start)
        for match in within
    ]
    return Snippet(text[whole.start : whole.end], highlights)


def _matches(words: Sequence[Word], search: WordSearch) -> list[TextRange]:
    """Where the terms are, in order; what overlaps is one."""
    folded = [word.folded for word in words]
    found = sorted(
        TextRange(words[place].start, words[place + len(term.words) - 1].end)
        for term in search.terms
        for place in term.places_in(folded)
    )
    apart: list[TextRange] = []
    for match in found:
        if apart and match.start < apart[-1].end:
            apart[-1] = TextRange(apart[-1].start, max(apart[-1].end, match.end))
        else:
            apart.append(match)
    return apart


def _around(text: str, words: Sequence[Word], match: TextRange) -> TextRange:
    """The piece that is shown of a match; cut within a word only where that is longer than all that is shown."""
    start = next(word.start for word in words if word.start >= match.start - _CHARACTERS_BEFORE)
    if match.end > start + MAX_SNIPPET_CHARACTERS:
        start = match.start
    latest = start + MAX_SNIPPET_CHARACTERS
    if len(text) <= latest:
        return TextRange(start, len(text))
    return TextRange(start, max((word.end for word in words if start < word.end <= latest), default=latest))
