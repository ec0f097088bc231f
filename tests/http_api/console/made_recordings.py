"""Recordings of the fake service, as the console lists them."""

from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from recording_service.twilio_stand_in.mp3 import mp3_of_duration
from tests.http_api.fake_recordings import FakeRecordings

CALL = "CA" + "2c" * 16
SECONDS = 60
AUDIO = mp3_of_duration("a call", SECONDS, 1)


def sid(number: int) -> str:
    return f"RE{number:032x}"


def add(recordings: FakeRecordings, number: int, content: bytes = AUDIO, **fields: Any) -> str:
    """A recording that is newer than those with smaller numbers; its SID."""
    moment = Timestamp()
    moment.GetCurrentTime()
    moment.seconds += number - 3000
    fields = {
        "create_time": moment,
        "duration": Duration(seconds=SECONDS),
        "from_number": f"+4930{number:06d}",
        "to_number": "+4989123456",
        "call_sid": CALL,
        "revision": 1,
        **fields,
    }
    recordings.add(content, sid(number), **fields)
    return sid(number)
