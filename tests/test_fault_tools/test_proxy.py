"""The harness's proxy, between plain sockets, a real Redis and Twilio's stand-in."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
import requests
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.faults.proxy import Address, Direction, TcpProxy
from tests.support.redis_server import RedisServer
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN
from tests.support.waiting import eventually

TO_UPSTREAM, TO_CLIENT = Direction.TO_UPSTREAM, Direction.TO_CLIENT

#: A time-out of clients that is to come about, and one that is not, in seconds.
SHORT, LONG = 0.3, 10.0


class Echo:
    """Answers everything with itself, and notes what came."""

    def __init__(self) -> None:
        self.received = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._listener.getsockname()
        return (host, port)

    def close(self) -> None:
        """Ends it and all its connections."""
        for one in [self._listener, *self._open]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(LONG)
        for one in [self._listener, *self._open]:
            one.close()

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._run(self._echo, connection)

    def _echo(self, connection: socket.socket) -> None:
        try:
            while piece := connection.recv(65_536):
                self.received += piece
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.fixture
def echo() -> Iterator[Echo]:
    with closing(Echo()) as server:
        yield server


@pytest.fixture
def proxy(echo: Echo) -> Iterator[TcpProxy]:
    with TcpProxy(echo.address) as running:
        yield running


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), append_only=False)
    with server:
        yield server


@contextmanager
def connected(proxy: TcpProxy, timeout: float = LONG) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout) as client:
        yield client


def received(client: socket.socket, count: int) -> bytes:
    """So many bytes, or all until the end."""
    answer = bytearray()
    while len(answer) < count and (piece := client.recv(count - len(answer))):
        answer += piece
    return bytes(answer)


def rest(client: socket.socket) -> bytes:
    """All until the connection ends, whichever way."""
    answer = bytearray()
    try:
        while piece := client.recv(65_536):
            answer += piece
    except ConnectionError:
        pass
    return bytes(answer)


def redis_client(proxy: TcpProxy, timeout: float = LONG) -> Redis:
    return Redis(port=proxy.port, protocol=2, socket_timeout=timeout, retry=Retry(NoBackoff(), 0))


def redis_socket(server: RedisServer) -> str:
    return server.url.removeprefix("unix://")


# Passing


def test_passes_everything_both_ways(proxy: TcpProxy, echo: Echo) -> None:
    sent = bytes(range(256)) * 20_000
    with connected(proxy) as client:
        threading.Thread(target=client.sendall, args=(sent,)).start()
        assert received(client, len(sent)) == sent

    assert bytes(echo.received) == sent
    # What was passed on is counted afterwards: the client may have it before.
    eventually(lambda: (proxy.bytes_to_upstream, proxy.bytes_to_client) == (len(sent), len(sent)))
    assert (proxy.connections, proxy.cuts) == (1, 0)


def test_an_end_of_one_side_is_passed_on_and_the_other_side_goes_on(proxy: TcpProxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"the last words")
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == b"the last words"
    eventually(lambda: proxy.open_connections == 0)
    assert proxy.cuts == 0


def test_adds_next_to_no_latency(proxy: TcpProxy) -> None:
    with connected(proxy) as client:
        started = time.monotonic()
        for _ in range(100):
            # Two writes and a wait: what Nagle's algorithm would hold up for 40 ms.
            client.sendall(b"a")
            client.sendall(b"b")
            received(client, 2)
        assert time.monotonic() - started < 3.0


def test_where_the_upstream_refuses_a_connection_ends_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with TcpProxy(nobody.getsockname()) as proxy, connected(proxy) as client:
            assert rest(client) == b""
            assert proxy.cuts == 0


def test_leaves_no_thread_and_no_descriptor_behind(echo: Echo) -> None:
    def open_files() -> set[str]:
        return {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}

    files = open_files()
    proxy = TcpProxy(echo.address)
    proxy.start()
    with connected(proxy), connected(proxy):
        eventually(lambda: proxy.open_connections == 2)
        port = proxy.port
        proxy.stop()
        proxy.stop()
        assert proxy.open_connections == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), LONG)

    echo.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "tcp-proxy"]
    assert {file for file in open_files() - files if "socket" in file or "eventpoll" in file} == set()


# Refusing


def test_a_refusing_proxy_cuts_what_is_open_and_refuses_what_is_new(proxy: TcpProxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"hello")
        assert received(client, 5) == b"hello"
        proxy.refuse()
        assert rest(client) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), LONG)
    assert (proxy.open_connections, proxy.cuts) == (0, 1)


def test_a_refusing_proxy_keeps_its_port_and_mends_to_it(proxy: TcpProxy) -> None:
    port = proxy.port
    for _ in range(3):
        proxy.refuse()
        proxy.refuse()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        proxy.mend()
        proxy.mend()
        assert proxy.port == port
        with connected(proxy) as client:
            client.sendall(b"hello")
            assert received(client, 5) == b"hello"


# Black hole


def test_a_black_hole_accepts_and_reads_and_says_nothing(proxy: TcpProxy, echo: Echo) -> None:
    with connected(proxy, SHORT) as before:
        before.sendall(b"hello")
        assert received(before, 5) == b"hello"
        proxy.black_hole()
        with connected(proxy, SHORT) as after:
            for client in (before, after):
                # More than what fits into the buffers of the sockets in between: somebody reads it.
                client.settimeout(LONG)
                client.sendall(bytes(16_000_000))
                client.settimeout(SHORT)
                with pytest.raises(TimeoutError):
                    client.recv(1)
    assert bytes(echo.received) == b"hello"


def test_an_answer_that_is_under_way_falls_into_the_hole(redis: RedisServer) -> None:
    with TcpProxy(redis_socket(redis)) as proxy, closing(redis_client(proxy, 2.0)) as client:
        client.ping()
        ends: list[str] = []

        def hear_nothing() -> None:
            try:
                client.blpop(["list"], 5)
            except RedisTimeoutError:
                ends.append("nothing was heard")

        with closing(Redis.from_url(redis.url)) as direct:
            thread = threading.Thread(target=hear_nothing)
            thread.start()
            eventually(lambda: int(direct.info()["blocked_clients"]) == 1)
            proxy.black_hole()
            direct.rpush("list", "taken by one who never hears of it")
            assert not direct.exists("list")
            thread.join(LONG)
        assert ends == ["nothing was heard"]


def test_connections_that_have_lost_something_are_cut_when_the_hole_is_mended(proxy: TcpProxy, echo: Echo) -> None:
    with connected(proxy) as idle, connected(proxy) as busy:
        for client in (idle, busy):
            client.sendall(b"1")
            assert received(client, 1) == b"1"
        proxy.black_hole()
        busy.sendall(b"lost")
        with connected(proxy) as new:
            eventually(lambda: proxy.open_connections == 3)
            # The proxy reads in its own time; what it has not read yet by then is not lost, and is no reason to cut.
            eventually(lambda: proxy.swallowed_bytes == 4)
            proxy.mend()
            assert rest(busy) == rest(new) == b""
        idle.sendall(b"2")
        assert received(idle, 1) == b"2"
    assert bytes(echo.received) == b"112"
    assert proxy.cuts == 2


# Delay


def test_a_delay_holds_up_each_way(proxy: TcpProxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"1")
        received(client, 1)
        proxy.delay(0.2)
        started = time.monotonic()
        client.sendall(b"2")
        assert received(client, 1) == b"2"
        assert 0.4 <= time.monotonic() - started < 3.0


def test_jitter_comes_on_top_of_the_delay_and_from_the_seed(echo: Echo) -> None:
    random = Random(7)
    with TcpProxy(echo.address, seed=7) as proxy, connected(proxy) as client:
        proxy.delay(0.05, jitter=0.3)
        for _ in range(4):
            there_and_back = 0.1 + random.uniform(0.0, 0.3) + random.uniform(0.0, 0.3)
            started = time.monotonic()
            client.sendall(b"1")
            received(client, 1)
            assert there_and_back <= time.monotonic() - started < there_and_back + 2.0


def test_mending_ends_a_delay_that_has_begun(proxy: TcpProxy) -> None:
    with connected(proxy) as client:
        proxy.delay(60.0)
        client.sendall(b"1")
        proxy.mend()
        assert received(client, 1) == b"1"


# Cut after so many bytes


@pytest.mark.parametrize("direction", list(Direction))
def test_cuts_right_behind_the_last_byte(proxy: TcpProxy, echo: Echo, direction: Direction) -> None:
    with connected(proxy) as client:
        client.sendall(b"before")
        assert received(client, 6) == b"before"
        proxy.cut_after(10, direction)
        client.sendall(b"0123456789abcdef")
        answer = rest(client)
    eventually(lambda: proxy.open_connections == 0)
    if direction is TO_UPSTREAM:
        eventually(lambda: bytes(echo.received) == b"before0123456789")
        assert proxy.bytes_to_upstream == 16
    else:
        assert answer == b"0123456789"
        assert proxy.bytes_to_client == 16
    assert proxy.cuts == 1

    with connected(proxy) as client:
        client.sendall(b"0123456789abcdef")
        assert received(client, 16) == b"0123456789abcdef"


def test_bytes_of_all_connections_count_and_so_many_cuts_are_made(proxy: TcpProxy) -> None:
    proxy.cut_after(3, TO_CLIENT, times=2)
    answers = []
    for _ in range(5):
        with connected(proxy) as client:
            client.sendall(b"ab")
            client.shutdown(socket.SHUT_WR)
            answers.append(rest(client))
    assert answers == [b"ab", b"a", b"ab", b"a", b"ab"]
    assert proxy.cuts == 2


def test_a_cut_needs_a_byte(proxy: TcpProxy) -> None:
    with pytest.raises(ValueError, match="one byte"):
        proxy.cut_after(0, TO_CLIENT)
    with pytest.raises(ValueError, match="no bytes"):
        proxy.cut_reply(b"")


# Lost answers


def test_a_command_is_executed_and_its_answer_lost(redis: RedisServer) -> None:
    with TcpProxy(redis_socket(redis)) as proxy, closing(redis_client(proxy)) as client:
        client.delete("times")
        count = client.register_script("return redis.call('INCR', 'times')")
        assert count() == 1

        proxy.cut_reply(b"EVALSHA")
        assert client.get("times") == b"1"
        with pytest.raises(RedisConnectionError):
            count()
        assert client.get("times") == b"2"
        assert count() == 3
        assert (proxy.cuts, proxy.replies_cut) == (1, 1)


def test_the_request_is_found_however_it_is_split(proxy: TcpProxy, echo: Echo) -> None:
    with connected(proxy) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        proxy.cut_reply(b"EVALSHA")
        for number, piece in enumerate([b"EVALS", b"EVA", b"LSH", b"A etc"]):
            client.sendall(piece)
            if number < 3:
                assert received(client, len(piece)) == piece
        assert rest(client) == b""
    assert bytes(echo.received) == b"EVALSEVALSHA etc"
    assert (proxy.cuts, proxy.replies_cut) == (1, 1)


def test_a_pipeline_is_executed_to_its_end(redis: RedisServer) -> None:
    with TcpProxy(redis_socket(redis)) as proxy, closing(redis_client(proxy)) as client:
        proxy.cut_reply(b"first")
        with client.pipeline(transaction=False) as pipeline:
            pipeline.set("first", 1)
            for number in range(1000):
                pipeline.set(f"key-{number}", bytes(1000))
            pipeline.set("last", 1)
            with pytest.raises(RedisConnectionError):
                pipeline.execute()
        assert client.get("last") == b"1"
        client.flushall()


def test_mending_lets_the_answer_through_that_was_to_be_lost(redis: RedisServer) -> None:
    with TcpProxy(redis_socket(redis)) as proxy, closing(redis_client(proxy)) as client:
        proxy.cut_reply(b"BLPOP")
        answers: list[object] = []
        thread = threading.Thread(target=lambda: answers.append(client.blpop(["answered"], timeout=5)))
        thread.start()
        with closing(Redis.from_url(redis.url)) as direct:
            eventually(lambda: int(direct.info()["blocked_clients"]) == 1)
            proxy.mend()
            direct.rpush("answered", "here")
        thread.join(LONG)
        assert answers == [(b"answered", b"here")]
        assert proxy.cuts == 0


# Before Twilio


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as stand_in:
        yield stand_in


def test_http_keeps_its_connection_through_it(twilio: TwilioStandIn) -> None:
    media, port = twilio.add_recording(body=bytes(3_000_000)), int(twilio.url.rpartition(":")[2])
    with TcpProxy(("127.0.0.1", port)) as proxy, requests.Session() as session:
        url = twilio.media_url(media.recording_sid, ".mp3").replace(f":{port}", f":{proxy.port}")
        answers = [session.get(url, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=LONG) for _ in range(3)]
        assert [(answer.status_code, len(answer.content)) for answer in answers] == [(200, 3_000_000)] * 3
        assert proxy.connections == 1


def test_a_body_is_cut_short(twilio: TwilioStandIn) -> None:
    media, port = twilio.add_recording(body=bytes(3_000_000)), int(twilio.url.rpartition(":")[2])
    with TcpProxy(("127.0.0.1", port)) as proxy:
        url = twilio.media_url(media.recording_sid, ".mp3").replace(f":{port}", f":{proxy.port}")
        proxy.cut_after(1_000_000, TO_CLIENT)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(url, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=LONG)
        eventually(lambda: proxy.bytes_to_client == 1_000_000)
