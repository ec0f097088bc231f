"""What a fault makes of the contract's messages on their way to a client."""

from collections.abc import Callable, Generator
from typing import Any

from google.protobuf.message import Message

from clients.conformance.faults import CallFault, StreamFault
from recordings.v1.enqueue_pb2 import BatchEnqueueRecordingsResponse, EnqueueRecordingResponse
from recordings.v1.stream_pb2 import StreamRecordingResponse


def altered_stream(fault: StreamFault, call: Any, pause: Callable[[], None]) -> Generator[bytes, None, bool]:
    """The stream's messages with that fault. Returns whether the fault has ended it, and not the service."""
    left = fault.after_bytes
    passed = 0
    for number, frame in enumerate(call):
        message = StreamRecordingResponse.FromString(frame)
        if number == 0:
            _change_first(message, fault.first)
        elif fault.shift_offset:
            message.offset += fault.shift_offset
        data = message.data
        if fault.flip_at is not None and passed <= fault.flip_at < passed + len(data):
            at = fault.flip_at - passed
            data = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        passed += len(data)
        if left is not None and 0 <= left <= len(data):
            message.data = data[:left]
            pause()
            # An empty message is allowed as the first one only.
            if message.data or number == 0:
                yield message.SerializeToString()
            return True
        if left is not None and left > 0:
            left -= len(data)
        message.data = data
        pause()
        yield message.SerializeToString()
    if fault.excess:
        yield StreamRecordingResponse(data=bytes(fault.excess), offset=passed).SerializeToString()
    return False


def altered_answer(method: str, answer: bytes, fault: CallFault) -> bytes:
    """The answer with another reason, numbers that the contract doesn't know included."""
    message: Message
    if method == "BatchEnqueueRecordings":
        batch = BatchEnqueueRecordingsResponse.FromString(answer)
        batch.results[fault.item or 0].reason = fault.reason  # type: ignore[assignment] # any number
        message = batch
    else:
        single = EnqueueRecordingResponse.FromString(answer)
        single.reason = fault.reason  # type: ignore[assignment] # any number
        message = single
    return message.SerializeToString()


def _change_first(message: StreamRecordingResponse, how: str) -> None:
    if how == "no_range":
        message.ClearField("content_range")
    elif how == "no_recording":
        message.ClearField("recording")
    elif how == "other_etag":
        message.recording.etag = "of-another-version"
    elif how == "other_start":
        message.content_range.start += 1
    elif how:
        raise ValueError(f"first: there is no {how}")
