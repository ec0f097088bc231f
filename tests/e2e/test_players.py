"""Programs that people play and fetch with, against the running service: ffprobe, ffmpeg and curl, with real audio."""

import json
import re
import subprocess
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, RunningService
from tests.support.waiting import eventually

SECONDS = 300
#: Longest that one of the programs may take.
RUN_SECONDS = 60.0
#: What ffmpeg decodes to: mono, 8 kHz, 16 bit.
PCM_BYTES_A_SECOND = 16_000

PATHS = pytest.mark.parametrize(
    "path",
    [
        "/recordings/{sid}/stream",
        "/recordings/{sid}/stream.mp3",
        "/recordings/{sid}/download",
        "/2010-04-01/Accounts/{account}/Recordings/{sid}",
        "/2010-04-01/Accounts/{account}/Recordings/{sid}.mp3",
    ],
)


@dataclass(frozen=True)
class Audio:
    """A recording that is READY."""

    service: RunningService
    recording_sid: str
    content: bytes

    def url(self, path: str = "/recordings/{sid}/stream") -> str:
        """A path of it, with credentials in it where it takes some."""
        url = self.service.http_url + path.format(sid=self.recording_sid, account=ACCOUNT_SID)
        return url.replace("://", f"://{ACCOUNT_SID}:{AUTH_TOKEN}@") if path.startswith("/2010") else url

    def answers(self, request_id: str) -> list[str]:
        """The statuses of the answers to requests with this id, in the order in which they ended."""
        return re.findall(rf" (\d+) \d+B \d+ms request_id={request_id}\n", self.service.log)

    def wait_for_answers(self, request_id: str, *statuses: str) -> None:
        """Returns once these have been logged; AssertionError if it is others."""
        eventually(lambda: len(self.answers(request_id)) >= len(statuses), what="the lines of the access log")
        assert self.answers(request_id) == [*statuses]


@pytest.fixture(scope="module")
def audio(service: RunningService) -> Audio:
    """Five minutes of it."""
    recording_sid = service.twilio.add_recording(duration=SECONDS).recording_sid
    service.enqueue(recording_sid)
    service.ready(recording_sid)
    return Audio(service, recording_sid, service.twilio.media(recording_sid))


@pytest.fixture
def request_id() -> str:
    """An id for the test's requests."""
    return uuid.uuid4().hex


def run(*command: str) -> bytes:
    """What the program writes; AssertionError with what it complains of, if it does or fails."""
    done = subprocess.run(command, capture_output=True, timeout=RUN_SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, b""), (command, done.stderr[:2000])
    return done.stdout


def decoded(url: str, *options: str) -> bytes:
    """What ffmpeg hears."""
    pcm = ("-f", "s16le", "-ac", "1", "-ar", "8000", "-")
    return run("ffmpeg", "-nostdin", "-v", "error", *options, "-i", url, *pcm)


@PATHS
def test_ffprobe_recognises_a_recording_of_the_right_length(audio: Audio, path: str) -> None:
    command = ("ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", audio.url(path))
    found: dict[str, Any] = json.loads(run(*command))
    assert found["format"]["format_name"] == "mp3"
    assert int(found["format"]["size"]) == len(audio.content)
    assert abs(float(found["format"]["duration"]) - SECONDS) < 2.0
    assert [stream["codec_name"] for stream in found["streams"]] == ["mp3"]


@PATHS
def test_ffmpeg_plays_it_to_the_end(audio: Audio, tmp_path: Path, path: str) -> None:
    file = tmp_path / "source.mp3"
    file.write_bytes(audio.content)
    assert decoded(audio.url(path)) == decoded(str(file))


def test_ffmpeg_seeks_by_ranges_and_plays_on(audio: Audio, tmp_path: Path, request_id: str) -> None:
    file = tmp_path / "source.mp3"
    file.write_bytes(audio.content)
    seek = ("-fflags", "+fastseek", "-ss", "240")
    played = decoded(audio.url(), "-headers", f"X-Request-Id: {request_id}\r\n", *seek)
    assert played == decoded(str(file), *seek)
    assert abs(len(played) / PCM_BYTES_A_SECOND - 60) < 2.0
    eventually(lambda: len(audio.answers(request_id)) >= 2, what="a second request, for where it seeks to")
    assert set(audio.answers(request_id)) == {"206"}


@PATHS
@pytest.mark.parametrize(
    ("asked", "expected"), [("0-99", slice(0, 100)), ("1000-", slice(1000, None)), ("-500", slice(-500, None))]
)
def test_curl_fetches_a_range(audio: Audio, path: str, asked: str, expected: slice) -> None:
    assert run("curl", "-fsS", "-r", asked, audio.url(path)) == audio.content[expected]


@PATHS
def test_curl_goes_on_with_half_a_file(audio: Audio, tmp_path: Path, request_id: str, path: str) -> None:
    file = tmp_path / "half.mp3"
    file.write_bytes(audio.content[: len(audio.content) // 2])
    run("curl", "-fsS", "-H", f"X-Request-Id: {request_id}", "-C", "-", "-o", str(file), audio.url(path))
    assert file.read_bytes() == audio.content
    audio.wait_for_answers(request_id, "206")


def test_curl_has_nothing_to_do_with_a_whole_file(audio: Audio, tmp_path: Path, request_id: str) -> None:
    file = tmp_path / "whole.mp3"
    file.write_bytes(audio.content)
    run("curl", "-sS", "-H", f"X-Request-Id: {request_id}", "-C", "-", "-o", str(file), audio.url())
    assert file.read_bytes() == audio.content
    audio.wait_for_answers(request_id, "416")


def test_curl_names_a_download_as_the_recording_and_fetches_it_once(
    audio: Audio, tmp_path: Path, request_id: str
) -> None:
    url, etag = audio.url("/recordings/{sid}/download"), str(tmp_path / "etag")
    fetch = ("curl", "-fsS", "--compressed", "-H", f"X-Request-Id: {request_id}")
    run(*fetch, "--etag-save", etag, "--output-dir", str(tmp_path), "-OJ", url)
    assert (tmp_path / f"recording-{audio.recording_sid}.mp3").read_bytes() == audio.content
    audio.wait_for_answers(request_id, "200")
    assert run(*fetch, "--etag-compare", etag, url) == b""
    audio.wait_for_answers(request_id, "200", "304")


def test_every_credential_that_is_configured_for_the_account_opens_twilios_paths(
    start_service: Callable[..., AbstractContextManager[RunningService]], twilio: TwilioStandIn
) -> None:
    key, secret = "SK" + "4e" * 16, "secret-of-the-key"
    twilio.add_account(ACCOUNT_SID, AUTH_TOKEN, api_key=key, api_secret=secret)
    recording_sid = twilio.add_recording(duration=2).recording_sid
    with start_service(
        TWILIO_AUTH_TOKEN=f"{AUTH_TOKEN},the-next-token", TWILIO_API_KEY=key, TWILIO_API_SECRET=secret
    ) as service:
        service.enqueue(recording_sid)
        service.ready(recording_sid)
        url = f"{service.http_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{recording_sid}"
        for credentials in (f"{ACCOUNT_SID}:{AUTH_TOKEN}", f"{ACCOUNT_SID}:the-next-token", f"{key}:{secret}"):
            assert run("curl", "-fsS", "-u", credentials, f"{url}.mp3") == twilio.media(recording_sid)
            metadata = json.loads(run("curl", "-fsS", "-u", credentials, f"{url}.json"))
            assert (metadata["status"], metadata["media_url"]) == ("completed", url)
        status = ("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}")
        for credentials in (f"{ACCOUNT_SID}:", f"{ACCOUNT_SID}:wrong", f"{key}:{AUTH_TOKEN}"):
            assert run(*status, "-u", credentials, url) == b"401"
        assert run(*status, url) == b"401"
