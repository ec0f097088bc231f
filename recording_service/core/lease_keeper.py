"""Keeps the lease of an attempt up while it works."""

import logging
import threading

from recording_service.core.errors import AttemptSuperseded, CatalogueUnavailable
from recording_service.core.model import Bell
from recording_service.core.ports import Catalogue, Clock

_log = logging.getLogger(__name__)


class LeaseKeeper:
    """Raises the lease of one attempt from a thread of its own, so that a silent source does not cost it."""

    def __init__(self, catalogue: Catalogue, bell: Bell, clock: Clock, interval_seconds: float) -> None:
        self.received_bytes = 0
        self._catalogue = catalogue
        self._bell = bell
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._superseded = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def __enter__(self) -> "LeaseKeeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def check(self) -> None:
        """Raises AttemptSuperseded once the catalogue has said that another attempt has taken over."""
        if self._superseded:
            raise AttemptSuperseded(self._bell.recording_sid, self._bell.attempt)

    def _run(self) -> None:
        while not self._ended.wait(self._interval_seconds):
            try:
                if not self._catalogue.raise_lease(self._bell, self.received_bytes, self._clock.now()):
                    self._superseded = True
                    return
            except CatalogueUnavailable:
                _log.warning("the lease could not be raised recording_sid=%s", self._bell.recording_sid)
            except Exception:
                _log.exception("raising the lease failed unexpectedly recording_sid=%s", self._bell.recording_sid)
