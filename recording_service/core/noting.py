"""Telling the catalogue of an end, again and again if it does not answer: else the work would be for nothing."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from recording_service.core.errors import CatalogueUnavailable

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Noting:
    """How often an attempt's end is told to a catalogue that does not answer.

    About a minute, and within what RQ lets a job last beyond its work.
    """

    tries: int = 15
    pause_seconds: float = 2.0

    def note(self, tell: Callable[[], T]) -> T:
        """What `tell` returns, which is idempotent. Raises CatalogueUnavailable in the end; a lease then ends it."""
        for _ in range(self.tries - 1):
            try:
                return tell()
            except CatalogueUnavailable:
                _log.warning("the end of an attempt could not be noted; trying again")
                time.sleep(self.pause_seconds)
        return tell()


USUAL_NOTING = Noting()
