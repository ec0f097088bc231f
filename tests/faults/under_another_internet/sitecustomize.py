"""For processes in an internet of the harness's own (`tests.faults.internet`): its names, its routes, its authority.

Below Python's own `socket`: what asks for a name is told what the internet's file says at that look, and what connects
to one of its addresses gets to where that is. All else is as ever.
"""

import fcntl
import json
import os
import socket
from pathlib import Path
from typing import Any

import certifi

_FOLDER = Path(os.environ["FAULTS_INTERNET"])
_getaddrinfo, _connect = socket.getaddrinfo, socket.socket.connect


def _look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    answers = _read("names").get(host)
    if answers is None:
        return _getaddrinfo(host, port, *arguments, **options)
    addresses = answers[_earlier("looked-up", str(host)) % len(answers)]
    _earlier("told", " ".join(addresses))
    return [found for address in addresses for found in _getaddrinfo(address, port, *arguments, **options)]


def _connect_to(self: socket.socket, address: Any) -> None:
    wanted = ":".join(map(str, address[:2])) if isinstance(address, tuple) else ""
    route = _read("routes").get(wanted)
    if route is None:
        return _connect(self, address)
    _earlier("connected", wanted)
    return _connect(self, (route[0], route[1]))


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _earlier(file: str, line: str) -> int:
    """How often any process has noted this line before; notes it."""
    with (_FOLDER / file).open("a+", encoding="utf-8") as notes:
        fcntl.flock(notes, fcntl.LOCK_EX)
        notes.seek(0)
        count = notes.read().splitlines().count(line)
        notes.write(f"{line}\n")
    return count


socket.getaddrinfo = _look_up
socket.socket.connect = _connect_to  # type: ignore[method-assign,assignment]
certifi.where = lambda: str(_FOLDER / "authority.pem")
