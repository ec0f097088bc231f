"""A recording as JSON: protobuf's own, with the contract's field names, and its reasons in words beside them."""

from typing import Any

from google.protobuf.json_format import MessageToDict

from recording_service.http_api.words import PROBE_WARNING_WORDS, in_words, step_in_words
from recordings.v1.lookup_pb2 import TranscriptMatch
from recordings.v1.recording_pb2 import Recording, RecordingState


def recording_json(recording: Recording) -> dict[str, Any]:
    """Fields that are not known are left out; int64 are strings.

    `failure_text` and `waiting_text` say for people why it is FAILED or QUEUED, `text` of a step why that has FAILED or
    was SKIPPED, and `warning_texts` of the probe what is odd. Not stable.
    """
    members: dict[str, Any] = MessageToDict(recording, preserving_proto_field_name=True)
    if recording.state == RecordingState.RECORDING_STATE_FAILED:
        members["failure_text"] = in_words(recording)
    elif recording.state == RecordingState.RECORDING_STATE_QUEUED:
        members["waiting_text"] = in_words(recording)
    for status, written in zip(recording.processing_steps, members.get("processing_steps", ()), strict=True):
        if text := step_in_words(status):
            written["text"] = text
    if recording.probe.warnings:
        known = (PROBE_WARNING_WORDS.get(warning, "") for warning in recording.probe.warnings)
        members["probe"]["warning_texts"] = [text for text in known if text]
    return members


def match_json(match: TranscriptMatch) -> dict[str, Any]:
    """What is said, and where in it what was searched for is: in Unicode code points, as in the contract."""
    highlights = [{"start": place.start, "end": place.end} for place in match.highlights]
    return {"snippet": match.snippet, "highlights": highlights}
