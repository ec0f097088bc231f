"""WatchRecording: looks at one recording until it is where the watcher waits for, or the server stops."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager

from recording_service.core.errors import ServerDraining
from recording_service.core.model import Recording
from recording_service.core.watching import Watch
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.slots import Slots
from recording_service.grpc_api.stalls import StallSweeper

#: Longest wait for news before the watcher is looked after, in seconds; its end wakes the wait at once anyway.
WAIT_SECONDS = 30.0


class RecordingWatches:
    """The watches that are open, as many at once as there are slots."""

    def __init__(self, slots: Slots, stalls: StallSweeper) -> None:
        self._slots = slots
        self._stalls = stalls
        self._lock = threading.Lock()
        self._open: set[Watch] = set()
        self._draining = False

    def looks(self, open_watch: Callable[[], Watch], call: Call) -> Generator[Recording, None, None]:
        """The recording as it is, then after each change, until the watch is finished or the call ends.

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
                recording = self._next(watch, call)
                if recording is None:
                    return
                sending.since = time.monotonic()
                yield recording
                sending.since = None

    def drain(self) -> None:
        """Ends every watch with SERVER_DRAINING, and refuses new ones. Idempotent."""
        with self._lock:
            self._draining = True
            watches = list(self._open)
        for watch in watches:
            watch.close()

    @contextmanager
    def _opened(self, open_watch: Callable[[], Watch]) -> Iterator[Watch]:
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

    def _next(self, watch: Watch, call: Call) -> Recording | None:
        """The next look; None once the call has ended. ServerDraining if the watch was closed before."""
        while True:
            began = time.monotonic()
            recording = watch.next(WAIT_SECONDS)
            if recording is not None or call.has_ended():
                return recording
            # Back with nothing and before its time: it was closed, by `drain` or by the core's own stop.
            if self._draining or time.monotonic() - began < WAIT_SECONDS / 2:
                raise ServerDraining
