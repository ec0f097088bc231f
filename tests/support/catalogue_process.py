"""A process of its own that uses a catalogue: `python -m tests.support.catalogue_process URL NAME`.

For each line on its standard input it does one thing to all of NUMBER recordings and says, as a line of JSON, for which
of them it was the one who did it: `insert`, `ring` or `claim`; `open` waits for the catalogue to be open. `download`
and `process` claim within LIMIT and end what they have claimed, until all is at its end; the last word that they say
is the most that they have seen running.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.core.model import ProcessingState, Recording, RecordingState, Work
from tests.support.recordings import TIME, another

Result = TypeVar("Result")

#: How many recordings there are.
NUMBER = 60

#: How many are inserted or rung for together.
GROUP = 4

#: How many of each kind an account may have running.
LIMIT = 2

#: How long may pass until everything is at its end.
LIMITED_SECONDS = 40.0


def main(url: str, name: str) -> None:
    """Does what it is told until there is nothing more to be told."""
    with closing(SqlCatalogue.open(url)) as catalogue:
        deeds = {"open": lambda *_: [], "insert": insert, "ring": ring, "claim": claim}
        deeds |= {"download": download, "process": process}
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


def download(catalogue: SqlCatalogue, name: str) -> list[str]:
    """Claims and ends downloads within the limit, beside others who do."""
    return _within_limit(catalogue, name, Work.DOWNLOAD)


def process(catalogue: SqlCatalogue, name: str) -> list[str]:
    """The same with processing."""
    return _within_limit(catalogue, name, Work.PROCESSING)


def _within_limit(catalogue: SqlCatalogue, name: str, work: Work) -> list[str]:
    done: list[str] = []
    most = 0
    until = time.monotonic() + LIMITED_SECONDS
    while catalogue.count_due_rung(work) and time.monotonic() < until:
        row = catalogue.claim(None, name, TIME, timedelta(minutes=1), work=work, limit=LIMIT)
        most = max(most, sum(attempt.bell.work is work for attempt in catalogue.claimed()))
        if row is not None:
            done.append(row.recording_sid)
            catalogue.amend([(row.key, _ended(work))])
    return [*done, str(most)]


def _ended(work: Work) -> Callable[[Recording | None], Recording | None]:
    def decide(row: Recording | None) -> Recording | None:
        if row is None:
            return None
        if work is Work.DOWNLOAD:
            # With its processing rung for.
            processing = replace(
                row.processing, state=ProcessingState.PENDING, attempt=1, rung_time=TIME, next_attempt_time=TIME
            )
            ended = replace(row, state=RecordingState.READY, processing=processing)
        else:
            ended = replace(row, processing=replace(row.processing, state=ProcessingState.DONE))
        return replace(ended, revision=row.revision + 1)

    return decide


def _new(recording: Recording) -> Callable[[Recording | None], Recording | None]:
    return lambda row: recording if row is None else None


def _in_groups(rows: list[Recording], do: Callable[[list[Recording]], Sequence[Result]]) -> list[Result]:
    return [result for start in range(0, len(rows), GROUP) for result in do(rows[start : start + GROUP])]


if __name__ == "__main__":
    main(*sys.argv[1:])
