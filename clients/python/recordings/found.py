"""What a search finds."""

from collections.abc import Iterator
from typing import NamedTuple

from recordings.v1.lookup_pb2 import ListRecordingsResponse, TranscriptMatch
from recordings.v1.recording_pb2 import Recording


class FoundRecording(NamedTuple):
    """A recording in which something is said."""

    recording: Recording
    #: What is said around the first match; None where the transcript has changed or gone while it was looked up.
    match: TranscriptMatch | None


def found_in(page: ListRecordingsResponse) -> Iterator[FoundRecording]:
    """The recordings of a page, each with its match."""
    matches = {(match.account_sid, match.recording_sid): match for match in page.transcript_matches}
    for recording in page.recordings:
        yield FoundRecording(recording, matches.get((recording.account_sid, recording.recording_sid)))
