"""`GET /recordings`."""

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from recording_service.http_api.words import FAILURE_WORDS, WAITING_WORDS
from recordings.v1.lookup_pb2 import TextRange, TranscriptMatch
from recordings.v1.recording_pb2 import FailureReason, RecordingState, WaitingReason
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import ACCOUNT, Failure, FakeRecordings
from tests.http_api.running_app import Client, running_app

CALL = "CA" + "2c" * 16


def sid(number: int) -> str:
    return f"RE{number:032x}"


def add(recordings: FakeRecordings, number: int, **fields: Any) -> None:
    """A recording that is newer than those with smaller numbers."""
    recordings.add(b"audio", sid(number), create_time=Timestamp(seconds=1_772_532_000 + number), **fields)


def test_the_list_is_a_page_newest_first_in_the_contracts_json(client: Client, recordings: FakeRecordings) -> None:
    for number in range(3):
        add(recordings, number)
    answer = client.get("/recordings?page_size=2")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    page = answer.json()
    assert [each["recording_sid"] for each in page["recordings"]] == [sid(2), sid(1)]
    assert page["recordings"][0]["state"] == "RECORDING_STATE_READY"
    rest = client.get(f"/recordings?page_size=2&page_token={page['next_page_token']}").json()
    assert [each["recording_sid"] for each in rest["recordings"]] == [sid(0)]
    assert rest["next_page_token"] == ""


def test_filters_are_passed_on(client: Client, recordings: FakeRecordings) -> None:
    answer = client.get(f"/recordings?states=FAILED,RECORDING_STATE_READY&account_sids={ACCOUNT}&call_sids={CALL}")
    assert answer.json() == {"recordings": [], "next_page_token": ""}
    (request,) = recordings.of("ListRecordings")
    assert list(request.states) == [RecordingState.RECORDING_STATE_FAILED, RecordingState.RECORDING_STATE_READY]
    assert (list(request.account_sids), list(request.call_sids)) == ([ACCOUNT], [CALL])
    assert request.page_size == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("states=LOST", "states"),
        ("states=UNSPECIFIED", "states"),
        ("account_sids=AC12", "account_sids"),
        (f"call_sids={CALL},{ACCOUNT}", "call_sids"),
        (f"call_sids={','.join([CALL] * 101)}", "call_sids"),
        ("page_size=-1", "page_size"),
        ("page_size=many", "page_size"),
        ("page_size=1&page_size=2", "page_size"),
        ("page_token=" + "a" * 1025, "page_token"),
        ("words=" + "a" * 501, "words"),
        ("words=a&words=b", "words"),
    ],
)
def test_a_bad_value_is_400_and_named_and_nobody_is_asked(
    client: Client, recordings: FakeRecordings, query: str, field: str
) -> None:
    answer = client.get(f"/recordings?{query}")
    assert (answer.status, answer.json()["reason"]) == (400, "INVALID_REQUEST")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert recordings.of("ListRecordings") == []


def test_what_the_service_refuses_is_answered_by_the_table(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers["ListRecordings"] = [Failure(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")]
    assert client.get("/recordings").status == 401


def test_callers_are_asked_for_and_their_token_is_handed_on(settings: Settings, recordings: FakeRecordings) -> None:
    with running_app(settings(requires_credentials=True)) as client:
        recordings.asked.clear()
        assert client.get("/recordings").status == 401
        assert recordings.asked == []
        assert client.get("/recordings", Cookie="__Host-recording_session=a-token").status == 200
    assert {call.metadata["authorization"] for call in recordings.asked} == {"Bearer a-token"}


def test_what_is_not_to_be_had_or_not_yet_says_why_in_words(client: Client, recordings: FakeRecordings) -> None:
    absent, limited = FailureReason.FAILURE_REASON_SOURCE_ABSENT, WaitingReason.WAITING_REASON_RATE_LIMITED
    add(recordings, 3, state=RecordingState.RECORDING_STATE_FAILED, failure_reason=absent)
    add(recordings, 2, state=RecordingState.RECORDING_STATE_QUEUED, waiting_reason=limited)
    add(recordings, 1)
    failed, waiting, ready = client.get("/recordings").json()["recordings"]
    assert failed["failure_text"] == FAILURE_WORDS[absent]
    assert waiting["waiting_text"] == WAITING_WORDS[limited]
    assert not {"failure_text", "waiting_text"} & ready.keys()
    assert client.get(f"/recordings/{sid(3)}").json() == failed


def test_words_are_passed_on_and_each_recording_says_where_they_are(client: Client, recordings: FakeRecordings) -> None:
    for number in (1, 2):
        add(recordings, number)
    recordings.said[sid(2)] = TranscriptMatch(
        account_sid=ACCOUNT,
        recording_sid=sid(2),
        snippet="Grüße, Zoë",
        highlights=[TextRange(end=5), TextRange(start=7, end=10)],
    )
    newer, older = client.get("/recordings?words=gr%C3%BC*%20%22zo%C3%AB%22").json()["recordings"]
    assert newer["transcript_match"] == {
        "snippet": "Grüße, Zoë",
        "highlights": [{"start": 0, "end": 5}, {"start": 7, "end": 10}],
    }
    assert "transcript_match" not in older
    (request,) = recordings.of("ListRecordings")
    assert request.words == 'grü* "zoë"'


def test_words_that_the_service_refuses_are_400_with_its_reason(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers["ListRecordings"] = [Failure(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")]
    answer = client.get("/recordings?words=?!")
    assert (answer.status, answer.json()["reason"]) == (400, "INVALID_REQUEST")
