"""When a broken stream is opened again, and after how long (c and e of clients/README.md)."""

import random
from typing import Final

import grpc

from recordings.errors import ClientClosed, RecordingsError
from recordings.options import ClientOptions

#: In every case.
_ALWAYS: Final = frozenset({grpc.StatusCode.UNAVAILABLE})
#: Once a message has come: the service's sweep of streams that nobody reads, and a RST_STREAM of something in between.
_ONCE_BEGUN: Final = frozenset({grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL})
#: A deadline that comes by so much earlier than it was set, in seconds, is somebody else's.
EARLY_SECONDS: Final = 0.1
#: Doubled so often, every first wait is past any longest one.
_MOST_DOUBLINGS: Final = 30


class Setbacks:
    """Counts the attempts since the last message."""

    def __init__(self, options: ClientOptions, *, unlimited: bool = False) -> None:
        """`unlimited`: there is a deadline, until which it goes on."""
        self._options = options
        self._unlimited = unlimited
        self._count = 0
        self._begun = False

    def message_came(self) -> None:
        """There is progress: the count begins anew."""
        self._count = 0
        self._begun = True

    def after(self, error: RecordingsError) -> float:
        """How long to wait before the next attempt, in seconds: full jitter, and what the service asks for at least.

        Raises:
            RecordingsError: the error itself, if another attempt would not help or there were enough.
        """
        used_up = not self._unlimited and self._count >= self._options.resume_attempts
        if used_up or not self._may_help(error):
            raise error
        doubled = self._options.resume_initial_backoff * 2 ** min(self._count, _MOST_DOUBLINGS)
        ceiling = min(doubled, self._options.resume_max_backoff)
        self._count += 1
        return max(random.uniform(0, ceiling), error.retry_delay or 0.0)  # noqa: S311 - jitter is no secret

    def _may_help(self, error: RecordingsError) -> bool:
        if isinstance(error, ClientClosed):
            return False
        asked_to_wait = error.code is grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_delay is not None
        return error.code in _ALWAYS or asked_to_wait or (self._begun and error.code in _ONCE_BEGUN)
