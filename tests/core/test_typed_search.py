"""Whatever is typed is either refused or searched for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import InvalidRequest
from recording_service.core.search import SearchTerm, WordSearch
from recording_service.core.spoken_words import words_of
from recording_service.core.typed_search import MAX_SEARCH_CHARACTERS, MAX_TERMS, word_search


def terms_of(typed: str) -> tuple[SearchTerm, ...]:
    search = word_search(typed)
    assert search is not None
    return search.terms


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("Hello", [SearchTerm(("hello",))]),
        ("hello  there", [SearchTerm(("hello",)), SearchTerm(("there",))]),
        ('"Hello there"', [SearchTerm(("hello", "there"))]),
        ('"hello there', [SearchTerm(("hello", "there"))]),
        ('hello"there you"', [SearchTerm(("hello",)), SearchTerm(("there", "you"))]),
        ("hel*", [SearchTerm(("hel",), is_prefix=True)]),
        ('"hello the"*', [SearchTerm(("hello", "the"), is_prefix=True)]),
        ('"hello the*"', [SearchTerm(("hello", "the"))]),
        ("h*l", [SearchTerm(("h", "l"))]),
        ("*hello *", [SearchTerm(("hello",))]),
        ("don't", [SearchTerm(("don", "t"))]),
        ("hello HELLO", [SearchTerm(("hello",))]),
        ("Ä ß ﬁ", [SearchTerm(("a",)), SearchTerm(("ss",)), SearchTerm(("fi",))]),
        ("-hello AND (there)", [SearchTerm(("hello",)), SearchTerm(("and",)), SearchTerm(("there",))]),
        ("x" * 300, [SearchTerm(("x" * 64,))]),
    ],
)
def test_what_is_typed_is_read_as_people_mean_it(typed: str, terms: list[SearchTerm]) -> None:
    assert list(terms_of(typed)) == terms


@pytest.mark.parametrize("typed", ["", "  ", "\n\t"])
def test_nothing_typed_narrows_nothing(typed: str) -> None:
    assert word_search(typed) is None


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("?!", "has no letter or digit"),
        ('""', "has no letter or digit"),
        ("*", "has no letter or digit"),
        ("a" * (MAX_SEARCH_CHARACTERS + 1), "has 501 characters; at most 500"),
        (" ".join(f"w{number}" for number in range(MAX_TERMS + 1)), "has 33 words and phrases; at most 32"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_with_its_reason(typed: str, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem) as caught:
        word_search(typed)
    assert [violation.field for violation in caught.value.violations] == ["words"]


@given(st.text(max_size=60) | st.text('a"*()^:+- \u0301é字\x00NOT', max_size=60))
def test_whatever_is_typed_is_refused_or_has_nothing_but_words_in_it(typed: str) -> None:
    try:
        search = word_search(typed)
    except InvalidRequest:
        assert typed.strip()
        assert not list(words_of(typed))
        return
    if search is None:
        assert not typed.strip()
        return
    for term in search.terms:
        assert term.words
        for word in term.words:
            # No quote, space, backslash, NUL or half of a pair, and so nothing that any database would trip over.
            assert word.encode()
            assert not set(word) & set("\"'\\ \0*:&|!()<>")
            assert any(character.isalnum() for character in word)


@given(st.text(max_size=60), st.text(max_size=5))
def test_what_is_searched_for_is_found_in_itself(said: str, before: str) -> None:
    words = " ".join(word.folded for word in words_of(said))
    if words:
        assert WordSearch(terms_of(f'"{said.replace(chr(34), " ")}"')).finds(f"{before} {said}")
