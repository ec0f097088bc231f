"""What is found by the words that are said in it, and what is not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording_service.core.errors import InvalidRequest
from recording_service.core.model import (
    CallDetails,
    PagePosition,
    Recording,
    RecordingFilter,
    RecordingKey,
    RecordingState,
    Step,
)
from recording_service.core.ports import Artefact, Catalogue, Decide
from recording_service.core.steps import transcript_text
from recording_service.core.typed_search import word_search
from recording_service.transcripts.transcript import Transcript, TranscriptSegment
from tests.support.recordings import TIME, another, change, put

SHA256 = "ab" * 32
SAID = "Good morning, Zoë! I don't know what the Straße costs; call 555-0199. 你好世界"


def storing(recording: Recording) -> Decide:
    def stored(row: Recording | None) -> Recording:
        return recording if row is None else replace(row, revision=row.revision + 1)

    return stored


def a_stored(number: int, **fields: object) -> Recording:
    return another(number, **{"state": RecordingState.READY, "sha256": SHA256, **fields})


def say(catalogue: Catalogue, recording: Recording, text: str, *, of: str = SHA256) -> None:
    """Notes a transcript of those bytes, as the worker does: with a change of the recording."""
    made = Artefact(recording.key, Step.TRANSCRIPT, of, b"content", text)
    ((_, changed),) = catalogue.amend([(recording.key, storing(recording))], [made])
    assert changed


def found(catalogue: Catalogue, typed: str, **narrowed: Any) -> list[RecordingKey]:
    matching = RecordingFilter(words=word_search(typed), **narrowed)
    return [recording.key for recording in catalogue.page(matching, 100, None)]


@pytest.mark.parametrize(
    "typed",
    [
        "morning",
        "MORNING good",
        '"good morning"',
        "good-morning",
        "zoe",
        "ZOE\u0308",
        "don't",
        "don\u2019t",
        '"know what the"',
        "strasse",
        "stra*",
        '"what the str"*',
        "555 0199",
        "555-0199",
        "世界",
        "你好世",
        "morning ... !",
        'good "',
        '"good morning',
        "\uff4d\uff4frning",
    ],
)
def test_a_recording_is_found_by_what_is_said_in_it(catalogue: Catalogue, typed: str) -> None:
    recording = a_stored(1)
    say(catalogue, recording, SAID)
    assert found(catalogue, typed) == [recording.key]


@pytest.mark.parametrize(
    "typed",
    [
        "evening",
        "morning evening",
        '"morning good"',
        "mornin",
        "morn*ing",
        '"good mor"',
        '"good mor* zoe"',
        "界世",
        "NOT evening",
        "morning OR evening",
        "mor%",
        "morning NEAR(evening)",
        "words:morning",
        "'; DROP TABLE transcript_words; --",
        "| evening",
    ],
)
def test_nothing_is_found_by_what_is_not_said(catalogue: Catalogue, typed: str) -> None:
    say(catalogue, a_stored(1), SAID)
    assert found(catalogue, typed) == []


def test_what_is_found_comes_newest_first_and_page_by_page(catalogue: Catalogue) -> None:
    recordings = [a_stored(number, create_time=TIME + timedelta(seconds=number % 3)) for number in range(1, 8)]
    for recording in recordings:
        say(catalogue, recording, f"hello {recording.recording_sid[-1]}")
    say(catalogue, a_stored(9), "goodbye")
    matching, after, pages = RecordingFilter(words=word_search("hello")), None, []
    while rows := catalogue.page(matching, 3, after):
        pages.append([row.key for row in rows])
        after = PagePosition(rows[-1].create_time, rows[-1].account_sid, rows[-1].recording_sid)
    newest_first = sorted(recordings, key=lambda row: (row.create_time, row.recording_sid), reverse=True)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [key for page in pages for key in page] == [row.key for row in newest_first]


def test_words_go_together_with_every_other_filter(catalogue: Catalogue) -> None:
    wanted = a_stored(1, call=CallDetails(call_sid="CA1", labels={"team": "a", "city": "x"}))
    others = [
        a_stored(2, call=CallDetails(call_sid="CA1", labels={"team": "a"})),
        a_stored(3, call=CallDetails(call_sid="CA2", labels={"team": "a", "city": "x"})),
        a_stored(4, call=wanted.call, create_time=TIME - timedelta(days=1)),
        a_stored(5, call=wanted.call, account_sid="AC" + "f" * 32),
        a_stored(6, call=wanted.call, state=RecordingState.QUEUED),
    ]
    for recording in (wanted, *others):
        say(catalogue, recording, "hello")
    say(catalogue, a_stored(7, call=wanted.call), "goodbye")
    narrowed: dict[str, Any] = {
        "states": frozenset({RecordingState.READY}),
        "account_sids": frozenset({wanted.account_sid}),
        "call_sids": frozenset({"CA1"}),
        "labels": {"team": "a", "city": "x"},
        "create_time_from": TIME,
        "create_time_before": TIME + timedelta(seconds=1),
    }
    assert found(catalogue, "hello", **narrowed) == [wanted.key]
    assert len(found(catalogue, "hello")) == 6


def test_a_transcript_that_is_made_anew_takes_the_place_of_the_one_before(catalogue: Catalogue) -> None:
    recording = a_stored(1)
    say(catalogue, recording, "hello there")
    say(catalogue, recording, "goodbye then")
    assert found(catalogue, "hello") == []
    assert found(catalogue, "goodbye") == [recording.key]
    assert catalogue.transcript_texts([recording.key]) == {recording.key: "goodbye then"}


def test_a_recording_in_which_nothing_is_said_any_more_is_not_found(catalogue: Catalogue) -> None:
    recording = a_stored(1)
    say(catalogue, recording, "hello there")
    say(catalogue, recording, "")
    assert found(catalogue, "hello") == []
    assert catalogue.transcript_texts([recording.key]) == {recording.key: ""}


def test_a_deleted_recording_is_not_found_by_what_was_said_in_it(catalogue: Catalogue) -> None:
    recording, other = a_stored(1), a_stored(2)
    for each in (recording, other):
        say(catalogue, each, "hello")
    change(catalogue, recording, state=RecordingState.DELETED)
    assert found(catalogue, "hello") == [other.key]
    assert catalogue.transcript_texts([recording.key, other.key]) == {other.key: "hello"}
    # Nor is it when somebody brings the row back: the words are gone.
    change(catalogue, recording, state=RecordingState.READY)
    assert found(catalogue, "hello") == [other.key]


def test_what_was_said_in_other_bytes_is_not_found(catalogue: Catalogue) -> None:
    recording = a_stored(1)
    say(catalogue, recording, "hello")
    change(catalogue, recording, state=RecordingState.QUEUED, sha256="")
    assert found(catalogue, "hello") == []
    change(catalogue, recording, state=RecordingState.READY, sha256="cd" * 32)
    assert found(catalogue, "hello") == []
    assert catalogue.transcript_texts([recording.key]) == {}
    # Fetched again, they may turn out to be the same.
    change(catalogue, recording, sha256=SHA256)
    assert found(catalogue, "hello") == [recording.key]


def test_a_transcript_that_came_too_late_is_not_found(catalogue: Catalogue) -> None:
    recording = a_stored(1)
    put(catalogue, recording)
    late = Artefact(recording.key, Step.TRANSCRIPT, SHA256, b"content", "hello")
    ((_, changed),) = catalogue.amend([(recording.key, lambda row: None)], [late])
    assert not changed
    assert found(catalogue, "hello") == []


def test_only_a_transcript_is_searched(catalogue: Catalogue) -> None:
    recording = a_stored(1)
    waveform = Artefact(recording.key, Step.WAVEFORM, SHA256, b"content", "hello")
    catalogue.amend([(recording.key, storing(recording))], [waveform])
    assert found(catalogue, "hello") == []


def test_an_artefact_is_handed_out_without_its_text(catalogue: Catalogue) -> None:
    recording = a_stored(1)
    say(catalogue, recording, "hello")
    assert catalogue.artefact(recording.key, Step.TRANSCRIPT) == Artefact(
        recording.key, Step.TRANSCRIPT, SHA256, b"content"
    )


def test_a_phrase_is_found_at_the_end_of_a_day_of_talk(catalogue: Catalogue) -> None:
    # PostgreSQL's vectors know no place behind the 16383rd word, nor more than 256 places of one.
    recording = a_stored(1)
    say(catalogue, recording, "the quick brown fox and the dog " * 4000 + "over the lazy hill")
    assert found(catalogue, '"over the lazy hill"') == [recording.key]
    assert found(catalogue, '"lazy the hill"') == []


def test_words_of_every_length_are_stored(catalogue: Catalogue) -> None:
    recording = a_stored(1)
    say(catalogue, recording, f"hello {'x' * 70_000} {'é' * 3000} there")
    assert found(catalogue, "hello there") == [recording.key]
    assert found(catalogue, "x" * 400) == [recording.key]
    assert found(catalogue, "x" * 63) == []


def test_a_text_beyond_all_measure_is_found_by_its_beginning(catalogue: Catalogue) -> None:
    recording = a_stored(1)
    say(catalogue, recording, "first " + " ".join(f"w{number:x}" for number in range(200_000)) + " last")
    assert found(catalogue, "first w2") == [recording.key]
    assert found(catalogue, "last") == []


def test_whatever_a_transcriber_says_can_be_stored_and_found(catalogue: Catalogue) -> None:
    recording, second = a_stored(1), timedelta(seconds=1)
    said = ("hello\0there", "half \ud83d a pair", "  in\nlines ")
    segments = tuple(TranscriptSegment(second, second, 0, text) for text in said)
    say(catalogue, recording, transcript_text(Transcript("en", segments)))
    assert found(catalogue, '"hello there half a pair in lines"') == [recording.key]
    assert catalogue.transcript_texts([recording.key]) == {recording.key: "hello there half a pair in lines"}


def test_of_no_recordings_nothing_is_said(catalogue: Catalogue) -> None:
    assert catalogue.transcript_texts([]) == {}
    assert catalogue.transcript_texts([a_stored(1).key]) == {}


#: What people may type, and what means something to a database.
TYPED_WORDS = ("good", "morning", "zoe", "GOOD", "don't", "NOT", "AND", "OR", "NEAR(", ")", "words:", "$1", ":x", "世")
TYPED_SIGNS = (*"\"*'&|!^+-\\%_;{\0\ud800\u0301", "<->", ":*", "--", '"*')
TYPED = st.text(max_size=30) | st.builds(
    str.join, st.sampled_from(("", " ")), st.lists(st.sampled_from(TYPED_WORDS + TYPED_SIGNS), max_size=8)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=TYPED)
def test_whatever_is_typed_is_refused_or_finds_what_has_it(catalogue: Catalogue, typed: str) -> None:
    texts = {1: SAID, 2: "good NOT and or near words x", 3: "the morning is good", 4: "goodness me, don't"}
    if catalogue.get(another(1).key) is None:
        for number, text in texts.items():
            say(catalogue, a_stored(number), text)
    try:
        search = word_search(typed)
    except InvalidRequest:
        return
    rows = catalogue.page(RecordingFilter(words=search), 100, None)
    expected = {another(number).key for number, text in texts.items() if search is None or search.finds(text)}
    assert {row.key for row in rows} == expected
