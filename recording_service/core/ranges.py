"""Which bytes an offset and a length stand for (design.md §3, StreamRecording; grpc.md A.1)."""

from typing import NamedTuple

from recording_service.core.errors import FieldViolation, InvalidRequest, OffsetPastEnd


class ByteRange(NamedTuple):
    """The bytes from `start` up to, not including, `end` of `complete_length` bytes."""

    start: int
    end: int
    complete_length: int


def check_range(offset: int, length: int) -> None:
    """Raises InvalidRequest for what is wrong whatever the size, which is not for OffsetPastEnd (code.proto)."""
    violations = [
        FieldViolation(field, f"is {value}; must be 0 or more")
        for field, value in (("offset", offset), ("length", length))
        if value < 0
    ]
    if violations:
        raise InvalidRequest(*violations)


def resolve_range(offset: int, length: int, size_bytes: int) -> ByteRange:
    """The bytes that are meant: a length of 0 goes to the end, one past the end is clipped, `offset == size` is empty.

    Raises InvalidRequest for negative numbers, OffsetPastEnd for an offset beyond the end.
    """
    check_range(offset, length)
    if offset > size_bytes:
        raise OffsetPastEnd(offset, size_bytes)
    end = size_bytes if length == 0 else min(offset + length, size_bytes)
    return ByteRange(offset, end, size_bytes)
