"""Lists by what is said: what the service adds to what the catalogue finds."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta

import pytest

from recording_service.core.errors import InvalidRequest
from recording_service.core.model import Recording, RecordingFilter, RecordingKey, RecordingState, Step
from recording_service.core.paging import MAX_SEARCH_PAGE_SIZE
from recording_service.core.ports import Artefact
from recording_service.core.search import Snippet, TextRange
from recording_service.core.service import Page
from recording_service.core.typed_search import word_search
from tests.support.core_world import World
from tests.support.recordings import TIME, another

HELLO = RecordingFilter(words=word_search("hello"))


def say(world: World, number: int, text: str) -> Recording:
    recording = another(
        number, state=RecordingState.READY, sha256="ab", create_time=TIME + timedelta(seconds=number), revision=1
    )
    made = Artefact(recording.key, Step.TRANSCRIPT, "ab", b"content", text)
    world.catalogue.amend([(recording.key, lambda row: recording)], [made])
    return recording


def test_each_recording_of_a_page_has_what_is_said_in_it() -> None:
    world = World()
    older, newer = say(world, 1, "hello there"), say(world, 2, "well, hello")
    say(world, 3, "goodbye")
    with closing(world.service()) as service:
        first = service.list(HELLO, 1, "")
        second = service.list(HELLO, 1, first.next_page_token)
    assert first[0] == [newer]
    assert first.snippets == {newer.key: Snippet("well, hello", [TextRange(6, 11)])}
    assert second == Page([older], "", {older.key: Snippet("hello there", [TextRange(0, 5)])})


def test_a_list_without_words_has_no_snippets() -> None:
    world = World()
    recording = say(world, 1, "hello there")
    with closing(world.service()) as service:
        assert service.list(RecordingFilter(), 0, "") == Page([recording], "")


def test_a_full_page_has_a_snippet_of_each() -> None:
    world = World()
    recordings = [say(world, number, f"hello number {number}") for number in range(120)]
    with closing(world.service()) as service:
        page = service.list(HELLO, 1000, "")
        rest = service.list(HELLO, 1000, page.next_page_token)
    # Each of a page is read for its snippet: so it is no larger than that.
    assert (len(page.recordings), len(rest.recordings)) == (MAX_SEARCH_PAGE_SIZE, 20)
    assert page.snippets.keys() | rest.snippets.keys() == {recording.key for recording in recordings}


def test_a_token_is_good_only_for_the_words_that_it_was_given_for() -> None:
    world = World()
    for number in range(2):
        say(world, number, "hello there")
    with closing(world.service()) as service:
        token = service.list(HELLO, 1, "").next_page_token
        assert service.list(RecordingFilter(words=word_search("HELLO!")), 1, token).recordings
        with pytest.raises(InvalidRequest, match="page_token"):
            service.list(RecordingFilter(words=word_search("there")), 1, token)


def test_one_that_is_transcribed_anew_while_it_is_looked_up_has_no_snippet(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    recordings = [say(world, number, "hello there") for number in range(3)]
    texts = {recordings[0].key: "hello there", recordings[1].key: "something else"}

    def texts_meanwhile(keys: Sequence[RecordingKey]) -> Mapping[RecordingKey, str]:
        return {key: texts[key] for key in keys if key in texts}

    monkeypatch.setattr(world.catalogue, "transcript_texts", texts_meanwhile)
    found = world.catalogue.page
    monkeypatch.setattr(world.catalogue, "page", lambda matching, size, after: found(RecordingFilter(), size, after))
    with closing(world.service()) as service:
        page = service.list(HELLO, 0, "")
    assert len(page.recordings) == 3
    assert page.snippets.keys() == {recordings[0].key}
