from datetime import UTC, datetime
from typing import Any

import click
import pytest

from recordings.command_line.parameters import (
    ByteRangeType,
    DurationType,
    EnumType,
    LabelType,
    TimeType,
)
from recordings.v1.recording_pb2 import RecordingState


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (DurationType(), "90", 90.0),
        (DurationType(), "1h30m", 5400.0),
        (DurationType(), "1.5m", 90.0),
        (DurationType(), "7d", 604800.0),
        (TimeType(), "2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        (TimeType(), "2026-03-01T01:00:00+01:00", datetime(2026, 3, 1, tzinfo=UTC)),
        (TimeType(), "2026-03-01 00:00:00.5z", datetime(2026, 3, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        (ByteRangeType(), "0-0", (0, 0)),
        (ByteRangeType(), "5-", (5, None)),
        (ByteRangeType(), "-5", (None, 5)),
        (LabelType(), "a=b=c", ("a", "b=c")),
        (LabelType(), "a=", ("a", "")),
        (EnumType(RecordingState), "Ready", RecordingState.RECORDING_STATE_READY),
    ],
)
def test_what_is_written_as_the_help_says_is_understood(kind: Any, text: str, value: Any) -> None:
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((DurationType(), text) for text in ("", "0", "0s", "-1", "1w", "5 m", "inf", "nan", "9" * 400)),
        *((TimeType(), text) for text in ("", "now", "2026-02-30", "2026-03-01T00:00:00", "2026-03-01T25:00:00Z")),
        *((ByteRangeType(), text) for text in ("", "-", "5", "a-b", "5-4", "-0", "٣-", "0-9223372036854775807")),
        *((LabelType(), text) for text in ("", "a", "=b")),
        *((EnumType(RecordingState), text) for text in ("", "unspecified", "RECORDING_STATE_READY", "3")),
    ],
)
def test_what_is_not_is_refused_with_an_example(kind: Any, text: str) -> None:
    with pytest.raises(click.BadParameter):
        kind.convert(text, None, None)
