"""A receiver of callbacks: it verifies each with the convention's own library, and answers as it is told."""

import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from standardwebhooks import Webhook

#: As the convention writes it: 32 bytes.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwc29tZSBtb3Jl"


class Callback(NamedTuple):
    """One request that was believed."""

    event_id: str
    body: dict[str, Any]
    headers: dict[str, str]
    #: When it came, by the monotonic clock.
    time: float

    @property
    def event(self) -> tuple[str, str]:
        """What has happened to which recording."""
        return self.body["type"], self.body["data"]["recording_sid"]


#: What is answered: a status and headers, or whatever is done with the request.
Answer = tuple[int, dict[str, str]] | Callable[[BaseHTTPRequestHandler], None]


class EventReceiverServer:
    """Listens on loopback while it is a context."""

    def __init__(self, *secrets: str, tls: ssl.SSLContext | None = None) -> None:
        """Believes what is signed with one of the secrets."""
        self._webhooks = [Webhook(secret) for secret in secrets or (SECRET,)]
        self._lock = threading.Lock()
        self.callbacks: list[Callback] = []
        self.refused: list[str] = []
        self.requests = 0
        #: The next answers; the last one for ever after.
        self.answers: list[Answer] = [(200, {})]
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/hooks"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> "EventReceiverServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of(self, recording_sid: str) -> list[str]:
        """Which events of that recording have come, each once, in the order in which they came first."""
        with self._lock:
            types = [callback.body["type"] for callback in self.callbacks if callback.event[1] == recording_sid]
        return list(dict.fromkeys(types))

    def times_come(self) -> Counter[str]:
        """How often each event has come."""
        with self._lock:
            return Counter(callback.event_id for callback in self.callbacks)

    def _verified(self, headers: dict[str, str], body: bytes) -> None:
        callback = Callback(headers.get("webhook-id", ""), json.loads(body), headers, time.monotonic())
        for webhook in self._webhooks:
            webhook.verify(body, headers)
        with self._lock:
            self.callbacks.append(callback)

    def _next_answer(self) -> Answer:
        with self._lock:
            self.requests += 1
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    receiver._verified(headers, body)
                except Exception as error:
                    # Whatever the library raises: nothing unbelievable may pass for a callback.
                    receiver.refused.append(repr(error))
                    self._say(400, {})
                    return
                self._answer(receiver._next_answer())

            def do_HEAD(self) -> None:
                self._say(405, {})

            def _answer(self, answer: Answer) -> None:
                if callable(answer):
                    answer(self)
                else:
                    self._say(*answer)

            def _say(self, status: int, headers: dict[str, str]) -> None:
                self.close_connection = True
                self.send_response(status)
                for name, value in {"content-length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        return Handler
