"""Rows of CSV. A line that is none is refused by its number; a stray quote does not swallow the lines after it."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import click

from recordings.command_line.importing.columns import Column, Columns
from recordings.command_line.importing.lines import Line, Lines, Refused, too_long

#: Most lines of one record: those of a quoted cell with line breaks in it.
MAX_RECORD_LINES: Final = 100

_DELIMITERS: Final = ",;\t"
_UNCLOSED: Final = f"a quote is opened and not closed within {MAX_RECORD_LINES} lines"


class Row(NamedTuple):
    """What a line says: the fields' values, empty ones left out."""

    line: int
    values: dict[str, str]


class _Record(NamedTuple):
    line: int
    cells: list[str]


class CsvRows:
    """The rows of a CSV file whose first record is the header; delimited by comma, semicolon or tab.

    Attributes:
        ignored: columns of the header that mean nothing here.

    Raises:
        click.UsageError: there is no header, or none of its columns says which recording a row is of.
    """

    def __init__(self, lines: Lines, columns: Columns) -> None:
        self._lines = iter(lines)
        self._pushed_back: deque[Line] = deque()
        header = self._header()
        meanings = [columns.of(name) for name in header]
        self.ignored = [name for name, meaning in zip(header, meanings, strict=True) if meaning is None]
        self._width = len(header)
        self._columns = _by_rank(meanings)
        if not {column.field for _, column in self._columns} & {"recording_sid", "source_url"}:
            raise click.UsageError(
                f"no column says which recording a row is of; there are {', '.join(header) or 'none'}: "
                "name it, as in --map 'my column=recording_sid' or --map 'my column=source_url'"
            )

    def __iter__(self) -> Iterator[Row | Refused]:
        while (line := self._take()) is not None:
            if line.text is None:
                yield too_long(line)
            elif line.text.strip():
                record = self._record(line, line.text)
                yield record if isinstance(record, Refused) else self._row(record)

    def _row(self, record: _Record) -> Row:
        values: dict[str, str] = {}
        for index, column in self._columns:
            text = record.cells[index].strip()
            if text:
                values.setdefault(column.field, text)
        return Row(record.line, values)

    def _record(self, first: Line, text: str) -> _Record | Refused:
        try:
            return self._checked(first, _cells([text], self._delimiter))
        except csv.Error as error:
            refused = Refused(first.number, f"is no CSV: {error}")
        if text.count('"') % 2 == 0:
            return refused
        # A quoted cell goes on in the next lines, up to one that has its closing quote, or there is a quote too many.
        taken, texts = [first], [text]
        while len(taken) == 1 or texts[-1].count('"') % 2 == 0:
            following = self._take() if len(taken) < MAX_RECORD_LINES else None
            if following is not None:
                taken.append(following)
            if following is None or following.text is None:
                self._pushed_back.extendleft(reversed(taken[1:]))
                return Refused(first.number, _UNCLOSED)
            texts.append(following.text)
        try:
            record = self._checked(first, _cells(texts, self._delimiter))
        except csv.Error:
            record = Refused(first.number, _UNCLOSED)
        if isinstance(record, Refused):
            self._pushed_back.extendleft(reversed(taken[1:]))
        return record

    def _checked(self, first: Line, cells: list[str]) -> _Record | Refused:
        # A delimiter too many at the end of each line is a habit of some programs.
        while len(cells) > self._width and not cells[-1].strip():
            cells = cells[:-1]
        if len(cells) != self._width:
            return Refused(first.number, f"has {len(cells)} cells, and the header has {self._width}")
        return _Record(first.number, cells)

    def _header(self) -> list[str]:
        while (line := self._take()) is not None:
            if line.text is None:
                break
            if line.text.strip():
                text = line.text
                self._delimiter = max(_DELIMITERS, key=text.count)
                try:
                    return [name.strip() for name in _cells([text], self._delimiter)]
                except csv.Error as error:
                    raise click.UsageError(f"line {line.number}: the header is no CSV: {error}") from error
        raise click.UsageError("the file has no header: its first line must name the columns")

    def _take(self) -> Line | None:
        return self._pushed_back.popleft() if self._pushed_back else next(self._lines, None)


def _cells(texts: list[str], delimiter: str) -> list[str]:
    """The one record in these lines. csv.Error if they are none, or more."""
    records = list(csv.reader(texts, delimiter=delimiter, strict=True))
    if len(records) != 1:
        raise csv.Error("a line ends where a cell does not")
    return records[0]


def _by_rank(meanings: Sequence[Column | None]) -> list[tuple[int, Column]]:
    known = [(index, meaning) for index, meaning in enumerate(meanings) if meaning is not None]
    return sorted(known, key=lambda each: each[1].rank)
