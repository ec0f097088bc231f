"""Caps on calls that hold a thread for long."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from recording_service.core.errors import CallerLimitExceeded, CapacityExhausted


class Slots:
    """At most `limit` at once; who comes later is refused at once, before anything could block."""

    def __init__(
        self, resource: str, limit: int, refusal: type[CapacityExhausted | CallerLimitExceeded] = CapacityExhausted
    ) -> None:
        """`resource` is what the refusal names: "streams"."""
        self._refusal = refusal
        self._resource = resource
        self._limit = limit
        self._lock = threading.Lock()
        self._held = 0

    @property
    def held(self) -> int:
        """How many are taken now."""
        return self._held

    def take(self) -> None:
        """Takes a slot, to be given back with `release`; the refusal if there is none."""
        with self._lock:
            if self._held >= self._limit:
                raise self._refusal(self._resource, self._limit)
            self._held += 1

    def release(self) -> None:
        """Gives a slot back."""
        with self._lock:
            self._held -= 1

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Holds a slot; the refusal if there is none."""
        self.take()
        try:
            yield
        finally:
            self.release()
