"""A process of its own that writes or reads events: `python -m tests.support.event_process URL write|read SEED COUNT`.

It gets ready, says so, and begins when its standard input brings a line. A writer makes COUNT changes to a few
recordings that all writers share, each of them an event; a reader reads on in the feed until COUNT events have come.
What either has done or seen it says as one line of JSON.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.core.model import Recording, RecordingState
from tests.support.events import FAILED, READY
from tests.support.recordings import another

#: How many recordings there are.
RECORDINGS = 12
#: How long a reader waits for all to come, in seconds.
PATIENCE_SECONDS = 60.0
#: The most that is read at once.
PIECE = 7


def main(url: str, deed: str, seed: str, count: str) -> None:
    """Does what it is told once it is told to begin."""
    with closing(SqlCatalogue.open(url, migrate=False)) as catalogue:
        catalogue.check()
        print("ready", flush=True)  # noqa: T201 - to who started this
        sys.stdin.readline()
        done = {"write": write, "read": read}[deed](catalogue, random.Random(int(seed)), int(count))
        print(json.dumps(done), flush=True)  # noqa: T201 - to who started this


def write(catalogue: SqlCatalogue, chance: random.Random, count: int) -> list[tuple[str, int]]:
    """Makes changes, one to four in a transaction; which recordings have which revisions by it."""
    made: list[tuple[str, int]] = []
    while len(made) < count:
        group = chance.sample(range(RECORDINGS), min(chance.randint(1, 4), count - len(made)))
        amended = catalogue.amend([(another(number).key, _changing(number)) for number in group])
        made += [(row.recording_sid, row.revision) for row, _ in amended if row is not None]
    return made


def read(catalogue: SqlCatalogue, _chance: random.Random, count: int) -> list[tuple[int, str, int]]:
    """Reads on until so many events have come; their revisions, recordings and revisions of these."""
    seen: list[tuple[int, str, int]] = []
    until = time.monotonic() + PATIENCE_SECONDS
    position = 0
    while len(seen) < count and time.monotonic() < until:
        catalogue.number_events()
        for event in catalogue.events(position, PIECE):
            seen.append((event.revision, event.key.recording_sid, event.recording_revision))
            position = event.revision
    return seen


def _changing(number: int) -> Callable[[Recording | None], Recording | None]:
    def decide(row: Recording | None) -> Recording:
        if row is None:
            return another(number, state=READY, object_key="1")
        state = FAILED if row.state is RecordingState.READY else READY
        return replace(row, revision=row.revision + 1, state=state, object_key=str(row.revision + 1))

    return decide


if __name__ == "__main__":
    main(*sys.argv[1:])
