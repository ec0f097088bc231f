"""The load of the enqueueing benchmark: callers that each make one call after the other."""

import selectors
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.http2 import PATIENCE_SECONDS, CallFailed, Http2Client


class Answered(NamedTuple):
    """The answers, in the order in which they came, and what they cost the client."""

    messages: list[bytes]
    seconds: float
    processor_seconds: float

    @property
    def calls_a_second(self) -> float:
        """How many calls were answered in a second."""
        return len(self.messages) / self.seconds


def make_calls(port: int, path: str, requests: Sequence[bytes], callers: int, connections: int) -> Answered:
    """Makes the calls, of which so many are always under way, spread over so many connections. Raises CallFailed."""
    messages: list[bytes] = []
    waiting = iter(requests)
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        clients = [stack.enter_context(Http2Client(port, keep=True)) for _ in range(connections)]
        for client in clients:
            selector.register(client, selectors.EVENT_READ, client)
        began, began_processor = time.perf_counter(), time.process_time()
        for number in range(callers):
            clients[number % connections].call(path, next(waiting))
        while len(messages) < len(requests):
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise CallFailed("the server is silent")
            for key, _ in ready:
                client = key.data
                for stream in client.receive():
                    messages.append(client.replies.pop(stream).message)
                    if (request := next(waiting, None)) is not None:
                        client.call(path, request)
        return Answered(messages, time.perf_counter() - began, time.process_time() - began_processor)
