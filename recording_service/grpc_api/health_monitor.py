"""Looks at the service's health when somebody wants to know, so that probes are cheap and never wait long."""

import logging
import threading
import time
from collections.abc import Callable

from recording_service.core.service import ServiceHealth

#: Age in seconds up to which a look is good enough.
FRESH_SECONDS = 1.0
#: Longest anybody waits for a look, in seconds. What takes longer is not serving.
LOOK_SECONDS = 2.0

#: What is said when nothing is known.
UNKNOWN = ServiceHealth(serving=False, queued=None, oldest_due_seconds=None)

_log = logging.getLogger(__name__)


class HealthMonitor:
    """One thread that looks: at most once a second, and only while it is asked, or somebody watches."""

    def __init__(
        self, look: Callable[[], ServiceHealth], tell: Callable[[bool], None], is_watched: Callable[[], bool]
    ) -> None:
        """`look` may block. `tell` is called with each change of `serving`, from the monitor's thread."""
        self._look = look
        self._tell = tell
        self._is_watched = is_watched
        self._news = threading.Condition()
        self._wanted = False
        self._stopping = False
        self._health = UNKNOWN
        self._fresh_until = 0.0
        self._looks = 0
        self._thread = threading.Thread(target=self._run, name="grpc-health", daemon=True)

    def start(self) -> None:
        """Starts, with a first look."""
        self.want()
        self._thread.start()

    def stop(self) -> None:
        """Stops. Idempotent; does not wait for a look that hangs."""
        with self._news:
            self._stopping = True
            self._news.notify_all()

    def want(self) -> None:
        """Has a look taken soon."""
        with self._news:
            self._wanted = True
            self._news.notify_all()

    def current(self) -> ServiceHealth:
        """The health, at most a second old; UNKNOWN if it could not be told in time."""
        with self._news:
            if time.monotonic() >= self._fresh_until:
                looks = self._looks
                self._wanted = True
                self._news.notify_all()
                if not self._news.wait_for(lambda: self._looks > looks, LOOK_SECONDS):
                    return UNKNOWN
            return self._health

    def _run(self) -> None:
        told = False
        while self._is_wanted():
            health = self._looked()
            with self._news:
                self._health = health
                self._fresh_until = time.monotonic() + FRESH_SECONDS
                self._looks += 1
                self._news.notify_all()
            if health.serving is not told:
                told = health.serving
                self._tell(told)

    def _is_wanted(self) -> bool:
        """Waits until the next look is wanted; False when there will be none."""
        with self._news:
            self._news.wait_for(lambda: self._wanted or self._stopping, FRESH_SECONDS if self._is_watched() else None)
            self._wanted = False
            return not self._stopping

    def _looked(self) -> ServiceHealth:
        try:
            return self._look()
        except Exception:
            # Probes hang on this thread: a bug is logged and answered with "not serving", not died of.
            _log.exception("looking at the service's health failed unexpectedly")
            return UNKNOWN
