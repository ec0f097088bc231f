"""The client of the recording service; `recordings.aio` has it for asyncio, `recordings.v1` is the generated code.

from recordings import RecordingsClient

with RecordingsClient("127.0.0.1:50051") as client:
    client.enqueue(recording_sid)
    client.wait_until_ready(recording_sid, timeout=60)
    with client.open(recording_sid) as file:
        data = file.read()
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recordings.client import RecordingsClient
    from recordings.found import FoundRecording
    from recordings.reader import RecordingReader
    from recordings.watching import EventWatch, RecordingWatch

__all__ = ["EventWatch", "FoundRecording", "RecordingReader", "RecordingWatch", "RecordingsClient"]

_HOMES = {
    "EventWatch": "recordings.watching",
    "FoundRecording": "recordings.found",
    "RecordingReader": "recordings.reader",
    "RecordingWatch": "recordings.watching",
    "RecordingsClient": "recordings.client",
}


def __getattr__(name: str) -> Any:
    """Imports the client when it is first asked for: whoever wants `recordings.v1` alone does not pay for it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'recordings' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
