"""Numbered lines of a file, in bounded memory however long they are, whatever bytes are in them."""

import codecs
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import click

#: Longest line, in bytes: more than any batch may have.
MAX_LINE_BYTES: Final = 1 << 20

_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class LineSource(Protocol):
    """What lines are read from, such as a binary file."""

    def readline(self, limit: int, /) -> bytes:
        """The next line with its end, or as much of it as the limit allows; nothing at the end."""


class Line(NamedTuple):
    """One line, with its end. `text` is None where it is too long; bytes that don't decode are lone surrogates."""

    number: int
    text: str | None


class Refused(NamedTuple):
    """A line that can't be used, counted from 1, and why."""

    line: int
    why: str


class Lines:
    """The lines of a file; to be iterated over once.

    Attributes:
        bytes_read: how far it is.

    Raises:
        click.UsageError: the encoding is unknown, or has no lines that end in the byte of a line feed.
    """

    def __init__(self, file: LineSource, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self.bytes_read = 0
        try:
            fits = ',"\n'.encode(encoding) == b',"\n'
        except LookupError:
            raise click.UsageError(f"--encoding: {encoding!r} is unknown") from None
        if not fits:
            raise _wide()

    def __iter__(self) -> Iterator[Line]:
        number = 0
        while raw := self._piece():
            number += 1
            if number == 1:
                if raw.startswith(_WIDE):
                    raise _wide()
                raw = raw.removeprefix(codecs.BOM_UTF8)
            if len(raw) <= MAX_LINE_BYTES:
                yield Line(number, raw.decode(self._encoding, "surrogateescape"))
                continue
            while not raw.endswith(b"\n") and (raw := self._piece()):
                pass
            yield Line(number, None)

    def _piece(self) -> bytes:
        raw = self._file.readline(MAX_LINE_BYTES + 1)
        self.bytes_read += len(raw)
        return raw


def is_decoded(text: str) -> bool:
    """Whether every byte of it was text in the encoding; also whether it can be sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def too_long(line: Line) -> Refused:
    """The refusal of a line without text."""
    return Refused(line.number, f"the line has more than {MAX_LINE_BYTES} bytes")


def _wide() -> click.UsageError:
    return click.UsageError("the file is UTF-16 or the like; convert it first: iconv -f UTF-16 -t UTF-8 FILE")
