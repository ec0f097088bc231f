"""What became of each line: a table or JSON lines, in the order of the file; and how many of each in the end."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import TextIO

from recordings.command_line.importing.entries import Entry, Outcome
from recordings.command_line.output import Table, print_json


class Report:
    """Writes entries that have an outcome.

    Parameters:
        file: takes JSON lines; None: they go to stdout.
        as_json: on stdout, JSON lines in place of a table.

    Attributes:
        last_line: the last line that was written.
    """

    def __init__(self, file: TextIO | None, *, as_json: bool) -> None:
        self._file = file
        self._as_json = as_json
        self._table = Table(line=8, recording_sid=34, outcome=9, why=0)
        self._counts: Counter[Outcome] = Counter()
        self.last_line = 0

    def write(self, entries: Iterable[Entry]) -> None:
        """Writes them, up to the first one that has no outcome yet."""
        for entry in entries:
            if entry.outcome is None:
                return
            self._counts[entry.outcome] += 1
            self.last_line = entry.line
            self._write_one(entry)

    @property
    def refused(self) -> int:
        """How many lines were refused."""
        return self._counts[Outcome.REFUSED]

    @property
    def summary(self) -> str:
        """How many lines came to which outcome."""
        counted = [f"{self._counts[outcome]} {outcome}" for outcome in Outcome if self._counts[outcome]]
        return ", ".join(counted) or "no lines"

    def _write_one(self, entry: Entry) -> None:
        if self._file is not None:
            self._file.write(json.dumps(_members(entry)) + "\n")
        elif self._as_json:
            print_json(_members(entry))
        else:
            why = f"{entry.field}: {entry.why}" if entry.field else entry.why
            self._table.row(str(entry.line), entry.recording_sid, entry.outcome or "", why)


def _members(entry: Entry) -> dict[str, object]:
    members = {
        "line": entry.line,
        "recording_sid": entry.recording_sid,
        "outcome": entry.outcome,
        "error_reason": entry.error_reason,
        "field": entry.field,
        "why": entry.why,
    }
    return {name: value for name, value in members.items() if value}
