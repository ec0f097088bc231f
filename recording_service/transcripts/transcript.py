"""What was said in a recording, by whom and when.

Times are counted from the beginning of the recording. `core.captions` writes a transcript for players and for people.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

MILLISECOND = timedelta(milliseconds=1)

#: The longest time that is believed, in milliseconds: a year. No recording is as long.
MAX_MILLISECONDS = 366 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class TranscriptWord:
    """One word. ValueError if it ends before it begins, begins before 0, or has a confidence that is none."""

    start: timedelta
    end: timedelta
    text: str
    #: How sure the transcriber is, from 0 to 1. None: it does not say.
    confidence: float | None = None

    def __post_init__(self) -> None:
        _check(self.start, self.end, self.confidence)


@dataclass(frozen=True, slots=True)
class TranscriptSegment:
    """What one channel said in one go. ValueError as for a word, and for a channel below 0."""

    start: timedelta
    end: timedelta
    #: Counted from 0.
    channel: int
    text: str
    #: As of a word.
    confidence: float | None = None
    #: In the order of the text. Empty: the transcriber gave none.
    words: tuple[TranscriptWord, ...] = ()

    def __post_init__(self) -> None:
        _check(self.start, self.end, self.confidence)
        if self.channel < 0:
            raise ValueError("a channel is counted from 0")


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was said, in the order of time; what begins at once, in the order of channels.

    Segments may be given in any order.
    """

    #: A code of ISO 639. Empty: nobody knows, or nothing was said.
    language: str
    segments: tuple[TranscriptSegment, ...] = ()

    def __post_init__(self) -> None:
        ordered = sorted(self.segments, key=lambda segment: (segment.start, segment.channel))
        object.__setattr__(self, "segments", tuple(ordered))

    def to_json(self) -> str:
        """The transcript in compact JSON, times in whole milliseconds. `from_json` reads it."""
        document = {"language": self.language, "segments": [_segment_document(each) for each in self.segments]}
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Transcript":
        """The transcript that `to_json` wrote. ValueError if it is none; names that are not known are left alone."""
        try:
            document = _object(json.loads(text, parse_constant=_no_number))
            return cls(_string(document, "language"), tuple(map(_segment_of, _array(document, "segments"))))
        except (ValueError, RecursionError) as exc:
            raise ValueError(f"this is no stored transcript: {exc}") from exc


def milliseconds_of(time: timedelta) -> int:
    """A time in whole milliseconds, rounded."""
    return round(time / MILLISECOND)


def _check(start: timedelta, end: timedelta, confidence: float | None) -> None:
    if not timedelta() <= start <= end:
        raise ValueError("a time in a transcript is not below 0, and no end is before its start")
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError("a confidence is between 0 and 1")


def _segment_document(segment: TranscriptSegment) -> dict[str, Any]:
    document = {**_span_document(segment), "channel": segment.channel}
    if segment.words:
        document["words"] = [_span_document(word) for word in segment.words]
    return document


def _span_document(span: TranscriptSegment | TranscriptWord) -> dict[str, Any]:
    document = {"start": milliseconds_of(span.start), "end": milliseconds_of(span.end), "text": span.text}
    return document if span.confidence is None else {**document, "confidence": span.confidence}


def _segment_of(document: object) -> TranscriptSegment:
    found = _object(document)
    return TranscriptSegment(
        start=_time(found, "start"),
        end=_time(found, "end"),
        channel=_whole_number(found, "channel"),
        text=_string(found, "text"),
        confidence=_confidence(found),
        words=tuple(map(_word_of, _array(found, "words"))) if "words" in found else (),
    )


def _word_of(document: object) -> TranscriptWord:
    found = _object(document)
    return TranscriptWord(_time(found, "start"), _time(found, "end"), _string(found, "text"), _confidence(found))


def _object(document: object) -> Mapping[str, object]:
    if not isinstance(document, dict):
        raise ValueError("it, its segments and its words are JSON objects")
    return document


def _array(document: Mapping[str, object], name: str) -> Iterable[object]:
    if not isinstance(value := document.get(name), list):
        raise ValueError(f"{name} is not an array")
    return value


def _string(document: Mapping[str, object], name: str) -> str:
    if not isinstance(value := document.get(name), str):
        raise ValueError(f"{name} is not a string")
    return value


def _whole_number(document: Mapping[str, object], name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} is not a whole number")
    return value


def _time(document: Mapping[str, object], name: str) -> timedelta:
    milliseconds = _whole_number(document, name)
    if not 0 <= milliseconds <= MAX_MILLISECONDS:
        raise ValueError(f"{name} is no time in a recording")
    return milliseconds * MILLISECOND


def _confidence(document: Mapping[str, object]) -> float | None:
    value = document.get("confidence")
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("confidence is not a number")
    return float(value)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON's")
