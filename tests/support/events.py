"""Recordings that become READY, FAILED and DELETED, so that there are events; and readers of the feed."""

from dataclasses import replace
from datetime import timedelta

from recording_service.core.event_ports import EventRows
from recording_service.core.events import Event
from recording_service.core.model import FailureReason, Recording, RecordingState
from recording_service.core.ports import RecordingRows
from tests.support.recordings import TIME, another, change, put

SECOND = timedelta(seconds=1)

READY = RecordingState.READY
FAILED = RecordingState.FAILED
DELETED = RecordingState.DELETED


def ready(number: int, **fields: object) -> Recording:
    """One of many recordings, READY."""
    recording = another(number)
    usual = {"state": READY, "object_key": f"{recording.account_sid}/{recording.recording_sid}/1.mp3"}
    return another(number, **{**usual, **fields})


def add_events(catalogue: RecordingRows, count: int, *, first: int = 1, seconds: int = 0) -> list[Recording]:
    """Makes that many recordings READY, one after the other; each is an event, a second after the one before."""
    made = []
    for number in range(first, first + count):
        made.append(ready(number, update_time=TIME + (seconds + number - first) * SECOND))
        put(catalogue, made[-1])
    return made


def fail(catalogue: RecordingRows, recording: Recording, reason: FailureReason) -> Recording:
    """Has it given up."""
    return change(catalogue, recording, state=FAILED, failure_reason=reason)


def forget_oldest(catalogue: EventRows, count: int) -> None:
    """Has that many of the events that are numbered get old, and be forgotten."""
    catalogue.age_events(SECOND)
    assert catalogue.prune_events(SECOND, count).removed == count


def feed_of(catalogue: EventRows, after_revision: int = 0) -> list[Event]:
    """Everything that the feed has after that revision, numbered and read in small pieces."""
    catalogue.number_events()
    found: list[Event] = []
    while piece := catalogue.events(found[-1].revision if found else after_revision, 3):
        found += piece
    return found


def told(events: list[Event]) -> list[tuple[int, str, str, int]]:
    """What they tell: revision, type, recording and its revision."""
    return [(event.revision, event.type, event.key.recording_sid, event.recording_revision) for event in events]


def nameless(event: Event) -> Event:
    """The event without the name that only it has, to be compared with another one."""
    assert event.event_id.startswith("evt_")
    assert "." not in event.event_id
    return replace(event, event_id="")
