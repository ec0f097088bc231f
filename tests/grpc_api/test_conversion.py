"""Recordings become messages, field by field."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.model import (
    CallDetails,
    EnqueueReason,
    FailureReason,
    RecordingJob,
    RecordingState,
    WaitingReason,
)
from recording_service.grpc_api.conversion import (
    MAX_FAILED_ENQUEUE_BYTES,
    enqueue_response,
    failed_enqueue_response,
    recording_message,
)
from recordings.v1 import enqueue_pb2, recording_pb2
from tests.support.grpc_service import ACCOUNT, NOW, RECORDING, recording

#: Fields that no recording has together with being READY.
NOT_OF_THIS_ONE = {
    "failure_reason",
    "failure_message",
    "waiting_reason",
    "delete_time",
    # Of its processing `test_processing` says what is told.
    *(name for name in recording_pb2.Recording.DESCRIPTOR.fields_by_name if name.startswith("processing_")),
    "probe",
}


def test_every_field_that_is_known_is_set() -> None:
    message = recording_message(recording())

    known = {descriptor.name for descriptor, _ in message.ListFields()}
    assert known == set(recording_pb2.Recording.DESCRIPTOR.fields_by_name) - NOT_OF_THIS_ONE


def test_the_fields_have_the_values_of_the_recording() -> None:
    message = recording_message(recording())

    assert (message.account_sid, message.recording_sid) == (ACCOUNT, RECORDING)
    assert message.call_sid == "CA" + "2c" * 16
    assert message.conference_sid == "CF" + "3d" * 16
    assert message.job == recording_pb2.RECORDING_JOB_FULL
    assert message.priority == recording_pb2.PRIORITY_NORMAL
    assert message.state == recording_pb2.RECORDING_STATE_READY
    assert (message.source, message.track, message.direction, message.channels) == ("DialVerb", "both", "inbound", 2)
    assert message.start_time.ToDatetime(UTC) == NOW - timedelta(minutes=5)
    assert message.duration.ToTimedelta() == timedelta(seconds=61)
    assert (message.from_number, message.to_number) == ("+4915112345678", "+493012345678")
    assert dict(message.labels) == {"team": "sales", "tenant": "42"}
    assert message.source_url.endswith(RECORDING)
    assert (message.attempt, message.failures, message.revision) == (2, 1, 7)
    assert (message.received_bytes, message.size_bytes) == (10, 10)
    assert message.sha256 == message.etag == "4e" * 32
    assert (message.content_type, message.stored_channels) == ("audio/mpeg", 2)
    assert message.encryption_public_key_sid == "CR" + "5f" * 16
    assert message.create_time.ToDatetime(UTC) == NOW - timedelta(minutes=3)
    assert message.update_time.ToDatetime(UTC) == NOW
    assert message.next_attempt_time.ToDatetime(UTC) == NOW - timedelta(minutes=2)
    assert message.ready_time.ToDatetime(UTC) == NOW


def test_what_is_not_known_is_left_out() -> None:
    bare = recording(
        call=CallDetails(),
        job=RecordingJob.DOWNLOAD_ONLY,
        state=RecordingState.QUEUED,
        failures_by_reason={},
        received_bytes=0,
        size_bytes=None,
        sha256="",
        content_type="",
        stored_channels=0,
        encryption_details=None,
        ready_time=None,
    )

    known = {descriptor.name for descriptor, _ in recording_message(bare).ListFields()}

    assert known == {
        "account_sid",
        "recording_sid",
        "job",
        "priority",
        "state",
        "attempt",
        "next_attempt_time",
        "revision",
        "create_time",
        "update_time",
    }


def test_a_failed_recording_says_why() -> None:
    failed = recording(
        state=RecordingState.FAILED, failure_reason=FailureReason.SOURCE_ABSENT, failure_message="too short"
    )

    message = recording_message(failed)

    assert message.failure_reason == recording_pb2.FAILURE_REASON_SOURCE_ABSENT
    assert message.failure_message == "too short"


def test_a_waiting_recording_says_what_it_waits_for() -> None:
    waiting = recording(state=RecordingState.QUEUED, waiting_reason=WaitingReason.ACCOUNT_UNAUTHORIZED)

    assert recording_message(waiting).waiting_reason == recording_pb2.WAITING_REASON_ACCOUNT_UNAUTHORIZED


def test_a_tombstone_says_when_it_was_deleted() -> None:
    tombstone = recording(state=RecordingState.DELETED, delete_time=NOW)

    assert recording_message(tombstone).delete_time.ToDatetime(UTC) == NOW


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_is_what_protobuf_makes_of_it(moment: datetime) -> None:
    expected = Timestamp()
    expected.FromDatetime(moment)

    assert recording_message(recording(ready_time=moment)).ready_time == expected


@given(st.timedeltas(min_value=timedelta(days=-3_000_000), max_value=timedelta(days=3_000_000)))
def test_a_duration_comes_back_as_it_was(length: timedelta) -> None:
    call = replace(recording().call, duration=length)

    assert recording_message(recording(call=call)).duration.ToTimedelta() == length


def test_an_enqueue_response_has_the_reason_and_the_recording() -> None:
    response = enqueue_response(EnqueueReason.CACHED, recording())

    assert response.reason == enqueue_pb2.ENQUEUE_REASON_CACHED
    assert response.recording == recording_message(recording())


def test_an_enqueue_response_without_a_recording_has_none() -> None:
    assert not failed_enqueue_response(None).HasField("recording")


def test_a_failed_enqueue_response_fits_into_a_status_whatever_was_stored() -> None:
    labels = {f"{number:02}" + "ä" * 61: "ö" * 255 for number in range(16)}
    call = replace(recording().call, labels=labels, source="ü" * 255, source_url="x" * 2048)

    response = failed_enqueue_response(recording(call=call, failure_message="ß" * 300))

    assert response.ByteSize() <= MAX_FAILED_ENQUEUE_BYTES
    assert response.reason == enqueue_pb2.ENQUEUE_REASON_ERROR
    assert response.recording.recording_sid == RECORDING
    assert response.recording.state == recording_pb2.RECORDING_STATE_READY


def test_a_failed_enqueue_response_that_fits_is_complete() -> None:
    assert failed_enqueue_response(recording()).recording == recording_message(recording())
