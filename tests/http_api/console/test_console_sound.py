"""What the console shows of a recording's sound, in a real Chromium: waveform, captions, facts, how far they are."""

from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from playwright.sync_api import expect

from recording_service.http_api.words import PROBE_WARNING_WORDS, PROCESSING_WORDS
from recording_service.twilio_stand_in.mp3 import mp3_of_duration
from recordings.v1.recording_pb2 import (
    ProbeWarning,
    ProcessingReason,
    ProcessingState,
    ProcessingStep,
    ProcessingStepStatus,
    Recording,
    RecordingState,
    WaitingReason,
)
from recordings.v1.results_pb2 import GetTranscriptResponse, TranscriptSegment
from tests.http_api.console.conftest import OpenConsole
from tests.http_api.console.made_recordings import SECONDS, add, sid
from tests.http_api.console.test_console_page import FAILED_LOAD
from tests.http_api.fake_recordings import Failure, FakeRecordings
from tests.support.console import Console
from tests.support.heard_recordings import hear

STEREO = mp3_of_duration("a call of two", SECONDS, 2)
#: As long as a plus.
MINUS = "\N{MINUS SIGN}"
STEPS = {
    "PROBE": ProcessingStep.PROCESSING_STEP_PROBE,
    "WAVEFORM": ProcessingStep.PROCESSING_STEP_WAVEFORM,
    "TRANSCRIPT": ProcessingStep.PROCESSING_STEP_TRANSCRIPT,
}


def add_heard(recordings: FakeRecordings, number: int = 1) -> Recording:
    """A recording of two channels with everything that steps make of it: a sentence begins every ten seconds."""
    recording_sid = add(recordings, number, STEREO, channels=2)
    recording = recordings.recordings[recording_sid]
    hear(recordings, recording, STEREO, ["…"])
    recordings.transcripts[recording_sid] = said(*(f"Sentence {at}." for at in range(6)))
    return recording


def said(*texts: str) -> GetTranscriptResponse:
    """A sentence of five seconds every ten, by both channels in turn."""
    segments = [
        TranscriptSegment(start=Duration(seconds=10 * at), end=Duration(seconds=10 * at + 5), channel=at % 2, text=text)
        for at, text in enumerate(texts)
    ]
    return GetTranscriptResponse(language="en", segments=segments)


def put_steps(recording: Recording, **states: Any) -> None:
    """Says how far the steps are; those that are not named are DONE."""
    del recording.processing_steps[:]
    for name, step in STEPS.items():
        state = states.get(name.lower(), ProcessingState.PROCESSING_STATE_DONE)
        recording.processing_steps.append(ProcessingStepStatus(step=step, state=state))


def end(recording: Recording, name: str, reason: Any, state: Any) -> None:
    """Says that a step has no result, and why."""
    status = next(each for each in recording.processing_steps if each.step == STEPS[name])
    status.state, status.reason = state, reason


def changed(recordings: FakeRecordings, recording: Recording, **states: Any) -> None:
    """The steps have gone on: those who watch are told."""
    news = Recording()
    news.CopyFrom(recording)
    put_steps(news, **states)
    news.revision = recordings.recordings[recording.recording_sid].revision + 1
    recordings.tell(news)


def open_heard(console: Console) -> None:
    """Opens the recording; returns once its waveform, its captions and its sound are there."""
    console.choose(sid(1))
    expect(console.page.locator("#waveform")).to_be_visible()
    expect(console.page.locator("#captions-lines li")).to_have_count(6)
    console.wait_for_audio("audio.readyState > 0")


class Seen(NamedTuple):
    """What is on the canvas: which colours are where, as shares of its width, and how many dots it has."""

    played: list[float]
    rest: list[float]
    #: Rows of dots, of the upper and the lower half, in which there is more than the silence's line.
    halves: list[int]
    width: int
    css_width: float


def look(console: Console) -> Seen:
    found = console.page.evaluate(
        """() => {
          const canvas = document.querySelector("#waveform");
          const { width, height } = canvas;
          // A copy: Chromium warns of a canvas that is read again and again.
          const copy = new OffscreenCanvas(width, height).getContext("2d");
          copy.drawImage(canvas, 0, 0);
          const { data } = copy.getImageData(0, 0, width, height);
          const { color, borderTopColor } = getComputedStyle(canvas);
          const numbers = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
          const is = (place, [r, g, b]) => data[place + 3] === 255
            && Math.abs(data[place] - r) + Math.abs(data[place + 1] - g) + Math.abs(data[place + 2] - b) < 6;
          const [rest, played] = [numbers(color), numbers(borderTopColor)];
          const seen = { played: [], rest: [], halves: [0, 0], width, css_width: canvas.clientWidth };
          for (let y = 0; y < height; y += 1) {
            let dots = 0;
            for (let x = 0; x < width; x += 1) {
              const place = 4 * (y * width + x);
              if (is(place, played)) seen.played.push(x / width);
              else if (is(place, rest)) seen.rest.push(x / width);
              if (data[place + 3]) dots += 1;
            }
            if (dots) seen.halves[y < height / 2 ? 0 : 1] += 1;
          }
          return seen;
        }"""
    )
    return Seen(**found)


def facts(console: Console) -> dict[str, str]:
    """What the list of facts says."""
    names, values = (console.page.locator(f"#facts {name}").all_inner_texts() for name in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


# The waveform


def test_both_channels_are_drawn_and_what_was_played_has_another_colour(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_heard(recordings)
    console = open_console()
    open_heard(console)

    before = look(console)
    assert before.rest
    assert not before.played
    assert all(rows > 5 for rows in before.halves)

    console.seek_to(0.5)
    console.wait_for_audio(f"!audio.seeking && Math.abs(audio.currentTime - {SECONDS / 2}) < 1")
    after = look(console)
    assert max(after.played) == pytest.approx(0.5, abs=0.02)
    assert min(after.rest) == pytest.approx(0.5, abs=0.02)


def test_a_click_on_the_waveform_and_the_keys_of_its_slider_seek(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_heard(recordings)
    console = open_console()
    open_heard(console)
    seek = console.page.get_by_role("slider", name="Position")
    box, canvas = seek.bounding_box(), console.page.locator("#waveform").bounding_box()
    assert box == canvas

    assert canvas is not None
    console.page.mouse.click(canvas["x"] + canvas["width"] / 4, canvas["y"] + 5)
    console.wait_for_audio(f"Math.abs(audio.currentTime - {SECONDS / 4}) < 1")
    seek.press("ArrowRight")
    console.wait_for_audio(f"Math.abs(audio.currentTime - {SECONDS / 4 + 5}) < 1")
    seek.press("Home")
    expect(seek).to_have_attribute("aria-valuetext", "0 seconds of 1 minute")


def test_a_waveform_says_what_it_is_and_every_control_has_a_name(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_heard(recordings)
    console = open_console()
    open_heard(console)

    picture = console.page.get_by_role("img", name="Waveform of the recording, 2 channels one above the other")
    expect(picture).to_be_visible()
    assert console.unnamed_controls() == []


@pytest.mark.parametrize("density", [1, 2])
def test_a_waveform_is_as_fine_as_the_screen_and_as_wide_as_the_panel(
    open_console: OpenConsole, recordings: FakeRecordings, density: int
) -> None:
    add_heard(recordings)
    console = open_console(device_scale_factor=density)
    open_heard(console)
    wide = look(console)
    assert wide.width == round(wide.css_width * density)

    console.page.set_viewport_size({"width": 400, "height": 800})
    console.page.wait_for_function(
        "(before) => document.querySelector('#waveform').clientWidth !== before"
        " && document.querySelector('#waveform').width"
        " === Math.round(document.querySelector('#waveform').clientWidth * devicePixelRatio)",
        arg=wide.css_width,
    )
    assert look(console).rest


def test_a_waveform_has_the_colours_of_the_appearance(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add_heard(recordings)
    console = open_console(color_scheme="light")
    open_heard(console)
    colours = "() => { const { color, borderTopColor } = getComputedStyle(waveform); return [color, borderTopColor]; }"
    light = console.page.evaluate(colours)
    assert look(console).rest

    console.page.get_by_role("button", name="Dark appearance").click()

    dark = console.page.evaluate(colours)
    assert not set(light) & set(dark)
    console.page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    assert look(console).rest
    console.page.emulate_media(color_scheme="dark")
    assert look(console).rest


@pytest.mark.parametrize("reduced", [True, False])
def test_a_waveform_moves_as_often_as_the_screen_unless_somebody_wants_little_motion(
    open_console: OpenConsole, recordings: FakeRecordings, reduced: bool
) -> None:
    add_heard(recordings)
    console = open_console(reduced_motion="reduce" if reduced else "no-preference")
    open_heard(console)
    console.page.evaluate(
        """() => {
          window.places = new Set();
          const look = () => { window.places.add(document.querySelector("#seek").value); requestAnimationFrame(look); };
          look();
        }"""
    )

    console.page.get_by_role("button", name="Play", exact=True).click()
    if reduced:
        console.wait_for_audio("audio.currentTime > 2")
        assert console.page.evaluate("() => window.places.size") < 25
    else:
        console.page.wait_for_function("() => window.places.size > 40")


def test_without_a_waveform_the_player_is_as_it_was(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add(recordings, 1)
    console = open_console()
    console.choose(sid(1))
    console.wait_for_audio("audio.readyState > 0")

    for hidden in ("#waveform", "#captions", "#warnings", "#processing-words", "#waveform-words"):
        expect(console.page.locator(hidden)).to_be_hidden()
    box = console.page.get_by_role("slider", name="Position").bounding_box()
    assert box is not None
    assert box["height"] == 24
    assert recordings.of("GetWaveform") == recordings.of("GetTranscript") == []


def test_a_waveform_that_can_not_be_loaded_is_said_and_the_sound_plays(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    recording = add_heard(recordings)
    recordings.answers["GetWaveform"] = [Failure(grpc.StatusCode.INTERNAL, "INTERNAL")]
    recordings.answers["GetTranscript"] = [Failure(grpc.StatusCode.INTERNAL, "INTERNAL")]
    console = open_console(expected=(FAILED_LOAD,))
    console.choose(sid(1))

    expect(console.page.locator("#waveform-words")).to_contain_text("The waveform could not be loaded.")
    expect(console.page.locator("#captions-words")).to_have_text("The transcript could not be loaded.")
    expect(console.page.locator("#waveform")).to_be_hidden()
    console.page.get_by_role("button", name="Play", exact=True).click()
    console.wait_for_audio("audio.currentTime > 0.2")

    # The next look at it tries again.
    recordings.answers.clear()
    changed(recordings, recording)
    expect(console.page.locator("#waveform")).to_be_visible()
    expect(console.page.locator("#captions-lines li")).to_have_count(6)
    expect(console.page.locator("#waveform-words")).to_be_hidden()


def test_the_waveform_of_what_was_open_before_is_not_shown(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_heard(recordings)
    add(recordings, 2)
    console = open_console()
    open_heard(console)

    console.choose(sid(2))

    expect(console.page.locator("#waveform")).to_be_hidden()
    expect(console.page.locator("#captions")).to_be_hidden()
    open_heard(console)


# The captions


def test_captions_are_marked_while_they_are_said_and_a_click_goes_there(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_heard(recordings)
    console = open_console()
    open_heard(console)
    lines = console.page.locator("#captions-lines button")
    current = console.page.locator("#captions-lines [aria-current='true']")
    assert [text.split() for text in lines.all_inner_texts()][:2] == [
        ["0:00", "Channel", "1", "Sentence", "0."],
        ["0:10", "Channel", "2", "Sentence", "1."],
    ]

    lines.nth(3).click()
    console.wait_for_audio("!audio.seeking && Math.abs(audio.currentTime - 30) < 0.5")
    expect(current).to_have_count(1)
    expect(current).to_contain_text("Sentence 3.")

    # Between two sentences nothing is being said.
    console.page.evaluate("() => { document.querySelector('audio').currentTime = 47; }")
    expect(current).to_have_count(0)
    console.page.evaluate("() => { document.querySelector('audio').currentTime = 51; }")
    expect(current).to_contain_text("Sentence 5.")


def test_captions_are_worked_by_keys_and_are_one_stop_of_the_tab_key(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_heard(recordings)
    console = open_console()
    open_heard(console)
    lines = console.page.locator("#captions-lines button")
    assert console.page.locator("#captions-lines button[tabindex='0']").count() == 1

    lines.first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "End", "ArrowDown"):
        console.page.keyboard.press(key)
    expect(lines.nth(5)).to_be_focused()
    console.page.keyboard.press("Home")
    console.page.keyboard.press("ArrowDown")
    console.page.keyboard.press("Enter")

    console.wait_for_audio("Math.abs(audio.currentTime - 10) < 0.5")
    assert console.page.locator("#captions-lines button[tabindex='0']").count() == 1


def test_what_is_said_is_text_and_never_markup(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add_heard(recordings)
    texts = ["<img src=x onerror=alert(1)>", "<v Mallory>a & b</v>", "--> 5 < 6", "4", "5", "6"]
    recordings.transcripts[sid(1)] = said(*texts)
    console = open_console()
    open_heard(console)

    shown = console.page.locator("#captions-lines .caption-text").all_text_contents()
    assert [text.partition(" ")[2].partition(" ")[2] for text in shown] == texts
    assert console.page.locator("#captions img").count() == 0


def test_the_line_that_is_said_comes_into_sight_in_its_list_alone(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    add_heard(recordings)
    recordings.transcripts[sid(1)] = said(
        *("A sentence of several words, so that it takes two lines." for _ in range(6))
    )
    console = open_console(reduced_motion="reduce")
    open_heard(console)
    scrolled = "() => [document.querySelector('#captions-lines').scrollTop, document.querySelector('#panel').scrollTop]"
    assert console.page.evaluate(scrolled) == [0, 0]

    console.page.evaluate("() => { document.querySelector('audio').currentTime = 52; }")

    console.page.wait_for_function("() => document.querySelector('#captions-lines').scrollTop > 0")
    assert console.page.evaluate(scrolled)[1] == 0


def test_where_nobody_says_anything_that_is_said(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    add_heard(recordings)
    recordings.transcripts[sid(1)] = GetTranscriptResponse()
    console = open_console()
    console.choose(sid(1))

    expect(console.page.locator("#captions-words")).to_have_text("Nothing is said in it.")


# Facts, and how far it is


def test_what_was_found_is_told_in_words(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    recording = add_heard(recordings)
    for channel, (loudness, peak, silence) in enumerate([(-21.54, -3.04, 0.5), (-30.0, -9.0, 0.25)]):
        sound = recording.probe.channel_sounds[channel]
        sound.loudness_lufs, sound.peak_dbfs, sound.silence_share = loudness, peak, silence
    recording.probe.duration.CopyFrom(Duration(seconds=59, nanos=960_000_000))
    console = open_console()
    open_heard(console)

    told = facts(console)
    assert told["Length"] == "1:00.0"
    assert told["Codec"] == "mp3, 22.05 kHz, 32 kbit/s"
    assert told["Channels"] == "2"
    assert told["Loudness"] == f"{MINUS}21.5 LUFS (1), {MINUS}30.0 LUFS (2)"
    assert told["Peak"] == f"{MINUS}3.0 dB (1), {MINUS}9.0 dB (2)"
    assert told["Silence"] == "50 % (1), 25 % (2)"
    assert (told["Sound"], told["Waveform"], told["Transcript"]) == ("Listened to", "Drawn", "Written")


def test_silence_is_told_as_such_and_what_is_odd_is_said(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    recording = add_heard(recordings)
    for sound in recording.probe.channel_sounds:
        sound.ClearField("loudness_lufs")
        sound.ClearField("peak_dbfs")
        sound.silence_share = 1
    silent = ProbeWarning.PROBE_WARNING_CHANNEL_SILENT
    recording.probe.warnings.append(silent)
    console = open_console()
    open_heard(console)

    told = facts(console)
    assert (told["Loudness"], told["Peak"], told["Silence"]) == ("too quiet to measure", "silent", "100 %")
    expect(console.page.locator("#warnings")).to_have_text(PROBE_WARNING_WORDS[silent])


def test_what_is_being_made_says_so_and_appears_by_itself(
    open_console: OpenConsole, recordings: FakeRecordings
) -> None:
    pending, running = ProcessingState.PROCESSING_STATE_PENDING, ProcessingState.PROCESSING_STATE_RUNNING
    recording = add_heard(recordings)
    put_steps(recording, probe=running, waveform=pending, transcript=pending)
    console = open_console()
    console.choose(sid(1))
    words = console.page.locator("#processing-words")

    expect(words).to_have_text("The waveform and the transcript will appear here by themselves.")
    assert facts(console)["Sound"] == "Being listened to…"
    assert facts(console)["Waveform"] == "Waits to be drawn"

    changed(recordings, recording, waveform=running, transcript=pending)
    expect(console.page.locator("#facts")).to_contain_text("Being drawn…")
    expect(console.page.locator("#waveform")).to_be_hidden()

    changed(recordings, recording, transcript=running)
    expect(console.page.locator("#waveform")).to_be_visible()
    expect(words).to_have_text("The transcript will appear here by itself.")
    expect(console.page.locator("#captions")).to_be_hidden()

    changed(recordings, recording)
    expect(console.page.locator("#captions-lines li")).to_have_count(6)
    expect(words).to_be_hidden()
    # The sound has not been loaded again for it.
    assert len({url for _, url in console.answers if "/stream?" in url}) == 1


def test_what_did_not_work_yet_is_tried_again(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    recording = add_heard(recordings)
    put_steps(recording, transcript=ProcessingState.PROCESSING_STATE_PENDING)
    recording.processing_waiting_reason = WaitingReason.WAITING_REASON_RETRY
    console = open_console()
    console.choose(sid(1))

    expect(console.page.locator("#processing-words")).to_have_text(
        "The transcript will appear here by itself. It did not work yet; it is tried again."
    )


def test_what_will_not_be_made_says_why(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    recording = add_heard(recordings)
    broken, unset = (
        ProcessingReason.PROCESSING_REASON_MEDIA_BROKEN,
        ProcessingReason.PROCESSING_REASON_NOT_CONFIGURED,
    )
    end(recording, "WAVEFORM", broken, ProcessingState.PROCESSING_STATE_FAILED)
    end(recording, "TRANSCRIPT", unset, ProcessingState.PROCESSING_STATE_SKIPPED)
    console = open_console()
    console.choose(sid(1))
    console.wait_for_audio("audio.readyState > 0")

    assert facts(console)["Waveform"] == f"None. {PROCESSING_WORDS[broken]}"
    assert facts(console)["Transcript"] == f"None. {PROCESSING_WORDS[unset]}"
    expect(console.page.locator("#processing-words")).to_be_hidden()
    expect(console.page.locator("#waveform")).to_be_hidden()
    assert recordings.of("GetWaveform") == recordings.of("GetTranscript") == []


def test_a_zoom_that_suits_the_screen_is_asked_for(open_console: OpenConsole, recordings: FakeRecordings) -> None:
    recording = add_heard(recordings)
    recording.probe.duration.CopyFrom(Duration(seconds=3600))
    console = open_console()
    open_heard(console)

    (request,) = recordings.of("GetWaveform")
    assert request.samples_per_pixel == 3600 * recording.probe.sample_rate // 800


@pytest.mark.parametrize("width", [320, 700, 1100])
def test_nothing_of_it_hangs_over_the_edge(open_console: OpenConsole, recordings: FakeRecordings, width: int) -> None:
    add_heard(recordings)
    recordings.transcripts[sid(1)] = said(*(["x" * 200] + ["y"] * 5))
    console = open_console(viewport={"width": width, "height": 800})
    console.choose(sid(1))
    expect(console.page.locator("#waveform")).to_be_visible()
    expect(console.page.locator("#captions-lines li").nth(5)).to_be_attached()

    assert console.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert console.page.evaluate("() => captions.scrollWidth <= captions.clientWidth")
    assert recordings.recordings[sid(1)].state == RecordingState.RECORDING_STATE_READY
