"""Text as a sequence of words, as they are searched for: the same for every catalogue.

No database's own idea of a word comes into it. They differ, from each other and from one version to the next, in what
they take for a letter, which accents they drop, and what they make of `don't` or `a@b.example`. So they are given words
that are cut and folded already, and only look them up.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import NamedTuple

#: Characters of a word by which it is found; what is longer is cut. PostgreSQL takes 2046 bytes.
MAX_WORD_CHARACTERS = 64
#: Bytes of a text's words, in UTF-8, by which it is found: some 18 hours of talk. PostgreSQL takes 1 MiB less one.
MAX_WORDS_BYTES = 1_000_000

#: Marks of a higher combining class are accents, or vowels that Hebrew and Arabic may leave out, and are dropped. Those
#: of this one and lower ones make another letter of it: Nukta and Virama in India, voicing in Japan.
_LAST_CLASS_OF_LETTERS = 9
#: Scripts in which words are not set apart. Each character is a word, and several are found as a phrase.
_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_LAST_CODE_POINT_OF_MARKS = 0x1FFFF


class Word(NamedTuple):
    """A word of a text: what it is found as, and where it is."""

    folded: str
    start: int
    end: int


def words_of(text: str) -> Iterator[Word]:
    """The words of the text, in its order. What a word is found as has letters, digits and marks only, and some."""
    for found in _word().finditer(text):
        folded = _folded(found[0])
        if folded:
            yield Word(folded[:MAX_WORD_CHARACTERS], found.start(), found.end())


def searched_words(text: str) -> list[str]:
    """The words by which a text is found."""
    size = 0

    def is_within(word: str) -> bool:
        nonlocal size
        size += len(word.encode()) + 1
        return size <= MAX_WORDS_BYTES

    return list(takewhile(is_within, (word.folded for word in words_of(text))))


def _folded(word: str) -> str:
    """The word without case, accents and compatibility forms."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    return "".join(character for character in plain if character.isalnum() or _is_part_of_a_letter(character))


def _is_part_of_a_letter(character: str) -> bool:
    is_mark = unicodedata.category(character).startswith("M")
    return is_mark and unicodedata.combining(character) <= _LAST_CLASS_OF_LETTERS


@cache
def _word() -> re.Pattern[str]:
    """What a word looks like; made when it is first wanted, for Python's expressions have no class of marks."""
    code_points = range(_LAST_CODE_POINT_OF_MARKS + 1)
    marks = "".join(chr(each) for each in code_points if unicodedata.category(chr(each)).startswith("M"))
    letter = rf"[^\W_{_UNSPACED}]"
    # Most words are found by the first of these alone, five times as fast.
    plain = r"[A-Za-z0-9]++(?![^\x00-\x7f])"
    return re.compile(rf"{plain}|{letter}+(?:[{marks}]+{letter}*)*|[{_UNSPACED}][{marks}]*")
