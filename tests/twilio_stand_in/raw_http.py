"""A client that sees what a proper one hides: bytes after the end, FIN or RST, wrong lengths."""

import base64
import socket
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Seconds a read may wait.
READ_SECONDS = 10.0


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes
    was_reset: bool
    seconds: float


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=READ_SECONDS)


def send(client: socket.socket, url: str, headers: dict[str, str], method: str = "GET", close: bool = True) -> None:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", *(f"{k}: {v}" for k, v in headers.items())]
    if close:
        lines.append("Connection: close")
    client.sendall("\r\n".join([*lines, "", ""]).encode())


def receive(client: socket.socket) -> RawAnswer:
    """Reads until the other end ends the connection."""
    begin = time.monotonic()
    data = bytearray()
    was_reset = False
    try:
        while piece := client.recv(1 << 20):
            data += piece
    except ConnectionResetError:
        was_reset = True
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(status_line.split(" ")[1]) if status_line else 0
    return RawAnswer(status, headers, body, was_reset, time.monotonic() - begin)


def get(url: str, headers: dict[str, str], method: str = "GET") -> RawAnswer:
    with connect(url) as client:
        send(client, url, headers, method)
        return receive(client)


def parsed(document: bytes) -> ElementTree.Element:
    """One of the stand-in's own XML documents."""
    return ElementTree.fromstring(document)  # noqa: S314


def dechunked(body: bytes) -> tuple[bytes, bool]:
    """The data of the chunks, and whether the last chunk was there."""
    data = b""
    while body:
        size_line, _, rest = body.partition(b"\r\n")
        size = int(size_line, 16)
        if size == 0:
            return data, rest == b"\r\n"
        data += rest[:size]
        body = rest[size + 2 :]
    return data, False
