"""The adapter on a real socket, in a thread with a loop of its own, and clients that see what is on the wire."""

import asyncio
import http.client
import io
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from recording_service.http_api import HttpServer, HttpSettings, build_app

#: Longest wait for anything on a socket, in seconds.
WAIT_SECONDS = 10.0
PUBLIC_URL = "https://recordings.example.com"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def parse_answer(data: bytes) -> Answer:
    """The one answer that these bytes are; AssertionError if there are more, or fewer, than it announces."""
    head, _, body = data.partition(b"\r\n\r\n")
    status_line, _, fields = head.partition(b"\r\n")
    headers = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
    assert len(body) == int(headers["content-length"]), data
    return Answer(int(status_line.split()[1]), headers, body)


class Client:
    """Makes requests of a port, a connection each."""

    def __init__(self, port: int) -> None:
        self.port = port

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
    ) -> Answer:
        """One request and its whole answer; IncompleteRead if that is cut."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)) as connection:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        """GET; header names with `_` for `-`."""
        return self.request("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def raw(self, *, receive_buffer: int | None = None) -> socket.socket:
        """A connected socket, perhaps with a small buffer, so that back-pressure shows early."""
        connection = socket.socket()
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(WAIT_SECONDS)
        connection.connect(("127.0.0.1", self.port))
        return connection


def read_exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or what there was until the end."""
    data = bytearray()
    while len(data) < size and (piece := connection.recv(min(65536, size - len(data)))):
        data += piece
    return bytes(data)


def read_header(connection: socket.socket) -> bytes:
    """Up to and including the empty line, not a byte more."""
    data = bytearray()
    while not data.endswith(b"\r\n\r\n") and (piece := connection.recv(1)):
        data += piece
    return bytes(data)


@contextmanager
def running_app(settings: HttpSettings, *, port: int = 0, grace_seconds: float = 0) -> Iterator[Client]:
    """The adapter as the service runs it."""
    server = HttpServer(settings, "127.0.0.1", port)

    async def serve(started: Callable[[int], None], stop: asyncio.Event) -> None:
        await server.start()
        started(server.port)
        await stop.wait()
        await server.stop(grace_seconds)

    with _in_a_thread(serve) as listening:
        client = Client(listening)
        # Brings the channel up, where there is something to connect to.
        client.get("/readyz")
        yield client


@contextmanager
def running_on_plain_uvicorn(settings: HttpSettings, protocol: Any) -> Iterator[Client]:
    """The app alone, on one of uvicorn's own protocol implementations."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        build_app(settings), http=protocol, log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)

    async def serve(started: Callable[[int], None], stop: asyncio.Event) -> None:
        serving = asyncio.create_task(server.serve([listener]))
        started(listener.getsockname()[1])
        await stop.wait()
        server.should_exit = True
        await serving

    with _in_a_thread(serve) as port:
        yield Client(port)


@contextmanager
def _in_a_thread(serve: Callable[[Callable[[int], None], asyncio.Event], Coroutine[Any, Any, None]]) -> Iterator[int]:
    """Run `serve` on a loop of its own, from when it has called the first argument until the second is set."""
    port: Future[int] = Future()
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        try:
            await serve(port.set_result, stop)
        except BaseException as error:
            if not port.done():
                port.set_exception(error)
            raise

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    try:
        yield port.result(WAIT_SECONDS)
    finally:
        if thread.is_alive():
            loops[0].call_soon_threadsafe(stop.set)
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
