"""`/recordings/{sid}/transcript.vtt`, `.txt` and `.json`: what is said in a recording.

Nothing tells who is on which channel of a call, so speakers are called by their channels.
"""

import json
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.results.rendition import Form, Renditions
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.targets import Target
from recording_service.transcripts.captions import to_plain_text, to_web_vtt
from recording_service.transcripts.transcript import Transcript, TranscriptSegment, TranscriptWord
from recordings.errors import ContractBroken
from recordings.v1 import results_pb2
from recordings.v1.lookup_pb2 import GetRecordingRequest

#: As many digits as a float of 32 bits is sure of.
_DIGITS = 6


class Write(Protocol):
    """A form of transcripts."""

    def __call__(self, transcript: Transcript, *, channels: int) -> str:
        """The transcript in it. `channels`: how many the recording has, as far as the transcript does not tell."""


class Transcripts:
    """The endpoints for transcripts."""

    def __init__(self, client: RecordingClient, settings: HttpSettings, renditions: Renditions) -> None:
        self._client = client
        self._renditions = renditions
        self._timeout_seconds = settings.call_timeout_seconds

    async def web_vtt(self, request: Request) -> Response:
        """As captions, for a `<track>`."""
        return await self._answer(request, to_web_vtt, "text/vtt; charset=utf-8", "vtt")

    async def plain_text(self, request: Request) -> Response:
        """For people, a line a segment."""
        return await self._answer(request, to_plain_text, "text/plain; charset=utf-8", "txt")

    async def json(self, request: Request) -> Response:
        """For programs: segments and words, with times in seconds and how sure the transcriber was."""
        return await self._answer(request, lambda transcript, channels: to_json(transcript), "application/json", "json")

    async def _answer(self, request: Request, write: Write, media_type: str, extension: str) -> Response:
        target = Target.of(request)

        async def fetched() -> tuple[results_pb2.GetTranscriptResponse, int]:
            asked = results_pb2.GetTranscriptRequest(account_sid=target.account_sid, recording_sid=target.recording_sid)
            answer = await self._client.get_transcript(asked, CallIdentity.of(request), self._timeout_seconds)
            # Whoever speaks on another channel than the first tells that there are several.
            is_told = extension == "json" or not answer.segments or any(each.channel for each in answer.segments)
            return answer, 0 if is_told else await self._channels(request, target)

        return await self._renditions.answer(
            request,
            fetched,
            lambda found: write(transcript_of(found[0]), channels=found[1]).encode(),
            Form(media_type, f"transcript-{target.recording_sid}.{extension}"),
        )

    async def _channels(self, request: Request, target: Target) -> int:
        """How many channels the recording has, which its transcript does not tell; 0 if it was not probed."""
        recording = await self._client.get_recording(
            GetRecordingRequest(account_sid=target.account_sid, recording_sid=target.recording_sid),
            CallIdentity.of(request),
            self._timeout_seconds,
        )
        return recording.probe.channels


def transcript_of(answer: results_pb2.GetTranscriptResponse) -> Transcript:
    """The transcript that the service has sent. Raises ContractBroken for one whose times are none."""
    try:
        return Transcript(answer.language, tuple(_segment(each) for each in answer.segments))
    except ValueError as error:
        raise ContractBroken(f"a transcript that is none: {error}") from error


def to_json(transcript: Transcript) -> str:
    """The transcript in compact JSON. What the transcriber did not say is left out."""
    document = {"language": transcript.language, "segments": [_segment_json(each) for each in transcript.segments]}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _segment(message: results_pb2.TranscriptSegment) -> TranscriptSegment:
    return TranscriptSegment(
        message.start.ToTimedelta(),
        message.end.ToTimedelta(),
        message.channel,
        message.text,
        _confidence(message),
        tuple(_word(each) for each in message.words),
    )


def _word(message: results_pb2.TranscriptWord) -> TranscriptWord:
    return TranscriptWord(message.start.ToTimedelta(), message.end.ToTimedelta(), message.text, _confidence(message))


def _confidence(message: results_pb2.TranscriptSegment | results_pb2.TranscriptWord) -> float | None:
    return round(message.confidence, _DIGITS) if message.HasField("confidence") else None


def _segment_json(segment: TranscriptSegment) -> dict[str, Any]:
    members = {"channel": segment.channel, **_span_json(segment)}
    if segment.words:
        members["words"] = [_span_json(word) for word in segment.words]
    return members


def _span_json(span: TranscriptSegment | TranscriptWord) -> dict[str, Any]:
    members: dict[str, Any] = {
        "start": span.start.total_seconds(),
        "end": span.end.total_seconds(),
        "text": span.text,
    }
    if span.confidence is not None:
        members["confidence"] = span.confidence
    return members
