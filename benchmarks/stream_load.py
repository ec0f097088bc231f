"""The load of the streaming benchmark: takes in streams as fast as they come."""

import selectors
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.http2 import PATIENCE_SECONDS, CallFailed, Http2Client
from benchmarks.prepared_recordings import ACCOUNT_SID
from recordings.v1 import stream_pb2

PATH = "/recordings.v1.RecordingService/StreamRecording"


class Taken(NamedTuple):
    """What was taken in, and what it cost the client."""

    data_bytes: int
    seconds: float
    processor_seconds: float

    @property
    def megabytes_a_second(self) -> float:
        """Millions of bytes a second."""
        return self.data_bytes / self.seconds / 1e6

    @property
    def busy(self) -> float:
        """For which part of the time the client used a processor."""
        return self.processor_seconds / self.seconds


def stream_request(recording_sid: str) -> bytes:
    """A request for the whole recording."""
    return stream_pb2.StreamRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid).SerializeToString()


def take_streams(port: int, recording_sids: Sequence[str], size_bytes: int, times: int) -> Taken:
    """Streams these recordings at once, each over a connection of its own, so many times one after the other.

    Raises CallFailed unless each stream ends OK with at least `size_bytes`.
    """
    requests = [stream_request(sid) for sid in recording_sids]
    began, began_processor = time.perf_counter(), time.process_time()
    data_bytes = sum(_take_once(port, requests, size_bytes) for _ in range(times))
    return Taken(data_bytes, time.perf_counter() - began, time.process_time() - began_processor)


def _take_once(port: int, requests: Sequence[bytes], size_bytes: int) -> int:
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        clients = [stack.enter_context(Http2Client(port)) for _ in requests]
        for client, request in zip(clients, requests, strict=True):
            client.call(PATH, request)
            selector.register(client, selectors.EVENT_READ, client)
        left = len(clients)
        while left:
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise CallFailed("the server is silent")
            left -= sum(len(key.data.receive()) for key, _ in ready)
        taken = [reply.data_bytes for client in clients for reply in client.replies.values()]
    if min(taken) < size_bytes:
        raise CallFailed(f"a stream ended OK after {min(taken)} of {size_bytes} bytes")
    return sum(taken)
