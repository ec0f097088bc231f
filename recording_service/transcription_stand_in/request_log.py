"""Every request the stand-in was sent, as it understood it."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Seconds a test waits for something that is about to happen, unless it says otherwise.
DEADLINE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request and what was answered."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    status: int
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What was asked for, by name; empty where the form could not be read, or was not looked at."""
    file_name: str = ""
    wav: bytes = field(default=b"", repr=False)
    complaint: str = ""
    """What was wrong with it; empty if nothing was."""


class RequestLog:
    """Keeps the requests and wakes those who wait for one. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[Request] = []

    def add(self, request: Request) -> None:
        """Keeps a request that is about to be answered."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def snapshot(self) -> list[Request]:
        """All requests so far, oldest first."""
        with self._changed:
            return list(self._requests)

    def wait_for(self, count: int, timeout: float = DEADLINE_SECONDS) -> list[Request]:
        """Blocks until that many have come and gives them; raises TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= count, timeout):
                raise TimeoutError(f"{len(self._requests)} of {count} requests came within {timeout} s")
            return list(self._requests)
