"""Rows to recordings and back: times as microseconds since 1970 in UTC, enums by value, mappings as JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from recording_service.core import encryption
from recording_service.core.model import (
    CallDetails,
    FailureReason,
    Priority,
    Processing,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
    WaitingReason,
)
from recording_service.core.sound import Probe

#: A row of a result: its values in the order of the columns.
Values = Sequence[Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Calling an enum is several times slower than a dictionary, and every row has six of them.
_JOBS = {str(job): job for job in RecordingJob}
_PRIORITIES = {int(priority): priority for priority in Priority}
_STATES = {str(state): state for state in RecordingState}
_FAILURE_REASONS: Mapping[str | None, FailureReason | None] = {None: None} | {str(r): r for r in FailureReason}
_WAITING_REASONS: Mapping[str | None, WaitingReason | None] = {None: None} | {str(r): r for r in WaitingReason}


_NO_PROCESSING = Processing()

#: Sorted, so that equal mappings are the same text.
_MAPPING = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def to_microseconds(time: datetime) -> int:
    """The time as the catalogue stores it. Exact."""
    return (time - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The time that is stored so, in UTC. Exact."""
    return EPOCH + timedelta(microseconds=microseconds)


def to_row(recording: Recording) -> dict[str, Any]:
    """The values of the columns of `recordings`, by name."""
    call = recording.call
    return {
        "account_sid": recording.account_sid,
        "recording_sid": recording.recording_sid,
        "call_sid": call.call_sid,
        "conference_sid": call.conference_sid,
        "source_url": call.source_url,
        "source": call.source,
        "track": call.track,
        "direction": call.direction,
        "channels": call.channels,
        "start_time": _to_optional(call.start_time),
        "duration": None if call.duration is None else call.duration // MICROSECOND,
        "from_number": call.from_number,
        "to_number": call.to_number,
        "labels": _to_json(call.labels),
        "job": recording.job.value,
        "priority": int(recording.priority),
        "state": recording.state.value,
        "create_time": to_microseconds(recording.create_time),
        "update_time": to_microseconds(recording.update_time),
        "next_attempt_time": to_microseconds(recording.next_attempt_time),
        "rung_time": _to_optional(recording.rung_time),
        "attempt": recording.attempt,
        "failure_reason": None if recording.failure_reason is None else recording.failure_reason.value,
        "failure_message": recording.failure_message,
        "waiting_reason": None if recording.waiting_reason is None else recording.waiting_reason.value,
        "claimed_by": recording.claimed_by,
        "lease": recording.lease,
        "received_bytes": recording.received_bytes,
        "object_key": recording.object_key,
        "size_bytes": recording.size_bytes,
        "sha256": recording.sha256,
        "content_type": recording.content_type,
        "revision": recording.revision,
        "ready_time": _to_optional(recording.ready_time),
        "delete_time": _to_optional(recording.delete_time),
        "request_id": recording.request_id,
        "verified_time": _to_optional(recording.verified_time),
        "expected_sha256": recording.expected_sha256,
        "failures_by_reason": _to_json({reason.value: count for reason, count in recording.failures_by_reason.items()}),
        "stored_channels": recording.stored_channels,
        "encryption_details": encryption.to_text(recording.encryption_details),
        **_processing_to_row(recording.processing),
    }


def from_row(row: Values) -> Recording:
    """The recording of a row that has all columns of `recordings`, in their order."""
    (
        account_sid,
        recording_sid,
        call_sid,
        conference_sid,
        source_url,
        source,
        track,
        direction,
        channels,
        start_time,
        duration,
        from_number,
        to_number,
        labels,
        job,
        priority,
        state,
        create_time,
        update_time,
        next_attempt_time,
        rung_time,
        attempt,
        failure_reason,
        failure_message,
        waiting_reason,
        claimed_by,
        lease,
        received_bytes,
        object_key,
        size_bytes,
        sha256,
        content_type,
        revision,
        ready_time,
        delete_time,
        request_id,
        verified_time,
        expected_sha256,
        failures_by_reason,
        stored_channels,
        encryption_details,
        *processing,
    ) = row
    return Recording(
        account_sid=account_sid,
        recording_sid=recording_sid,
        call=CallDetails(
            call_sid=call_sid,
            conference_sid=conference_sid,
            source_url=source_url,
            source=source,
            track=track,
            direction=direction,
            channels=channels,
            start_time=_from_optional(start_time),
            duration=None if duration is None else timedelta(microseconds=duration),
            from_number=from_number,
            to_number=to_number,
            labels=_from_json(labels),
        ),
        job=_JOBS[job],
        priority=_PRIORITIES[priority],
        state=_STATES[state],
        create_time=from_microseconds(create_time),
        update_time=from_microseconds(update_time),
        next_attempt_time=from_microseconds(next_attempt_time),
        rung_time=_from_optional(rung_time),
        attempt=attempt,
        failure_reason=_FAILURE_REASONS[failure_reason],
        failure_message=failure_message,
        waiting_reason=_WAITING_REASONS[waiting_reason],
        claimed_by=claimed_by,
        lease=lease,
        received_bytes=received_bytes,
        object_key=object_key,
        size_bytes=size_bytes,
        sha256=sha256,
        content_type=content_type,
        revision=revision,
        ready_time=_from_optional(ready_time),
        delete_time=_from_optional(delete_time),
        request_id=request_id,
        verified_time=_from_optional(verified_time),
        expected_sha256=expected_sha256,
        failures_by_reason={FailureReason(reason): count for reason, count in _from_json(failures_by_reason).items()},
        stored_channels=stored_channels,
        encryption_details=encryption.from_text(encryption_details),
        processing=_processing_from_row(processing),
    )


def _processing_to_row(processing: Processing) -> dict[str, Any]:
    return {
        "processing_state": None if processing.state is None else processing.state.value,
        "processing_attempt": processing.attempt,
        "processing_follows_download": int(processing.follows_download),
        "processing_rung_time": _to_optional(processing.rung_time),
        "processing_next_attempt_time": _to_optional(processing.next_attempt_time),
        "processing_waiting_reason": None if processing.waiting_reason is None else processing.waiting_reason.value,
        "processing_claimed_by": processing.claimed_by,
        "processing_lease": processing.lease,
        "processing_failures_by_reason": _to_json(
            {reason.value: count for reason, count in processing.failures_by_reason.items()}
        ),
        "processing_ends": _to_json({step.value: _end_to_json(end) for step, end in processing.ends.items()}),
        "processing_probe": "" if processing.probe is None else processing.probe.to_json(),
    }


def _processing_from_row(values: Values) -> Processing:
    state, attempt, follows_download, rung_time, next_attempt_time, waiting_reason, claimed_by, lease, *found = values
    failures_by_reason, ends, probe = found
    if not attempt:
        return _NO_PROCESSING
    return Processing(
        state=None if state is None else ProcessingState(state),
        attempt=attempt,
        follows_download=bool(follows_download),
        rung_time=_from_optional(rung_time),
        next_attempt_time=_from_optional(next_attempt_time),
        waiting_reason=_WAITING_REASONS[waiting_reason],
        claimed_by=claimed_by,
        lease=lease,
        failures_by_reason={StepReason(reason): count for reason, count in _from_json(failures_by_reason).items()},
        ends={Step(step): _end_from_json(end) for step, end in _from_json(ends).items()},
        probe=Probe.from_json(probe) if probe else None,
    )


def _end_to_json(end: StepEnd) -> list[str]:
    return [end.state.value, "" if end.reason is None else end.reason.value, end.message]


def _end_from_json(parts: Sequence[str]) -> StepEnd:
    state, reason, message = parts
    return StepEnd(ProcessingState(state), StepReason(reason) if reason else None, message)


def _to_optional(time: datetime | None) -> int | None:
    return None if time is None else to_microseconds(time)


def _from_optional(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_microseconds(microseconds)


def _to_json(mapping: Mapping[str, object]) -> str:
    return _MAPPING.encode(dict(mapping)) if mapping else "{}"


def _from_json(text: str) -> dict[str, Any]:
    mapping: dict[str, Any] = {} if text == "{}" else json.loads(text)
    return mapping
