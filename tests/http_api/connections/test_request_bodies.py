"""What follows a header: bodies that drip or never end, trailers, pipelines. On routes that read them and on others."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.http_api.conftest import ORIGIN, Settings
from tests.http_api.fake_recordings import RECORDING, Cut, FakeRecordings, Hang
from tests.http_api.running_app import Answer, Client, parse_answer, read_exactly, read_header, running_app

METADATA = f"/recordings/{RECORDING}"
STREAM = f"{METADATA}/stream"
WEBHOOK = "/webhooks/twilio/recording-status"
#: Longer than the deadline of a body here, shorter than any other.
IN_TIME = 8.0
#: More than the kernel takes of a connection that nobody reads.
ENDLESS = 64 * 1024 * 1024


def header(path: str, *fields: str, method: str = "GET") -> bytes:
    form = "Content-Type: application/x-www-form-urlencoded"
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: h", form, *fields, "", "")).encode()


def end_of(connection: socket.socket) -> bytes:
    """Everything until the connection ends."""
    data = bytearray()
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return bytes(data)


def said(connection: socket.socket) -> Answer:
    """The one answer on a connection that is then ended."""
    return parse_answer(end_of(connection))


def taken_of(connection: socket.socket, piece: bytes) -> int:
    """How many bytes are taken of a body that never ends."""
    sent = 0
    with suppress(ConnectionError, TimeoutError):
        while sent < ENDLESS:
            connection.sendall(piece)
            sent += len(piece)
    return sent


@pytest.fixture
def hurried(recordings: FakeRecordings, settings: Settings) -> Iterator[Client]:
    """An adapter that waits half a second for a body, and long for everything else."""
    with running_app(
        settings(body_timeout_seconds=0.5, call_timeout_seconds=30.0, webhook_deadline_seconds=30.0)
    ) as client:
        yield client


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", METADATA), ("GET", STREAM), ("POST", WEBHOOK)], ids=["metadata", "stream", "webhook"]
)
def test_a_body_that_drips_is_408_whatever_route_it_was_sent_to(
    hurried: Client, recordings: FakeRecordings, method: str, path: str, framing: str
) -> None:
    recordings.answers = {"GetRecording": [Hang()], "StreamRecording": [Hang()]}
    started = time.monotonic()
    with closing(hurried.raw()) as connection:
        connection.sendall(header(path, framing, method=method))
        for byte in (b"1", b"\r", b"\n"):
            connection.sendall(byte)
        answer = said(connection)
    assert (answer.status, answer.json()["reason"]) == (408, "REQUEST_TIMEOUT")
    assert time.monotonic() - started < IN_TIME


@pytest.mark.parametrize("path", ["/healthz", "/nothing", METADATA, WEBHOOK])
def test_a_body_that_drips_after_its_answer_ends_the_connection(
    hurried: Client, recordings: FakeRecordings, path: str
) -> None:
    recordings.add(b"0123456789")
    started = time.monotonic()
    with closing(hurried.raw()) as connection:
        connection.sendall(header(path, "Content-Length: 100") + b"x")
        # One whole answer, and nothing more.
        assert said(connection).status in {200, 404, 405}
    assert time.monotonic() - started < IN_TIME


@pytest.mark.parametrize("path", ["/healthz", METADATA, STREAM, WEBHOOK])
def test_a_body_announced_above_the_limit_is_413_before_it_is_sent(
    client: Client, recordings: FakeRecordings, path: str
) -> None:
    recordings.add(b"0123456789")
    with closing(client.raw()) as connection:
        connection.sendall(header(path, "Content-Length: 65537", "X-Request-Id: an-id-of-the-caller", method="POST"))
        answer = said(connection)
    assert (answer.status, answer.json()["reason"]) == (413, "BODY_TOO_LARGE")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "an-id-of-the-caller"
    assert (answer.headers["connection"], answer.headers["x-content-type-options"]) == ("close", "nosniff")
    assert recordings.asked == []


@pytest.mark.parametrize(
    "piece", [b"10000\r\n" + b"x" * 0x10000 + b"\r\n", b"1\r\nx\r\n" * 10_000, b"1;x=" + b"y" * 60_000 + b"\r\nx\r\n"]
)
@pytest.mark.parametrize("path", ["/healthz", METADATA, WEBHOOK])
def test_a_body_that_never_ends_is_not_taken(
    client: Client, recordings: FakeRecordings, path: str, piece: bytes
) -> None:
    recordings.answers = {"GetRecording": [Hang()]}
    with closing(client.raw()) as connection:
        method = "POST" if path == WEBHOOK else "GET"
        connection.sendall(header(path, "Transfer-Encoding: chunked", method=method))
        assert taken_of(connection, piece) < ENDLESS


def test_a_client_that_goes_on_sending_can_read_why_it_was_refused(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers = {"GetRecording": [Hang()]}
    with closing(client.raw()) as connection:
        connection.sendall(header(METADATA, "Transfer-Encoding: chunked") + b"20000\r\n" + b"x" * 0x20000)
        assert said(connection).status == 413


def test_a_body_that_nobody_reads_is_let_by_and_the_connection_goes_on(
    client: Client, recordings: FakeRecordings
) -> None:
    recordings.add(b"0123456789")
    body = b"x" * 1000
    with closing(client.raw()) as connection:
        for path in (METADATA, STREAM, "/healthz", STREAM):
            connection.sendall(header(path, "Content-Length: 1000") + body)
            head = read_header(connection)
            assert head.startswith(b"HTTP/1.1 200 ")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            assert len(read_exactly(connection, length)) == length


def test_an_answer_under_way_is_cut_and_never_written_into(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    garbage = b"\x16\x03\x01 no request\r\n\r\n"
    endless = b"x" * 0x10001
    for first, then in (
        (header(STREAM), garbage),
        (header(STREAM), header("/healthz", "Content-Length: 65537", method="POST")),
        (header(STREAM, "Transfer-Encoding: chunked"), b"10001\r\n" + endless),
    ):
        recordings.cuts = [Cut(3, Hang())]
        with closing(client.raw()) as connection:
            connection.sendall(first)
            assert read_header(connection).startswith(b"HTTP/1.1 200 ")
            assert read_exactly(connection, 3) == b"012"
            connection.sendall(then)
            assert end_of(connection) == b""


def test_trailers_are_refused_for_they_would_pass_for_a_header(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers = {"GetRecording": [Hang()]}
    with closing(client.raw()) as connection:
        connection.sendall(header(METADATA, "Transfer-Encoding: chunked") + b"0\r\nRange: bytes=0-1\r\n\r\n")
        answer = said(connection)
    assert (answer.status, answer.json()["reason"]) == (400, "TRAILERS_REFUSED")


def test_trailers_without_end_are_not_kept(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers = {"GetRecording": [Hang()]}
    with closing(client.raw()) as connection:
        connection.sendall(header(METADATA, "Transfer-Encoding: chunked") + b"0\r\nX: ")
        assert taken_of(connection, b"x" * 65536) < ENDLESS


def test_requests_may_be_pipelined_and_are_answered_in_order(client: Client) -> None:
    with closing(client.raw()) as connection:
        connection.sendall(b"".join(header(path) for path in ("/healthz", "/nothing") * 5))
        statuses = []
        for _ in range(10):
            head = read_header(connection)
            statuses.append(head[9:12])
            read_exactly(connection, int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    assert statuses == [b"200", b"404"] * 5


def test_a_pipeline_without_end_ends_the_connection(client: Client, recordings: FakeRecordings) -> None:
    recordings.answers = {"GetRecording": [Hang()]}
    with closing(client.raw()) as connection:
        connection.sendall(header(METADATA))
        with suppress(ConnectionError):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 10_000)
        assert end_of(connection) == b""


def test_too_many_connections_are_told_when_to_come_again(recordings: FakeRecordings, settings: Settings) -> None:
    recordings.add(b"0123456789")
    recordings.cuts = [Cut(3, Hang())] * 2
    with running_app(settings(max_connections=3, stream_idle_seconds=30.0)) as client:
        held = [client.raw() for _ in range(2)]
        for connection in held:
            connection.sendall(header(STREAM))
            read_header(connection)
        answer = client.get(METADATA, Origin=ORIGIN)
        assert (answer.status, answer.json()["reason"]) == (503, "TOO_MANY_CONNECTIONS")
        assert (answer.headers["retry-after"], answer.headers["connection"]) == ("1", "close")
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["x-content-type-options"] == "nosniff"
        for connection in held:
            connection.close()


def test_what_is_refused_is_logged_in_a_line_without_a_traceback(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for sent in (
        header(WEBHOOK, "Content-Length: 65537", "X-Request-Id: id-of-large", method="POST"),
        header(WEBHOOK, "Transfer-Encoding: chunked", "X-Request-Id: id-of-chunks", method="POST") + b"zz\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ):
        with closing(client.raw()) as connection:
            connection.sendall(sent)
            said(connection)
    assert "request refused: 413 BODY_TOO_LARGE request_id=id-of-large" in caplog.text
    assert "request refused: 400 BAD_REQUEST request_id=id-of-chunks" in caplog.text
    assert "Traceback" not in caplog.text
