"""A point at which an answer waits until the test lets it go on."""

import asyncio
import threading
from concurrent.futures import Future

#: Seconds a test waits for something that is about to happen, unless it says otherwise.
DEADLINE_SECONDS = 10.0


class Gate:
    """Holds every answer that comes to it, until it is released; after that it stands open for good.

    One gate may hold several answers. Stopping the server frees them without releasing the gate.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrivals = 0
        self._released: Future[None] = Future()
        # A running future cannot be cancelled, so a waiting answer that is cut does not open the gate for the others.
        self._released.set_running_or_notify_cancel()

    @property
    def arrivals(self) -> int:
        """How many answers have come to the gate so far, held or let through."""
        with self._changed:
            return self._arrivals

    def wait_reached(self, timeout: float = DEADLINE_SECONDS, *, arrivals: int = 1) -> None:
        """Blocks until that many answers have come to the gate: all bytes before it have been given to the socket.

        Raises TimeoutError when they have not come after `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._arrivals >= arrivals, timeout):
                raise TimeoutError(f"{self._arrivals} of {arrivals} answers reached the gate within {timeout} s")

    def release(self) -> None:
        """Lets all answers through, those held and those to come. Idempotent."""
        with self._changed:
            if not self._released.done():
                self._released.set_result(None)

    async def passed(self) -> None:
        """Arrives at the gate and returns when it is open. Called by the server."""
        with self._changed:
            self._arrivals += 1
            self._changed.notify_all()
        await asyncio.wrap_future(self._released)
