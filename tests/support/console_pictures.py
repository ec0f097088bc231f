"""Makes the pictures of the console in docs/: a made-up morning of a call centre, in a real browser.

`scripts/console-screenshots` runs it. Inter (Debian's fonts-inter) should be installed; else the pictures have
whatever the system has for a sans serif.
"""

import random
import sys
import time
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from playwright.sync_api import Browser, Route

from recording_service.http_api import HttpSettings
from recording_service.twilio_stand_in.mp3 import mp3_of_duration
from recordings.v1.lookup_pb2 import TextRange, TranscriptMatch
from recordings.v1.recording_pb2 import FailureReason, RecordingJob, RecordingState, WaitingReason
from tests.http_api.fake_recordings import FakeRecordings, FakeServer
from tests.http_api.running_app import PUBLIC_URL, running_app
from tests.support.console import Console, chromium
from tests.support.heard_recordings import hear

MIB = 1 << 20
_WIDE = {"width": 1360, "height": 850}
_TALL = {"width": 1360, "height": 1000}
_PHONE = {"width": 390, "height": 844}

_LINES = ("+442079460110", "+442079460128", "+442079460145")
_READY = RecordingState.RECORDING_STATE_READY
_FAILED = RecordingState.RECORDING_STATE_FAILED
_QUEUED = RecordingState.RECORDING_STATE_QUEUED
_DOWNLOADING = RecordingState.RECORDING_STATE_DOWNLOADING

#: Minutes ago, seconds long, and what is special about it.
_MORNING: tuple[tuple[float, int, dict[str, Any]], ...] = (
    (0.6, 74, {"state": _QUEUED}),
    (1.4, 312, {"state": _DOWNLOADING, "received_bytes": 786_432}),
    (2.2, 187, {}),
    (
        4.9,
        1268,
        {"state": _QUEUED, "waiting_reason": WaitingReason.WAITING_REASON_RATE_LIMITED, "due": 42, "failures": 1},
    ),
    (7.3, 65, {}),
    (11.8, 941, {}),
    (16.2, 433, {}),
    (23.5, 2, {"state": _FAILED, "failure_reason": FailureReason.FAILURE_REASON_SOURCE_ABSENT}),
    (31.0, 509, {}),
    (38.7, 222, {}),
    (52.4, 96, {}),
    (66.1, 3725, {}),
    (81.9, 148, {}),
    (104.6, 610, {"state": _FAILED, "failure_reason": FailureReason.FAILURE_REASON_SOURCE_TRUNCATED, "failures": 5}),
    (131.2, 277, {}),
    (164.0, 84, {}),
    (203.8, 1130, {}),
    (266.3, 39, {}),
    (361.5, 702, {}),
    (1507.0, 158, {}),
    (1533.0, 415, {}),
)
#: The one that is open in the pictures.
_OPEN = 5
#: The one whose sound is seen in pictures of its own.
_HEARD = 10
#: What its two parties say, one after the other.
_TALK = (
    "Good morning, Harbour Energy, you are speaking to Ana. How can I help?",
    "Morning. I have had two letters about the same bill, and they don't agree with each other.",
    "I'm sorry about that. Have you got the reference of the second one at hand? It is in the top right corner.",
    "It says four, four, seven, then a dash, and then nineteen.",
    "Thank you. I see both of them here: the second one was sent by mistake.",
    "So I pay the first one and throw the other one away?",
    "Exactly so. The first one is right, and it is due on the fifteenth.",
    "And I won't get a reminder for the one that I throw away?",
    "No. I have taken it back just now, so nothing is open but the first one.",
    "Lovely. That was all, thank you very much.",
    "You're welcome. Have a nice day!",
)
#: What is looked for in pictures of their own, and what is said about it in some of the recordings.
_WORD = "bill"
_SAID = {
    2: "and then there is the second bill, which came on the same day as the",
    6: "no, I have never had a bill from you in all these years",
    _HEARD: "two letters about the same bill, and they don't agree with each other",
    14: "could you send the bill to my new address, please",
    16: "who pays the bill when we have moved out",
    18: "your bill is due on the fifteenth",
}


def make_up(recordings: FakeRecordings) -> list[str]:
    """Fills the service with a morning; the SIDs, newest first."""
    chance = random.Random(4)
    now = time.time()

    def sid(prefix: str) -> str:
        return prefix + "".join(chance.choices("0123456789abcdef", k=32))

    sids: list[str] = []
    for minutes, seconds, special in _MORNING:
        fields = dict(special)
        due = fields.pop("due", None)
        if due is not None:
            fields["next_attempt_time"] = Timestamp(seconds=int(now + due))
        inbound = chance.random() < 0.7
        # Of the numbers that are kept for stories.
        caller = f"+447700900{chance.randrange(1000):03d}"
        ours = chance.choice(_LINES)
        began = now - minutes * 60 - seconds
        ready = fields.get("state", _READY) == _READY
        heard = len(sids) == _HEARD
        content = mp3_of_duration("a morning", seconds, 2 if heard else 1) if ready else b""
        recording_sid = sid("RE")
        recording = recordings.add(
            content,
            recording_sid,
            call_sid=sid("CA"),
            job=RecordingJob.RECORDING_JOB_FULL,
            source="DialVerb" if inbound else "OutboundAPI",
            direction="inbound" if inbound else "outbound-api",
            track="both",
            channels=2 if heard else 1,
            start_time=Timestamp(seconds=int(began)),
            create_time=Timestamp(seconds=int(now - minutes * 60)),
            duration=Duration(seconds=seconds),
            from_number=caller if inbound else ours,
            to_number=ours if inbound else caller,
            revision=3,
            **fields,
        )
        recording.ready_time.seconds = int(now - minutes * 60 + 4)
        if not ready:
            for name in ("ready_time", "etag", "content_type", "size_bytes"):
                recording.ClearField(name)
        if heard:
            hear(recordings, recording, content, _TALK)
        sids.append(recording_sid)
    recordings.recordings[sids[_OPEN]].labels["queue"] = "billing"
    recordings.silent.update(sid for place, sid in enumerate(sids) if place not in _SAID)
    for place, text in _SAID.items():
        start = text.index(_WORD)
        match = TranscriptMatch(
            account_sid=recordings.recordings[sids[place]].account_sid,
            recording_sid=sids[place],
            snippet=text,
            highlights=[TextRange(start=start, end=start + len(_WORD))],
        )
        recordings.said[sids[place]] = match
    return sids


def take_pictures(browser: Browser, url: str, sids: list[str], folder: Path) -> None:
    """Both appearances, and those that are only looked at: a phone's, and the sign-in."""
    for scheme in ("light", "dark"):
        console = _console(browser, scheme, _WIDE)
        console.open(url)
        console.wait_until_live()
        console.choose(sids[_OPEN])
        console.wait_for_audio("audio.readyState > 0")
        console.seek_to(0.37)
        console.wait_for_audio("audio.currentTime > 300 && !audio.seeking")
        console.page.mouse.move(0, 0)
        _shoot(console, folder / f"console-{scheme}.png")
        console = _console(browser, scheme, _TALL)
        console.open(url)
        console.wait_until_live()
        console.choose(sids[_HEARD])
        console.wait_for_audio("audio.readyState > 0")
        console.page.locator("#captions-lines button").first.wait_for()
        console.seek_to(0.43)
        console.wait_for_audio("audio.currentTime > 20 && !audio.seeking")
        console.page.locator("#captions-lines [aria-current]").first.wait_for()
        console.page.mouse.move(0, 0)
        _shoot(console, folder / f"console-sound-{scheme}.png")
        console = _console(browser, scheme, _WIDE)
        console.open(url, f"#words={_WORD}")
        console.wait_until_live()
        console.choose(sids[_HEARD])
        console.wait_for_audio("audio.readyState > 0")
        console.page.locator("#captions-lines mark").first.wait_for()
        console.page.mouse.move(0, 0)
        _shoot(console, folder / f"console-found-{scheme}.png")
    if folder.name == "docs":
        return
    _others(browser, url, sids, folder)


def _others(browser: Browser, url: str, sids: list[str], folder: Path) -> None:
    for scheme in ("light", "dark"):
        console = _console(browser, scheme, _PHONE)
        console.open(url)
        console.wait_until_live()
        _shoot(console, folder / f"phone-{scheme}.png")
        console.choose(sids[_OPEN])
        console.wait_for_audio("audio.readyState > 0")
        _shoot(console, folder / f"phone-open-{scheme}.png")
        console.choose(sids[3 if scheme == "light" else 13])
        _shoot(console, folder / f"phone-waiting-{scheme}.png")

        console = _console(browser, scheme, _WIDE)
        console.page.route("**/session", _closed)
        console.open(url)
        console.page.locator("#token").wait_for()
        _shoot(console, folder / f"sign-in-{scheme}.png")

        console = _console(browser, scheme, _WIDE)
        console.open(url)
        console.wait_until_live()
        console.choose(sids[7])
        console.page.keyboard.press("?")
        _shoot(console, folder / f"help-{scheme}.png")


def _closed(route: Route) -> None:
    route.fulfill(json={"required": True, "open": False})


def _console(browser: Browser, scheme: Any, size: Any) -> Console:
    scale = 2 if size is _PHONE else 1
    context = browser.new_context(
        color_scheme=scheme, viewport=size, device_scale_factor=scale, locale="en-GB", reduced_motion="reduce"
    )
    return Console(context)


def _shoot(console: Console, path: Path) -> None:
    console.page.evaluate("() => document.activeElement.blur()")
    console.page.screenshot(path=path)
    assert console.trouble == [], console.trouble
    console.page.context.close() if path.parent.name == "docs" else None


def main(folder: Path) -> None:
    """Makes the pictures in that folder."""
    server = FakeServer()
    try:
        sids = make_up(server.recordings)
        settings = HttpSettings(grpc_target=server.target, public_url=PUBLIC_URL)
        with running_app(settings) as client, chromium() as browser:
            take_pictures(browser, f"http://127.0.0.1:{client.port}", sids, folder)
    finally:
        server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
