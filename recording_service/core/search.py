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
            if word.startswith(first) and self.is_at_beginning(words[place : place + count]):
                yield place

    def is_at_beginning(self, words: Sequence[str]) -> bool:
        """Whether it begins with the first of these words."""
        *others, last = self.words
        count = len(self.words)
        if len(words) < count or list(words[: count - 1]) != others:
            return False
        return words[count - 1].startswith(last) if self.is_prefix else words[count - 1] == last


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
    words = _around_first_match(words_of(text), search)
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


def _around_first_match(words: Iterator[Word], search: WordSearch) -> Sequence[Word]:
    """The words that a snippet may show or match; of the rest of a long call none is looked at; empty: no match."""
    firsts = tuple(term.words[0] for term in search.terms)
    longest = max(len(term.words) for term in search.terms)
    near: list[Word] = []
    places = 0

    def is_match(place: int) -> bool:
        if not near[place].folded.startswith(firsts):
            return False
        following = [word.folded for word in near[place : place + longest]]
        return any(term.is_at_beginning(following) for term in search.terms)

    for word in words:
        near.append(word)
        if len(near) - places >= longest:
            if is_match(places):
                break
            places += 1
    else:
        places = next((place for place in range(places, len(near)) if is_match(place)), len(near))
    if places == len(near):
        return []
    latest = near[places].start + MAX_SNIPPET_CHARACTERS
    behind = 0
    for word in words:
        near.append(word)
        # What begins within the snippet may go on behind it.
        behind += word.start >= latest
        if behind == longest:
            break
    return near[max(0, places - _CHARACTERS_BEFORE) :]


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
