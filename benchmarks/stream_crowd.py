"""Many clients of StreamRecording that are no hurry: some take little, some take nothing, some go away."""

import selectors
import time
from types import TracebackType
from typing import Self

from benchmarks.http2 import Http2Client
from benchmarks.stream_load import PATH, stream_request

#: What a client lets the server send ahead, in bytes: as much as HTTP/2 begins with.
WINDOW_BYTES = 65_535
#: Of the sockets, so that the kernel does not swallow what a slow client does not take.
RECEIVE_BUFFER_BYTES = 64 * 1024
#: How often a connection is given up for a new one, in streams.
STREAMS_A_CONNECTION = 100


class StreamCrowd:
    """Streams of one recording that are open at once, each over a connection of its own. For one thread."""

    def __init__(self, port: int, recording_sid: str, streams: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._clients: list[tuple[Http2Client, int]] = []
        for _ in range(streams):
            client = Http2Client(port, window=WINDOW_BYTES, receive_buffer=RECEIVE_BUFFER_BYTES)
            self._clients.append((client, client.call(PATH, stream_request(recording_sid))))
            self._selector.register(client, selectors.EVENT_READ, client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for client, _ in self._clients:
            client.close()
        self._selector.close()

    @property
    def taken_bytes(self) -> int:
        """The least that a client has taken."""
        return min(client.replies[stream].data_bytes for client, stream in self._clients)

    def take(self, bytes_each: int, seconds: float) -> None:
        """Lets every client take so many bytes more, and that long pass."""
        for client, stream in self._clients:
            client.grant(stream, bytes_each)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                key.data.receive()


def drop_streams(port: int, recording_sid: str, count: int) -> None:
    """Opens streams one after the other and drops each after its first bytes: by itself, or with its connection."""
    request = stream_request(recording_sid)
    for start in range(0, count, STREAMS_A_CONNECTION):
        with Http2Client(port, window=WINDOW_BYTES) as client:
            for number in range(start, min(start + STREAMS_A_CONNECTION, count)):
                stream = client.call(PATH, request)
                while not client.replies[stream].data_bytes:
                    client.receive()
                if number + 1 < start + STREAMS_A_CONNECTION:
                    client.cancel(stream)
