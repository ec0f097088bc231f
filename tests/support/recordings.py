"""Recordings, with whatever a test does not care about filled in, and how they get into a catalogue."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from recording_service.core.model import CallDetails, Priority, Recording, RecordingJob, RecordingState
from recording_service.core.ports import Decide, RecordingRows

ACCOUNT_SID = "AC" + "a" * 32
RECORDING_SID = "RE" + "b" * 32
TIME = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)


def a_recording(**fields: Any) -> Recording:
    """A row as a first enqueue makes it: QUEUED, due at TIME, and not rung for; `fields` are those of Recording."""
    usual: dict[str, Any] = {
        "account_sid": ACCOUNT_SID,
        "recording_sid": RECORDING_SID,
        "call": CallDetails(),
        "job": RecordingJob.FULL,
        "priority": Priority.NORMAL,
        "state": RecordingState.QUEUED,
        "create_time": TIME,
        "update_time": TIME,
        "next_attempt_time": TIME,
    }
    return Recording(**(usual | fields))


def another(number: int, **fields: Any) -> Recording:
    """One of many recordings of the same account."""
    return a_recording(**{"recording_sid": f"RE{number:032x}", **fields})


def put(catalogue: RecordingRows, *recordings: Recording) -> None:
    """Stores the recordings, none of which may be there yet."""

    def new(recording: Recording) -> Decide:
        return lambda row: recording if row is None else None

    amended = catalogue.amend([(recording.key, new(recording)) for recording in recordings])
    assert all(change.changed for change in amended), "a recording was there already"


def change(catalogue: RecordingRows, recording: Recording, **fields: Any) -> Recording:
    """Changes the stored recording as its next revision; what it is then."""

    def changed(row: Recording | None) -> Recording:
        assert row is not None, "the recording is not there"
        return replace(row, **{"revision": row.revision + 1, **fields})

    ((now, _),) = catalogue.amend([(recording.key, changed)])
    assert now is not None
    return now


def now_of(catalogue: RecordingRows, recording: Recording) -> Recording:
    """The recording as it is stored now."""
    row = catalogue.get(recording.key)
    assert row is not None, "the recording is not there"
    return row
