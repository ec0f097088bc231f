"""Stands in for the network's names and addresses: what a name leads to, and whom an address belongs to."""

import socket
from typing import Any

import pytest
from urllib3.util.connection import create_connection


class Resolver:
    """Names answer with the addresses a test gives them; whoever connects to an address gets a server of loopback.

    Every other name, and every address itself, is looked up as ever.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        #: The names that were looked up, and the addresses that were connected to, in order.
        self.looked_up: list[str] = []
        self.connected: list[str] = []
        #: Addresses that don't answer.
        self.dead: set[str] = set()
        self._answers: dict[str, list[list[str]]] = {}
        self._ports: dict[str, int] = {}
        self._any_port = 0
        self._getaddrinfo = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        monkeypatch.setattr("recording_service.adapters.twilio_media.connection.create_connection", self._connect)

    def has(self, name: str, *answers: list[str]) -> None:
        """What a name leads to, answer by answer, the last one for ever; without any it is not known."""
        self._answers[name] = list(answers)

    def leads_to(self, port: int, address: str = "") -> None:
        """Which server is at an address, or at all that no other is at."""
        if address:
            self._ports[address] = port
        else:
            self._any_port = port

    def _look_up(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host not in self._answers:
            return self._getaddrinfo(host, port, *args, **kwargs)
        self.looked_up.append(host)
        answers = self._answers[host]
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found = []
        for address in answers.pop(0) if len(answers) > 1 else answers[0]:
            found += self._getaddrinfo(address, port, type=socket.SOCK_STREAM)
        return found

    def _connect(self, address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        self.connected.append(address[0])
        if address[0] in self.dead:
            raise TimeoutError("timed out")
        return create_connection(("127.0.0.1", self._ports.get(address[0], self._any_port)), *args, **kwargs)
