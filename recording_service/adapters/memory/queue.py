"""A doorbell in memory, for tests: it remembers and forgets as the one on RQ may, and can be made to fail."""

import uuid
from collections import deque
from collections.abc import Container, Sequence
from threading import Lock

from recording_service.core.model import Bell, Work


class MemoryBellQueue:
    """Implements `ports.BellQueue`. Safe to use from many threads."""

    def __init__(self) -> None:
        #: What every method raises, as long as it is set. What was rung before stays rung.
        self.fail_with: Exception | None = None
        self._lock = Lock()
        self._forget()

    def ring(self, bells: Sequence[Bell]) -> None:
        """Rings all of them, in order. A bell that was heard is remembered, as RQ does, and does not ring again."""
        with self._lock:
            self._answer()
            for bell in bells:
                if bell not in self._known:
                    self._known.add(bell)
                    self._waiting.append(bell)

    def waiting(self, work: Work = Work.DOWNLOAD) -> int:
        """How many bells of that kind nobody has heard yet."""
        with self._lock:
            self._answer()
            return sum(bell.work is work for bell in self._waiting)

    def is_unheard(self, bell: Bell) -> bool:
        """Whether the bell has rung and nobody has heard it yet."""
        with self._lock:
            self._answer()
            return bell in self._waiting

    def unheard(self, work: Work = Work.DOWNLOAD) -> Container[Bell]:
        """All of that kind that nobody has heard yet."""
        with self._lock:
            self._answer()
            return {bell for bell in self._waiting if bell.work is work}

    def incarnation(self) -> str:
        """A name for the queue's memory, another one after each `forget`."""
        with self._lock:
            self._answer()
            return self._incarnation

    def check(self) -> None:
        """Raises what the queue fails with, if it does."""
        with self._lock:
            self._answer()

    def close(self) -> None:
        """Nothing is held."""

    def hear(self, work: Work = Work.DOWNLOAD) -> Bell | None:
        """Takes the bell of that kind that was rung first, as a worker would; None if there is none."""
        with self._lock:
            heard = next((bell for bell in self._waiting if bell.work is work), None)
            if heard is not None:
                self._waiting.remove(heard)
            return heard

    def forget(self) -> None:
        """Loses every bell, and the memory of those that were heard: what a flush of Redis does."""
        with self._lock:
            self._forget()

    def _answer(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with

    def _forget(self) -> None:
        self._waiting: deque[Bell] = deque()
        self._known: set[Bell] = set()
        self._incarnation = uuid.uuid4().hex
