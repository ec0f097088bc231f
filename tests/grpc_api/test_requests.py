"""Messages become checked requests; every wrong field is named by its name in the contract."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.callers import EVERYONE
from recording_service.core.errors import InvalidRequest
from recording_service.core.model import (
    FailureReason,
    Priority,
    RecordingFilter,
    RecordingJob,
    RecordingKey,
    RecordingState,
    UnavailableReason,
)
from recording_service.core.search import SearchTerm, WordSearch
from recording_service.core.watching import WatchUntil
from recording_service.grpc_api import requests
from recordings.v1 import enqueue_pb2, lookup_pb2, recording_pb2, watch_pb2
from tests.support.grpc_server import checker
from tests.support.grpc_service import ACCOUNT, NOW, RECORDING

MAX_INT64, MIN_INT64 = 2**63 - 1, -(2**63)
MAX_INT32, MIN_INT32 = 2**31 - 1, -(2**31)

#: Numbers that some enum of the contract has.
KNOWN_NUMBERS = {*range(11), *recording_pb2.FailureReason.values()}

unknown_numbers = st.integers(MIN_INT32, MAX_INT32).filter(lambda number: number not in KNOWN_NUMBERS)


def fields(caught: pytest.ExceptionInfo[InvalidRequest]) -> list[str]:
    return [violation.field for violation in caught.value.violations]


def test_an_enqueue_has_all_that_was_sent() -> None:
    message = enqueue_pb2.EnqueueRecordingRequest(
        account_sid=ACCOUNT,
        recording_sid=RECORDING,
        call_sid="CA" + "2c" * 16,
        conference_sid="CF" + "3d" * 16,
        source_url=f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}.json",
        job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY,
        priority=recording_pb2.PRIORITY_BULK,
        source="DialVerb",
        track="both",
        direction="inbound",
        channels=2,
        start_time=Timestamp(seconds=int(NOW.timestamp()), nanos=89_999),
        duration=Duration(seconds=61),
        from_number="+1",
        to_number="+2",
        labels={"team": "sales"},
        encryption_details=enqueue_pb2.EncryptionDetails(
            public_key_sid="CR" + "5f" * 16, encrypted_cek="A" * 342 + "==", iv="B" * 16
        ),
    )

    request = requests.enqueue_request(message, checker(), "request-1")

    assert request.key == RecordingKey(ACCOUNT, RECORDING)
    assert (request.job, request.priority, request.request_id) == (
        RecordingJob.DOWNLOAD_ONLY,
        Priority.BULK,
        "request-1",
    )
    assert request.encryption_details == ("CR" + "5f" * 16, "A" * 342 + "==", "B" * 16)
    call = request.call
    assert (call.call_sid, call.conference_sid) == ("CA" + "2c" * 16, "CF" + "3d" * 16)
    assert call.source_url.endswith(".json")
    assert (call.source, call.track, call.direction, call.channels) == ("DialVerb", "both", "inbound", 2)
    assert (call.start_time, call.duration) == (NOW, timedelta(seconds=61))
    assert (call.from_number, call.to_number, call.labels) == ("+1", "+2", {"team": "sales"})


def test_what_was_not_sent_is_left_open() -> None:
    request = requests.enqueue_request(enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING), checker(), "")

    assert (request.job, request.priority) == (RecordingJob.FULL, Priority.NORMAL)
    assert (request.call.start_time, request.call.duration) == (None, None)
    assert request.encryption_details is None


def test_malformed_details_of_encryption_are_named_by_their_fields() -> None:
    message = enqueue_pb2.EnqueueRecordingRequest(
        recording_sid=RECORDING, encryption_details=enqueue_pb2.EncryptionDetails(iv="no base64!")
    )

    with pytest.raises(InvalidRequest) as caught:
        requests.enqueue_request(message, checker(), "")

    assert fields(caught) == [
        "encryption_details.public_key_sid",
        "encryption_details.encrypted_cek",
        "encryption_details.iv",
    ]


@given(unknown_numbers, unknown_numbers)
def test_numbers_an_enum_does_not_know_are_named(job: int, priority: int) -> None:
    message = enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING)
    message.MergeFromString(_enum_field(6, job) + _enum_field(7, priority))

    with pytest.raises(InvalidRequest) as caught:
        requests.enqueue_request(message, checker(), "")

    assert fields(caught) == ["job", "priority"]


def _enum_field(field: int, number: int) -> bytes:
    """A field of an open enum, with any number, as a newer client may send it."""
    encoded, rest = bytearray([field << 3]), number & (2**64 - 1)
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*encoded, rest])


def test_what_the_contract_and_what_the_core_find_wrong_is_said_at_once() -> None:
    message = enqueue_pb2.EnqueueRecordingRequest(
        recording_sid="RE1", channels=-1, start_time=Timestamp(nanos=-1), duration=Duration(seconds=1, nanos=-1)
    )

    with pytest.raises(InvalidRequest) as caught:
        requests.enqueue_request(message, checker(), "")

    assert fields(caught) == ["start_time", "duration", "recording_sid", "channels"]


@given(st.integers(MIN_INT64, MAX_INT64), st.integers(MIN_INT32, MAX_INT32))
def test_a_timestamp_is_a_time_or_is_named(seconds: int, nanos: int) -> None:
    message = enqueue_pb2.EnqueueRecordingRequest(
        recording_sid=RECORDING, start_time=Timestamp(seconds=seconds, nanos=nanos)
    )
    is_valid = -62_135_596_800 <= seconds <= 253_402_300_799 and 0 <= nanos <= 999_999_999

    if is_valid:
        assert requests.enqueue_request(message, checker(), "").call.start_time == message.start_time.ToDatetime(UTC)
    else:
        with pytest.raises(InvalidRequest) as caught:
            requests.enqueue_request(message, checker(), "")
        assert fields(caught) == ["start_time"]


@pytest.mark.parametrize(
    ("seconds", "moment"),
    [
        (-62_135_596_800, datetime(1, 1, 1, tzinfo=UTC)),
        (253_402_300_799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_the_first_and_the_last_second_of_a_timestamp_are_times(seconds: int, moment: datetime) -> None:
    message = enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING, start_time=Timestamp(seconds=seconds))

    assert requests.enqueue_request(message, checker(), "").call.start_time == moment


@given(st.integers(MIN_INT64, MAX_INT64), st.integers(MIN_INT32, MAX_INT32))
def test_a_duration_is_a_length_or_is_named(seconds: int, nanos: int) -> None:
    message = enqueue_pb2.EnqueueRecordingRequest(
        recording_sid=RECORDING, duration=Duration(seconds=seconds, nanos=nanos)
    )
    is_valid = 0 <= seconds <= 315_576_000_000 and 0 <= nanos <= 999_999_999

    if is_valid:
        length = requests.enqueue_request(message, checker(), "").call.duration
        assert length == timedelta(seconds=seconds, microseconds=nanos // 1000)
    else:
        with pytest.raises(InvalidRequest) as caught:
            requests.enqueue_request(message, checker(), "")
        assert fields(caught) == ["duration"]


def test_a_report_has_all_that_was_sent() -> None:
    message = enqueue_pb2.ReportRecordingUnavailableRequest(
        recording_sid=RECORDING,
        call_sid="CA" + "2c" * 16,
        reason=enqueue_pb2.UNAVAILABLE_REASON_ABSENT,
        error_code=16101,
    )

    report = requests.unavailable_report(message, checker(), "request-1")

    assert report.key == RecordingKey(ACCOUNT, RECORDING)
    assert (report.reason, report.call_sid) == (UnavailableReason.ABSENT, "CA" + "2c" * 16)
    assert (report.error_code, report.request_id) == (16101, "request-1")


@pytest.mark.parametrize("number", [0, 3, 99])
def test_a_report_without_a_reason_that_is_known_names_it_once(number: int) -> None:
    message = enqueue_pb2.ReportRecordingUnavailableRequest(recording_sid="")
    message.MergeFromString(_enum_field(4, number))

    with pytest.raises(InvalidRequest) as caught:
        requests.unavailable_report(message, checker(), "")

    assert sorted(fields(caught)) == ["reason", "recording_sid"]


@pytest.mark.parametrize(("number", "until"), [(0, WatchUntil.READY), (1, WatchUntil.READY), (2, WatchUntil.PROCESSED)])
def test_a_watch_goes_on_until_ready_unless_it_says_otherwise(number: int, until: WatchUntil) -> None:
    message = watch_pb2.WatchRecordingRequest(recording_sid=RECORDING)
    message.MergeFromString(_enum_field(3, number))

    target, asked = requests.watch_request(message, checker(), EVERYONE)

    assert (target.account_sid, target.recording_sid, asked) == ("", RECORDING, until)


def test_a_watch_names_all_that_is_wrong() -> None:
    message = watch_pb2.WatchRecordingRequest(recording_sid="RE1")
    message.MergeFromString(_enum_field(3, 3))

    with pytest.raises(InvalidRequest) as caught:
        requests.watch_request(message, checker(), EVERYONE)

    assert fields(caught) == ["until", "recording_sid"]


def test_a_filter_has_all_that_was_sent() -> None:
    message = lookup_pb2.ListRecordingsRequest(
        states=[recording_pb2.RECORDING_STATE_READY, recording_pb2.RECORDING_STATE_DELETED],
        failure_reasons=[recording_pb2.FAILURE_REASON_SOURCE_ABSENT],
        account_sids=[ACCOUNT],
        call_sids=["CA" + "2c" * 16],
        labels={"team": "sales"},
        create_time_from=Timestamp(seconds=1),
        create_time_before=Timestamp(seconds=2),
        words='Hello "good morning"',
    )

    assert requests.recording_filter(message) == RecordingFilter(
        states=frozenset({RecordingState.READY, RecordingState.DELETED}),
        failure_reasons=frozenset({FailureReason.SOURCE_ABSENT}),
        account_sids=frozenset({ACCOUNT}),
        call_sids=frozenset({"CA" + "2c" * 16}),
        labels={"team": "sales"},
        create_time_from=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        create_time_before=datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC),
        words=WordSearch((SearchTerm(("hello",)), SearchTerm(("good", "morning")))),
    )


def test_an_empty_filter_narrows_nothing() -> None:
    assert requests.recording_filter(lookup_pb2.ListRecordingsRequest()) == RecordingFilter()


def test_a_filter_names_all_that_is_wrong() -> None:
    message = lookup_pb2.ListRecordingsRequest(
        create_time_from=Timestamp(nanos=-1), create_time_before=Timestamp(seconds=MAX_INT64), words="..."
    )
    message.MergeFromString(_enum_field(3, 0) + _enum_field(3, 77) + _enum_field(4, 78))

    with pytest.raises(InvalidRequest) as caught:
        requests.recording_filter(message)

    assert fields(caught) == ["states", "states", "failure_reasons", "create_time_from", "create_time_before", "words"]


def test_a_watch_of_a_list_has_all_that_was_sent() -> None:
    message = watch_pb2.WatchRecordingsRequest(
        states=[recording_pb2.RECORDING_STATE_QUEUED, recording_pb2.RECORDING_STATE_READY],
        account_sids=[ACCOUNT, ACCOUNT],
        call_sids=["CA" + "2c" * 16],
        snapshot_size=7,
    )

    assert requests.list_watch_request(message) == (
        RecordingFilter(
            states=frozenset({RecordingState.QUEUED, RecordingState.READY}),
            account_sids=frozenset({ACCOUNT}),
            call_sids=frozenset({"CA" + "2c" * 16}),
        ),
        7,
    )


def test_a_watch_of_a_list_without_filters_is_of_everything() -> None:
    assert requests.list_watch_request(watch_pb2.WatchRecordingsRequest()) == (RecordingFilter(), 0)


def test_events_have_no_snapshot() -> None:
    with pytest.raises(InvalidRequest) as caught:
        requests.list_watch_request(watch_pb2.WatchRecordingsRequest(snapshot_size=1, after_revision=0))
    assert fields(caught) == ["snapshot_size"]


def test_a_watch_of_a_list_names_all_that_is_wrong() -> None:
    message = watch_pb2.WatchRecordingsRequest(
        account_sids=[ACCOUNT, "", "AC1"], call_sids=[RECORDING], snapshot_size=-1
    )
    message.MergeFromString(_enum_field(1, 0) + _enum_field(1, 77))

    with pytest.raises(InvalidRequest) as caught:
        requests.list_watch_request(message)

    assert fields(caught) == ["states", "states", "account_sids", "account_sids", "call_sids", "snapshot_size"]
