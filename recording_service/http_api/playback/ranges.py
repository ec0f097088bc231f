"""Byte ranges by RFC 9110 §14, and this service's choices where the RFC leaves one (reliability.md D1).

Pure: text and numbers in, offsets out. An end is always exclusive here, as in the gRPC contract.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

#: More ranges than this in one header and the whole header is ignored (CVE-2011-3192, CVE-2025-62727).
MAX_RANGES: Final = 16
#: Numbers are cut to this many digits: larger than any size, and far below what int() refuses to read.
_MAX_DIGITS: Final = 30
#: The largest offset the gRPC contract can carry (int64).
_MAX_OFFSET: Final = 2**63 - 1

_SPEC: Final = re.compile(r"([0-9]*)-([0-9]*)")
_WHITESPACE: Final = " \t"


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole representation: 200."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from `start` up to, not including, `end`: 206. Never empty."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """Not one byte that was asked for exists: 416."""


Selection = Whole | Part | Unsatisfiable


@dataclass(frozen=True, slots=True)
class RangeSpec:
    """One element of a range set: from `first` to `last` (inclusive, `None` = the end), or the last `suffix` bytes."""

    first: int | None
    last: int | None
    suffix: int | None = None

    def resolve(self, size: int) -> tuple[int, int] | None:
        """The half-open range within `size` bytes; `None` if no byte of it exists."""
        if self.suffix is not None:
            start, end = max(0, size - self.suffix), size
        else:
            start = self.first or 0
            end = size if self.last is None else min(self.last + 1, size)
        return (start, end) if start < end else None


def parse(header: str) -> tuple[RangeSpec, ...] | None:
    """Read a `Range` field; `None` means that it is to be ignored.

    Ignored are: another unit than bytes (a MUST, §14.2), anything malformed (a MAY, and our choice: a player gets its
    audio), and more than `MAX_RANGES` ranges.
    """
    unit, equals, range_set = header.strip(_WHITESPACE).partition("=")
    if not equals or unit.lower() != "bytes":
        return None
    specs: list[RangeSpec] = []
    for element in range_set.split(","):
        text = element.strip(_WHITESPACE)
        if not text:
            continue
        spec = _parse_spec(text)
        if spec is None or len(specs) == MAX_RANGES:
            return None
        specs.append(spec)
    return tuple(specs) or None


def select(header: str | None, size: int) -> Selection:
    """Which bytes a `Range` field asks for out of `size`.

    Several ranges are coalesced; where more than one is left the answer is the whole, never multipart: no player needs
    it, and ignoring Range is allowed. The same goes for a representation without a byte, of which no part can be had.
    """
    specs = parse(header) if header is not None else None
    if specs is None or size == 0:
        return Whole()
    parts = coalesce(resolved for spec in specs if (resolved := spec.resolve(size)) is not None)
    if not parts:
        return Unsatisfiable()
    return Part(*parts[0]) if len(parts) == 1 else Whole()


def coalesce(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort half-open ranges and join those that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def known_start(header: str | None) -> tuple[int, int | None] | None:
    """What a stream may be opened with before the size is known: (offset, length); no length is to the end.

    `None` where the size is needed first: a suffix, several ranges, an offset that the contract can't carry.
    """
    specs = parse(header) if header is not None else None
    if specs is None:
        return (0, None)
    if len(specs) > 1 or specs[0].first is None or specs[0].first > _MAX_OFFSET:
        return None
    first, last = specs[0].first, specs[0].last
    return (first, None if last is None else min(last - first + 1, _MAX_OFFSET))


def _parse_spec(text: str) -> RangeSpec | None:
    match = _SPEC.fullmatch(text)
    if match is None or text == "-":
        return None
    first_digits, last_digits = match.groups()
    if not first_digits:
        return RangeSpec(None, None, _number(last_digits))
    first = _number(first_digits)
    last = _number(last_digits) if last_digits else None
    if last is not None and last < first:
        return None
    return RangeSpec(first, last)


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _MAX_DIGITS else int("9" * _MAX_DIGITS)
