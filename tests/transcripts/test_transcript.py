"""What a transcript is, and how it is stored."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.transcripts.transcript import Transcript, TranscriptSegment, TranscriptWord
from tests.support.making_transcripts import ms, segment, transcript, transcripts

STORED: dict[str, Any] = {
    "language": "en",
    "segments": [
        {
            "start": 1250,
            "end": 2000,
            "text": "Good morning.",
            "confidence": 0.9,
            "channel": 1,
            "words": [{"start": 1250, "end": 1500, "text": "Good"}],
        }
    ],
}


def test_segments_are_in_the_order_of_time_and_then_of_channels() -> None:
    late, right, left = segment(2, 3, "c", 0), segment(1, 2, "b", 1), segment(1, 4, "a", 0)

    assert transcript(late, right, left).segments == (left, right, late)


@given(transcripts)
def test_what_is_stored_is_what_is_read(made: Transcript) -> None:
    assert Transcript.from_json(made.to_json()) == made


def test_what_is_stored_is_compact_and_in_whole_milliseconds() -> None:
    word = TranscriptWord(ms(1250), ms(1500), "Good")
    made = transcript(TranscriptSegment(ms(1250), ms(2000), 1, "Good morning.", 0.9, (word,)))

    assert made.to_json() == json.dumps(STORED, separators=(",", ":"))
    assert Transcript("").to_json() == '{"language":"","segments":[]}'


def test_what_a_later_version_stores_besides_is_left_alone() -> None:
    changed = json.dumps({**STORED, "version": 7})

    assert Transcript.from_json(changed) == Transcript.from_json(json.dumps(STORED))


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5).map(json.dumps))
def test_what_is_no_transcript_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="no stored transcript"):
        Transcript.from_json(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", -1),
        ("start", 2001),
        ("start", 1250.5),
        ("start", "1250"),
        ("start", True),
        ("start", None),
        ("end", 10**13),
        ("end", 10**400),
        ("channel", -1),
        ("channel", 0.5),
        ("text", None),
        ("text", 7),
        ("confidence", 1.5),
        ("confidence", "high"),
        ("confidence", True),
        ("words", None),
        ("words", {}),
        ("words", ["Good"]),
        ("words", [{"start": 2, "end": 1, "text": "Good"}]),
    ],
)
def test_a_segment_that_is_malformed_is_a_value_error(name: str, value: object) -> None:
    changed = {**STORED, "segments": [{**STORED["segments"][0], name: value}]}

    with pytest.raises(ValueError, match="no stored transcript"):
        Transcript.from_json(json.dumps(changed))


@pytest.mark.parametrize("text", ['{"language":"en","segments":NaN}', "[" * 100_000, '{"segments":[]}', ""])
def test_json_that_is_none_or_too_deep_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="no stored transcript"):
        Transcript.from_json(text)


@pytest.mark.parametrize(
    ("start", "end", "channel", "confidence"),
    [(-1, 5, 0, None), (5, 4, 0, None), (0, 1, -1, None), (0, 1, 0, 1.1), (0, 1, 0, float("nan"))],
)
def test_no_segment_can_be_made_that_makes_no_sense(
    start: int, end: int, channel: int, confidence: float | None
) -> None:
    with pytest.raises(ValueError, match=r"time|channel|confidence"):
        TranscriptSegment(ms(start), ms(end), channel, "text", confidence)
