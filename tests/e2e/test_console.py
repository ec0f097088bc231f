"""The console of the running service, in a real Chromium: from signing in to the last second of a recording."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from playwright.sync_api import Browser, expect

from recording_service.transcription_stand_in import TranscriptionStandIn
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2, playback_url_pb2, recording_pb2
from tests.support.callers import Known, callers_file, token_of
from tests.support.console import Console, chromium
from tests.support.grpc_client import GrpcClient
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService, running_service
from tests.support.waiting import eventually

SECONDS = 90
OTHER_ACCOUNT = "AC" + "b" * 32
#: Made up for this test: 32 bytes, Base64.
PLAYBACK_KEY = "k1:c2lnbmluZy1rZXktb2YtdGhlLXRlc3Qtb2YtdGhlLWNvbnNvbGU"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that lets nobody in but whom it knows: a desk that listens, and an integration that may do all."""
    folder = tmp_path_factory.mktemp("console")
    callers = {
        "desk": Known(["read", "enqueue"], [ACCOUNT_SID]),
        "integration": Known(["read", "enqueue", "manage"], [ACCOUNT_SID, OTHER_ACCOUNT]),
    }
    variables = {
        "RECORDING_CALLERS_FILE": str(callers_file(folder, callers)),
        "RECORDING_GRPC_TOKEN": "token-of-the-adapter-of-32-characters",
        "RECORDING_TIME_SCALE": "0.1",
    }
    with (
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token="a-token-of-the-tests") as twilio,
        TranscriptionStandIn() as transcription,
        running_service(
            folder,
            twilio,
            GrpcClient(token=token_of("integration")),
            **variables,
            RECORDING_TRANSCRIPTION_URL=transcription.url,
            RECORDING_TRANSCRIPTION_MODEL="whisper-1",
        ) as running,
    ):
        yield running


@pytest.fixture
def console(browser: Browser, service: RunningService) -> Iterator[Console]:
    """The console, with somebody of the desk signed in. At the end nobody may have complained."""
    with opened(browser, service) as console:
        console.page.get_by_label("Token").fill(token_of("desk"))
        console.page.get_by_label("Token").press("Enter")
        console.wait_until_live()
        yield console
        assert console.trouble == []


def shown(browser: Browser, url: str) -> str:
    """What somebody sees who opens an address for the first time: a browser keeps what it was sent for an hour."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        return page.content()


@contextmanager
def opened(browser: Browser, service: RunningService) -> Iterator[Console]:
    context = browser.new_context()
    try:
        console = Console(context)
        console.open(service.http_url)
        yield console
    finally:
        context.close()


def test_a_recording_goes_from_queued_to_ready_without_a_reload_and_plays_to_its_end(
    console: Console, service: RunningService
) -> None:
    recording_sid = service.twilio.add_recording(duration=SECONDS).recording_sid
    gate = service.twilio.hold(recording_sid, after=100_000)
    service.enqueue(recording_sid, from_number="+4930123456", to_number="+4989123456")
    gate.wait_reached()
    state = console.row(recording_sid).locator(".state")
    expect(state).to_have_text(re.compile("Waiting|Downloading"))
    expect(console.row(recording_sid)).to_contain_text("+4930123456 to +4989123456")
    console.choose(recording_sid)
    expect(console.page.locator("#player")).to_be_hidden()

    gate.release()
    expect(state).to_have_text("Ready")
    expect(console.page.locator("#player")).to_be_visible()
    console.wait_for_audio("audio.readyState > 0")
    console.page.get_by_role("button", name="Play", exact=True).click()
    console.wait_for_audio("audio.currentTime > 0.3 && !audio.paused")
    console.seek_to(0.5)
    console.wait_for_audio(f"audio.currentTime > {SECONDS / 2} && audio.currentTime < {SECONDS / 2 + 5}")
    middle = console.audio()
    console.page.get_by_role("slider", name="Position").press("End")
    console.wait_for_audio("audio.ended")
    end = console.audio()

    assert middle["duration"] == pytest.approx(SECONDS, abs=0.2)
    assert middle["currentTime"] == pytest.approx(SECONDS / 2, abs=5)
    assert end["currentTime"] == pytest.approx(end["duration"], abs=0.1)
    assert (middle["error"], end["error"]) == (None, None)
    expect(console.page.locator("#player-words")).to_have_text("The end.")
    assert sum(url == f"{service.http_url}/" for _, url in console.answers) == 1
    assert re.search(rf"GET /recordings/{recording_sid}/stream 206 \d+B", service.log)
    assert not re.search(rf"/recordings/{recording_sid}/stream [45]\d\d ", service.log)


def test_the_waveform_and_the_words_of_a_recording_appear_by_themselves_and_lead_to_their_place(
    console: Console, service: RunningService
) -> None:
    recording_sid = service.twilio.add_recording(duration=SECONDS).recording_sid
    gate = service.twilio.hold(recording_sid, after=100_000)
    service.enqueue(recording_sid)
    gate.wait_reached()
    console.choose(recording_sid)
    gate.release()

    expect(console.page.locator("#waveform")).to_be_visible()
    lines = console.page.locator("#captions-lines button")
    lines.nth(2).wait_for()
    expect(console.page.locator("#processing-words")).to_be_hidden()
    expect(console.page.locator("#facts")).to_contain_text("LUFS")
    console.wait_for_audio("audio.readyState > 0")
    lines.last.click()
    console.wait_for_audio(f"!audio.seeking && audio.currentTime > {SECONDS / 2}")
    expect(console.page.locator("#captions-lines [aria-current]").first).to_be_visible()
    console.seek_to(0)
    console.wait_for_audio("!audio.seeking && audio.currentTime < 1")


def test_what_is_saved_is_what_twilio_had(console: Console, service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=10).recording_sid
    service.enqueue(recording_sid)
    console.row(recording_sid).get_by_role("button", name="Play").wait_for()
    console.choose(recording_sid)
    with console.page.expect_download() as saved:
        console.page.get_by_role("link", name="Download").click()
    assert saved.value.path().read_bytes() == service.twilio.media(recording_sid)


def test_a_failed_recording_is_fetched_again_at_the_push_of_a_button(console: Console, service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=10).recording_sid
    service.stub.ReportRecordingUnavailable(
        enqueue_pb2.ReportRecordingUnavailableRequest(
            account_sid=ACCOUNT_SID,
            recording_sid=recording_sid,
            reason=enqueue_pb2.UNAVAILABLE_REASON_ABSENT,
        ),
        timeout=CALL_SECONDS,
    )
    console.choose(recording_sid)
    expect(console.page.locator("#panel-state")).to_have_text("Failed")
    expect(console.page.locator("#panel-reason")).to_contain_text("too short or silent")
    console.page.get_by_role("button", name="Fetch it again").click()
    expect(console.page.locator("#panel-state")).to_have_text("Ready")
    assert service.get(recording_sid).state == recording_pb2.RECORDING_STATE_READY


def test_another_accounts_recordings_are_not_shown(console: Console, service: RunningService) -> None:
    theirs, ours = "RE" + "7" * 32, "RE" + "8" * 32
    for recording_sid, account_sid in ((theirs, OTHER_ACCOUNT), (ours, ACCOUNT_SID)):
        service.enqueue(recording_sid, account_sid=account_sid)
    console.row(ours).wait_for()
    assert console.row(theirs).count() == 0


def test_signed_out_nothing_is_shown_but_the_sign_in(browser: Browser, service: RunningService) -> None:
    with opened(browser, service) as console:
        expect(console.page.get_by_label("Token")).to_be_focused()
        assert console.page.locator("#rows tr").count() == 0
        assert console.unnamed_controls() == []
        assert console.trouble == []
        assert not [url for _, url in console.answers if "/recordings" in url]


def test_a_token_of_nobody_opens_nothing(browser: Browser, service: RunningService) -> None:
    with opened(browser, service) as console:
        console.page.get_by_label("Token").fill("token-of-nobody")
        console.page.get_by_label("Token").press("Enter")
        expect(console.page.locator("#token-error")).to_contain_text("isn't known here")


def test_a_service_stops_under_an_open_console_which_says_so(
    browser: Browser, start_service: Callable[..., AbstractContextManager[RunningService]]
) -> None:
    with start_service() as service, opened(browser, service) as console:
        console.wait_until_live()
        service.process.terminate()
        expect(console.page.locator("#connection-words")).to_have_text("Connection lost")
        service.process.wait(20.0)
        assert "stopped" in service.log.splitlines()[-1]


def test_a_recording_is_found_by_what_is_said_in_it_and_the_words_lead_to_their_place(
    console: Console, service: RunningService
) -> None:
    recording_sid = service.twilio.add_recording(duration=SECONDS).recording_sid
    service.enqueue(recording_sid)
    console.choose(recording_sid)
    first = console.page.locator("#captions-lines .caption-said").first
    first.wait_for()
    word = max(re.findall(r"\w+", first.inner_text()), key=len)
    console.page.get_by_role("searchbox").fill(f'"{word.upper()}"')
    console.page.get_by_role("searchbox").press("Enter")
    expect(console.row(recording_sid).locator(".said mark").first).to_have_text(word)
    expect(first.locator("mark").first).to_have_text(word)


def test_a_signed_url_that_has_expired_says_so(browser: Browser, tmp_path: Path, twilio: TwilioStandIn) -> None:
    client = GrpcClient(token=token_of("integration"))
    file = callers_file(tmp_path, {"integration": Known(["read", "enqueue", "manage"], [ACCOUNT_SID, OTHER_ACCOUNT])})
    with running_service(
        tmp_path,
        twilio,
        client,
        RECORDING_CALLERS_FILE=str(file),
        RECORDING_GRPC_TOKEN="token-of-the-adapter-of-32-characters",
        RECORDING_PLAYBACK_KEYS=PLAYBACK_KEY,
        RECORDING_TIME_SCALE="0.1",
    ) as service:
        recording_sid = twilio.add_recording(duration=10).recording_sid
        service.enqueue(recording_sid)
        service.ready(recording_sid)
        made = service.stub.CreatePlaybackUrl(
            playback_url_pb2.CreatePlaybackUrlRequest(recording_sid=recording_sid, ttl=Duration(seconds=3)),
            timeout=CALL_SECONDS,
        )
        assert "<video" in shown(browser, made.url)
        eventually(lambda: "This link has expired." in shown(browser, made.url), what="the end of the URL")
