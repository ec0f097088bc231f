"""The state machine: pure functions from a row (and what happened) to the row as it should be.

    nothing ──enqueued──▶ QUEUED ──claim──▶ DOWNLOADING ──stored──▶ READY
                            ▲  ▲               │   │                  │
                            │  └─attempt ended─┘   └──gave up──▶ FAILED
                            └────enqueued (FAILED), refetched (READY)─┘      anything ──deleted──▶ DELETED

    nothing, FAILED ──adopted──▶ READY

Each returns None where nothing is to be changed. Claiming is the catalogue's own statement (`AttemptRows.claim`),
because it also chooses the row. A new attempt is always unrung: `attempt` and `rung_time` change together, here and
nowhere else. What follows READY is in `core.processing_transitions`.
"""

from collections.abc import Mapping, Set
from dataclasses import fields, replace
from datetime import datetime, timedelta

from recording_service.core import processing_transitions
from recording_service.core.audio import Audio
from recording_service.core.model import (
    IN_FLIGHT,
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
    StoredObject,
    UnavailableReason,
    UnavailableReport,
    WaitingReason,
)
from recording_service.core.requests import MAX_LABELS

#: Longest failure_message that is stored, in characters.
MAX_FAILURE_MESSAGE_CHARACTERS = 300

#: The label of a recording whose bytes were found on the shelf, where nothing says that they are what was downloaded.
ADOPTED_LABEL = "recording-service/adopted"

ALL_STEPS = frozenset(Step)
#: How a recording ends that can't be decrypted: whoever asks for it anew may know better how it is encrypted.
_NOT_DECRYPTED = frozenset(
    {
        FailureReason.ENCRYPTION_KEY_UNKNOWN,
        FailureReason.ENCRYPTION_KEY_WRONG,
        FailureReason.ENCRYPTION_TAG_MISMATCH,
        FailureReason.ENCRYPTION_DETAILS_INVALID,
    }
)

_REPORTED = {
    UnavailableReason.ABSENT: FailureReason.SOURCE_ABSENT,
    UnavailableReason.FAILED: FailureReason.SOURCE_FAILED,
}


def enqueued(
    existing: Recording | None, request: EnqueueRequest, now: datetime, available: Set[Step] = ALL_STEPS
) -> Recording | None:
    """What an enqueue makes of the row (design.md §3, Enqueue, case by case). A tombstone stays one.

    `available`: the steps that somebody is configured for, for a FULL job on a READY recording.
    """
    if existing is None:
        return _created(request, now)
    if existing.state is RecordingState.DELETED:
        return None
    call = _filled(existing.call, request.call)
    job = RecordingJob.FULL if RecordingJob.FULL in (existing.job, request.job) else existing.job
    encryption_details = existing.encryption_details
    if existing.state is not RecordingState.READY:
        encryption_details = encryption_details or request.encryption_details
    if existing.state is RecordingState.FAILED:
        if existing.failure_reason in _NOT_DECRYPTED:
            encryption_details = request.encryption_details or existing.encryption_details
        wanted = replace(
            existing,
            call=call,
            job=job,
            priority=request.priority,
            request_id=request.request_id,
            encryption_details=encryption_details,
        )
        return _requeued(wanted, now, due=now, failures_by_reason={})
    after = replace(existing, call=call, job=job, encryption_details=encryption_details)
    if existing.state in IN_FLIGHT:
        after = replace(after, priority=Priority(min(existing.priority, request.priority)))
    elif request.job is RecordingJob.FULL:
        after = _with_processing_wanted(after, request, available, now)
    return None if after == existing else _changed(after, now)


def encryption_learnt(
    existing: Recording | None, bell: Bell, details: EncryptionDetails, now: datetime
) -> Recording | None:
    """The row with how Twilio has encrypted the recording, which that attempt has found out; others need not ask."""
    if existing is None or not _is_downloading(existing, bell) or existing.encryption_details is not None:
        return None
    return _changed(replace(existing, encryption_details=details), now)


def stored(
    existing: Recording | None,
    bell: Bell,
    stored_object: StoredObject,
    audio: Audio,
    now: datetime,
    encryption_details: EncryptionDetails | None = None,
) -> Recording | None:
    """READY, if that attempt is still the one that downloads.

    `encryption_details` is how it was encrypted when it came; None: it was not, whatever anybody has said.
    """
    if existing is None or not _is_downloading(existing, bell):
        return None
    labels = {key: value for key, value in existing.call.labels.items() if key != ADOPTED_LABEL}
    downloaded = replace(existing, call=replace(existing.call, labels=labels), encryption_details=encryption_details)
    return _changed(_ready(downloaded, stored_object, audio, now, follows_download=True), now)


def adopted(
    existing: Recording | None, bell: Bell, found: StoredObject, audio: Audio, now: datetime
) -> Recording | None:
    """READY with an object that was found on the shelf, written by that attempt; for no row at all, or a FAILED one.

    Not if the row knows that its bytes were others. Where it knows nothing, a label says so (ADOPTED_LABEL).
    """
    if existing is None:
        call = CallDetails(labels={ADOPTED_LABEL: "true"})
        request = EnqueueRequest(bell.key, RecordingJob.DOWNLOAD_ONLY, Priority.NORMAL, call)
        return replace(_ready(_created(request, now), found, audio, now), attempt=bell.attempt)
    if existing.state is not RecordingState.FAILED or existing.expected_sha256 not in ("", found.sha256):
        return None
    call = existing.call
    if not existing.expected_sha256:
        call = _filled(call, CallDetails(labels={ADOPTED_LABEL: "true"}))
    ready = _ready(replace(existing, call=call), found, audio, now)
    if bell.attempt > existing.attempt:
        # The next attempt's object must have another name.
        ready = replace(ready, attempt=bell.attempt, rung_time=None)
    return _changed(ready, now)


def put_off(
    existing: Recording | None,
    bell: Bell,
    *,
    waiting_reason: WaitingReason,
    message: str,
    delay: timedelta,
    spent_of: FailureReason | None,
    now: datetime,
) -> Recording | None:
    """A next attempt after `delay`, if that attempt is still the one that downloads.

    `spent_of`: by which kind of end's budget it is counted; None: by none.
    """
    if existing is None or not _is_downloading(existing, bell):
        return None
    failures_by_reason = existing.failures_by_reason if spent_of is None else _spent(existing, spent_of)
    waiting = replace(existing, waiting_reason=waiting_reason, failure_message=_cut(message))
    return _requeued(waiting, now, due=now + delay, failures_by_reason=failures_by_reason)


def given_up(
    existing: Recording | None, bell: Bell, reason: FailureReason, message: str, now: datetime
) -> Recording | None:
    """FAILED, if that attempt is still the one that downloads."""
    if existing is None or not _is_downloading(existing, bell):
        return None
    return _failed(replace(existing, failures_by_reason=_spent(existing, reason)), reason, message, now)


def released(existing: Recording | None, bell: Bell, now: datetime) -> Recording | None:
    """A next attempt at once, after a clean stop: nothing is spent."""
    if existing is None or not _is_downloading(existing, bell):
        return None
    return _requeued(existing, now, due=now, failures_by_reason=existing.failures_by_reason)


def bell_forgotten(existing: Recording | None, bell: Bell, now: datetime) -> Recording | None:
    """A next attempt for a QUEUED row whose bell the queue has lost: the old one's name may be remembered there."""
    if existing is None or existing.state is not RecordingState.QUEUED or existing.bell != bell:
        return None
    # Who rang had found it due; the next one to ring must do so too, though another clock goes slower.
    due = min(existing.next_attempt_time, now)
    return _requeued(existing, now, due=due, failures_by_reason=existing.failures_by_reason)


def refetched(
    existing: Recording | None, object_key: str, now: datetime, *, is_damaged: bool = False
) -> Recording | None:
    """Back to be fetched, for a READY row whose object of that key is lost or not whole.

    `is_damaged`: it has other bytes than it had, and steps may have been done with those.
    """
    if existing is None or existing.state is not RecordingState.READY or existing.object_key != object_key:
        return None
    gone = replace(
        existing,
        object_key="",
        size_bytes=None,
        sha256="",
        content_type="",
        stored_channels=0,
        ready_time=None,
        verified_time=None,
        expected_sha256=existing.sha256,
        processing=processing_transitions.suspended(existing.processing, keeps_results=not is_damaged),
    )
    return _requeued(gone, now, due=now, failures_by_reason={})


def unavailable(existing: Recording | None, report: UnavailableReport, now: datetime) -> Recording | None:
    """FAILED because Twilio says so, unless the recording is READY or DELETED."""
    reason = _REPORTED[report.reason]
    message = f"Twilio reported {report.reason.value}" + (f" (error {report.error_code})" if report.error_code else "")
    if existing is None:
        call = CallDetails(call_sid=report.call_sid)
        request = EnqueueRequest(report.key, RecordingJob.FULL, Priority.NORMAL, call, report.request_id)
        return replace(
            _created(request, now), state=RecordingState.FAILED, failure_reason=reason, failure_message=message
        )
    if existing.state in (RecordingState.READY, RecordingState.DELETED) or existing.failure_reason is reason:
        return None
    # The next attempt's number takes the row from a worker that may be at it.
    taken = replace(existing, attempt=existing.attempt + 1, rung_time=None)
    return _failed(taken, reason, message, now)


def deleted(existing: Recording | None, now: datetime) -> Recording | None:
    """A tombstone: identity and times stay, what was known of the call goes."""
    if existing is None or existing.state is RecordingState.DELETED:
        return None
    return Recording(
        account_sid=existing.account_sid,
        recording_sid=existing.recording_sid,
        call=CallDetails(),
        job=existing.job,
        priority=existing.priority,
        state=RecordingState.DELETED,
        create_time=existing.create_time,
        update_time=now,
        next_attempt_time=existing.next_attempt_time,
        attempt=existing.attempt + 1,
        revision=existing.revision + 1,
        delete_time=now,
        processing=Processing(attempt=processing_transitions.suspended(existing.processing).attempt),
    )


def _created(request: EnqueueRequest, now: datetime) -> Recording:
    return Recording(
        account_sid=request.key.account_sid,
        recording_sid=request.key.recording_sid,
        call=request.call,
        job=request.job,
        priority=request.priority,
        state=RecordingState.QUEUED,
        create_time=now,
        update_time=now,
        next_attempt_time=now,
        request_id=request.request_id,
        encryption_details=request.encryption_details,
    )


def _is_downloading(recording: Recording, bell: Bell) -> bool:
    return recording.state is RecordingState.DOWNLOADING and recording.attempt == bell.attempt


def _ready(
    recording: Recording, stored_object: StoredObject, audio: Audio, now: datetime, *, follows_download: bool = False
) -> Recording:
    processing = recording.processing
    if stored_object.sha256 != recording.expected_sha256:
        # What was found out was found out of other bytes.
        processing = replace(processing, ends={}, probe=None)
    if recording.job is RecordingJob.FULL:
        processing = processing_transitions.wanted(processing, frozenset(), now, follows_download=follows_download)
    return replace(
        recording,
        processing=processing,
        state=RecordingState.READY,
        failures_by_reason={},
        failure_reason=None,
        failure_message="",
        received_bytes=stored_object.size_bytes,
        object_key=stored_object.object_key,
        size_bytes=stored_object.size_bytes,
        sha256=stored_object.sha256,
        content_type=audio.content_type,
        stored_channels=audio.channels,
        ready_time=now,
        # The scrub may have marked the row just when its object was sent back to be fetched.
        verified_time=None,
        expected_sha256="",
    )


def _with_processing_wanted(
    recording: Recording, request: EnqueueRequest, available: Set[Step], now: datetime
) -> Recording:
    """The READY row with what is missing of its processing asked for, as urgently as this request asks."""
    before = recording.processing
    after = processing_transitions.wanted(before, available, now)
    priority = recording.priority
    if after.attempt != before.attempt:
        priority = request.priority
    elif after.state is not ProcessingState.DONE:
        priority = min(priority, request.priority)
    return replace(recording, processing=after, priority=Priority(priority))


def _spent(recording: Recording, reason: FailureReason) -> Mapping[FailureReason, int]:
    """Its failures, and one more of that kind."""
    spent = recording.failures_by_reason
    return {**spent, reason: spent.get(reason, 0) + 1}


def _requeued(
    recording: Recording, now: datetime, *, due: datetime, failures_by_reason: Mapping[FailureReason, int]
) -> Recording:
    """QUEUED for the next attempt. A reason to wait is only kept where the caller has just set it."""
    keeps_waiting = recording.state is RecordingState.DOWNLOADING or recording.state is RecordingState.QUEUED
    return _changed(
        replace(
            recording,
            state=RecordingState.QUEUED,
            attempt=recording.attempt + 1,
            rung_time=None,
            failures_by_reason=failures_by_reason,
            next_attempt_time=due,
            failure_reason=None,
            failure_message=recording.failure_message if keeps_waiting else "",
            waiting_reason=recording.waiting_reason if keeps_waiting else None,
            claimed_by="",
            received_bytes=0,
        ),
        now,
    )


def _failed(recording: Recording, reason: FailureReason, message: str, now: datetime) -> Recording:
    return _changed(
        replace(
            recording,
            state=RecordingState.FAILED,
            failure_reason=reason,
            failure_message=_cut(message),
            waiting_reason=None,
            claimed_by="",
        ),
        now,
    )


def _changed(recording: Recording, now: datetime) -> Recording:
    return replace(recording, revision=recording.revision + 1, update_time=now)


def _filled(known: CallDetails, given: CallDetails) -> CallDetails:
    """What was known, completed by what is given: a later request adds, and overwrites nothing but labels."""
    missing = {
        field.name: getattr(given, field.name)
        for field in fields(CallDetails)
        if field.name != "labels" and not getattr(known, field.name) and getattr(given, field.name)
    }
    labels = {**known.labels, **given.labels}
    # The service's own label takes no place of the callers'.
    if labels != known.labels and len(labels.keys() - {ADOPTED_LABEL}) <= MAX_LABELS:
        missing["labels"] = labels
    return replace(known, **missing) if missing else known


def _cut(message: str) -> str:
    return message[:MAX_FAILURE_MESSAGE_CHARACTERS]
