"""The server itself: limits of a connection, starting and stopping."""

import asyncio
import http.client
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from recording_service.http_api import HttpServer
from recording_service.http_api.recording_client import RecordingClient
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import RECORDING, Cut, FakeRecordings, Hang
from tests.http_api.running_app import Client, read_exactly, read_header, running_app
from tests.support.waiting import eventually

STREAM = f"/recordings/{RECORDING}/stream"
REQUEST = f"GET {STREAM} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


def _closed(connection: socket.socket) -> bool:
    """Whether the other side has closed; what it sent before is read and dropped."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def test_a_short_body_does_not_wait_for_its_header_to_be_acknowledged(
    client: Client, recordings: FakeRecordings
) -> None:
    recordings.add(b"0123456789")
    seconds = []
    with closing(client.raw()) as connection:
        for _ in range(30):
            started = time.monotonic()
            connection.sendall(REQUEST)
            assert b" 200 " in read_header(connection)
            assert read_exactly(connection, 10) == b"0123456789"
            seconds.append(time.monotonic() - started)
    # The kernel acknowledges after 40 ms at the earliest, once a connection is past its first exchanges.
    assert min(seconds[15:]) < 0.035


def test_a_header_that_does_not_come_is_not_waited_for(recordings: FakeRecordings, settings: Settings) -> None:
    recordings.add(b"0123456789")
    with (
        running_app(settings(header_timeout_seconds=0.3)) as client,
        closing(client.raw()) as silent,
        closing(client.raw()) as slow,
        closing(client.raw()) as used,
    ):
        slow.sendall(b"GET / HTTP/1.1\r\nHos")
        used.sendall(REQUEST)
        assert b" 200 " in read_header(used)
        assert read_exactly(used, 10) == b"0123456789"
        used.sendall(b"GET / HT")
        for connection in (silent, slow, used):
            assert _closed(connection)


def test_a_request_under_way_is_not_hurried_by_the_limit_of_the_header(
    recordings: FakeRecordings, settings: Settings
) -> None:
    recordings.add(b"0123456789")
    recordings.cuts = [Cut(3, Hang())]
    limits = settings(header_timeout_seconds=0.2, stream_idle_seconds=0.6)
    with running_app(limits) as client:
        assert client.get(STREAM).body == b"0123456789"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        # Never complete.
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 20_000,
    ],
    ids=["value", "path", "fields", "endless"],
)
def test_a_header_above_the_limit_is_refused(client: Client, request_bytes: bytes) -> None:
    with closing(client.raw()) as connection:
        connection.sendall(request_bytes)
        assert connection.recv(12) == b"HTTP/1.1 400"
        assert _closed(connection)


def test_a_header_below_the_limit_is_read(client: Client) -> None:
    assert client.get("/healthz", X_Large="x" * 15_000).status == 200


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"]
)
def test_what_is_no_http_is_400(client: Client, garbage: bytes) -> None:
    with closing(client.raw()) as connection:
        connection.sendall(garbage)
        assert connection.recv(12) == b"HTTP/1.1 400"


def test_a_request_to_upgrade_is_a_request_like_any_other(client: Client) -> None:
    answer = client.get("/healthz", Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Key="x")
    assert answer.status == 200


def test_too_many_connections_are_503(recordings: FakeRecordings, settings: Settings) -> None:
    recordings.add(b"0123456789")
    recordings.cuts = [Cut(3, Hang())] * 3
    with running_app(settings(max_connections=3, stream_idle_seconds=30.0)) as client:
        held = [client.raw() for _ in range(2)]
        for connection in held:
            connection.sendall(REQUEST)
            read_header(connection)
        assert client.get("/healthz").status == 503
        for connection in held:
            connection.close()


def test_connections_without_a_request_make_room_the_longest_idle_first(settings: Settings) -> None:
    # Otherwise whoever keeps them open keeps Twilio out, which does not come again.
    with running_app(settings(max_connections=4)) as client:
        idle = [client.raw() for _ in range(3)]
        for connection in idle:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in read_header(connection)
            connection.recv(100)
        assert client.get("/healthz").status == 200
        # It was closed for that, and the others were not.
        assert idle[0].recv(1) == b""
        idle[2].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in read_header(idle[2])
        for connection in idle:
            connection.close()


def test_an_address_in_use_is_reported(settings: Settings) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        server = HttpServer(settings(), "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            asyncio.run(server.start())


def test_it_listens_on_ipv6_as_well(settings: Settings) -> None:
    async def start_and_stop() -> int:
        server = HttpServer(settings(), "::1", 0)
        await server.start()
        reader, writer = await asyncio.open_connection("::1", server.port)
        writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await server.stop(0)
        await server.wait()
        await server.stop(0)
        return int(answer.split()[1])

    assert asyncio.run(start_and_stop()) == 200


def test_stopping_a_server_that_was_never_started_is_nothing(settings: Settings) -> None:
    asyncio.run(HttpServer(settings(), "127.0.0.1", 0).stop(0))


class _Download(threading.Thread):
    """A download whose stream hangs, while the server stops."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
        self.connection.request("GET", STREAM)
        self.response = self.connection.getresponse()
        self.body: bytes | None = None
        self.cut = False
        self.start()

    def run(self) -> None:
        try:
            self.body = self.response.read()
        except http.client.IncompleteRead:
            self.cut = True
        self.connection.close()


def test_a_stream_under_way_ends_within_the_grace(recordings: FakeRecordings, settings: Settings) -> None:
    recordings.add(b"0123456789")
    recordings.cuts = [Cut(3, Hang())]
    with running_app(settings(stream_idle_seconds=0.5), grace_seconds=5) as client:
        download = _Download(client)
    download.join(10)
    assert download.body == b"0123456789"


def test_a_stream_that_outlasts_the_grace_is_cut_and_its_call_cancelled(
    recordings: FakeRecordings, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    recordings.add(b"0123456789")
    recordings.cuts = [Cut(3, Hang())]
    started = time.monotonic()
    with running_app(settings(stream_idle_seconds=60.0), grace_seconds=0.3) as client:
        download = _Download(client)
    assert time.monotonic() - started < 5
    download.join(10)
    assert download.cut
    assert eventually(lambda: recordings.ended) == ["cancelled"]
    assert "Traceback" not in caplog.text


def test_a_client_that_never_reads_does_not_hold_up_the_stop(recordings: FakeRecordings, settings: Settings) -> None:
    recordings.add(bytes(32 * 1024 * 1024))
    started = time.monotonic()
    with running_app(settings(), grace_seconds=0.3) as client:
        connection = client.raw(receive_buffer=64 * 1024)
        connection.sendall(REQUEST)
        read_header(connection)
    assert time.monotonic() - started < 5
    connection.close()


def test_a_request_that_has_no_answer_yet_is_503_when_the_grace_is_over(
    recordings: FakeRecordings, settings: Settings
) -> None:
    recordings.answers["StreamRecording"] = [Hang()]
    with running_app(settings(call_timeout_seconds=30.0), grace_seconds=0.3) as client:
        connection = client.raw()
        connection.sendall(REQUEST)
    assert connection.recv(12) == b"HTTP/1.1 503"
    connection.close()


def test_a_start_that_fails_leaves_nothing_behind(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(RecordingClient, "__aenter__", broken)
    with closing(socket.create_server(("127.0.0.1", 0))) as chosen:
        port = chosen.getsockname()[1]
    server = HttpServer(settings(), "127.0.0.1", port)
    with pytest.raises(LookupError):
        asyncio.run(server.start())
    with closing(socket.create_server(("127.0.0.1", port))):
        pass


def test_the_adapter_imports_nothing_of_the_service_but_the_contract_and_the_forms_of_urls_and_transcripts() -> None:
    code = (
        "import sys, recording_service.http_api\n"
        "print(*sorted(name for name in sys.modules if name.startswith('recording_service.')"
        " and not name.startswith('recording_service.http_api')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [
        "recording_service.signed_urls",
        "recording_service.transcripts",
        "recording_service.transcripts.captions",
        "recording_service.transcripts.transcript",
    ]
