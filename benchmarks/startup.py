"""How long `serve` takes until it listens: with nothing there yet, and when it is started again."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.results import Result, Say, Target, spread
from benchmarks.service_process import service_process

#: Starts of each kind.
STARTS = 5
TARGET = Target(3, "s", at_most=True)


def startup(say: Say) -> Iterator[Result]:
    """serve: seconds from the command until gRPC and HTTP are listened on."""
    first: list[float] = []
    again: list[float] = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="recording-bench-") as folder:
            for found in (first, again):
                with service_process("serve", Path(folder)) as service:
                    found.append(service.start_seconds)
    say(f"  first {spread(first, 's')}, again {spread(again, 's')}")
    yield Result("serve, listening", "the first start in an empty folder, Redis included", median(first), TARGET)
