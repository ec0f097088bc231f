"""TLS, and which addresses are connected to."""

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from recording_service.adapters.twilio_media.connection import is_public
from recording_service.core.errors import SourceTimedOut, SourceTruncated, SourceUnavailable
from tests.adapters.raw_server import RawServer, answer
from tests.adapters.resolver import Resolver
from tests.adapters.twilio_fetching import fetched, source

WHOLE = answer(b"whole", "Content-Length: 5")

#: A name that nobody has (RFC 6761), and an address that belongs to the internet.
NAME = "api.twilio.test"
PUBLIC_ADDRESS = "93.184.215.14"


class Tls(NamedTuple):
    context: ssl.SSLContext
    certificates: Path
    names_asked_for: list[str | None]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path) -> Tls:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", NAME).configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return Tls(context, tmp_path / "authority.pem", asked)


# TLS


def test_a_recording_is_fetched_over_tls(tls: Tls) -> None:
    with RawServer(WHOLE, tls=tls.context) as server:
        assert fetched(source(server.url, certificates=tls.certificates)) == b"whole"


def test_a_certificate_that_nobody_vouches_for_gets_no_credentials(tls: Tls) -> None:
    with RawServer(WHOLE, tls=tls.context) as server, pytest.raises(SourceUnavailable):
        fetched(source(server.url))

    assert server.heads == []


def test_a_certificate_for_another_name_gets_no_credentials(tls: Tls, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.test").configure_cert(context)

    with RawServer(WHOLE, tls=context) as server, pytest.raises(SourceUnavailable):
        fetched(source(server.url, certificates=tls.certificates))

    assert server.heads == []


def test_a_host_that_does_not_speak_tls_is_unavailable(tls: Tls) -> None:
    def answer_in_plain(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        answered = pool.submit(answer_in_plain, listening)
        with pytest.raises(SourceUnavailable):
            fetched(source(f"https://127.0.0.1:{listening.getsockname()[1]}", certificates=tls.certificates))
        answered.result()


def test_a_body_without_a_length_is_whole_only_if_tls_was_ended_properly(tls: Tls) -> None:
    """Whoever sits on the line can cut a connection, but can't say goodbye in the server's name (RFC 8446 §6.1)."""

    def end_properly(connection: socket.socket) -> None:
        connection.sendall(answer(b"whole", "Connection: close"))
        assert isinstance(connection, ssl.SSLSocket)
        connection.unwrap()

    def cut(connection: socket.socket) -> None:
        connection.sendall(answer(b"whole", "Connection: close"))
        connection.shutdown(socket.SHUT_RDWR)

    with RawServer(end_properly, cut, tls=tls.context) as server:
        shared = source(server.url, certificates=tls.certificates)
        assert fetched(shared) == b"whole"
        with pytest.raises(SourceTruncated):
            fetched(shared)


def test_a_handshake_that_does_not_come_is_not_waited_for(tls: Tls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(SourceTimedOut):
        fetched(source(f"https://127.0.0.1:{listening.getsockname()[1]}", connect_seconds=0.2))


# Addresses


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@pytest.fixture
def server(tls: Tls, resolver: Resolver) -> Iterator[RawServer]:
    with RawServer(WHOLE, tls=tls.context) as server:
        resolver.leads_to(server.port)
        yield server


def test_the_address_that_was_looked_at_is_the_one_connected_to_with_the_name_in_tls(
    tls: Tls, resolver: Resolver, server: RawServer
) -> None:
    resolver.has(NAME, [PUBLIC_ADDRESS])

    assert fetched(source(f"https://{NAME}", certificates=tls.certificates)) == b"whole"

    assert resolver.looked_up == [NAME]
    assert resolver.connected == [PUBLIC_ADDRESS]
    assert tls.names_asked_for == [NAME]
    assert f"\r\nHost: {NAME}\r\n" in server.heads[0]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::a00:1"],
        ["100.64.0.1"],
        ["fe80::1"],
        ["fec0::1"],
        ["224.0.0.1"],
        ["ff02::1"],
        ["0.0.0.0"],  # noqa: S104 - not bound to
        [PUBLIC_ADDRESS, "192.168.0.1"],
        [PUBLIC_ADDRESS, "::ffff:10.0.0.1"],
    ],
)
def test_a_name_that_leads_to_a_private_address_is_not_connected_to(
    tls: Tls, resolver: Resolver, server: RawServer, addresses: list[str]
) -> None:
    resolver.has(NAME, addresses)

    with pytest.raises(SourceUnavailable, match="not public"):
        fetched(source(f"https://{NAME}", certificates=tls.certificates))

    assert resolver.connected == []


def test_the_next_address_is_tried_if_one_does_not_answer(tls: Tls, resolver: Resolver, server: RawServer) -> None:
    addresses = ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", PUBLIC_ADDRESS]
    resolver.has(NAME, addresses)
    resolver.dead = {addresses[0]}

    assert fetched(source(f"https://{NAME}", certificates=tls.certificates)) == b"whole"
    assert resolver.connected == addresses


def test_a_host_none_of_whose_addresses_answers_has_timed_out(tls: Tls, resolver: Resolver, server: RawServer) -> None:
    addresses = [f"93.184.215.{number}" for number in range(10, 20)]
    resolver.has(NAME, addresses)
    resolver.dead = set(addresses)

    with pytest.raises(SourceTimedOut):
        fetched(source(f"https://{NAME}", certificates=tls.certificates))
    assert resolver.connected == addresses[:4]


@pytest.mark.parametrize("name", ["a..twilio.test", f"{'a' * 64}.twilio.test"])
def test_what_can_not_be_a_name_is_unavailable(name: str) -> None:
    with pytest.raises(SourceUnavailable):
        fetched(source(f"https://{name}"))


def test_a_name_that_is_not_known_is_unavailable(resolver: Resolver) -> None:
    resolver.has(NAME)
    with pytest.raises(SourceUnavailable):
        fetched(source(f"https://{NAME}"))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("8.8.8.8", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::5db8:d70e", True),
        ("0.0.0.0", False),  # noqa: S104 - not bound to
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("100.127.255.254", False),
        ("127.0.0.1", False),
        ("127.255.255.254", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("172.31.255.254", False),
        ("192.0.2.1", False),
        ("192.168.1.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("2002:7f00:1::", False),
        ("2002:0a00:0001::1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2001:db8::1", False),
        ("fc00::1", False),
        ("fd12:3456::1", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("::7f00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("2001:0:7f00:1::", False),
        ("ff02::1", False),
        ("ff0e::1", False),
    ],
)
def test_public_is_what_the_internet_can_reach(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public
