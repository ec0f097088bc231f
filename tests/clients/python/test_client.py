"""Calls with one answer over a real connection, and how a client ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import grpc
import pytest

import recordings.aio
from recordings import RecordingsClient, errors
from recordings._translation import BY_REASON
from recordings.v1.enqueue_pb2 import (
    BatchEnqueueRecordingsResponse,
    EncryptionDetails,
    EnqueueReason,
    EnqueueRecordingRequest,
    EnqueueRecordingResponse,
    UnavailableReason,
)
from recordings.v1.lookup_pb2 import TextRange, TranscriptMatch
from recordings.v1.playback_url_pb2 import PlaybackDisposition
from recordings.v1.recording_pb2 import Priority, RecordingJob, RecordingState
from recordings.v1.results_pb2 import GetTranscriptResponse, GetWaveformResponse, TranscriptSegment
from tests.clients.python.conftest import Connect
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, Failure, FakeRecordings, Hang

UNKNOWN = 17

ENCRYPTION = EncryptionDetails(public_key_sid="CR" + "5f" * 16, encrypted_cek="QUFB", iv="QkJC")


def test_what_is_public_is_a_list() -> None:
    assert sorted(recordings.aio.__all__) == [
        "AsyncRecordingReader",
        "Connection",
        "EventWatch",
        "MessageReader",
        "NothingYet",
        "Opening",
        "Range",
        "RangeStream",
        "RecordingWatch",
        "RecordingsClient",
    ]


# Enqueueing


ACCEPTED = [
    EnqueueReason.ENQUEUE_REASON_ENQUEUED,
    EnqueueReason.ENQUEUE_REASON_CACHED,
    EnqueueReason.ENQUEUE_REASON_DUPLICATE,
]
FAILURES = [EnqueueReason.ENQUEUE_REASON_UNSPECIFIED, EnqueueReason.ENQUEUE_REASON_ERROR, UNKNOWN]


@pytest.mark.parametrize("reason", ACCEPTED)
def test_enqueue_answers_what_became_of_it(
    client_of: Connect, recordings: FakeRecordings, reason: EnqueueReason
) -> None:
    recordings.answers["EnqueueRecording"] = [EnqueueRecordingResponse(reason=reason)]
    with client_of() as client:
        assert (client.enqueue(RECORDING)).reason == reason


@pytest.mark.parametrize("reason", FAILURES)
def test_any_other_answer_is_a_failure_although_the_call_was_ok(
    client_of: Connect, recordings: FakeRecordings, reason: EnqueueReason
) -> None:
    recordings.answers["EnqueueRecording"] = [EnqueueRecordingResponse(reason=reason)]
    with client_of() as client, pytest.raises(errors.EnqueueFailed) as failed:
        client.enqueue(RECORDING)
    assert (failed.value.enqueue_reason, failed.value.recording, failed.value.code) == (reason, None, None)


def test_everything_known_of_the_call_is_passed_on(client_of: Connect, recordings: FakeRecordings) -> None:
    began = datetime(2026, 3, 3, 10, tzinfo=UTC)
    with client_of() as client:
        client.enqueue(
            RECORDING,
            account_sid=ACCOUNT,
            job=RecordingJob.RECORDING_JOB_DOWNLOAD_ONLY,
            priority=Priority.PRIORITY_BULK,
            channels=2,
            start_time=began,
            duration=timedelta(seconds=61),
            labels={"team": "sales"},
            encryption_details=ENCRYPTION,
        )
    (request,) = recordings.of("EnqueueRecording")
    expected = EnqueueRecordingRequest(
        account_sid=ACCOUNT,
        recording_sid=RECORDING,
        job=RecordingJob.RECORDING_JOB_DOWNLOAD_ONLY,
        priority=Priority.PRIORITY_BULK,
        channels=2,
        labels={"team": "sales"},
        encryption_details=ENCRYPTION,
    )
    expected.start_time.seconds = int(began.timestamp())
    expected.duration.seconds = 61
    assert request == expected


def test_a_moment_without_a_time_zone_is_refused(client_of: Connect, recordings: FakeRecordings) -> None:
    with client_of() as client, pytest.raises(ValueError, match="start_time: has no time zone"):
        client.enqueue(RECORDING, start_time=datetime(2026, 3, 3))
    assert recordings.asked == []


def test_in_a_batch_an_error_is_a_result_and_an_unknown_number_is_a_failure(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    both = [EnqueueRecordingRequest(recording_sid=RECORDING)] * 2
    answer = BatchEnqueueRecordingsResponse()
    answer.results.add(reason=EnqueueReason.ENQUEUE_REASON_ENQUEUED)
    answer.results.add(reason=EnqueueReason.ENQUEUE_REASON_ERROR).error.reason = "INVALID_REQUEST"
    recordings.answers["BatchEnqueueRecordings"] = [answer]
    with client_of() as client:
        assert [each.error.reason for each in client.batch_enqueue(both)] == ["", "INVALID_REQUEST"]
        answer.results[1].reason = UNKNOWN  # type: ignore[assignment]
        with pytest.raises(errors.EnqueueFailed):
            client.batch_enqueue(both)
        del answer.results[1]
        with pytest.raises(errors.ContractBroken):
            client.batch_enqueue(both)


# The others


def test_a_list_is_every_page_and_asks_only_as_far_as_it_is_read(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    sids = ["RE" + f"{number:032x}" for number in range(5)]
    for sid in sids:
        recordings.add(b"", sid)
    with client_of() as client:
        listed = client.list(page_size=2, states=[RecordingState.RECORDING_STATE_READY], account_sids=[ACCOUNT])
        assert next(listed).recording_sid == sids[0]
        assert len(recordings.of("ListRecordings")) == 1
        assert [each.recording_sid for each in listed] == sids[1:]
    assert [each.page_token for each in recordings.of("ListRecordings")] == ["", "2", "4"]
    assert {tuple(each.account_sids) for each in recordings.of("ListRecordings")} == {(ACCOUNT,)}


def test_a_search_is_every_page_of_what_is_found_and_where(client_of: Connect, recordings: FakeRecordings) -> None:
    sids = ["RE" + f"{number:032x}" for number in range(3)]
    for sid in sids:
        recordings.add(b"", sid)
    match = TranscriptMatch(account_sid=ACCOUNT, recording_sid=sids[1], snippet="hello", highlights=[TextRange(end=5)])
    recordings.said[sids[1]] = match
    with client_of() as client:
        found = list(client.search("hello*", page_size=2))
        assert [each.recording.recording_sid for each in found] == sids
        assert [each.match for each in found] == [None, match, None]
        assert [each.recording_sid for each in client.list(words="hello*")] == sids
    assert {each.words for each in recordings.of("ListRecordings")} == {"hello*"}


def test_delete_gives_the_tombstone_or_none_for_what_was_never_known(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(b"")
    with client_of() as client:
        tombstone = client.delete(RECORDING)
        assert tombstone is not None
        assert tombstone.recording_sid == RECORDING
        del recordings.recordings[RECORDING]
        assert client.delete(RECORDING, allow_missing=True) is None
        with pytest.raises(errors.RecordingNotFound):
            client.delete(RECORDING)


def test_delete_is_not_tried_again_and_get_is(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"")
    away = Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
    recordings.answers = {"DeleteRecording": [away], "GetRecording": [away, None]}
    with client_of() as client:
        assert (client.get(RECORDING)).recording_sid == RECORDING
        with pytest.raises(errors.Unavailable):
            client.delete(RECORDING)
    assert len(recordings.of("DeleteRecording")) == 1


def test_a_playback_url_is_asked_for_as_it_is_wanted(client_of: Connect, recordings: FakeRecordings) -> None:
    with client_of() as client:
        answer = client.create_playback_url(RECORDING, ttl=timedelta(minutes=5), attachment=True)
        assert answer.url.endswith(f"/recordings/{RECORDING}/stream")
        client.create_playback_url(RECORDING)
    first, second = recordings.of("CreatePlaybackUrl")
    assert (first.ttl.seconds, first.disposition) == (300, PlaybackDisposition.PLAYBACK_DISPOSITION_ATTACHMENT)
    assert (second.HasField("ttl"), second.disposition) == (False, PlaybackDisposition.PLAYBACK_DISPOSITION_INLINE)


def test_a_waveform_is_asked_for_as_it_is_wanted(client_of: Connect, recordings: FakeRecordings) -> None:
    drawn = GetWaveformResponse(
        samples_per_pixel=400, sample_rate=8000, channels=1, length=2, peaks=bytes(4), etag="e1"
    )
    recordings.answers["GetWaveform"] = [drawn]
    with client_of() as client:
        assert client.waveform(RECORDING, account_sid=ACCOUNT, samples_per_pixel=500) == drawn
        client.waveform(RECORDING)
    first, second = recordings.of("GetWaveform")
    assert (first.account_sid, first.recording_sid, first.samples_per_pixel) == (ACCOUNT, RECORDING, 500)
    assert (second.account_sid, second.samples_per_pixel) == ("", 0)


def test_a_transcript_is_what_is_said(client_of: Connect, recordings: FakeRecordings) -> None:
    said = GetTranscriptResponse(language="en", segments=[TranscriptSegment(channel=1, text="Hello")], etag="e1")
    recordings.answers["GetTranscript"] = [said]
    with client_of() as client:
        assert client.transcript(RECORDING, account_sid=ACCOUNT) == said
    (request,) = recordings.of("GetTranscript")
    assert (request.account_sid, request.recording_sid) == (ACCOUNT, RECORDING)


def test_what_is_not_made_yet_says_how_far_it_is(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.answers["GetWaveform"] = [
        Failure(
            grpc.StatusCode.FAILED_PRECONDITION,
            "STEP_NOT_DONE",
            {"step": "WAVEFORM", "state": "RUNNING"},
            retry_seconds=2,
        )
    ]
    with client_of() as client, pytest.raises(errors.StepNotDone) as failed:
        client.waveform(RECORDING)
    assert (failed.value.step, failed.value.state, failed.value.retry_delay) == ("WAVEFORM", "RUNNING", 2)


def test_what_will_not_be_made_says_why(client_of: Connect, recordings: FakeRecordings) -> None:
    about = {"step": "TRANSCRIPT", "state": "SKIPPED", "processingReason": "NOT_CONFIGURED"}
    unasked = {"step": "TRANSCRIPT"}
    recordings.answers["GetTranscript"] = [
        Failure(grpc.StatusCode.FAILED_PRECONDITION, "STEP_WITHOUT_RESULT", metadata) for metadata in (about, unasked)
    ]
    found = []
    with client_of() as client:
        for _ in range(2):
            with pytest.raises(errors.StepWithoutResult) as failed:
                client.transcript(RECORDING)
            found.append((failed.value.step, failed.value.state, failed.value.processing_reason))
    assert found == [("TRANSCRIPT", "SKIPPED", "NOT_CONFIGURED"), ("TRANSCRIPT", "", "")]


def test_what_twilio_has_not_is_reported(client_of: Connect, recordings: FakeRecordings) -> None:
    with client_of() as client:
        client.report_unavailable(RECORDING, UnavailableReason.UNAVAILABLE_REASON_ABSENT, error_code=16102)
    (request,) = recordings.of("ReportRecordingUnavailable")
    assert (request.reason, request.error_code) == (UnavailableReason.UNAVAILABLE_REASON_ABSENT, 16102)


# Errors


@pytest.mark.parametrize("reason", sorted(BY_REASON))
def test_every_reason_has_its_error(client_of: Connect, recordings: FakeRecordings, reason: str) -> None:
    recordings.answers["GetRecording"] = [
        Failure(grpc.StatusCode.FAILED_PRECONDITION, reason, {"key": "value"}, fields=["labels"], retry_seconds=3)
    ]
    with client_of() as client, pytest.raises(errors.RecordingsError) as failed:
        client.get(RECORDING)
    assert type(failed.value) is BY_REASON[reason]
    assert (failed.value.reason, failed.value.metadata, failed.value.retry_delay) == (reason, {"key": "value"}, 3)
    assert [each.field for each in failed.value.field_violations] == ["labels"]


def test_an_enqueue_in_the_details_of_an_error_is_a_failed_enqueue_whatever_the_reason(
    client_of: Connect, recordings: FakeRecordings
) -> None:
    committed = EnqueueRecordingResponse(reason=EnqueueReason.ENQUEUE_REASON_ERROR)
    committed.recording.recording_sid = RECORDING
    recordings.answers["EnqueueRecording"] = [Failure(grpc.StatusCode.INTERNAL, "INTERNAL", detail=committed)]
    with client_of() as client, pytest.raises(errors.EnqueueFailed) as failed:
        client.enqueue(RECORDING)
    assert failed.value.recording == committed.recording


def test_an_answer_that_does_not_come_is_a_deadline_exceeded(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.answers["GetRecording"] = [Hang()]
    with client_of(timeout=0.2) as client:
        with pytest.raises(errors.DeadlineExceeded):
            client.get(RECORDING)
        with pytest.raises(TimeoutError):
            client.get(RECORDING, timeout=0.1)


# Who calls


def test_the_token_goes_with_each_call_unless_that_has_its_own(client_of: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"")
    with client_of(token="t0") as client:
        client.get(RECORDING, metadata=[("x-request-id", "r1")])
        client.open(RECORDING).read()
        client.wait_until_ready(RECORDING, 5)
        client.get(RECORDING, metadata=[("authorization", "Bearer t1")])
    shown = [(call.metadata["authorization"], call.metadata.get("x-request-id")) for call in recordings.asked]
    assert shown == [("Bearer t0", "r1"), ("Bearer t0", None), ("Bearer t0", None), ("Bearer t1", None)]


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("", {}),
        ("10.0.0.1:1", {"tls": False, "token": "t"}),
        ("127.0.0.1:1", {"ca_file": "/nowhere/ca.pem"}),
        ("127.0.0.1:1", {"client_key_file": "/nowhere/key.pem"}),
        ("127.0.0.1:1", {"timeout": 0}),
    ],
)
def test_an_option_that_can_not_be_is_refused_when_the_client_is_made(target: str, options: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidOption):
        RecordingsClient(target, **options)  # type: ignore[arg-type]


# Closing


@pytest.mark.parametrize(
    "use",
    [
        lambda client: client.get(RECORDING),
        lambda client: client.enqueue(RECORDING),
        lambda client: client.delete(RECORDING),
        lambda client: next(client.list()),
        lambda client: client.wait_until_ready(RECORDING, 1),
        lambda client: client.open(RECORDING).read(),
    ],
    ids=["get", "enqueue", "delete", "list", "wait", "open"],
)
def test_a_closed_client_can_not_be_used(client_of: Connect, use: Callable[[RecordingsClient], object]) -> None:
    never_used, used = client_of(), client_of()
    with pytest.raises(errors.RecordingNotFound):
        used.get(RECORDING)
    for client in (never_used, used):
        client.close()
        client.close()
        with pytest.raises(errors.ClientClosed):
            use(client)
