"""What the console does, in a real Chromium, in front of a service whose answers a test decides."""

import re
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from playwright.sync_api import Browser, expect

from recording_service.http_api.words import FAILURE_WORDS, STATE_WORDS, WAITING_WORDS
from recording_service.twilio_stand_in.mp3 import mp3_of_duration
from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingState, WaitingReason
from tests.http_api.conftest import Settings
from tests.http_api.console.conftest import OpenConsole
from tests.http_api.console.made_recordings import AUDIO, CALL, SECONDS, add, sid
from tests.http_api.fake_recordings import ACCOUNT, Cut, Failure, FakeRecordings, FakeServer
from tests.http_api.running_app import running_app
from tests.support.console import Console
from tests.support.waiting import eventually

READY = RecordingState.RECORDING_STATE_READY
QUEUED = RecordingState.RECORDING_STATE_QUEUED
DOWNLOADING = RecordingState.RECORDING_STATE_DOWNLOADING
FAILED = RecordingState.RECORDING_STATE_FAILED
DELETED = RecordingState.RECORDING_STATE_DELETED
TOKEN = "a-caller-s-token"

#: What Chromium itself says of an answer that is an error, in tests where one is wanted.
FAILED_LOAD = "Failed to load resource"


# The list


def test_recordings_are_listed_newest_first_with_their_state_and_reason_in_words(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    add(recordings, 2, state=FAILED, failure_reason=FailureReason.FAILURE_REASON_SOURCE_ABSENT)
    add(recordings, 3, state=DOWNLOADING, received_bytes=1_400_000)
    soon = Timestamp()
    soon.GetCurrentTime()
    soon.seconds += 100
    limited = WaitingReason.WAITING_REASON_RATE_LIMITED
    add(recordings, 4, state=QUEUED, waiting_reason=limited, next_attempt_time=soon)
    console = open_console()
    assert console.page.locator("#rows .state").all_text_contents() == ["Waiting", "Downloading", "Failed", "Ready"]
    expect(console.row(sid(4))).to_contain_text(f"{WAITING_WORDS[limited]} Next try in 1 min.")
    expect(console.row(sid(3))).to_contain_text("1.4 MB so far")
    expect(console.row(sid(2))).to_contain_text(FAILURE_WORDS[FailureReason.FAILURE_REASON_SOURCE_ABSENT])
    expect(console.row(sid(1))).to_contain_text("+4930000001 to +4989123456")
    expect(console.row(sid(1)).locator(".cell-length")).to_have_text("1:00")
    expect(console.row(sid(1)).locator(".cell-size")).to_have_text("240 kB")
    when = console.row(sid(1)).locator("time")
    expect(when).to_have_text(re.compile("(49|50) min ago"))
    assert "Came here" in (when.get_attribute("title") or "")


def test_a_recording_goes_from_queued_to_ready_without_a_reload_and_is_announced(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1, state=QUEUED)
    console = open_console()
    expect(console.row(sid(1)).locator(".state")).to_have_text("Waiting")
    recordings.change(sid(1), state=DOWNLOADING)
    expect(console.row(sid(1)).locator(".state")).to_have_text("Downloading")
    recordings.change(sid(1), state=READY)
    expect(console.row(sid(1)).locator(".state")).to_have_text("Ready")
    expect(console.page.locator("#announcements")).to_have_text("1 recording now ready")
    assert sum(path.endswith("/") for _, path in console.answers) == 1


def test_what_is_new_appears_on_top_and_what_is_deleted_goes(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    console = open_console()
    add(recordings, 2, state=QUEUED)
    recordings.change(sid(2))
    expect(console.page.locator("#rows tr")).to_have_count(2)
    expect(console.page.locator("#rows tr").first).to_contain_text(sid(2)[:7])
    recordings.change(sid(1), state=DELETED)
    expect(console.page.locator("#rows tr")).to_have_count(1)


def test_tabs_show_states_and_count_them(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    add(recordings, 2, state=FAILED)
    add(recordings, 3, state=QUEUED)
    add(recordings, 4, state=DOWNLOADING)
    console = open_console()
    counts = {name: console.page.locator(f"#count-{name}") for name in ("all", "waiting", "ready", "failed")}
    assert {name: count.text_content() for name, count in counts.items()} == {
        "all": "4",
        "waiting": "2",
        "ready": "1",
        "failed": "1",
    }
    console.page.get_by_role("radio", name="Failed").check(force=True)
    expect(console.page.locator("#rows tr")).to_have_count(1)
    expect(console.row(sid(2))).to_be_visible()
    # The address keeps it.
    assert "state=failed" in console.page.url


def test_a_tab_brings_older_recordings_of_its_state_and_older_ones_can_be_shown(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 0, state=FAILED)
    for number in range(1, 420):
        add(recordings, number, b"audio")
    console = open_console()
    expect(console.page.locator("#rows tr")).to_have_count(200)
    expect(console.page.locator("#count-failed")).to_have_text("0+")
    console.page.locator("#older").click()
    expect(console.page.locator("#rows tr")).to_have_count(300)
    console.page.get_by_role("radio", name="Failed").check(force=True)
    expect(console.row(sid(0))).to_be_visible()
    expect(console.page.locator("#count-failed")).to_have_text("1")
    expect(console.page.locator("#older-words")).to_have_text("That is all.")


def test_a_list_that_grows_all_day_keeps_the_newest_and_can_show_the_older_ones(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    for number in range(100):
        add(recordings, number, b"audio")
    console = open_console()
    expect(console.page.locator("#older")).to_be_hidden()
    for number in range(100, 750):
        add(recordings, number, b"audio")
        recordings.change(sid(number))
    expect(console.row(sid(749))).to_be_visible()
    rows = console.page.locator("#rows tr")
    console.page.wait_for_function("() => document.querySelectorAll('#rows tr').length <= 600")
    assert rows.count() >= 500
    expect(console.page.locator("#count-all")).to_contain_text("+")
    before = rows.count()
    console.page.locator("#older").click()
    expect(rows).to_have_count(before + 100)


def test_calls_and_accounts_are_found_by_their_sid(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    other = "CA" + "3d" * 16
    add(recordings, 1)
    add(recordings, 2, call_sid=other)
    console = open_console()
    field = console.page.locator("#find")
    field.fill("CA12")
    field.press("Enter")
    expect(console.page.locator("#find-error")).to_contain_text("32 digits")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill(other)
    field.press("Enter")
    expect(console.page.locator("#rows tr")).to_have_count(1)
    expect(console.row(sid(2))).to_be_visible()
    assert list(recordings.of("WatchRecordings")[-1].call_sids) == [other]
    console.page.get_by_role("button", name=f"Remove the filter Call {other}").click()
    expect(console.page.locator("#rows tr")).to_have_count(2)
    field.fill(ACCOUNT)
    field.press("Enter")
    expect(console.page.locator("#chips")).to_contain_text("Account")
    expect(console.page.locator("#rows tr")).to_have_count(2)


def test_a_recording_is_found_by_its_sid_or_said_not_to_be_there(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    console = open_console(expected=(FAILED_LOAD,))
    field = console.page.locator("#find")
    field.fill(sid(99))
    field.press("Enter")
    expect(console.page.locator("#find-error")).to_have_text("There is no such recording.")
    field.fill(sid(1))
    field.press("Enter")
    expect(console.page.locator("#panel-title")).to_contain_text("+4930000001")


def test_nothing_to_show_is_said(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    console = open_console()
    expect(console.page.locator("#empty-words")).to_contain_text("No recordings yet.")
    console.page.locator("#find").fill(CALL)
    console.page.locator("#find").press("Enter")
    expect(console.page.locator("#empty-words")).to_have_text("No recording matches.")
    console.page.locator("#empty-clear").click()
    expect(console.page.locator("#empty-words")).to_contain_text("No recordings yet.")


def test_what_a_call_brings_along_is_text_and_never_markup(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    add(recordings, 1, from_number=hostile, state=FAILED, failure_message=hostile)
    recordings.recordings[sid(1)].labels[hostile] = hostile
    console = open_console()
    console.choose(sid(1))
    expect(console.page.locator("#panel-title")).to_contain_text(hostile)
    expect(console.page.locator("#facts")).to_contain_text(hostile)
    assert console.page.locator("img[src='x']").count() == 0


# Listening


def test_a_recording_is_played_paused_skipped_and_sped_up(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    console = open_console()
    console.choose(sid(1))
    console.wait_for_audio("audio.readyState > 0")
    assert console.audio()["duration"] == pytest.approx(SECONDS, abs=0.2)
    console.page.get_by_role("button", name="Play", exact=True).click()
    console.wait_for_audio("audio.currentTime > 0.2")
    console.page.locator("#speed").select_option("2")
    assert console.audio()["playbackRate"] == 2
    console.page.get_by_role("button", name="Forward 10 seconds").click()
    console.wait_for_audio("audio.currentTime > 10")
    console.page.get_by_role("button", name="Pause", exact=True).click()
    console.wait_for_audio("audio.paused")
    console.page.get_by_role("button", name="Back 10 seconds").click()
    console.wait_for_audio("!audio.seeking && audio.currentTime < 10")
    assert console.audio()["error"] is None
    seek = console.page.get_by_role("slider", name="Position")
    assert " of 1 minute" in (seek.get_attribute("aria-valuetext") or "")


def test_the_seek_bar_is_worked_by_keys_and_says_where_it_is(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    console = open_console()
    console.choose(sid(1))
    console.wait_for_audio("audio.readyState > 0")
    seek = console.page.get_by_role("slider", name="Position")
    seek.press("PageUp")
    seek.press("ArrowRight")
    expect(seek).to_have_attribute("aria-valuetext", "35 seconds of 1 minute")
    seek.press("End")
    console.wait_for_audio("audio.ended || audio.currentTime >= audio.duration")
    seek.press("Home")
    expect(seek).to_have_attribute("aria-valuetext", "0 seconds of 1 minute")


def test_a_recording_becomes_playable_while_it_is_open(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1, state=QUEUED)
    console = open_console()
    console.choose(sid(1))
    expect(console.page.locator("#panel-reason")).to_have_text(STATE_WORDS[QUEUED])
    expect(console.page.locator("#player")).to_be_hidden()
    recordings.change(sid(1), state=READY)
    expect(console.page.locator("#player")).to_be_visible()
    console.wait_for_audio("audio.readyState > 0")
    expect(console.page.get_by_role("link", name="Download")).to_have_attribute("href", _ends(f"{sid(1)}/download"))


def _ends(path: str) -> Any:
    return re.compile(rf"/recordings/{path}\?account_sid={ACCOUNT}$")


def test_downloading_saves_the_recording(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    console = open_console()
    console.choose(sid(1))
    with console.page.expect_download() as saved:
        console.page.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == f"recording-{sid(1)}.mp3"
    assert saved.value.path().read_bytes() == AUDIO


def test_audio_that_can_not_be_loaded_is_explained_and_can_be_tried_again(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    recordings.answers["StreamRecording"] = [Failure(grpc.StatusCode.DATA_LOSS, "DATA_LOSS")]
    console = open_console(expected=(FAILED_LOAD,))
    console.choose(sid(1))
    expect(console.page.locator("#player-error-words")).to_have_text("The browser could not load the audio.")
    recordings.answers.clear()
    console.page.get_by_role("button", name="Try again").click()
    console.wait_for_audio("audio.readyState > 0")
    expect(console.page.locator("#player-error")).to_be_hidden()
    expect(console.page.locator("#play")).to_be_focused()


def test_another_version_of_what_is_open_is_loaded_afresh(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1, b"this is no audio at all")
    console = open_console()
    console.choose(sid(1))
    expect(console.page.locator("#player-error-words")).to_have_text("The browser could not load the audio.")
    recordings.contents[sid(1)] = AUDIO
    recordings.change(sid(1), etag="e2", size_bytes=len(AUDIO))
    console.wait_for_audio("audio.readyState > 0")
    expect(console.page.locator("#player-error")).to_be_hidden()


def test_audio_that_is_not_there_any_more_says_so(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    console = open_console(expected=(FAILED_LOAD,))
    del recordings.recordings[sid(1)]
    # Not `choose`, which waits for the row to be marked: the page takes it out of the list as soon as it is told.
    console.row(sid(1)).locator(".open").click()
    expect(console.page.locator("#player-error-words")).to_have_text("There is no such recording.")


def test_audio_that_failed_meanwhile_shows_why(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    console = open_console(expected=(FAILED_LOAD,))
    failed = Recording()
    failed.CopyFrom(recordings.recordings[sid(1)])
    failed.state = FAILED
    failed.failure_reason = FailureReason.FAILURE_REASON_SOURCE_TRUNCATED
    failed.revision = 2
    # Nobody is told: the page learns it by asking.
    recordings.recordings[sid(1)] = failed
    console.choose(sid(1))
    expect(console.page.locator("#panel-reason")).to_have_text(FAILURE_WORDS[failed.failure_reason])
    expect(console.page.locator("#player")).to_be_hidden()


# What has failed


def test_a_failed_recording_is_asked_for_again(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    reason = FailureReason.FAILURE_REASON_SOURCE_UNAVAILABLE
    add(recordings, 1, state=FAILED, failure_reason=reason, failures=9)
    console = open_console()
    console.choose(sid(1))
    expect(console.page.locator("#panel-notice")).to_contain_text(FAILURE_WORDS[reason])
    expect(console.page.locator("#panel-detail")).to_have_text("9 tries have failed.")
    console.page.get_by_role("button", name="Fetch it again").click()
    eventually(lambda: recordings.of("EnqueueRecording"), what="the retry")
    recordings.change(sid(1), state=QUEUED, failure_reason=0)
    expect(console.page.locator("#panel-state")).to_have_text("Waiting")
    expect(console.page.locator("#retry")).to_be_hidden()


def test_a_retry_that_is_refused_says_why(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1, state=FAILED)
    console = open_console(expected=(FAILED_LOAD,))
    recordings.answers["EnqueueRecording"] = [Failure(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")]
    console.row(sid(1)).get_by_role("button", name="Fetch again").click()
    expect(console.page.locator("#retry-words")).to_have_text("This is not allowed.")


# The connection


def test_a_lost_connection_is_said_and_found_again_with_what_has_changed(
    open_console: OpenConsole, recordings: FakeRecordings, fake_server: FakeServer
) -> None:
    add(recordings, 1)
    add(recordings, 2)
    console = open_console(expected=(FAILED_LOAD,))
    fake_server.stop()
    try:
        expect(console.page.locator("#connection-words")).to_have_text("Connection lost")
        expect(console.page.locator("#banner")).to_contain_text("The list is as it was at")
        assert console.page.title() == "(connection lost) Recordings"
        del recordings.recordings[sid(1)]
    finally:
        fake_server.start()
    recordings.released.clear()
    expect(console.page.locator("#connection-words")).to_have_text("Live", timeout=30_000)
    expect(console.page.locator("#banner")).to_be_hidden()
    expect(console.page.locator("#rows tr")).to_have_count(1)
    assert console.page.title() == "Recordings"


def test_live_is_said_only_once_everything_is_here(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    recordings.answers["WatchRecordings"] = [Failure(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")]
    recordings.answers["ListRecordings"] = [Failure(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")]
    console = open_console(expected=(FAILED_LOAD,), live=False)
    expect(console.page.locator("#connection-words")).to_have_text("Not allowed")
    expect(console.page.locator("#banner")).to_have_text("This is not allowed.")


def test_a_connection_that_falls_silent_is_not_called_live(
    browser: Browser, settings: Settings, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    # No heartbeat comes: as if something in between had swallowed the connection.
    with running_app(settings(heartbeat_seconds=3600)) as client, browser.new_context() as context:
        console = Console(context)
        console.page.clock.install()
        console.open(f"http://127.0.0.1:{client.port}")
        console.wait_until_live()
        console.page.clock.fast_forward(30_000)
        expect(console.page.locator("#connection-words")).to_have_text("Live")
        console.page.clock.fast_forward(11_000)
        expect(console.page.locator("#connection-words")).to_have_text("Connection lost")
        console.page.locator("#connection-now").click()
        console.wait_until_live()


# Signing in


def sign_in(console: Console, token: str = TOKEN) -> None:
    console.page.get_by_label("Token").fill(token)
    console.page.get_by_label("Token").press("Enter")


@pytest.mark.parametrize("token", [TOKEN])
def test_signed_out_the_page_asks_for_a_token_and_says_when_it_is_wrong(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    console = open_console(expected=(FAILED_LOAD,), live=False)
    token = console.page.get_by_label("Token")
    expect(token).to_be_focused()
    assert token.get_attribute("type") == "password"
    assert recordings.asked == []
    # There is nothing behind it.
    console.page.keyboard.press("Escape")
    console.page.keyboard.press("Escape")
    expect(token).to_be_visible()
    for wrong in ("wrong", "what can be no token"):
        sign_in(console, wrong)
        expect(console.page.locator("#token-error")).to_contain_text("isn't known here")
        expect(token).to_be_focused()
        token.fill("")
        expect(console.page.locator("#token-error")).to_be_empty()
    token.fill(f" {TOKEN} ")
    console.page.get_by_role("button", name="Sign in").click()
    console.wait_until_live()
    expect(console.row(sid(1))).to_be_visible()

    # No script can read the token, and no other site makes a browser send it.
    assert TOKEN not in console.page.content()
    assert (
        console.page.evaluate("() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })") == "{}"
    )
    (cookie,) = console.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["value"]) == (True, "Strict", TOKEN)

    console.page.get_by_role("button", name="Sign out").click()
    expect(console.page.get_by_label("Token")).to_be_visible()
    assert console.page.context.cookies() == []


@pytest.mark.parametrize("token", [TOKEN])
def test_a_session_that_ends_is_said_and_signing_in_again_goes_on_where_it_was(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1)
    console = open_console(expected=(FAILED_LOAD,), live=False)
    sign_in(console)
    console.choose(sid(1))
    console.wait_for_audio("audio.readyState > 0")
    console.seek_to(0.5)
    console.wait_for_audio("!audio.seeking && audio.currentTime > 25")
    recordings.token = "another"
    # The stream breaks off, as it does when the token is taken away.
    recordings.end_watches()
    expect(console.page.locator("#sign-in-words")).to_contain_text("Your session has ended.")
    expect(console.page.locator("#connection-words")).to_have_text("Signed out")
    sign_in(console, "another")
    console.wait_until_live()
    expect(console.page.locator("#panel-title")).to_contain_text("+4930000001")
    assert console.audio()["currentTime"] > 25


@pytest.mark.parametrize("token", [TOKEN])
def test_audio_that_breaks_with_the_session_plays_on_at_its_place(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add(recordings, 1, mp3_of_duration("a long call", 600, 1), duration=Duration(seconds=600))
    console = open_console(expected=(FAILED_LOAD,), live=False)
    # The first answer is cut, so that the browser has only the beginning.
    recordings.cuts = [Cut(120_000, Failure(grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED"))]
    sign_in(console)
    console.choose(sid(1))
    console.wait_for_audio("audio.readyState > 0")
    recordings.token = "another"
    console.page.locator("#play").click()
    console.seek_to(0.5)
    expect(console.page.locator("#sign-in-words")).to_contain_text("Your session has ended.")
    sign_in(console, "another")
    console.wait_for_audio("audio.readyState > 0 && audio.currentTime > 290 && !audio.paused")
    assert console.audio()["error"] is None
    expect(console.page.locator("#player-error")).to_be_hidden()


# Keyboard, screen readers, small screens


def test_the_keyboard_alone_will_do(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    for number in range(3):
        add(recordings, number)
    console = open_console()
    # The page is live before it has drawn what it was told.
    expect(console.row(sid(0))).to_be_visible()
    keyboard = console.page.keyboard
    stops: list[str] = []
    while not stops or stops[-1] != "open":
        keyboard.press("Tab")
        stops.append(console.focused())
        assert len(stops) < 15, stops
    assert stops[:2] == ["skip", "skip"]
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(console.page.locator("#play")).to_be_focused()
    expect(console.page.locator("#panel-title")).to_contain_text("+4930000001")
    console.wait_for_audio("audio.readyState > 0")
    keyboard.press("Space")
    console.wait_for_audio("!audio.paused && audio.currentTime > 0")
    keyboard.press("Escape")
    expect(console.row(sid(1)).locator(".open")).to_be_focused()
    expect(console.page.locator("#panel-full")).to_be_hidden()


def test_single_keys_work_but_not_where_they_mean_something_else(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    for number in range(3):
        add(recordings, number)
    console = open_console()
    # The page is live before it has drawn what it was told.
    expect(console.row(sid(0))).to_be_visible()
    keyboard = console.page.keyboard
    keyboard.press("j")
    expect(console.row(sid(2)).locator(".open")).to_be_focused()
    keyboard.press("j")
    keyboard.press("j")
    keyboard.press("k")
    expect(console.row(sid(1)).locator(".open")).to_have_attribute("aria-current", "true")
    console.wait_for_audio("audio.readyState > 0")
    keyboard.press("Space")
    console.wait_for_audio("!audio.paused")
    keyboard.press("ArrowRight")
    console.wait_for_audio("audio.currentTime > 10")
    keyboard.press("m")
    console.wait_for_audio("audio.muted")
    keyboard.press("/")
    expect(console.page.locator("#find")).to_be_focused()
    keyboard.type("jm? ")
    expect(console.page.locator("#find")).to_have_value("jm? ")
    console.wait_for_audio("audio.muted && !audio.paused")
    console.page.locator("body").click(position={"x": 1, "y": 1})
    keyboard.press("?")
    expect(console.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    console.page.get_by_label("Keys work everywhere").uncheck()
    keyboard.press("Escape")
    keyboard.press("m")
    keyboard.press("k")
    console.wait_for_audio("audio.muted")
    expect(console.row(sid(1)).locator(".open")).to_have_attribute("aria-current", "true")


def test_every_control_has_a_name(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    add(recordings, 2, state=FAILED)
    add(recordings, 3, state=DOWNLOADING)
    console = open_console(live=True)
    for number in (1, 2, 3):
        console.choose(sid(number))
        assert console.unnamed_controls() == []
    console.page.keyboard.press("?")
    assert console.unnamed_controls() == []


@pytest.mark.parametrize("token", [TOKEN])
def test_every_control_of_the_sign_in_has_a_name(open_console: OpenConsole) -> None:
    console = open_console(live=False)
    console.page.get_by_label("Token").wait_for()
    assert console.unnamed_controls() == []


def test_on_a_phone_what_is_open_does_not_hide_its_row(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    for number in range(12):
        add(recordings, number)
    console = open_console(viewport={"width": 390, "height": 844})
    row = console.row(sid(4))
    row.locator(".open").click()
    panel = console.page.locator("#panel").bounding_box()
    shown = row.bounding_box()
    assert panel is not None
    assert shown is not None
    assert shown["y"] + shown["height"] <= panel["y"]


@pytest.mark.parametrize("width", [360, 700, 1000, 1360])
def test_nothing_hangs_over_the_edge(open_console: OpenConsole, recordings: FakeRecordings, width: int) -> None:
    add(recordings, 1, from_number="sip:somebody-with-a-long-name@voice.example.com")
    add(recordings, 2, state=FAILED, failure_message="x" * 300)
    add(recordings, 3, state=DOWNLOADING)
    console = open_console(viewport={"width": width, "height": 800})
    for number in (1, 2, 3):
        console.choose(sid(number))
        over = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert console.page.evaluate(over) <= 0
        panel = (
            "() => { const panel = document.querySelector('#panel'); return panel.scrollWidth - panel.clientWidth; }"
        )
        assert console.page.evaluate(panel) <= 0


def test_the_appearance_is_the_systems_until_it_is_chosen_and_is_remembered(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    console = open_console(color_scheme="dark")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    dark = console.page.evaluate(ground)
    console.page.get_by_role("button", name="Light appearance").click()
    light = console.page.evaluate(ground)
    assert light != dark
    console.page.reload()
    console.wait_until_live()
    assert console.page.evaluate(ground) == light


def test_the_skip_links_skip(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    console = open_console()
    for target in ("list", "panel"):
        console.page.locator(f".skip[href='#{target}']").press("Enter")
        assert console.focused() == target
    assert "#" not in console.page.url


def test_the_address_brings_the_same_back(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    add(recordings, 2, state=FAILED)
    console = open_console(path=f"#state=failed&call_sids={CALL}&recording={sid(1)}")
    expect(console.page.locator("#panel-title")).to_contain_text("+4930000001")
    expect(console.page.locator("#rows tr")).to_have_count(1)
    expect(console.page.locator("#chips")).to_contain_text("Call")
