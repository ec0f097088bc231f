"""`/recordings/{sid}/transcript.vtt`, `.txt` and `.json`."""

import pytest
from google.protobuf.duration_pb2 import Duration

from recordings.v1.recording_pb2 import Probe
from recordings.v1.results_pb2 import GetTranscriptResponse, TranscriptSegment
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, FakeRecordings
from tests.http_api.results.making_results import TRANSCRIPT
from tests.http_api.running_app import Client

PATH = f"/recordings/{RECORDING}/transcript"


@pytest.fixture(autouse=True)
def _said(recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    recordings.transcripts[RECORDING] = TRANSCRIPT


def test_captions_are_web_vtt_with_the_channels_as_speakers(client: Client) -> None:
    answer = client.get(f"{PATH}.vtt")

    assert (answer.status, answer.headers["content-type"]) == (200, "text/vtt; charset=utf-8")
    assert answer.headers["content-disposition"] == f'inline; filename="transcript-{RECORDING}.vtt"'
    assert answer.body.decode() == (
        "WEBVTT\n"
        "\n"
        "00:00:01.250 --> 00:00:02.500\n"
        "<v Channel 1>Good morning, &lt;b&gt;Äpfel &amp; Birnen&lt;/b&gt;.\n"
        "\n"
        "01:01:01.000 --> 01:01:02.000\n"
        "<v Channel 2>Yes?\n"
    )


def test_plain_text_has_a_line_a_segment(client: Client) -> None:
    answer = client.get(f"{PATH}.txt")

    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body.decode() == (
        "[00:00:01] Channel 1: Good morning, <b>Äpfel & Birnen</b>.\n[01:01:01] Channel 2: Yes?\n"
    )


@pytest.mark.parametrize(("channels", "speaker"), [(1, ""), (2, "Channel 1: ")])
def test_who_speaks_alone_is_named_where_the_recording_has_two_channels(
    client: Client, recordings: FakeRecordings, channels: int, speaker: str
) -> None:
    recordings.add(b"0123456789", probe=Probe(channels=channels))
    recordings.transcripts[RECORDING] = GetTranscriptResponse(segments=[TranscriptSegment(text="Hello?")])

    assert client.get(f"{PATH}.txt").body.decode() == f"[00:00:00] {speaker}Hello?\n"
    assert ("<v Channel 1>" in client.get(f"{PATH}.vtt").body.decode()) is (channels == 2)


@pytest.mark.parametrize("extension", ["vtt", "txt", "json"])
def test_the_recording_is_not_asked_for_where_its_transcript_tells_who_speaks(
    client: Client, recordings: FakeRecordings, extension: str
) -> None:
    assert client.get(f"{PATH}.{extension}").status == 200
    assert recordings.of("GetRecording") == []


def test_json_has_words_and_how_sure_they_are_and_seconds_as_numbers(client: Client) -> None:
    answer = client.get(f"{PATH}.json")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {
        "language": "en",
        "segments": [
            {
                "channel": 0,
                "start": 1.25,
                "end": 2.5,
                "text": "Good morning, <b>Äpfel & Birnen</b>.",
                "confidence": 0.9,
                "words": [
                    {"start": 1.25, "end": 2.0, "text": "Good", "confidence": 0.25},
                    {"start": 2.0, "end": 2.5, "text": "morning"},
                ],
            },
            {"channel": 1, "start": 3661.0, "end": 3662.0, "text": "Yes?"},
        ],
    }


@pytest.mark.parametrize(
    ("extension", "body"), [("vtt", b"WEBVTT\n"), ("txt", b""), ("json", b'{"language":"","segments":[]}')]
)
def test_where_nobody_says_anything_it_is_empty(
    client: Client, recordings: FakeRecordings, extension: str, body: bytes
) -> None:
    recordings.answers["GetTranscript"] = [GetTranscriptResponse()]

    answer = client.get(f"{PATH}.{extension}")

    assert (answer.status, answer.body) == (200, body)


def test_the_account_is_handed_on(client: Client, recordings: FakeRecordings) -> None:
    client.get(f"{PATH}.vtt?account_sid={ACCOUNT}")

    (request,) = recordings.of("GetTranscript")
    assert (request.account_sid, request.recording_sid) == (ACCOUNT, RECORDING)


def test_a_transcript_whose_times_are_none_is_not_handed_on(client: Client, recordings: FakeRecordings) -> None:
    backwards = TranscriptSegment(start=Duration(seconds=2), end=Duration(seconds=1), text="?")
    recordings.transcripts[RECORDING] = GetTranscriptResponse(segments=[backwards])

    assert client.get(f"{PATH}.json").status == 500
