"""The asyncio flavour of the client: see clients/python/README.md.

`RecordingsClient` is what most need. `Connection`, `MessageReader` and `RangeStream` are what it is made of, for
programs with more to do at a single call or stream, such as the service's own HTTP adapter.
"""

from recordings._reading import Opening, Range
from recordings.aio.client import RecordingsClient
from recordings.aio.connection import Connection
from recordings.aio.message_reader import MessageReader, NothingYet
from recordings.aio.range_stream import RangeStream
from recordings.aio.reader import AsyncRecordingReader
from recordings.aio.watching import EventWatch, RecordingWatch

__all__ = [
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
