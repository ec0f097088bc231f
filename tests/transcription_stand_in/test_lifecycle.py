"""How the stand-in starts and ends: with nothing left of it."""

import gc
import socket
import subprocess
import sys
import threading
import time
import warnings
from urllib.parse import urlsplit

import pytest
import requests

from recording_service.transcription_stand_in import FOREVER, TranscriptionStandIn, transcribed
from tests.transcription_stand_in.posting import API_KEY, post


def is_ended(client: socket.socket) -> bool:
    """Whether the other end has closed the connection, in good order or not."""
    client.settimeout(5)
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_stopping_ends_every_thread_and_stalled_answer() -> None:
    threads = set(threading.enumerate())
    server = TranscriptionStandIn(api_key=API_KEY).start()
    server.behave(transcribed().stall(), transcribed().trickle(1), transcribed().trickle(1, head=True))
    failures: list[Exception] = []

    def fail() -> None:
        try:
            post(server.url)
        except requests.RequestException as exc:
            failures.append(exc)

    clients = [threading.Thread(target=fail) for _ in range(3)]
    for client in clients:
        client.start()
    server.wait_for_requests(3)
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port)) as idle:
        begin = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            server.stop()
            gc.collect()
        assert time.monotonic() - begin < 5
        assert is_ended(idle)

    for client in clients:
        client.join()
    assert len(failures) == 3
    assert set(threading.enumerate()) == threads


def test_it_can_be_stopped_twice_and_started_again_on_its_port() -> None:
    server = TranscriptionStandIn(api_key=API_KEY).start()
    url = server.url
    server.stop()
    server.stop()
    with pytest.raises(requests.ConnectionError):
        post(url)

    with server:
        assert server.url == url
        assert post(url).status_code == 200
        with pytest.raises(RuntimeError, match="runs already"):
            server.start()


def test_a_port_that_is_taken_is_an_error() -> None:
    with TranscriptionStandIn() as server:
        port = urlsplit(server.url).port
        assert port
        with pytest.raises(OSError, match="in use"):
            TranscriptionStandIn(port=port).start()


@pytest.mark.parametrize("host", ["192.168.1.1", "8.8.8.8", "::2"])
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        TranscriptionStandIn(host=host)


def test_what_goes_wrong_inside_is_raised_when_it_stops() -> None:
    server = TranscriptionStandIn(api_key=API_KEY).start()
    server.behave(transcribed().header("X-Text", "天"), times=FOREVER)

    with pytest.raises(requests.ConnectionError):
        post(server.url)
    with pytest.raises(UnicodeEncodeError):
        server.stop()


def test_a_client_that_goes_away_is_no_error() -> None:
    with TranscriptionStandIn(api_key=API_KEY) as server:
        parts = urlsplit(server.url)
        with socket.create_connection((parts.hostname, parts.port)) as client:
            client.sendall(b"POST /v1/audio/transcriptions HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        with socket.create_connection((parts.hostname, parts.port)) as client:
            client.sendall(b"no HTTP at all\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            assert b"400" in b"".join(iter(lambda: client.recv(65536), b""))
        assert post(server.url).status_code == 200


def test_it_needs_nothing_else_of_this_project() -> None:
    program = (
        "import sys, recording_service.transcription_stand_in; "
        "print(sorted(name for name in sys.modules if name.startswith('recording_service.')"
        " and not name.startswith('recording_service.transcription_stand_in')))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
