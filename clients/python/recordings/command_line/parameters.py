"""Types of arguments and options: times, durations, ranges, labels, and the contract's enums."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
from click.shell_completion import CompletionItem
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    # Generic in newer versions of click alone.
    _ParamType = click.ParamType

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_RANGE: Final = re.compile(r"(\d{0,19})-(\d{0,19})", re.ASCII)
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)([Zz]|[+-]\d\d:\d\d))?", re.ASCII
)


class DurationType(_ParamType):
    """`90`, `90s`, `1.5m`, `1h30m`, `7d`: seconds, as a float above 0."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuses what is none, and 0."""
        if isinstance(value, (int, float)):
            return float(value)
        if _NUMBER.fullmatch(value):
            seconds = float(value)
        elif _DURATION.fullmatch(value):
            seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
        else:
            self.fail(f"{value!r} is no duration; write it like 30s, 5m or 1h30m", param, ctx)
        if not 0 < seconds < timedelta.max.total_seconds():
            self.fail(f"{value!r} must be above 0 and not beyond all measure", param, ctx)
        return seconds


class TimeType(_ParamType):
    """RFC 3339, `2026-03-01T09:30:00Z`; a date alone is its midnight in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Refuses times without a zone: whose would it be?"""
        if isinstance(value, datetime):
            return value
        time = parse_rfc3339(value)
        if time is None:
            self.fail(f"{value!r} is no time; write it like 2026-03-01T09:30:00Z or 2026-03-01", param, ctx)
        return time


class ByteRange(NamedTuple):
    """What `--range` asks for: both ends are inclusive, as in HTTP; without a start, it is the last `end` bytes."""

    start: int | None
    end: int | None

    def within(self, size: int) -> tuple[int, int]:
        """First byte, and one past the last, of a recording of this size; the first may lie past the end."""
        if self.start is None:
            return max(size - (self.end or 0), 0), size
        return self.start, size if self.end is None else min(self.end + 1, size)

    def __str__(self) -> str:
        return "-".join("" if end is None else str(end) for end in self)


class ByteRangeType(_ParamType):
    """`0-499` (500 bytes), `500-` (to the end), `-500` (the last 500)."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ByteRange:
        """Refuses what is none, and what holds no byte."""
        if isinstance(value, ByteRange):
            return value
        matched = _RANGE.fullmatch(value)
        if not matched or value == "-":
            self.fail(f"{value!r} is no range; write it like 0-499, 500- or -500", param, ctx)
        start, end = (int(digits) if digits else None for digits in matched.groups())
        if (start is None and end == 0) or (start is not None and end is not None and end < start):
            self.fail(f"{value!r} holds no byte: both ends are inclusive", param, ctx)
        if max(start or 0, end or 0) >= 2**63 - 1:
            self.fail(f"{value!r} is beyond any recording", param, ctx)
        return ByteRange(start, end)


class LabelType(_ParamType):
    """`key=value`."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Refuses what has no `=`, or nothing before it."""
        if isinstance(value, tuple):
            return value[0], value[1]
        key, equals, text = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is no key=value", param, ctx)
        return key, text


class EnumType(_ParamType):
    """Names of one of the contract's enums without their prefix, in any case: a number of it."""

    name = "enum"

    def __init__(self, kind: EnumTypeWrapper) -> None:
        names = list(kind.keys())
        prefix = names[0].removesuffix("UNSPECIFIED")
        self._numbers = {name.removeprefix(prefix).lower(): kind.Value(name) for name in names[1:]}

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """All of them, for the help."""
        return f"[{'|'.join(self._numbers)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The enum's number."""
        if isinstance(value, int):
            return value
        number = self._numbers.get(value.lower())
        if number is None:
            self.fail(f"{value!r} is none of {', '.join(self._numbers)}", param, ctx)
        return number

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Those that begin so."""
        return [CompletionItem(name) for name in self._numbers if name.startswith(incomplete.lower())]


def parse_rfc3339(text: str) -> datetime | None:
    """A time with its zone, or a date as its midnight in UTC; None if it is neither."""
    matched = _RFC_3339.fullmatch(text.strip())
    if not matched:
        return None
    date, clock, zone = matched.groups()
    try:
        if clock is None:
            return datetime.fromisoformat(date).replace(tzinfo=UTC)
        return datetime.fromisoformat(f"{date}T{clock}{zone.upper()}")
    except ValueError:
        return None
