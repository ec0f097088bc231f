"""Serves one connection: what is wrong with a request is said first, then how it is to be answered."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from recording_service.transcription_stand_in.answers import Answer, key_rejected, refused, too_large
from recording_service.transcription_stand_in.asked import Asked, Refusal, asked
from recording_service.transcription_stand_in.form import MalformedForm, parts_of
from recording_service.transcription_stand_in.listener import Listener
from recording_service.transcription_stand_in.request_log import Request, RequestLog

#: Largest request, as at OpenAI, in bytes.
MAX_BODY_BYTES = 25 * 1024 * 1024

#: How often a second a trickling answer sends at most.
TRICKLES_PER_SECOND = 20


@dataclass(frozen=True)
class Endpoint:
    """What is served, and who decides how."""

    path: str
    api_key: str
    models: frozenset[str]
    next_answer: Callable[[], Answer]
    transcript: Callable[[Asked, str | None], bytes]
    log: RequestLog


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection until either side ends it."""

    protocol_version = "HTTP/1.1"
    server: Listener

    def __init__(self, endpoint: Endpoint, *arguments: Any) -> None:
        self._endpoint = endpoint
        super().__init__(*arguments)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: what is asked for is in the stand-in's own log."""

    def do_POST(self) -> None:
        """Answers a request."""
        body = self._read_body()
        try:
            found = self._checked(body)
            answer = self._endpoint.next_answer()
            complaint = ""
        except Refusal as refusal:
            found, answer, complaint = None, refusal.answer, str(refusal)
        self._note(found, answer, complaint)
        content = answer.body
        if content is None:
            content = b"" if found is None else self._endpoint.transcript(found, answer.language)
        self._send(answer, content)

    def do_GET(self) -> None:
        """Nothing is served for GET."""
        self.close_connection = True
        refusal = refused("Only POST requests are accepted", status=405)
        self._note(None, refusal, "not a POST")
        self._send(refusal, refusal.body or b"")

    def _read_body(self) -> bytes | None:
        """The body; None if it is too large, or its length is not announced."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionResetError("the client went away")
        return body

    def _checked(self, body: bytes | None) -> Asked:
        """What is asked for. Raises Refusal."""
        if self.path != self._endpoint.path:
            raise Refusal("unknown path", refused("Invalid URL", status=404))
        if not self._has_key():
            raise Refusal("wrong key", key_rejected())
        if body is None:
            raise Refusal("too large, or of unknown length", too_large())
        try:
            parts = parts_of(body, self.headers.get("Content-Type", ""))
        except MalformedForm as exc:
            raise Refusal(str(exc), refused(str(exc))) from exc
        return asked(parts, self._endpoint.models)

    def _has_key(self) -> bool:
        """Whether the key is the one; a key that nobody asked for is none of anybody's business, and so is wrong."""
        sent = self.headers.get("Authorization", "")
        wanted = f"Bearer {self._endpoint.api_key}" if self._endpoint.api_key else ""
        return hmac.compare_digest(sent.encode(), wanted.encode())

    def _note(self, found: Asked | None, answer: Answer, complaint: str) -> None:
        self._endpoint.log.add(
            Request(
                path=self.path,
                headers={name.lower(): value for name, value in self.headers.items()},
                status=answer.status,
                fields=found.fields if found else {},
                file_name=found.file_name if found else "",
                wav=found.wav if found else b"",
                complaint=complaint,
            )
        )

    def _send(self, answer: Answer, body: bytes) -> None:
        if answer.delay_seconds and self.server.stopping.wait(min(answer.delay_seconds, 3600.0)):
            self.close_connection = True
            return
        if answer.cut_after is not None:
            self.close_connection = True
        head = self._head(answer, len(body))
        sent = body if answer.cut_after is None else body[: answer.cut_after]
        if answer.bytes_per_second is None:
            self.wfile.write(head + sent)
            return
        if not answer.trickles_head:
            self.wfile.write(head)
        self._trickle(head + sent if answer.trickles_head else sent, answer.bytes_per_second)

    def _head(self, answer: Answer, length: int) -> bytes:
        headers = {
            "Date": formatdate(usegmt=True),
            "Content-Type": answer.content_type,
            "Content-Length": str(length),
            **({"Connection": "close"} if self.close_connection else {}),
            **answer.headers,
        }
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
        lines += (f"{name}: {value}" for name, value in headers.items())
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _trickle(self, data: bytes, bytes_per_second: float) -> None:
        size = max(1, int(bytes_per_second / TRICKLES_PER_SECOND))
        for at in range(0, len(data), size):
            self.wfile.write(data[at : at + size])
            if self.server.stopping.wait(size / bytes_per_second):
                self.close_connection = True
                return


def _phrase(status: int) -> str:
    """The words after a status code; empty for codes that nobody registered."""
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
