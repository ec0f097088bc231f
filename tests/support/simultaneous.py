"""Doing many things at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

Value = TypeVar("Value")

#: How long the slowest thread may take to be ready.
READY_SECONDS = 20


def simultaneously(calls: Sequence[Callable[[], Value]]) -> list[Value]:
    """Calls each in a thread of its own, all at once; their results in order. Raises what any of them raises."""
    ready = Barrier(len(calls))

    def run(call: Callable[[], Value]) -> Value:
        ready.wait(READY_SECONDS)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
