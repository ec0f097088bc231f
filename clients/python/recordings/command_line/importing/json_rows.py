"""Rows of JSON lines: an object each, by the same names as the columns of CSV; `labels` may be an object."""

import json
from collections.abc import Iterator
from typing import Any, Final

from recordings.command_line.importing.columns import Columns
from recordings.command_line.importing.csv_rows import Row
from recordings.command_line.importing.lines import Lines, Refused, too_long

#: How many ignored names are kept to be told: enough for a person to see the mistake.
_MAX_IGNORED: Final = 20


class JsonRows:
    """The rows of a file of JSON lines.

    Attributes:
        ignored: the first names that mean nothing here, of the lines so far.
    """

    def __init__(self, lines: Lines, columns: Columns) -> None:
        self._lines = lines
        self._columns = columns
        self.ignored: list[str] = []

    def __iter__(self) -> Iterator[Row | Refused]:
        for line in self._lines:
            if line.text is None:
                yield too_long(line)
            elif line.text.strip():
                yield self._row(line.number, line.text)

    def _row(self, number: int, text: str) -> Row | Refused:
        try:
            members = json.loads(text)
        except json.JSONDecodeError as error:
            return Refused(number, f"is no JSON: {error.msg} at character {error.pos + 1}")
        except (ValueError, RecursionError):
            return Refused(number, "is no JSON of any use")
        if not isinstance(members, dict):
            return Refused(number, "is no JSON object; a JSON array becomes lines by `jq -c '.[]' FILE`")
        labels = members.pop("labels", None)
        if isinstance(labels, dict):
            members |= {f"labels.{key}": value for key, value in labels.items()}
        elif labels is not None:
            return Refused(number, "labels: is no object")
        return self._fields(number, members)

    def _fields(self, number: int, members: dict[str, Any]) -> Row | Refused:
        best: dict[str, tuple[int, str]] = {}
        for name, value in members.items():
            column = self._columns.of(name)
            if column is None:
                if len(self.ignored) < _MAX_IGNORED and name not in self.ignored:
                    self.ignored.append(name)
                continue
            if value is None or value == "":
                continue
            if isinstance(value, bool) or not isinstance(value, (str, int, float)):
                return Refused(number, f"{column.field}: must be a text or a number")
            text = str(value).strip()
            if text and (column.field not in best or column.rank < best[column.field][0]):
                best[column.field] = (column.rank, text)
        return Row(number, {field: text for field, (_, text) in best.items()})
