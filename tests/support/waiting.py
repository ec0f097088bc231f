"""Waiting for a condition with a deadline: what tests do instead of sleeping."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

#: Between two looks at a condition that nobody announces.
LOOK_SECONDS = 0.02


def eventually(look: Callable[[], Value], *, within: float = 20.0, what: str = "the condition") -> Value:
    """The first truthy value of `look`; AssertionError if there is none in time."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while True:
        if value := look():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about within {within:.0f} s")
        pause.wait(LOOK_SECONDS)
