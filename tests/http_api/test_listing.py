"""`GET /recordings`."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from recordings.v1.recording_pb2 import FailureReason, RecordingState, WaitingReason
from tests.http_api.fake_recordings import ACCOUNT, Failure, FakeRecordings
from tests.http_api.running_app import Client

CALL = "CA" + "2c" * 16


def sid(number: int) -> str:
    return f"RE{number:032x}"


def add(recordings: FakeRecordings, number: int) -> None:
    """A recording that is newer than those with smaller numbers."""
    recordings.add(b"audio", sid(number), create_time=Timestamp(seconds=1_772_532_000 + number))


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


@pytest.mark.parametrize(
    "reason", [number for name, number in FailureReason.items() if name != "FAILURE_REASON_UNSPECIFIED"]
)
def test_every_failure_has_words_of_its_own(client: Client, recordings: FakeRecordings, reason: int) -> None:
    failed = RecordingState.RECORDING_STATE_FAILED
    recordings.add(b"", sid(1), state=failed, failure_reason=reason)
    recordings.add(b"", sid(2), state=failed)
    texts = {each["recording_sid"]: each["failure_text"] for each in client.get("/recordings").json()["recordings"]}
    assert texts[sid(1)] not in {"", texts[sid(2)]}


@pytest.mark.parametrize(
    "reason", [number for name, number in WaitingReason.items() if name != "WAITING_REASON_UNSPECIFIED"]
)
def test_every_wait_has_words_of_its_own(client: Client, recordings: FakeRecordings, reason: int) -> None:
    queued = RecordingState.RECORDING_STATE_QUEUED
    recordings.add(b"", sid(1), state=queued, waiting_reason=reason)
    recordings.add(b"", sid(2), state=queued)
    texts = {each["recording_sid"]: each["waiting_text"] for each in client.get("/recordings").json()["recordings"]}
    assert texts[sid(1)] not in {"", texts[sid(2)]}


def test_a_reason_of_a_newer_service_has_words_as_well(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"", sid(1), state=RecordingState.RECORDING_STATE_FAILED, failure_reason=99)
    assert client.get(f"/recordings/{sid(1)}").json()["failure_text"] == "The recording could not be fetched."
