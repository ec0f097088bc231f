"""An internet of the harness's own for the service's processes: names that lead elsewhere from look to look."""

import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Any, Self

import trustme

#: Where Twilio is, in this internet. An address of the real one's, which is never connected to.
PUBLIC_ADDRESS = "93.184.215.14"
#: Addresses that a name of the internet must not lead to. All of them are the trap.
PRIVATE_ADDRESSES = ("127.0.0.1", "127.0.0.2", "10.1.2.3", "172.16.0.9", "192.168.0.1", "169.254.169.254", "100.64.0.1")

_SITE = Path(__file__).parent / "under_another_internet"
_PIECE_BYTES = 65_536


class Internet:
    """Twilio at a public address, and a trap at every private one; both speak TLS for all names. A context manager.

    For processes that are started with its `environment`, and theirs.
    """

    def __init__(self, folder: Path, names: Sequence[str], twilio: tuple[str, int]) -> None:
        """`twilio` is where the stand-in listens, in plain."""
        self._folder = folder / "internet"
        self._folder.mkdir()
        self._names = names
        self._twilio = twilio
        self._stack = ExitStack()
        #: What has come to the trap: connections, and what was sent over them once TLS had been agreed on.
        self.trapped: list[bytes] = []

    def __enter__(self) -> Self:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self._folder / "authority.pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*self._names).configure_cert(context)
        twilio = self._stack.enter_context(_TlsServer(context, self._forward))
        trap = self._stack.enter_context(_TlsServer(context, self._spring, lambda: self.trapped.append(b"")))
        routes = {f"{address}:443": trap.server_address for address in PRIVATE_ADDRESSES}
        self._write("routes", {**routes, f"{PUBLIC_ADDRESS}:443": twilio.server_address})
        self.lead({name: [[PUBLIC_ADDRESS]] for name in self._names})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be in it."""
        path = os.pathsep.join(filter(None, (str(_SITE), os.environ.get("PYTHONPATH"))))
        return {"PYTHONPATH": path, "FAULTS_INTERNET": str(self._folder)}

    def lead(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        """Sets what each name is told to lead to: at the first look, the second …, and from the first on again."""
        self._write("names", names)

    @property
    def told(self) -> list[list[str]]:
        """What was told, at each look."""
        return [line.split() for line in self._noted("told")]

    @property
    def connected(self) -> list[str]:
        """The addresses, with their ports, that were connected to."""
        return self._noted("connected")

    def _forward(self, connection: ssl.SSLSocket) -> None:
        # The request first and then its answer: TLS of two threads at once is not safe.
        request = b""
        while b"\r\n\r\n" not in request:
            if not (data := connection.recv(_PIECE_BYTES)):
                return
            request += data
        with socket.create_connection(self._twilio, 10.0) as twilio:
            twilio.sendall(request)
            while data := twilio.recv(_PIECE_BYTES):
                connection.sendall(data)
        # Over TLS an end that is not said may be somebody else's doing (RFC 8446 §6.1).
        connection.unwrap()

    def _spring(self, connection: ssl.SSLSocket) -> None:
        self.trapped.append(connection.recv(_PIECE_BYTES))

    def _write(self, name: str, content: object) -> None:
        new = self._folder / f"{name}.new"
        new.write_text(json.dumps(content), encoding="utf-8")
        new.replace(self._folder / f"{name}.json")

    def _noted(self, name: str) -> list[str]:
        file = self._folder / name
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


class _TlsServer(ThreadingTCPServer):
    """Answers each connection in a thread of its own, over TLS."""

    daemon_threads = True
    # Whoever is still connected when the scenario is over is not waited for.
    block_on_close = False

    def __init__(
        self,
        context: ssl.SSLContext,
        serve: Callable[[ssl.SSLSocket], None],
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), BaseRequestHandler)
        self._context = context
        self._serve = serve
        self._arrived = arrived
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """One connection. Either end may go whenever it likes."""
        self._arrived()
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as connection:
            self._serve(connection)

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self._thread.join(10.0)
        self.server_close()
