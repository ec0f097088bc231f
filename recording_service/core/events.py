"""Events: that a recording became READY, FAILED or DELETED, or was processed, told to whoever has to go on from there.

An event is a row, written in the transaction of the change that it tells of, so that none is without the other.
It has what the recording was at that moment, as far as that may outlive the recording: identities and technical facts.
Telephone numbers, labels, URLs and texts are left out, so that nothing is to be taken out of events when a recording is
deleted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

from recording_service.core.model import ProcessingState, Recording, RecordingFilter, RecordingKey, RecordingState

#: What an event says of the recording.
Facts = Mapping[str, str | int]


class EventType(StrEnum):
    """What has happened. Stable: receivers of callbacks go by it."""

    RECORDING_READY = "recording.ready"
    RECORDING_FAILED = "recording.failed"
    RECORDING_DELETED = "recording.deleted"
    RECORDING_PROCESSED = "recording.processed"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. The feed has them in the order of `revision`, which is the order in which they were committed."""

    #: A name that no other event has, ever.
    event_id: str
    type: EventType
    key: RecordingKey
    #: The recording's revision since the change.
    recording_revision: int
    #: When it happened, by the clock of the host that noted it.
    event_time: datetime
    facts: Facts
    #: Its place in the feed, from 1 on and without a gap but where a restored one began anew; 0 as long as it has none.
    revision: int = 0

    @property
    def state(self) -> RecordingState:
        """The recording's state at that moment."""
        return RecordingState[str(self.facts["state"])]

    def is_wanted(self, matching: RecordingFilter) -> bool:
        """Whether it is of the accounts, calls and states asked for; an empty filter asks for all."""
        return (
            (not matching.account_sids or self.key.account_sid in matching.account_sids)
            and (not matching.call_sids or self.facts.get("call_sid") in matching.call_sids)
            and (not matching.states or self.state in matching.states)
        )


def _has_become_ready(before: Recording | None, after: Recording) -> bool:
    # Whatever lies between two looks: with another object it is READY anew.
    return after.state is RecordingState.READY and (
        before is None or before.state is not RecordingState.READY or before.object_key != after.object_key
    )


def _has_failed(before: Recording | None, after: Recording) -> bool:
    return after.state is RecordingState.FAILED and (
        before is None
        or before.state is not RecordingState.FAILED
        or (before.failure_reason, before.attempt) != (after.failure_reason, after.attempt)
    )


def _was_deleted(before: Recording | None, after: Recording) -> bool:
    return after.state is RecordingState.DELETED and (before is None or before.state is not RecordingState.DELETED)


def _has_been_processed(before: Recording | None, after: Recording) -> bool:
    """Whether every step has ended: also of a recording that is READY again with the bytes that it had."""
    return after.processing.state is ProcessingState.DONE and (
        before is None
        or (before.processing.state, before.processing.attempt) != (after.processing.state, after.processing.attempt)
    )


#: What each event is, as a question about a row before and after a change: another kind of event is another row here.
_HAPPENED: Mapping[EventType, Callable[[Recording | None, Recording], bool]] = {
    EventType.RECORDING_READY: _has_become_ready,
    EventType.RECORDING_FAILED: _has_failed,
    EventType.RECORDING_DELETED: _was_deleted,
    EventType.RECORDING_PROCESSED: _has_been_processed,
}


def events_of(before: Recording | None, after: Recording) -> tuple[EventType, ...]:
    """What has happened by that change of a row (None: there was none)."""
    return tuple(kind for kind, has_happened in _HAPPENED.items() if has_happened(before, after))


def new_events(before: Recording | None, after: Recording) -> list[Event]:
    """The events of that change, each with a name of its own and without a place in the feed."""
    return [
        Event(
            event_id=f"evt_{uuid4().hex}",
            type=kind,
            key=after.key,
            recording_revision=after.revision,
            event_time=after.update_time,
            facts=facts_of(before, after),
        )
        for kind in events_of(before, after)
    ]


def facts_of(before: Recording | None, after: Recording) -> Facts:
    """What an event of that change says: only what is known. A tombstone has its call's SIDs from before."""
    call = before.call if before is not None and after.state is RecordingState.DELETED else after.call
    known = {
        "account_sid": after.account_sid,
        "recording_sid": after.recording_sid,
        "call_sid": call.call_sid,
        "conference_sid": call.conference_sid,
        "state": after.state.name,
        "failure_reason": "" if after.failure_reason is None else after.failure_reason.name,
        "size_bytes": after.size_bytes,
        "sha256": after.sha256,
        "content_type": after.content_type,
        "stored_channels": after.stored_channels or None,
        "processing_state": "" if after.processing.summary is None else after.processing.summary.name,
        "recording_revision": after.revision,
        "create_time": written_time(after.create_time),
        "ready_time": "" if after.ready_time is None else written_time(after.ready_time),
        "delete_time": "" if after.delete_time is None else written_time(after.delete_time),
    }
    return {name: value for name, value in known.items() if value not in ("", None)}


def numbered(event: Event, revision: int) -> Event:
    """The event with its place in the feed."""
    return replace(event, revision=revision)


def written_time(moment: datetime) -> str:
    """A time as JSON has it: RFC 3339 in UTC, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
