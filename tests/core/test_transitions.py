"""The state machine, transition by transition: what changes, what stays, and when nothing happens at all."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core import transitions
from recording_service.core.audio import MP3
from recording_service.core.model import (
    Bell,
    CallDetails,
    EncryptionDetails,
    EnqueueRequest,
    FailureReason,
    Priority,
    Processing,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingState,
    Step,
    StepEnd,
    StoredObject,
    UnavailableReason,
    UnavailableReport,
    WaitingReason,
)
from recording_service.core.requests import MAX_LABELS
from recording_service.core.transitions import ADOPTED_LABEL
from tests.support.clocks import START
from tests.support.core_world import a_key, a_request
from tests.support.recordings import a_recording

KEY = a_key()
BEFORE = START
NOW = START + timedelta(minutes=10)
OBJECT = StoredObject(f"{KEY.account_sid}/{KEY.recording_sid}/3.mp3", 1234, "ab" * 32)
OTHER_OBJECT = StoredObject(f"{KEY.account_sid}/{KEY.recording_sid}/5.mp3", 1235, "cd" * 32)
MP3_MONO = MP3._replace(channels=1)
ABSENT = UnavailableReport(KEY, UnavailableReason.ABSENT)

FULL, DOWNLOAD_ONLY = RecordingJob.FULL, RecordingJob.DOWNLOAD_ONLY

DETAILS = CallDetails(
    call_sid="CA" + "1" * 32,
    conference_sid="CF" + "2" * 32,
    source_url="https://api.twilio.com/x",
    source="DialVerb",
    track="both",
    direction="inbound",
    channels=2,
    start_time=BEFORE - timedelta(hours=1),
    duration=timedelta(seconds=61),
    from_number="+49151",
    to_number="+4930",
    labels={"tenant": "7"},
)
#: The same fields, all different.
OTHER_DETAILS = CallDetails(
    call_sid="CA" + "9" * 32,
    conference_sid="CF" + "9" * 32,
    source_url="https://api.twilio.com/y",
    source="Trunking",
    track="inbound",
    direction="outbound",
    channels=1,
    start_time=BEFORE - timedelta(hours=9),
    duration=timedelta(seconds=99),
    from_number="+49999",
    to_number="+4999",
    labels={"team": "sales"},
)


#: Processing that has ended, and that has just been asked for.
PROCESSED = Processing(ProcessingState.DONE, attempt=1, ends={step: StepEnd(ProcessingState.DONE) for step in Step})
TO_BE_PROCESSED = Processing(ProcessingState.PENDING, attempt=1, next_attempt_time=NOW)
#: The same, asked for with the download.
GOES_ON = replace(TO_BE_PROCESSED, follows_download=True)

#: What is spent of the budgets.
SPENT = {FailureReason.SOURCE_NOT_FOUND: 1, FailureReason.SOURCE_UNAVAILABLE: 1}


def row(state: RecordingState, **changes: object) -> Recording:
    """A row of that state as the service leaves it, on its third attempt."""
    usual: dict[str, object] = {
        "account_sid": KEY.account_sid,
        "recording_sid": KEY.recording_sid,
        "state": state,
        "call": CallDetails(),
        "job": FULL,
        "priority": Priority.NORMAL,
        "create_time": BEFORE,
        "update_time": BEFORE,
        "next_attempt_time": BEFORE,
        "attempt": 3,
        "failures_by_reason": SPENT,
        "revision": 11,
        "request_id": "first-request",
    }
    by_state: dict[RecordingState, dict[str, object]] = {
        RecordingState.QUEUED: {"rung_time": BEFORE},
        RecordingState.DOWNLOADING: {"rung_time": BEFORE, "claimed_by": "worker-1", "lease": 5, "received_bytes": 99},
        RecordingState.READY: {
            "rung_time": BEFORE,
            "failures_by_reason": {},
            "object_key": OBJECT.object_key,
            "size_bytes": OBJECT.size_bytes,
            "received_bytes": OBJECT.size_bytes,
            "sha256": OBJECT.sha256,
            "content_type": "audio/mpeg",
            "stored_channels": 1,
            "ready_time": BEFORE,
            "verified_time": BEFORE,
            "processing": PROCESSED,
        },
        RecordingState.FAILED: {
            "rung_time": BEFORE,
            "failure_reason": FailureReason.SOURCE_NOT_FOUND,
            "failure_message": "Twilio has no such recording (404)",
            "received_bytes": 17,
        },
        RecordingState.DELETED: {"rung_time": None, "delete_time": BEFORE, "failures_by_reason": {}},
    }
    return a_recording(**{**usual, **by_state[state], **changes})


QUEUED = row(RecordingState.QUEUED)
DOWNLOADING = row(RecordingState.DOWNLOADING)
READY = row(RecordingState.READY)
FAILED = row(RecordingState.FAILED)
DELETED = row(RecordingState.DELETED)
BELL = DOWNLOADING.bell
EARLIER_BELL = BELL._replace(attempt=BELL.attempt - 1)


def changed(before: Recording, **changes: object) -> Recording:
    """The row with these changes, and those that go with every change."""
    return replace(before, **{"revision": before.revision + 1, "update_time": NOW, **changes})  # type: ignore[arg-type]


def enqueue(existing: Recording | None, request: EnqueueRequest) -> Recording | None:
    return transitions.enqueued(existing, request, NOW)


# Enqueued


def test_an_unknown_recording_is_queued_and_due_at_once() -> None:
    request = a_request(KEY, DOWNLOAD_ONLY, Priority.BULK, DETAILS, "request-1")
    assert enqueue(None, request) == Recording(
        account_sid=KEY.account_sid,
        recording_sid=KEY.recording_sid,
        call=DETAILS,
        job=DOWNLOAD_ONLY,
        priority=Priority.BULK,
        state=RecordingState.QUEUED,
        create_time=NOW,
        update_time=NOW,
        next_attempt_time=NOW,
        rung_time=None,
        attempt=1,
        failures_by_reason={},
        revision=1,
        request_id="request-1",
    )


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING, READY, DELETED])
def test_asking_again_for_the_same_changes_nothing(existing: Recording) -> None:
    assert enqueue(existing, a_request(KEY, FULL)) is None


def test_a_tombstone_is_never_revived() -> None:
    assert enqueue(DELETED, a_request(KEY, FULL, Priority.PLAYBACK, DETAILS)) is None


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING])
def test_a_recording_in_flight_that_is_wanted_in_full_now_says_so_and_nothing_else(existing: Recording) -> None:
    existing = replace(existing, job=DOWNLOAD_ONLY)
    assert enqueue(existing, a_request(KEY, FULL, Priority.BULK)) == changed(existing, job=FULL)


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING])
def test_asking_again_can_only_make_a_recording_in_flight_more_urgent(existing: Recording) -> None:
    for asked in Priority:
        after = enqueue(existing, a_request(KEY, DOWNLOAD_ONLY, asked))
        if asked < existing.priority:
            assert after == changed(existing, priority=asked)
        else:
            assert after is None


def test_the_wish_for_full_is_never_taken_back() -> None:
    for existing in (QUEUED, DOWNLOADING, READY):
        assert enqueue(existing, a_request(KEY, DOWNLOAD_ONLY, existing.priority)) is None


def test_full_on_a_ready_recording_has_it_processed_as_urgently_as_is_asked_and_leaves_it_ready() -> None:
    existing = replace(READY, job=DOWNLOAD_ONLY, processing=Processing())
    for priority in Priority:
        after = enqueue(existing, a_request(KEY, FULL, priority))
        assert after == changed(existing, job=FULL, priority=priority, processing=TO_BE_PROCESSED)


def test_a_failed_recording_starts_over_with_a_budget_of_its_own_and_a_new_attempt() -> None:
    after = enqueue(FAILED, a_request(KEY, DOWNLOAD_ONLY, Priority.BULK, DETAILS, "request-2"))
    assert after == changed(
        FAILED,
        state=RecordingState.QUEUED,
        call=DETAILS,
        job=FULL,
        priority=Priority.BULK,
        attempt=4,
        rung_time=None,
        failures_by_reason={},
        next_attempt_time=NOW,
        failure_reason=None,
        failure_message="",
        waiting_reason=None,
        received_bytes=0,
        request_id="request-2",
    )


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING, READY, FAILED])
def test_a_later_request_fills_what_was_not_known(existing: Recording) -> None:
    after = enqueue(existing, a_request(KEY, FULL, call=DETAILS))
    assert after is not None
    assert after.call == DETAILS


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING, READY, FAILED])
def test_a_later_request_overwrites_nothing_and_adds_its_labels(existing: Recording) -> None:
    known = replace(existing, call=DETAILS)
    after = enqueue(known, a_request(KEY, FULL, call=OTHER_DETAILS))
    assert after is not None
    assert after.call == replace(DETAILS, labels={"tenant": "7", "team": "sales"})


@given(st.data())
def test_each_field_is_filled_on_its_own(data: st.DataObject) -> None:
    names = [field.name for field in fields(CallDetails) if field.name != "labels"]
    kept = data.draw(st.sets(st.sampled_from(names)), label="known before")
    told = data.draw(st.sets(st.sampled_from(names)), label="told later")
    before = CallDetails(**{name: getattr(DETAILS, name) for name in kept})
    given_details = CallDetails(**{name: getattr(OTHER_DETAILS, name) for name in told})
    after = enqueue(replace(QUEUED, call=before), a_request(KEY, FULL, call=given_details))
    call = before if after is None else after.call
    for name in names:
        source = DETAILS if name in kept else OTHER_DETAILS if name in told else CallDetails()
        assert getattr(call, name) == getattr(source, name)
    assert (after is None) == (told <= kept)


def test_labels_beyond_what_a_recording_can_have_are_not_taken_over() -> None:
    many = {f"label{number}": "" for number in range(MAX_LABELS)}
    existing = replace(QUEUED, call=CallDetails(labels=many))
    assert enqueue(existing, a_request(KEY, FULL, call=CallDetails(labels={"one": "more"}))) is None


# Encryption

ENCRYPTION = EncryptionDetails("CR" + "0a" * 16, "QUFB", "QkJC")
OTHER_ENCRYPTION = ENCRYPTION._replace(iv="Q0ND")


@pytest.mark.parametrize("existing", [None, QUEUED, DOWNLOADING, FAILED])
def test_how_it_is_encrypted_is_filled_in(existing: Recording | None) -> None:
    request = EnqueueRequest(KEY, FULL, Priority.NORMAL, encryption_details=ENCRYPTION)
    after = transitions.enqueued(existing, request, NOW)
    assert after is not None
    assert after.encryption_details == ENCRYPTION


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING, FAILED])
def test_what_is_known_of_its_encryption_is_overwritten_by_nobody(existing: Recording) -> None:
    known = replace(existing, encryption_details=ENCRYPTION)
    for told in (OTHER_ENCRYPTION, None):
        request = EnqueueRequest(KEY, FULL, Priority.NORMAL, encryption_details=told)
        after = transitions.enqueued(known, request, NOW) or known
        assert after.encryption_details == ENCRYPTION


@pytest.mark.parametrize("reason", [reason for reason in FailureReason if reason.name.startswith("ENCRYPTION_")])
def test_what_it_failed_by_is_put_right_by_whoever_knows_better(reason: FailureReason) -> None:
    failed = replace(FAILED, failure_reason=reason, encryption_details=ENCRYPTION)
    for told, expected in ((OTHER_ENCRYPTION, OTHER_ENCRYPTION), (None, ENCRYPTION)):
        request = EnqueueRequest(KEY, FULL, Priority.NORMAL, encryption_details=told)
        after = transitions.enqueued(failed, request, NOW)
        assert after is not None
        assert (after.state, after.encryption_details) == (RecordingState.QUEUED, expected)


def test_what_came_as_it_is_was_not_encrypted_whatever_is_said_afterwards() -> None:
    request = EnqueueRequest(KEY, FULL, Priority.NORMAL, encryption_details=ENCRYPTION)
    after = transitions.enqueued(READY, request, NOW) or READY
    assert after.encryption_details is None
    ready = transitions.stored(replace(DOWNLOADING, encryption_details=ENCRYPTION), BELL, OBJECT, MP3_MONO, NOW)
    assert ready is not None
    assert ready.encryption_details is None


def test_how_it_was_encrypted_is_known_for_ever_until_it_is_deleted() -> None:
    ready = transitions.stored(DOWNLOADING, BELL, OBJECT, MP3_MONO, NOW, ENCRYPTION)
    assert ready is not None
    gone = transitions.refetched(ready, OBJECT.object_key, NOW)
    assert gone is not None
    assert ready.encryption_details == gone.encryption_details == ENCRYPTION
    tombstone = transitions.deleted(ready, NOW)
    assert tombstone is not None
    assert tombstone.encryption_details is None


def test_an_attempt_that_finds_out_notes_it_once() -> None:
    assert transitions.encryption_learnt(DOWNLOADING, BELL, ENCRYPTION, NOW) == changed(
        DOWNLOADING, encryption_details=ENCRYPTION
    )
    known = replace(DOWNLOADING, encryption_details=ENCRYPTION)
    assert transitions.encryption_learnt(known, BELL, OTHER_ENCRYPTION, NOW) is None


@pytest.mark.parametrize("existing", [None, QUEUED, READY, FAILED, DELETED])
def test_an_attempt_that_is_over_notes_nothing(existing: Recording | None) -> None:
    assert transitions.encryption_learnt(existing, BELL, ENCRYPTION, NOW) is None
    assert transitions.encryption_learnt(DOWNLOADING, EARLIER_BELL, ENCRYPTION, NOW) is None


# Stored


def test_the_attempt_that_downloads_makes_it_ready() -> None:
    assert transitions.stored(DOWNLOADING, BELL, OBJECT, MP3_MONO, NOW) == changed(
        DOWNLOADING,
        state=RecordingState.READY,
        failures_by_reason={},
        received_bytes=OBJECT.size_bytes,
        object_key=OBJECT.object_key,
        size_bytes=OBJECT.size_bytes,
        sha256=OBJECT.sha256,
        content_type="audio/mpeg",
        stored_channels=1,
        ready_time=NOW,
        processing=GOES_ON,
    )


def test_the_trouble_of_earlier_attempts_is_forgotten_once_it_is_ready() -> None:
    after = transitions.stored(replace(DOWNLOADING, failure_message="404"), BELL, OBJECT, MP3_MONO, NOW)
    assert after is not None
    assert (after.failures, after.failure_message, after.failure_reason) == (0, "", None)


def test_a_new_object_has_not_been_verified_yet() -> None:
    # The mark of an earlier one may have met the row just when it was lost.
    after = transitions.stored(replace(DOWNLOADING, verified_time=BEFORE), BELL, OBJECT, MP3_MONO, NOW)
    assert after is not None
    assert after.verified_time is None


# The endings of an attempt that did not bring the recording


def put_off(
    existing: Recording | None,
    bell: Bell,
    *,
    spent_of: FailureReason | None = FailureReason.SOURCE_UNAVAILABLE,
    message: str = "503",
) -> Recording | None:
    return transitions.put_off(
        existing,
        bell,
        waiting_reason=WaitingReason.RETRY,
        message=message,
        delay=timedelta(seconds=30),
        spent_of=spent_of,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("spent_of", "spent"),
    [
        (FailureReason.SOURCE_UNAVAILABLE, {**SPENT, FailureReason.SOURCE_UNAVAILABLE: 2}),
        (FailureReason.WORKER_CRASHED, {**SPENT, FailureReason.WORKER_CRASHED: 1}),
        (None, SPENT),
    ],
)
def test_an_attempt_that_is_put_off_makes_the_next_one_which_nobody_has_rung_for(
    spent_of: FailureReason | None, spent: dict[FailureReason, int]
) -> None:
    assert put_off(DOWNLOADING, BELL, spent_of=spent_of) == changed(
        DOWNLOADING,
        state=RecordingState.QUEUED,
        attempt=4,
        rung_time=None,
        failures_by_reason=spent,
        next_attempt_time=NOW + timedelta(seconds=30),
        waiting_reason=WaitingReason.RETRY,
        failure_message="503",
        claimed_by="",
        received_bytes=0,
    )


def test_an_attempt_that_spends_the_last_of_the_budget_is_the_end() -> None:
    assert transitions.given_up(DOWNLOADING, BELL, FailureReason.SOURCE_NOT_AUDIO, "html", NOW) == changed(
        DOWNLOADING,
        state=RecordingState.FAILED,
        failures_by_reason={**SPENT, FailureReason.SOURCE_NOT_AUDIO: 1},
        failure_reason=FailureReason.SOURCE_NOT_AUDIO,
        failure_message="html",
        claimed_by="",
    )


def test_a_clean_stop_gives_the_attempt_back_unspent() -> None:
    assert transitions.released(DOWNLOADING, BELL, NOW) == changed(
        DOWNLOADING,
        state=RecordingState.QUEUED,
        attempt=4,
        rung_time=None,
        next_attempt_time=NOW,
        claimed_by="",
        received_bytes=0,
    )


ENDINGS: dict[str, Callable[[Recording | None, Bell], Recording | None]] = {
    "stored": lambda existing, bell: transitions.stored(existing, bell, OBJECT, MP3_MONO, NOW),
    "put off": put_off,
    "given up": lambda existing, bell: transitions.given_up(existing, bell, FailureReason.SOURCE_REFUSED, "400", NOW),
    "released": lambda existing, bell: transitions.released(existing, bell, NOW),
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("existing", [None, QUEUED, READY, FAILED, DELETED])
def test_an_attempt_that_nobody_is_at_does_not_end(
    ending: Callable[[Recording | None, Bell], Recording | None], existing: Recording | None
) -> None:
    assert ending(existing, BELL) is None


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("attempt", [1, 2, 4])
def test_another_attempts_last_word_changes_nothing(
    ending: Callable[[Recording | None, Bell], Recording | None], attempt: int
) -> None:
    assert ending(DOWNLOADING, BELL._replace(attempt=attempt)) is None


def test_a_long_message_is_cut() -> None:
    after = put_off(DOWNLOADING, BELL, message="x" * 10_000)
    assert after is not None
    assert after.failure_message == "x" * transitions.MAX_FAILURE_MESSAGE_CHARACTERS


# Lost bells and lost objects


@pytest.mark.parametrize("waiting_reason", [None, *WaitingReason])
def test_a_lost_bell_makes_a_new_attempt_that_is_due_when_the_old_one_was(waiting_reason: WaitingReason | None) -> None:
    existing = replace(QUEUED, waiting_reason=waiting_reason, failure_message="503")
    assert transitions.bell_forgotten(existing, existing.bell, NOW) == changed(existing, attempt=4, rung_time=None)


@pytest.mark.parametrize("existing", [None, DOWNLOADING, READY, FAILED, DELETED])
def test_a_lost_bell_is_of_no_account_where_nobody_waits_for_it(existing: Recording | None) -> None:
    assert transitions.bell_forgotten(existing, BELL, NOW) is None


def test_a_lost_bell_of_an_earlier_attempt_is_of_no_account() -> None:
    assert transitions.bell_forgotten(QUEUED, EARLIER_BELL, NOW) is None


def test_a_lost_object_sends_the_recording_back_to_be_fetched() -> None:
    assert transitions.refetched(READY, OBJECT.object_key, NOW) == changed(
        READY,
        state=RecordingState.QUEUED,
        attempt=4,
        rung_time=None,
        next_attempt_time=NOW,
        received_bytes=0,
        object_key="",
        size_bytes=None,
        sha256="",
        content_type="",
        stored_channels=0,
        ready_time=None,
        verified_time=None,
        expected_sha256=OBJECT.sha256,
        # What was found out is kept, for the same bytes; but no attempt at finding out more goes on.
        processing=replace(PROCESSED, state=None, attempt=2),
    )


@pytest.mark.parametrize("existing", [None, QUEUED, DOWNLOADING, FAILED, DELETED])
def test_a_lost_object_is_of_no_account_where_nobody_relies_on_it(existing: Recording | None) -> None:
    assert transitions.refetched(existing, OBJECT.object_key, NOW) is None


def test_a_lost_object_of_an_earlier_attempt_is_of_no_account() -> None:
    assert transitions.refetched(READY, OBJECT.object_key.replace("3.mp3", "2.mp3"), NOW) is None


def test_what_the_lost_bytes_were_is_remembered_until_it_is_ready_again_and_never_shown_meanwhile() -> None:
    lost = transitions.refetched(READY, OBJECT.object_key, NOW)
    assert lost is not None
    failed = transitions.unavailable(lost, ABSENT, NOW)
    queued = enqueue(failed, a_request(KEY, FULL))
    assert failed is not None
    assert queued is not None
    for row_ in (lost, failed, queued):
        assert (row_.expected_sha256, row_.sha256, row_.etag, row_.size_bytes) == (OBJECT.sha256, "", "", None)
    downloading = replace(queued, state=RecordingState.DOWNLOADING)
    again = transitions.stored(downloading, downloading.bell, OTHER_OBJECT, MP3_MONO, NOW)
    assert again is not None
    assert (again.expected_sha256, again.sha256) == ("", OTHER_OBJECT.sha256)


# Adopted


def test_an_object_of_a_recording_that_nobody_knows_makes_it_ready_and_says_so() -> None:
    bell = Bell(*KEY, 3)
    assert transitions.adopted(None, bell, OBJECT, MP3_MONO, NOW) == Recording(
        account_sid=KEY.account_sid,
        recording_sid=KEY.recording_sid,
        call=CallDetails(labels={ADOPTED_LABEL: "true"}),
        job=DOWNLOAD_ONLY,
        priority=Priority.NORMAL,
        state=RecordingState.READY,
        create_time=NOW,
        update_time=NOW,
        next_attempt_time=NOW,
        attempt=3,
        received_bytes=OBJECT.size_bytes,
        object_key=OBJECT.object_key,
        size_bytes=OBJECT.size_bytes,
        sha256=OBJECT.sha256,
        content_type="audio/mpeg",
        stored_channels=1,
        ready_time=NOW,
    )


def test_a_failed_recording_is_ready_with_the_bytes_that_it_had() -> None:
    existing = replace(FAILED, expected_sha256=OBJECT.sha256)
    assert transitions.adopted(existing, BELL, OBJECT, MP3_MONO, NOW) == changed(
        FAILED,
        state=RecordingState.READY,
        failures_by_reason={},
        failure_reason=None,
        failure_message="",
        received_bytes=OBJECT.size_bytes,
        object_key=OBJECT.object_key,
        size_bytes=OBJECT.size_bytes,
        sha256=OBJECT.sha256,
        content_type="audio/mpeg",
        stored_channels=1,
        ready_time=NOW,
        processing=TO_BE_PROCESSED,
    )


def test_a_failed_recording_that_never_had_bytes_is_ready_with_those_that_are_found_and_says_so() -> None:
    existing = replace(FAILED, call=DETAILS)
    after = transitions.adopted(existing, BELL, OBJECT, MP3_MONO, NOW)
    assert after is not None
    assert (after.state, after.sha256) == (RecordingState.READY, OBJECT.sha256)
    assert after.call == replace(DETAILS, labels={**DETAILS.labels, ADOPTED_LABEL: "true"})


def test_other_bytes_than_a_recording_had_are_never_adopted() -> None:
    existing = replace(FAILED, expected_sha256=OTHER_OBJECT.sha256)
    assert transitions.adopted(existing, BELL, OBJECT, MP3_MONO, NOW) is None


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING, READY, DELETED])
def test_nothing_is_adopted_for_a_recording_that_is_on_its_way_ready_or_deleted(existing: Recording) -> None:
    assert transitions.adopted(existing, BELL, OBJECT, MP3_MONO, NOW) is None


def test_the_attempt_after_an_adoption_writes_an_object_of_another_name() -> None:
    after = transitions.adopted(FAILED, Bell(*KEY, 9), OBJECT, MP3_MONO, NOW)
    assert after is not None
    assert (after.attempt, after.rung_time) == (9, None)
    lost = transitions.refetched(after, OBJECT.object_key, NOW)
    assert lost is not None
    assert lost.attempt == 10


def test_a_download_vouches_for_the_bytes_of_a_recording_that_was_adopted() -> None:
    existing = replace(DOWNLOADING, call=CallDetails(labels={"team": "a", ADOPTED_LABEL: "true"}))
    after = transitions.stored(existing, BELL, OBJECT, MP3_MONO, NOW)
    assert after is not None
    assert after.call.labels == {"team": "a"}


# What Twilio reports


@pytest.mark.parametrize(
    ("reason", "failure_reason"),
    [
        (UnavailableReason.ABSENT, FailureReason.SOURCE_ABSENT),
        (UnavailableReason.FAILED, FailureReason.SOURCE_FAILED),
    ],
)
def test_a_report_on_an_unknown_recording_is_noted(reason: UnavailableReason, failure_reason: FailureReason) -> None:
    report = UnavailableReport(KEY, reason, "CA" + "1" * 32, 16102, "request-1")
    after = transitions.unavailable(None, report, NOW)
    assert after == Recording(
        account_sid=KEY.account_sid,
        recording_sid=KEY.recording_sid,
        call=CallDetails(call_sid="CA" + "1" * 32),
        job=FULL,
        priority=Priority.NORMAL,
        state=RecordingState.FAILED,
        failure_reason=failure_reason,
        failure_message=f"Twilio reported {reason.value} (error 16102)",
        create_time=NOW,
        update_time=NOW,
        next_attempt_time=NOW,
        request_id="request-1",
    )


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING, FAILED])
def test_a_report_ends_the_recording_and_takes_it_from_a_worker_that_may_be_at_it(existing: Recording) -> None:
    after = transitions.unavailable(replace(existing, waiting_reason=WaitingReason.RETRY), ABSENT, NOW)
    assert after == changed(
        existing,
        state=RecordingState.FAILED,
        attempt=4,
        rung_time=None,
        failure_reason=FailureReason.SOURCE_ABSENT,
        failure_message="Twilio reported absent",
        waiting_reason=None,
        claimed_by="",
    )


@pytest.mark.parametrize("existing", [READY, DELETED])
def test_a_report_changes_nothing_on_a_recording_that_is_here_or_deleted(existing: Recording) -> None:
    assert transitions.unavailable(existing, ABSENT, NOW) is None


def test_a_report_that_comes_twice_is_noted_once() -> None:
    once = transitions.unavailable(QUEUED, ABSENT, NOW)
    assert transitions.unavailable(once, ABSENT, NOW) is None


def test_completed_after_absent_starts_over() -> None:
    absent = transitions.unavailable(None, ABSENT, NOW)
    after = enqueue(absent, a_request(KEY))
    assert after is not None
    assert (after.state, after.failure_reason, after.attempt) == (RecordingState.QUEUED, None, 2)


# Deleted


@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING, READY, FAILED])
def test_a_tombstone_keeps_identity_and_times_and_nothing_of_the_call(existing: Recording) -> None:
    known = replace(existing, call=DETAILS)
    assert transitions.deleted(known, NOW) == Recording(
        account_sid=KEY.account_sid,
        recording_sid=KEY.recording_sid,
        call=CallDetails(),
        job=FULL,
        priority=Priority.NORMAL,
        state=RecordingState.DELETED,
        create_time=BEFORE,
        update_time=NOW,
        next_attempt_time=BEFORE,
        attempt=4,
        revision=12,
        delete_time=NOW,
        processing=Processing(attempt=2 if existing is READY else 0),
    )


@pytest.mark.parametrize("existing", [None, DELETED])
def test_what_is_not_there_is_not_deleted(existing: Recording | None) -> None:
    assert transitions.deleted(existing, NOW) is None


# All of them


EVERY_TRANSITION: dict[str, Callable[[Recording], Recording | None]] = {
    "enqueued": lambda existing: enqueue(existing, a_request(KEY, FULL, Priority.PLAYBACK, DETAILS)),
    **{name: lambda existing, ending=ending: ending(existing, existing.bell) for name, ending in ENDINGS.items()},  # type: ignore[misc]
    "bell forgotten": lambda existing: transitions.bell_forgotten(existing, existing.bell, NOW),
    "refetched": lambda existing: transitions.refetched(existing, existing.object_key, NOW),
    "adopted": lambda existing: transitions.adopted(existing, existing.bell, OBJECT, MP3_MONO, NOW),
    "unavailable": lambda existing: transitions.unavailable(existing, ABSENT, NOW),
    "deleted": lambda existing: transitions.deleted(existing, NOW),
}


@pytest.mark.parametrize("transition", EVERY_TRANSITION.values(), ids=EVERY_TRANSITION)
@pytest.mark.parametrize("existing", [QUEUED, DOWNLOADING, READY, FAILED, DELETED], ids=lambda existing: existing.state)
def test_whatever_happens_a_row_stays_whole(
    transition: Callable[[Recording], Recording | None], existing: Recording
) -> None:
    after = transition(existing)
    if after is None:
        return
    assert after.key == existing.key
    assert after.create_time == existing.create_time
    assert (after.revision, after.update_time) == (existing.revision + 1, NOW)
    assert after.attempt in (existing.attempt, existing.attempt + 1)
    if after.attempt == existing.attempt:
        assert after.rung_time == existing.rung_time
    else:
        assert after.rung_time is None
    assert (after.state is RecordingState.READY) == bool(after.object_key) == (after.size_bytes is not None)
    assert bool(after.sha256) == bool(after.content_type) == (after.state is RecordingState.READY)
    assert (after.state is RecordingState.READY) == (after.ready_time is not None)
    assert after.verified_time is None or after.state is RecordingState.READY
    assert after.expected_sha256 == "" or after.state is not RecordingState.READY
    assert (after.state is RecordingState.FAILED) == (after.failure_reason is not None)
    assert (after.state is RecordingState.DELETED) == (after.delete_time is not None)
    assert after.waiting_reason is None or after.state is RecordingState.QUEUED
    assert after.claimed_by == "" or after.state in (RecordingState.DOWNLOADING, RecordingState.READY)
