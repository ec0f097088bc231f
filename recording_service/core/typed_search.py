"""What people type to search for, read: nothing of it is an error of syntax."""

import re
from collections.abc import Iterator

from recording_service.core.errors import InvalidRequest
from recording_service.core.search import SearchTerm, WordSearch
from recording_service.core.spoken_words import words_of

#: Longest text of a search, in characters.
MAX_SEARCH_CHARACTERS = 500
#: Most words and phrases of a search.
MAX_TERMS = 32
#: What is typed for one term: in quotes, of which the last may be missing, or up to the next space.
_TYPED = re.compile(r'"(?P<quoted>[^"]*)(?:"(?P<star>\*?)|$)|(?P<bare>[^\s"]+)')


def word_search(typed: str) -> WordSearch | None:
    """What is meant by that; None by nothing but spaces. Raises InvalidRequest, of the field `words`.

    All words must be there. What is in double quotes is a phrase, and so is what has no space in it (`don't`). A star
    at the end of either stands for the rest of the word.
    """
    if len(typed) > MAX_SEARCH_CHARACTERS:
        raise InvalidRequest.of("words", f"has {len(typed)} characters; at most {MAX_SEARCH_CHARACTERS} are allowed")
    if not typed.strip():
        return None
    terms = tuple(dict.fromkeys(_terms(typed)))
    if not terms:
        raise InvalidRequest.of("words", "has no letter or digit that could be searched for")
    if len(terms) > MAX_TERMS:
        raise InvalidRequest.of("words", f"has {len(terms)} words and phrases; at most {MAX_TERMS} are allowed")
    return WordSearch(terms)


def _terms(typed: str) -> Iterator[SearchTerm]:
    for found in _TYPED.finditer(typed):
        text = found["quoted"] if found["bare"] is None else found["bare"]
        is_prefix = found["star"] == "*" if found["bare"] is None else text.endswith("*")
        words = tuple(word.folded for word in words_of(text))
        if words:
            yield SearchTerm(words, is_prefix)
