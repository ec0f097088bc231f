"""All the words of an answer, but those that its caller has sent: what secrets are looked for in."""

from collections.abc import Iterable, Mapping

from google.protobuf.message import Message

from recordings.v1 import enqueue_pb2, recording_pb2

#: What a recording has from its caller, and is to be given back.
CALLERS_OWN = ("from_number", "to_number", "source_url", "labels")


def words_of_refusal(text: str | None, details: Iterable[Message]) -> str:
    """Of a status of gRPC and its details, which are `Any`s."""
    return "\n".join([text or "", *map(_words_of_detail, details)])


def words_of_recording(recording: recording_pb2.Recording) -> str:
    """Of a recording."""
    ours = recording_pb2.Recording()
    ours.CopyFrom(recording)
    for field in CALLERS_OWN:
        ours.ClearField(field)
    return str(ours)


def words_of_http(headers: Mapping[str, str], body: bytes) -> str:
    """Of an answer over HTTP that is no audio."""
    return "\n".join([*(f"{name}: {value}" for name, value in headers.items()), body.decode(errors="replace")])


def _words_of_detail(detail: Message) -> str:
    response = enqueue_pb2.EnqueueRecordingResponse()
    if detail.Unpack(response):  # type: ignore[attr-defined]
        return words_of_recording(response.recording)
    return str(detail)
