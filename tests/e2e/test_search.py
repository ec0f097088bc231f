"""Recordings are found by what is said in them: over gRPC, HTTP, with the client and on the command line."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import grpc
import pytest

from recording_service.transcription_stand_in import TranscriptionStandIn
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings import RecordingsClient
from recordings.v1 import deletion_pb2, lookup_pb2, watch_pb2
from tests.clients.command_line.running_command import RunningCommand
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService, error_reason

API_KEY = "sk-a-key-of-the-tests-0123456789"
SAID = "Grüß Gott, Zoë! I don't want a refund, I want my money back."

Start = Callable[..., AbstractContextManager[RunningService]]


@pytest.fixture
def scribe() -> Iterator[TranscriptionStandIn]:
    """What transcribes."""
    with TranscriptionStandIn(api_key=API_KEY) as stand_in:
        yield stand_in


def transcribed(service: RunningService, twilio: TwilioStandIn, scribe: TranscriptionStandIn, text: str) -> str:
    """A recording in which that is said, once it is processed."""
    recording_sid = twilio.add_recording(duration=2).recording_sid
    scribe.say(text)
    service.enqueue(recording_sid, channels=1)
    request = watch_pb2.WatchRecordingRequest(
        account_sid=ACCOUNT_SID, recording_sid=recording_sid, until=watch_pb2.WATCH_UNTIL_PROCESSED
    )
    assert list(service.stub.WatchRecording(request, timeout=60.0))
    return recording_sid


def found(service: RunningService, words: str, **filters: object) -> lookup_pb2.ListRecordingsResponse:
    request = lookup_pb2.ListRecordingsRequest(words=words, **filters)  # type: ignore[arg-type]
    return service.stub.ListRecordings(request, timeout=CALL_SECONDS)


def test_a_recording_is_found_by_what_is_said_in_it_until_it_is_deleted(
    start_service: Start, twilio: TwilioStandIn, scribe: TranscriptionStandIn, tmp_path: Path
) -> None:
    with start_service(RECORDING_TRANSCRIPTION_URL=scribe.url, RECORDING_TRANSCRIPTION_API_KEY=API_KEY) as service:
        older = transcribed(service, twilio, scribe, SAID)
        newer = transcribed(service, twilio, scribe, "Nobody wants a refund here.")

        page = found(service, "refund")
        assert [recording.recording_sid for recording in page.recordings] == [newer, older]
        first = found(service, "refund", page_size=1)
        rest = found(service, "refund", page_size=1, page_token=first.next_page_token)
        assert [each.recordings[0].recording_sid for each in (first, rest)] == [newer, older]
        assert not found(service, "refund evening").recordings

        (match,) = found(service, 'zoe "MONEY back" gru*').transcript_matches
        assert (match.account_sid, match.recording_sid, match.snippet) == (ACCOUNT_SID, older, SAID)
        highlighted = [match.snippet[place.start : place.end] for place in match.highlights]
        assert highlighted == ["Grüß", "Zoë", "money back"]

        with urlopen(f"{service.http_url}/recordings?words={quote('zoë')}") as answer:  # noqa: S310 - our own
            (shown,) = json.load(answer)["recordings"]
        assert shown["transcript_match"]["snippet"] == SAID
        with RecordingsClient(service.grpc_address) as client:
            assert [each.match for each in client.search('zoe "MONEY back" gru*')] == [match]
        command = RunningCommand(service.grpc_address, tmp_path)
        (printed,) = command("search", "zoe", '"money back"', "gru*", "--json").objects
        assert printed["transcript_match"]["snippet"] == SAID
        assert SAID in command("search", "zoe").text

        with pytest.raises(grpc.RpcError) as refused:
            found(service, '"?!"')
        assert error_reason(refused.value)[1] == "INVALID_REQUEST"

        service.stub.DeleteRecording(deletion_pb2.DeleteRecordingRequest(recording_sid=older), timeout=CALL_SECONDS)
        assert [recording.recording_sid for recording in found(service, "refund").recordings] == [newer]
        assert not found(service, "zoe").recordings
