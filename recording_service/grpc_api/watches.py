"""WatchRecording and WatchRecordings: looks until the watch is where its watcher waits for, or the server stops."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Protocol, TypeVar

from recording_service.core.errors import ServerDraining
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.slots import Slots
from recording_service.grpc_api.stalls import StallSweeper

#: Longest wait for news before the watcher is looked after, in seconds; its end wakes the wait at once anyway.
WAIT_SECONDS = 30.0

Look = TypeVar("Look")
LookOut = TypeVar("LookOut", covariant=True)


class Watch(Protocol[LookOut]):
    """A watch of the core's, of one recording or of a list."""

    @property
    def finished(self) -> bool:
        """Whether what was handed out last has ended it."""

    def next(self, timeout_seconds: float) -> LookOut | None:
        """What is new; None if nothing is in that time, or the watch was closed."""

    def close(self) -> None:
        """Ends it and wakes whoever waits for it. Idempotent."""


class RecordingWatches:
    """The watches that are open, as many at once as there are slots."""

    def __init__(self, slots: Slots, stalls: StallSweeper) -> None:
        self._slots = slots
        self._stalls = stalls
        self._lock = threading.Lock()
        self._open: set[Watch[object]] = set()
        self._draining = False

    def looks(self, open_watch: Callable[[], Watch[Look]], call: Call) -> Generator[Look, None, None]:
        """What is watched as it is, then after each change, until the watch is finished or the call ends.

        Raises CapacityExhausted, ServerDraining, and what opening and waiting raise.
        """
        with (
            self._slots.taken(),
            self._opened(open_watch) as watch,
            self._stalls.watching(call.cancel) as sending,
        ):
            # The waiting thread is woken by the end of the call: it would be held to the end of its wait otherwise.
            if not call.when_ended(watch.close):
                return
            while not watch.finished:
                look = self._next(watch, call)
                if look is None:
                    return
                sending.since = time.monotonic()
                yield look
                sending.since = None

    def drain(self) -> None:
        """Ends every watch with SERVER_DRAINING, and refuses new ones. Idempotent."""
        with self._lock:
            self._draining = True
            watches = list(self._open)
        for watch in watches:
            watch.close()

    @contextmanager
    def _opened(self, open_watch: Callable[[], Watch[Look]]) -> Iterator[Watch[Look]]:
        with closing(open_watch()) as watch:
            with self._lock:
                if self._draining:
                    raise ServerDraining
                self._open.add(watch)
            try:
                yield watch
            finally:
                with self._lock:
                    self._open.discard(watch)

    def _next(self, watch: Watch[Look], call: Call) -> Look | None:
        """The next look; None once the call has ended. ServerDraining if the watch was closed before."""
        while True:
            began = time.monotonic()
            look = watch.next(WAIT_SECONDS)
            if look is not None or call.has_ended():
                return look
            # Back with nothing and before its time: it was closed, by `drain` or by the core's own stop.
            if self._draining or time.monotonic() - began < WAIT_SECONDS / 2:
                raise ServerDraining
