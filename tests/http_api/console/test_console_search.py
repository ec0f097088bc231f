"""What the console finds by the words that were said, in a real Chromium."""

import grpc
from playwright.sync_api import expect

from recordings.v1.lookup_pb2 import TextRange, TranscriptMatch
from recordings.v1.recording_pb2 import ProcessingState, Recording, RecordingState
from tests.http_api.console.conftest import OpenConsole
from tests.http_api.console.made_recordings import CALL, add, sid
from tests.http_api.console.test_console_page import FAILED_LOAD
from tests.http_api.console.test_console_sound import add_heard, changed, said
from tests.http_api.fake_recordings import ACCOUNT, Failure, FakeRecordings
from tests.support.console import Console

#: More than a page of a search.
MANY = 70


def add_said(recordings: FakeRecordings, number: int, snippet: str = "the refund is due", word: str = "refund") -> str:
    """A recording in which that is said, and found by one of its words."""
    recording_sid = add(recordings, number)
    say(recordings, number, snippet, word)
    return recording_sid


def say(recordings: FakeRecordings, number: int, snippet: str, word: str) -> None:
    start = snippet.index(word)
    recordings.said[sid(number)] = TranscriptMatch(
        account_sid=ACCOUNT,
        recording_sid=sid(number),
        snippet=snippet,
        highlights=[TextRange(start=start, end=start + len(word))],
    )


def add_silent(recordings: FakeRecordings, number: int) -> str:
    """A recording that no search finds."""
    recordings.silent.add(sid(number))
    return add(recordings, number)


def look_for(console: Console, text: str) -> None:
    console.page.locator("#find").fill(text)
    console.page.locator("#find").press("Enter")


def test_recordings_are_found_by_what_was_said_with_the_words_marked_in_it(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_silent(recordings, 1)
    # Counted in code points: what is beyond 16 bits has two of JavaScript's units.
    add_said(recordings, 2, "\N{PARTY POPPER} the refund is due", "refund")
    console = open_console()
    look_for(console, "refund")
    expect(console.page.locator("#rows tr")).to_have_count(1)
    expect(console.row(sid(2)).locator(".said")).to_have_text("… \N{PARTY POPPER} the refund is due …")
    expect(console.row(sid(2)).locator("mark")).to_have_text("refund")
    assert recordings.of("ListRecordings")[-1].words == "refund"
    expect(console.page.locator("#announcements")).to_have_text("1 recording found.")
    expect(console.page.locator("#chips")).to_contain_text("Said refund")
    console.page.get_by_role("button", name="Remove the filter Said refund").click()
    expect(console.page.locator("#rows tr")).to_have_count(2)
    expect(console.page.locator("#rows .said:visible")).to_have_count(0)


def test_words_are_looked_for_beside_the_other_filters(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add_said(recordings, 1)
    recordings.recordings[sid(1)].call_sid = "CA" + "3d" * 16
    add_said(recordings, 2)
    console = open_console()
    look_for(console, "refund")
    expect(console.page.locator("#rows tr")).to_have_count(2)
    look_for(console, CALL)
    expect(console.page.locator("#rows tr")).to_have_count(1)
    asked = recordings.of("ListRecordings")[-1]
    assert (asked.words, list(asked.call_sids)) == ("refund", [CALL])
    console.page.locator("label").filter(has=console.page.locator("input[value='failed']")).click()
    expect(console.page.locator("#empty-words")).to_contain_text("Nobody says that")
    expect(console.page.locator("#count-ready")).to_have_text("1")


def test_that_nobody_says_it_is_said(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add_silent(recordings, 1)
    console = open_console()
    look_for(console, "refund")
    expect(console.page.locator("#empty-words")).to_contain_text("Nobody says that")
    console.page.locator("#empty-clear").click()
    expect(console.page.locator("#rows tr")).to_have_count(1)


def test_older_ones_are_shown_when_they_are_asked_for(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    for number in range(1, MANY + 1):
        add_said(recordings, number)
    console = open_console()
    look_for(console, "refund")
    rows = console.page.locator("#rows tr")
    expect(rows).to_have_count(50)
    expect(console.page.locator("#count-all")).to_have_text("50+")
    expect(console.page.locator("#announcements")).to_have_text("50 recordings and more found.")
    console.page.locator("#older").click()
    expect(rows).to_have_count(MANY)
    expect(console.page.locator("#older-words")).to_have_text("That is all.")


def test_what_is_found_stays_true_and_what_is_transcribed_meanwhile_appears(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_said(recordings, 1)
    add_heard(recordings, 2)
    recordings.silent.add(sid(2))
    console = open_console()
    look_for(console, "refund")
    expect(console.page.locator("#rows tr")).to_have_count(1)
    changed(recordings, recordings.recordings[sid(2)], transcript=ProcessingState.PROCESSING_STATE_RUNNING)
    recordings.silent.clear()
    say(recordings, 2, "no refund here", "refund")
    changed(recordings, recordings.recordings[sid(2)])
    expect(console.page.locator("#rows tr")).to_have_count(2)
    gone = Recording()
    gone.CopyFrom(recordings.recordings[sid(1)])
    gone.state, gone.revision = RecordingState.RECORDING_STATE_DELETED, gone.revision + 1
    recordings.tell(gone)
    expect(console.page.locator("#rows tr")).to_have_count(1)
    expect(console.row(sid(2)).locator(".said")).to_contain_text("no refund here")


def test_what_was_looked_for_is_marked_in_the_transcript_and_brought_into_view(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_heard(recordings)
    lines = [f"Something else, and more of that, number {at}." for at in range(30)]
    lines[24] = "Where is my Refund, please? A refundable one."
    recordings.transcripts[sid(1)] = said(*lines)
    say(recordings, 1, "where is my refund", "refund")
    console = open_console()
    look_for(console, "refund")
    console.choose(sid(1))
    marks = console.page.locator("#captions-lines mark")
    expect(marks).to_have_count(1)
    expect(marks).to_have_text("Refund")
    expect(marks).to_be_in_viewport()
    console.page.get_by_role("button", name="Remove the filter Said refund").click()
    expect(marks).to_have_count(0)
    expect(console.page.locator("#captions-lines li").nth(24)).to_contain_text(lines[24])


def test_what_is_said_is_text_and_never_markup(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    hostile = "<img src=x onerror=alert(1)> [(.*"
    add_heard(recordings)
    recordings.transcripts[sid(1)] = said(hostile)
    say(recordings, 1, hostile, hostile)
    console = open_console()
    look_for(console, hostile)
    expect(console.page.locator("#chips")).to_contain_text(hostile)
    console.choose(sid(1))
    expect(console.row(sid(1)).locator("mark")).to_have_text(hostile)
    expect(console.page.locator("#captions-lines")).to_contain_text(hostile)
    assert console.page.locator("img[src='x']").count() == 0


def test_words_that_can_not_be_looked_for_are_explained_and_the_list_comes_back(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    console = open_console(expected=(FAILED_LOAD,))
    refusal = Failure(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", fields=["words"])
    recordings.answers["ListRecordings"] = [refusal, None]
    look_for(console, "too many of them")
    expect(console.page.locator("#find-error")).to_have_text("What is looked for is not right.")
    expect(console.page.locator("#rows tr")).to_have_count(1)
    expect(console.page.locator("#chips")).to_have_text("")


def test_a_search_that_fails_says_so_and_is_tried_again(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add_said(recordings, 1)
    console = open_console(expected=(FAILED_LOAD,))
    recordings.answers["ListRecordings"] = [Failure(grpc.StatusCode.INTERNAL, "INTERNAL"), None]
    look_for(console, "refund")
    expect(console.page.locator("#empty-words")).to_contain_text("It is tried again.")
    expect(console.row(sid(1)).locator("mark")).to_have_text("refund")


def test_the_address_brings_the_search_back(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add_said(recordings, 1)
    add_silent(recordings, 2)
    console = open_console(path="#words=%22the+refund%22")
    expect(console.page.locator("#rows tr")).to_have_count(1)
    assert recordings.of("ListRecordings")[-1].words == '"the refund"'
    look_for(console, "due refund")
    expect(console.page.locator("#rows tr")).to_have_count(1)
    assert "words=due+refund" in console.page.url
