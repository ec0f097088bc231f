"""Frees threads from clients that take nothing: a player that is paused for good would hold one in `send` for ever."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: How often the sweeper looks, as a part of the time it allows.
SWEEPS_A_STALL = 4


class Sending:
    """One call's sends. `since` is the monotonic time at which the current one began; None between two."""

    __slots__ = ("cancel", "since")

    def __init__(self, cancel: Callable[[], object]) -> None:
        self.cancel = cancel
        self.since: float | None = None


class StallSweeper:
    """One thread that cancels every call whose client has taken nothing for `stall_seconds`."""

    def __init__(self, stall_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        self._lock = threading.Lock()
        self._sendings: set[Sending] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grpc-stalls", daemon=True)

    def start(self) -> None:
        """Starts sweeping."""
        self._thread.start()

    def stop(self) -> None:
        """Stops sweeping. Idempotent; returns when the thread has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def watching(self, cancel: Callable[[], object]) -> Iterator[Sending]:
        """Has the sends of one call watched: `cancel` is called, from the sweeper's thread, when one of them stalls."""
        sending = Sending(cancel)
        with self._lock:
            self._sendings.add(sending)
        try:
            yield sending
        finally:
            with self._lock:
                self._sendings.discard(sending)

    def _run(self) -> None:
        while not self._stopping.wait(self._stall_seconds / SWEEPS_A_STALL):
            self._sweep(time.monotonic() - self._stall_seconds)

    def _sweep(self, begun_before: float) -> None:
        with self._lock:
            stalled = [one for one in self._sendings if one.since is not None and one.since < begun_before]
            self._sendings.difference_update(stalled)
        for sending in stalled:
            sending.cancel()
