"""Single values out of an answer, none of which is believed."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from recording_service.core.errors import TranscriptionAnswerInvalid

#: The latest time that is believed, in seconds, and the largest number. No clip is as long.
LATEST_SECONDS = 24 * 3600.0

#: How much a time may be below 0, or an end before its start, in seconds, to be taken for either of them.
REPAIRED_SECONDS = 1.0

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def array_of(value: object, name: str) -> list[Mapping[str, Any]]:
    """An array of objects; none where there is none. TranscriptionAnswerInvalid if it is anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise TranscriptionAnswerInvalid(f"the transcription server sent {name} that are no list of objects")
    return value


def number_of(document: Mapping[str, Any], name: str) -> float | None:
    """A number of a sensible size; None where there is none. whisper.cpp writes null for what is not finite."""
    value = document.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if -LATEST_SECONDS <= value <= LATEST_SECONDS else None


def span_of(document: Mapping[str, Any]) -> tuple[timedelta, timedelta]:
    """Start and end, in whole milliseconds; what is nearly one is made one. TranscriptionAnswerInvalid otherwise."""
    start, end = _seconds(document, "start"), _seconds(document, "end")
    if start < -REPAIRED_SECONDS or end < start - REPAIRED_SECONDS:
        raise TranscriptionAnswerInvalid("the transcription server sent times below 0, or that go backwards")
    begin = max(start, 0.0)
    return _time(begin), _time(max(end, begin))


def cleaned(text: str) -> str:
    """The text on one line, without what is no character: control codes, and halves of surrogate pairs."""
    return " ".join(_CONTROL.sub(" ", text.encode("utf-8", "replace").decode()).split())


def _seconds(document: Mapping[str, Any], name: str) -> float:
    value = number_of(document, name)
    if value is None:
        raise TranscriptionAnswerInvalid(f"the transcription server sent a {name} that is no time in a clip")
    return value


def _time(seconds: float) -> timedelta:
    return timedelta(milliseconds=round(seconds * 1000))
