"""A page of somebody else's plays a signed URL in a real browser, is told of its expiry, and goes on with another."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from google.protobuf.duration_pb2 import Duration
from playwright.sync_api import Page

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import playback_url_pb2, recording_service_pb2_grpc
from tests.support.callers import Known, callers_file, token_of
from tests.support.console import chromium
from tests.support.grpc_client import GrpcClient
from tests.support.running_service import ACCOUNT_SID, RunningService, running_service
from tests.support.waiting import eventually

#: A page as somebody embeds a player: it knows a playback URL and its status URL, and nothing of the service.
PAGE = b"""<!doctype html><meta charset="utf-8"><title>A page with a player</title>
<audio id="audio" preload="auto"></audio><p id="why"></p>
<script>
  const audio = document.getElementById("audio");
  // Keeps its place: what was played goes on where it was.
  let place = 0;
  audio.addEventListener("timeupdate", () => { place = audio.currentTime || place; });
  window.play = async (url, status) => {
    window.statusUrl = status;
    audio.src = url;
    await new Promise((loaded) => audio.addEventListener("loadedmetadata", loaded, { once: true }));
    audio.currentTime = place;
    await audio.play();
  };
  // As after a reload: the page has remembered where it was.
  window.resume = (url, status, kept) => {
    place = kept;
    window.statusUrl = status;
    audio.src = url;
  };
  audio.addEventListener("error", async () => {
    const answer = await fetch(window.statusUrl);
    document.getElementById("why").textContent = `${answer.status} ${(await answer.json()).reason}`;
  });
</script>"""


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: Any) -> None:
        """Says nothing: its requests are nobody's business."""


@contextmanager
def a_page_elsewhere() -> Iterator[str]:
    """The origin of a server that has the page, and nothing to do with the service."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class SignedPlayer:
    """The page in the browser, and the back end that gives it URLs."""

    def __init__(self, page: Page, service: RunningService, recording_sid: str) -> None:
        self.page = page
        self.service = service
        self.recording_sid = recording_sid

    def signed(self, seconds: int) -> playback_url_pb2.CreatePlaybackUrlResponse:
        """A URL that works so long, as a back end gets it for its page."""
        with GrpcClient(token_of("reader")).connect(self.service.grpc_address) as channel:
            stub = recording_service_pb2_grpc.RecordingServiceStub(channel)
            request = playback_url_pb2.CreatePlaybackUrlRequest(
                recording_sid=self.recording_sid, ttl=Duration(seconds=seconds)
            )
            return stub.CreatePlaybackUrl(request, timeout=20)

    def play(self, made: playback_url_pb2.CreatePlaybackUrlResponse) -> None:
        """Has the page play a URL, from where it was."""
        self.page.evaluate("([url, status]) => window.play(url, status)", [made.url, made.status_url])

    def wait_for(self, condition: str) -> None:
        """Returns once an expression of `audio` holds."""
        self.page.wait_for_function(f"() => {condition}")

    def audio(self, name: str) -> Any:
        """A property of the audio element."""
        return self.page.evaluate(f"() => audio.{name}")


@pytest.fixture
def start_guarded(tmp_path: Path, twilio: TwilioStandIn) -> Callable[[str], AbstractContextManager[RunningService]]:
    """Starts a service that lets in a reader, and whose recordings pages of that origin may play."""

    def start(origin: str) -> AbstractContextManager[RunningService]:
        callers = {"reader": Known(("read", "enqueue"), (ACCOUNT_SID,))}
        return running_service(
            tmp_path,
            twilio,
            GrpcClient(token_of("reader")),
            RECORDING_TIME_SCALE="0.1",
            RECORDING_CALLERS_FILE=str(callers_file(tmp_path, callers)),
            RECORDING_CORS_ORIGINS=origin,
        )

    return start


def test_a_page_plays_seeks_is_told_of_the_expiry_and_goes_on_with_a_new_url_where_it_was(
    twilio: TwilioStandIn, start_guarded: Callable[[str], AbstractContextManager[RunningService]]
) -> None:
    recording = twilio.add_recording(duration=60)
    with a_page_elsewhere() as origin, start_guarded(origin) as service, chromium() as browser:
        service.enqueue(recording.recording_sid)
        service.ready(recording.recording_sid)
        page = browser.new_page()
        page.goto(origin)
        player = SignedPlayer(page, service, recording.recording_sid)

        short = player.signed(8)
        player.play(short)
        player.wait_for("audio.currentTime > 0.2")
        page.evaluate("() => { audio.currentTime = 30; }")
        player.wait_for("!audio.seeking && audio.currentTime > 30.1")
        assert player.audio("error") is None
        assert abs(player.audio("duration") - 60) < 1
        page.evaluate("() => audio.pause()")
        place = player.audio("currentTime")

        eventually(lambda: requests.get(short.url, timeout=20).status_code == 403, within=20, what="the expiry")
        # Chromium keeps what a page has played for as long as it is open; on disk, no longer than the URL was good.
        page.goto(origin)
        page.evaluate("([url, status, kept]) => window.resume(url, status, kept)", [short.url, short.status_url, place])
        # The audio element tells its page nothing; the status does.
        page.wait_for_function("() => document.getElementById('why').textContent === '403 PLAYBACK_URL_EXPIRED'")
        assert player.audio("error.code") == 4

        player.play(player.signed(60))
        player.wait_for(f"!audio.seeking && audio.currentTime > {place}")
        assert player.audio("error") is None
        assert player.audio("currentTime") < place + 10
        assert " 206 " in service.log
        assert "signature" not in service.log
