"""What each recording's next requests are answered, in order; after that all is well again."""

import threading
from collections import deque
from collections.abc import Hashable

from recording_service.twilio_stand_in.answers import Answer, media

#: As `times`: until another script is set.
FOREVER = None


class Scripts:
    """A queue of answers for each key. Thread-safe; of requests at once each takes its own answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[Hashable, deque[Answer]] = {}
        self._ever_after: dict[Hashable, Answer] = {}

    def add(self, key: Hashable, answers: tuple[Answer, ...], times: int | None) -> None:
        """Appends the answers, `times` times over; FOREVER keeps the last of them for all requests that follow."""
        with self._lock:
            self._queues.setdefault(key, deque()).extend(answers * (1 if times is FOREVER else times))
            self._ever_after.pop(key, None)
            if times is FOREVER and answers:
                self._queues[key].pop()
                self._ever_after[key] = answers[-1]

    def clear(self, key: Hashable) -> None:
        """Forgets what was left of the script. Idempotent."""
        with self._lock:
            self._queues.pop(key, None)
            self._ever_after.pop(key, None)

    def next(self, key: Hashable) -> Answer:
        """Takes the next answer; what Twilio itself would say when there is no script, or no more of it."""
        with self._lock:
            queue = self._queues.get(key)
            return queue.popleft() if queue else self._ever_after.get(key, media())
