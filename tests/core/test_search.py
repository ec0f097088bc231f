"""What a search finds in a text, and what is shown of it."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.search import MAX_SNIPPET_CHARACTERS, Snippet, WordSearch, snippet_of
from recording_service.core.spoken_words import MAX_WORD_CHARACTERS, searched_words, words_of
from recording_service.core.typed_search import word_search


def searching(typed: str) -> WordSearch:
    search = word_search(typed)
    assert search is not None
    return search


def shown(text: str, typed: str) -> tuple[str, list[str]]:
    """The snippet, and what is highlighted in it."""
    snippet = snippet_of(text, searching(typed))
    assert snippet is not None
    return snippet.text, [snippet.text[place.start : place.end] for place in snippet.highlights]


# Words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Good morning, Zoë!", ["good", "morning", "zoe"]),
        ("I don't_know", ["i", "don", "t", "know"]),
        ("a@b.example 555-0199 1.5", ["a", "b", "example", "555", "0199", "1", "5"]),
        ("Straße ŒUVRE ﬁn \uff46\uff55\uff4c\uff4c ²", ["strasse", "œuvre", "fin", "full", "2"]),
        ("e\u0301tat État", ["etat", "etat"]),
        ("İstanbul ΣΊΣΥΦΟΣ", ["istanbul", "σισυφοσ"]),
        ("\u0301 ... \ufe70", []),
        ("你好 カメラ", ["你", "好", "カ", "メ", "ラ"]),
        ("क\u093f क\u093e", ["क\u093f", "क\u093e"]),
        ("שָׁלוֹם", ["שלום"]),
    ],
)
def test_words_are_letters_and_digits_without_case_and_accents(text: str, words: list[str]) -> None:
    assert searched_words(text) == words


@given(st.text())
def test_every_word_has_its_place_and_no_two_are_in_one(text: str) -> None:
    behind = 0
    for word in words_of(text):
        assert behind <= word.start < word.end <= len(text)
        assert 0 < len(word.folded) <= MAX_WORD_CHARACTERS
        behind = word.end


@given(st.text())
def test_composed_and_decomposed_text_has_the_same_words(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert searched_words(composed) == searched_words(unicodedata.normalize("NFD", composed))


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_ascii_are_what_one_thinks(text: str) -> None:
    assert searched_words(text) == [word[:MAX_WORD_CHARACTERS] for word in re.findall("[a-z0-9]+", text.lower())]


# Snippets


def test_a_short_text_is_shown_from_the_first_word_on() -> None:
    assert shown("Good morning, Zoë! Good day.", "zoe good") == (
        "Good morning, Zoë! Good day.",
        ["Good", "Zoë", "Good"],
    )


def test_a_phrase_is_one_highlight_and_a_prefix_is_the_whole_word() -> None:
    assert shown("I don't want to transcribe it", "don't transc*")[1] == ["don't", "transcribe"]


def test_highlights_that_overlap_are_one() -> None:
    assert shown("one two three", '"one two" "two three" tw*')[1] == ["one two three"]


def test_a_long_text_is_cut_at_words_around_the_first_match() -> None:
    text = "before " * 100 + "here it is " + "after " * 100
    snippet, highlights = shown(text, "here")
    assert re.fullmatch(r"(before )+here it is (after )*after", snippet)
    assert MAX_SNIPPET_CHARACTERS - 10 < len(snippet) <= MAX_SNIPPET_CHARACTERS
    assert snippet.index("here") in range(50, 61)
    assert highlights == ["here"]


def test_a_match_near_the_end_has_what_is_before_it() -> None:
    assert shown("before " * 100 + "here.", "here")[0] == "before " * 8 + "here."


def test_a_word_longer_than_a_snippet_is_cut() -> None:
    snippet = "x" * MAX_SNIPPET_CHARACTERS
    assert shown("a " * 50 + "x" * 300 + " z", "x" * 300) == (snippet, [snippet])


def test_a_phrase_longer_than_a_snippet_is_shown_from_its_beginning() -> None:
    words = " ".join(f"word{number:03}" for number in range(40))
    snippet, highlights = shown(f"before {words}", f'"{words}"')
    assert snippet == words[:199]
    assert highlights == [snippet]


def test_where_nothing_matches_there_is_no_snippet() -> None:
    assert snippet_of("good morning", searching("evening")) is None
    assert snippet_of("", searching("evening")) is None


SPEECH = st.text("a\u0301á bÉe*\"'. 字", max_size=400) | st.text(max_size=400)


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "abb", "b" * 90]), min_size=30, max_size=120).map(" ".join),
    st.lists(
        st.sampled_from(["a", "ab*", '"a b"', '"b a ab"', '"' + "b a " * 40 + '"', "bb*"]), min_size=1, max_size=3
    ),
)
def test_what_is_left_unread_is_nothing_that_would_be_shown(text: str, typed: list[str]) -> None:
    search = searching(" ".join(typed))
    snippet = snippet_of(text, search)
    read = list(words_of(text))
    places = {
        (read[place].start, read[place + len(term.words) - 1].end)
        for term in search.terms
        for place in term.places_in([word.folded for word in read])
    }
    if snippet is None:
        assert not places
        return
    first = min(places)[0]
    at = next(word.start for word in read if word.start >= first - 60)
    at = at if text.startswith(snippet.text, at) else first
    shown_places = {(start, end) for start, end in places if start < at + len(snippet.text) and end > at}
    covered = {place for highlight in snippet.highlights for place in range(*highlight)}
    wanted = {place - at for start, end in shown_places for place in range(start, end)}
    assert covered == {place for place in wanted if 0 <= place < len(snippet.text)}


@given(SPEECH, st.text('abeé* "', min_size=1, max_size=6).filter(lambda typed: any(c.isalnum() for c in typed)))
def test_what_is_found_has_a_snippet_whose_highlights_are_matches(text: str, typed: str) -> None:
    search = searching(typed)
    snippet = snippet_of(text, search)
    if snippet is None:
        assert not search.finds(text)
        return
    assert snippet.text in text
    assert len(snippet.text) <= MAX_SNIPPET_CHARACTERS
    assert snippet.highlights
    assert is_in_order(snippet)
    for place in snippet.highlights:
        highlighted = snippet.text[place.start : place.end]
        assert any(WordSearch((term,)).finds(highlighted) for term in search.terms)


def is_in_order(snippet: Snippet) -> bool:
    places = [place for pair in snippet.highlights for place in pair]
    return places == sorted(places) and all(place.start < place.end for place in snippet.highlights)
