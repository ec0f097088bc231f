"""What the stand-in answers: the transcript, or wrongly in any way a client must survive.

An `Answer` is a value; each method gives a copy that misbehaves in one more way, so that they compose:

    transcribed().in_language("german").trickle(100).cut(after=50)
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

JSON = "application/json"

HTML = b"<!doctype html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer, right or wrong. Made by the functions of this module, changed by its methods."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to the usual ones."""
    body: bytes | None = None
    """None: the transcript of what was sent."""
    content_type: str = JSON
    language: str | None = None
    """What the transcript says was spoken; None: what was asked for, else what the stand-in was made with."""
    delay_seconds: float = 0.0
    """How long nothing is sent at all; infinity: until the stand-in stops."""
    bytes_per_second: float | None = None
    """How fast it is sent."""
    trickles_head: bool = False
    """Whether the status line and the headers are sent as slowly."""
    cut_after: int | None = None
    """After how many bytes of the body the connection is closed; negative counts from the end."""

    def header(self, name: str, value: str) -> Self:
        """Also sends this header."""
        return replace(self, headers={**self.headers, name: value})

    def in_language(self, name: str) -> Self:
        """Says that this language was spoken, in these words, whatever was asked for."""
        return replace(self, language=name)

    def delay(self, seconds: float) -> Self:
        """Sends nothing for so long."""
        return replace(self, delay_seconds=seconds)

    def stall(self) -> Self:
        """Sends nothing until the stand-in stops."""
        return self.delay(math.inf)

    def trickle(self, bytes_per_second: float, *, head: bool = False) -> Self:
        """Sends the body, or all from the first byte of the `head`, no faster than this."""
        return replace(self, bytes_per_second=bytes_per_second, trickles_head=head)

    def cut(self, after: int) -> Self:
        """Closes the connection after so many bytes of the body, though more were promised."""
        return replace(self, cut_after=after)


def transcribed() -> Answer:
    """The transcript of what was sent."""
    return Answer()


def shaped(document: object) -> Answer:
    """200, and this as JSON; NaN and Infinity are written as Python does, which is no JSON."""
    return Answer(body=json.dumps(document).encode())


def malformed_json() -> Answer:
    """200, called JSON, and none: the end is missing though the length is right."""
    return Answer(body=b'{"task": "transcribe", "language": "english", "segments": [{"id": 0, "start": 0.0, "en')


def html_page(status: int = 200) -> Answer:
    """A web page, as a wrong address or a proxy in between gives."""
    return Answer(status=status, body=HTML, content_type="text/html; charset=utf-8")


def too_many_requests(retry_after: int | str | None = 1) -> Answer:
    """429, with Retry-After in seconds, as whatever text is given, or without it."""
    return _with_retry_after(_error(429, "Rate limit reached for requests", "rate_limit_exceeded"), retry_after)


def server_error(status: int = 500, retry_after: int | str | None = None) -> Answer:
    """Any 5xx."""
    return _with_retry_after(_error(status, "The server had an error while processing your request", None), retry_after)


def key_rejected(status: int = 401) -> Answer:
    """401, or 403, whatever the key."""
    return _error(status, "Incorrect API key provided", "invalid_api_key")


def model_not_found() -> Answer:
    """404: the model does not exist, or the key may not use it."""
    return _error(404, "The model does not exist or you do not have access to it", "model_not_found", "model")


def too_large() -> Answer:
    """413: more than 25 MB, at OpenAI."""
    return _error(413, "Maximum content size limit exceeded", None)


def refused(message: str, param: str | None = None, status: int = 400) -> Answer:
    """400, or another: what was asked for is wrong."""
    return _error(status, message, None, param)


def redirect(location: str, status: int = 307) -> Answer:
    """A redirect there."""
    return Answer(status=status, body=b"").header("Location", location)


def _error(status: int, message: str, code: str | None, param: str | None = None) -> Answer:
    """OpenAI's error document (its API reference, "Errors")."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    document = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Answer(status=status, body=json.dumps(document).encode())


def _with_retry_after(answer: Answer, retry_after: int | str | None) -> Answer:
    return answer if retry_after is None else answer.header("Retry-After", str(retry_after))
