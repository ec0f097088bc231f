"""From Twilio to the waveform and the words: a real recording, processed by the running service, over gRPC and HTTP."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import requests

from recording_service.transcription_stand_in import TranscriptionStandIn
from recordings.v1 import playback_url_pb2, recording_pb2, results_pb2, watch_pb2
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService

SECONDS = 40
SENTENCES = ("Hello, this is the bakery.", "What can I do for you?", "Two loaves, please.", "That makes five euros.")
RESULTS = ("waveform.json", "waveform.dat", "transcript.vtt", "transcript.txt", "transcript.json")
STAMP = r"\d\d:\d\d:\d\d\.\d\d\d"

StartService = Callable[..., AbstractContextManager[RunningService]]


@pytest.fixture
def service(start_service: StartService) -> Iterator[RunningService]:
    """A service that has somebody to transcribe for it."""
    with TranscriptionStandIn() as transcription:
        transcription.say(*SENTENCES)
        with start_service(
            RECORDING_TRANSCRIPTION_URL=transcription.url,
            RECORDING_TRANSCRIPTION_MODEL="whisper-1",
            TWILIO_DUAL_CHANNEL="true",
        ) as running:
            yield running


def processed(service: RunningService, recording_sid: str) -> recording_pb2.Recording:
    """The recording once its processing has come to an end."""
    request = watch_pb2.WatchRecordingRequest(
        account_sid=ACCOUNT_SID, recording_sid=recording_sid, until=watch_pb2.WATCH_UNTIL_PROCESSED
    )
    return [look.recording for look in service.stub.WatchRecording(request, timeout=60)][-1]


def get(service: RunningService, recording_sid: str, name: str, query: str = "", **headers: str) -> requests.Response:
    url = f"{service.http_url}/recordings/{recording_sid}/{name}{query}"
    return requests.get(url, headers=headers, timeout=CALL_SECONDS)


def test_a_full_recording_is_drawn_and_written_down_and_everyone_is_told_the_same(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=SECONDS, channels=2).recording_sid
    service.enqueue(recording_sid, job=recording_pb2.RECORDING_JOB_FULL)
    recording = processed(service, recording_sid)

    assert recording.processing_state == recording_pb2.PROCESSING_STATE_DONE, recording
    assert {step.state for step in recording.processing_steps} == {recording_pb2.PROCESSING_STATE_DONE}
    assert recording.probe.channels == 2
    assert abs(recording.probe.duration.ToTimedelta().total_seconds() - SECONDS) < 0.2
    _compare_waveforms(service, recording)
    _compare_transcripts(service, recording)
    _ask_again(service, recording_sid)
    _listen_by_a_signed_url(service, recording_sid)


def test_of_a_recording_that_is_to_be_played_alone_there_is_nothing_else(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=SECONDS).recording_sid
    service.enqueue(recording_sid, job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY)
    service.ready(recording_sid)

    for name in RESULTS:
        answer = get(service, recording_sid, name)
        assert (answer.status_code, answer.json()["reason"]) == (424, "STEP_WITHOUT_RESULT")
        assert answer.json()["step"] == name.partition(".")[0].upper()
    assert get(service, recording_sid, "stream").status_code == 200


def _compare_waveforms(service: RunningService, recording: recording_pb2.Recording) -> None:
    """HTTP shows what GetWaveform says, at each zoom; and there is sound in it."""
    found = []
    for zoom in (0, 2**31 - 1):
        request = results_pb2.GetWaveformRequest(recording_sid=recording.recording_sid, samples_per_pixel=zoom)
        waveform = service.stub.GetWaveform(request, timeout=CALL_SECONDS)
        query = f"?samples_per_pixel={zoom}"
        shown = get(service, recording.recording_sid, "waveform.json", query).json()
        binary = get(service, recording.recording_sid, "waveform.dat", query).content
        data = memoryview(waveform.peaks).cast("b").tolist()
        assert shown == {
            "version": 2,
            "channels": 2,
            "sample_rate": recording.probe.sample_rate,
            "samples_per_pixel": waveform.samples_per_pixel,
            "bits": 8,
            "length": waveform.length,
            "data": data,
        }
        assert binary[24:] == waveform.peaks
        assert max(data) > 10 > -10 > min(data)
        seconds = waveform.length * waveform.samples_per_pixel / waveform.sample_rate
        assert SECONDS - 0.5 < seconds < SECONDS + 1.5
        found.append(waveform.length)
    fine, coarse = found
    assert fine > 10 * coarse


def _compare_transcripts(service: RunningService, recording: recording_pb2.Recording) -> None:
    """HTTP shows what GetTranscript says, in each form."""
    request = results_pb2.GetTranscriptRequest(recording_sid=recording.recording_sid)
    transcript = service.stub.GetTranscript(request, timeout=CALL_SECONDS)
    segments: list[dict[str, Any]] = get(service, recording.recording_sid, "transcript.json").json()["segments"]
    assert segments
    assert [(each["channel"], each["text"]) for each in segments] == [
        (each.channel, each.text) for each in transcript.segments
    ]
    assert [each["start"] for each in segments] == [
        each.start.ToTimedelta().total_seconds() for each in transcript.segments
    ]
    assert {each["channel"] for each in segments} == {0, 1}
    assert 0 <= segments[0]["start"] < segments[-1]["end"] <= SECONDS + 1

    captions = get(service, recording.recording_sid, "transcript.vtt")
    assert captions.headers["content-type"] == "text/vtt; charset=utf-8"
    head, *cues = captions.content.decode().strip().split("\n\n")
    assert head == "WEBVTT"
    spoken = []
    for cue in cues:
        times, *lines = cue.splitlines()
        begin, end = re.fullmatch(f"({STAMP}) --> ({STAMP})", times).groups()  # type: ignore[union-attr]
        assert begin < end
        found = re.fullmatch(r"<v Channel [12]>(.+)", " ".join(lines))
        assert found is not None
        spoken.append(found[1])
    assert " ".join(spoken).split() == " ".join(each.text for each in transcript.segments).split()

    lines = get(service, recording.recording_sid, "transcript.txt").content.decode().splitlines()
    assert all(re.fullmatch(r"\[00:00:\d\d\] Channel [12]: .+", line) for line in lines)
    assert len(lines) == len(segments)


def _ask_again(service: RunningService, recording_sid: str) -> None:
    for name in RESULTS:
        first = get(service, recording_sid, name)
        again = get(service, recording_sid, name, **{"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def _listen_by_a_signed_url(service: RunningService, recording_sid: str) -> None:
    made = service.stub.CreatePlaybackUrl(
        playback_url_pb2.CreatePlaybackUrlRequest(recording_sid=recording_sid), timeout=CALL_SECONDS
    )
    query = "?" + made.url.partition("?")[2]
    for name in RESULTS:
        assert get(service, recording_sid, name, query).status_code == 200
        forged = get(service, recording_sid, name, query.replace("expires=", "expires=9"))
        assert (forged.status_code, json.loads(forged.content)["reason"]) == (403, "PLAYBACK_URL_INVALID")
