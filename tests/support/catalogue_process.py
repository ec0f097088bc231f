"""A process of its own that uses a catalogue: `python -m tests.support.catalogue_process URL NAME`.

For each line on its standard input it does one thing to all of NUMBER recordings and says, as a line of JSON, for which
of them it was the one who did it: `insert`, `ring` or `claim`; `open` waits for the catalogue to be open.
"""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from typing import TypeVar

from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.core.model import Recording
from tests.support.recordings import TIME, another

Result = TypeVar("Result")

#: How many recordings there are.
NUMBER = 60

#: How many are inserted or rung for together.
GROUP = 4


def main(url: str, name: str) -> None:
    """Does what it is told until there is nothing more to be told."""
    with closing(SqlCatalogue.open(url)) as catalogue:
        deeds = {"open": lambda *_: [], "insert": insert, "ring": ring, "claim": claim}
        for line in sys.stdin:
            sys.stdout.write(json.dumps(deeds[line.strip()](catalogue, name)) + "\n")
            sys.stdout.flush()


def insert(catalogue: SqlCatalogue, name: str) -> list[str]:
    """Inserts all recordings; those that were not there yet."""
    rows = [another(number, request_id=name) for number in range(NUMBER)]
    amended = _in_groups(rows, lambda group: catalogue.amend([(row.key, _new(row)) for row in group]))
    return [row.recording_sid for row, changed in amended if changed and row is not None]


def ring(catalogue: SqlCatalogue, name: str) -> list[str]:
    """Notes all bells; those that nobody had noted."""
    rows = [another(number) for number in range(NUMBER)]
    told = _in_groups(rows, lambda group: list(catalogue.mark_rung([row.bell for row in group], TIME)))
    return [bell.recording_sid for bell in told]


def claim(catalogue: SqlCatalogue, name: str) -> list[str]:
    """Claims until there is nothing to claim; what it has got."""
    claimed = []
    while row := catalogue.claim(None, name, TIME, timedelta(minutes=1)):
        claimed.append(row.recording_sid)
    return claimed


def _new(recording: Recording) -> Callable[[Recording | None], Recording | None]:
    return lambda row: recording if row is None else None


def _in_groups(rows: list[Recording], do: Callable[[list[Recording]], Sequence[Result]]) -> list[Result]:
    return [result for start in range(0, len(rows), GROUP) for result in do(rows[start : start + GROUP])]


if __name__ == "__main__":
    main(*sys.argv[1:])
