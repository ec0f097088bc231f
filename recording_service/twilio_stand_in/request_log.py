"""Every request the stand-in was sent, as it saw it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from recording_service.twilio_stand_in.accounts import Credentials
from recording_service.twilio_stand_in.gate import DEADLINE_SECONDS


class Outcome(Enum):
    """How an answer ended."""

    SENT = "sent"
    """All that was to be sent has been given to the socket."""
    CUT = "cut"
    """The stand-in ended the connection in the middle, as told."""
    HUNG_UP = "hung_up"
    """The client went away first."""
    STOPPED = "stopped"
    """The stand-in was stopped, or went down."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request and what became of it. A copy: it does not change any more."""

    number: int
    """Counts all requests, from 0, in the order of their arrival."""
    connection: int
    """Counts the connections, so that reuse can be seen."""
    time: float
    """When it arrived, on the monotonic clock, in seconds."""
    method: str
    path: str
    """As on the request line, with the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    account_sid: str | None
    """As in the path."""
    recording_sid: str | None
    """As in the path."""
    credentials: Credentials
    status: int | None = None
    """The status answered; None as long as not even that is on its way."""
    bytes_sent: int = 0
    """Bytes of the body given to the socket so far, without headers and chunk sizes."""
    outcome: Outcome | None = None
    """None while the answer is under way: a client may have it all a moment before this says so, so wait for it."""
    finish_time: float | None = None
    """When the outcome was known, on the monotonic clock, in seconds."""


class RequestLog:
    """Keeps the requests and wakes those who wait for one. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[Request] = []

    def add(self, request: Request) -> int:
        """Keeps a request that has arrived and gives its number."""
        with self._changed:
            number = len(self._requests)
            self._requests.append(replace(request, number=number))
            self._changed.notify_all()
            return number

    def answered(self, number: int, status: int) -> None:
        """Notes that the status line is about to be sent."""
        with self._changed:
            self._requests[number] = replace(self._requests[number], status=status)
            self._changed.notify_all()

    def sent(self, number: int, bytes_sent: int) -> None:
        """Notes how much of the body has been sent so far."""
        with self._changed:
            self._requests[number] = replace(self._requests[number], bytes_sent=bytes_sent)
            self._changed.notify_all()

    def finished(self, number: int, outcome: Outcome) -> None:
        """Notes how the answer ended."""
        with self._changed:
            self._requests[number] = replace(self._requests[number], outcome=outcome, finish_time=time.monotonic())
            self._changed.notify_all()

    def snapshot(self) -> list[Request]:
        """All requests so far, oldest first."""
        with self._changed:
            return list(self._requests)

    def wait_for(
        self, wanted: Callable[[Request], bool], count: int, timeout: float = DEADLINE_SECONDS
    ) -> list[Request]:
        """Blocks until `count` requests are as wanted and gives them; raises TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: sum(map(wanted, self._requests)) >= count, timeout):
                have = sum(map(wanted, self._requests))
                raise TimeoutError(f"{have} of {count} requests came within {timeout} s ({len(self._requests)} in all)")
            return [request for request in self._requests if wanted(request)]
