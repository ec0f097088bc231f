"""Recordings for the tests of the command."""

import uuid

from tests.support.running_service import RunningService


def a_sid() -> str:
    """A SID that nobody has had before."""
    return "RE" + uuid.uuid4().hex


def a_recording(service: RunningService, *, duration: int = 3) -> str:
    """A recording that Twilio has."""
    return service.twilio.add_recording(duration=duration).recording_sid


def a_ready_recording(service: RunningService) -> str:
    """A recording that is READY."""
    recording_sid = a_recording(service)
    service.enqueue(recording_sid)
    service.ready(recording_sid)
    return recording_sid
