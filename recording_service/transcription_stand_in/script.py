"""What the next requests are answered, in order; after that all is well again."""

import threading
from collections import deque

from recording_service.transcription_stand_in.answers import Answer, transcribed

#: As `times`: until another script is set.
FOREVER = None


class Script:
    """A queue of answers. Thread-safe; of requests at once each takes its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[Answer] = deque()
        self._ever_after = transcribed()

    def add(self, answers: tuple[Answer, ...], times: int | None) -> None:
        """Appends the answers, `times` times over; FOREVER keeps the last of them for all requests that follow."""
        with self._lock:
            self._queue.extend(answers if times is FOREVER else answers * times)
            self._ever_after = self._queue.pop() if times is FOREVER else transcribed()

    def clear(self) -> None:
        """Forgets what was left of it. Idempotent."""
        with self._lock:
            self._queue.clear()
            self._ever_after = transcribed()

    def next(self) -> Answer:
        """Takes the next answer: the transcript when there is none, or no more."""
        with self._lock:
            return self._queue.popleft() if self._queue else self._ever_after
