"""What a search has found in transcripts, as messages of the contract."""

from recording_service.core.model import RecordingKey
from recording_service.core.search import Snippet
from recordings.v1 import lookup_pb2


def fill_match(message: lookup_pb2.TranscriptMatch, key: RecordingKey, snippet: Snippet) -> None:
    """Writes what is said in one recording."""
    message.account_sid, message.recording_sid = key
    message.snippet = snippet.text
    for place in snippet.highlights:
        message.highlights.add(start=place.start, end=place.end)
