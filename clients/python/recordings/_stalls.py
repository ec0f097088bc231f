"""Cancels streams that bring nothing while somebody waits for them.

A read of a synchronous stream has no time-out of its own. One thread looks after all streams of a client, so that a
read costs no more than to note when it began; it is there only while streams are open.
"""

import threading
import time
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from recordings._message_stream import MessageStream

#: A stall is noticed after at most this much more than its time, as a share of it.
_LATENESS = 0.25


class StallWatch:
    """Looks after streams. Time in which nobody reads doesn't count: a slow reader is not a slow service."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limits: WeakKeyDictionary[MessageStream[Any], float] = WeakKeyDictionary()
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, stream: MessageStream[Any], limit_seconds: float) -> None:
        """Look after a stream until it is forgotten or freed; another limit may take the place of an earlier one."""
        with self._changed:
            self._limits[stream] = limit_seconds
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._look_after, name="recordings-stalls", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Look after nothing any more. Idempotent."""
        with self._changed:
            self._closed = True
            self._limits.clear()
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            with suppress(RuntimeError):
                thread.join(timeout=1.0)

    def _look_after(self) -> None:
        with self._changed:
            while limits := list(self._limits.items()):
                now = time.monotonic()
                for stream, limit in limits:
                    since = stream.waiting_since
                    if since is not None and now - since >= limit:
                        stream.cancel_stalled()
                pause = min(limit for _, limit in limits) * _LATENESS
                # A stream that is held here is never freed.
                del limits
                stream = None  # type: ignore[assignment]
                self._changed.wait(pause)
            self._thread = None
