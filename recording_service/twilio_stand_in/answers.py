"""What the stand-in answers to a request for media: as Twilio would, or wrongly in any way a download must survive.

An `Answer` is a value; each method gives a copy that misbehaves in one more way, so that they compose:

    server_error(503).header("Retry-After", "1")
    media().chunked().truncate(after=4000).drip(2000)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from enum import Enum
from http import HTTPStatus
from typing import Self

from recording_service.twilio_stand_in.gate import Gate

#: How many bytes the body of `endless` has unless told otherwise: 100 GB.
ENDLESS_BYTES = 100_000_000_000


class Content(Enum):
    """What the body is made of when no bytes are given."""

    MEDIA = "media"
    METADATA_JSON = "metadata_json"
    METADATA_XML = "metadata_xml"
    HTML = "html"
    ERROR = "error"


class Framing(Enum):
    """How the body's end is told to the client (RFC 9112 §6)."""

    LENGTH = "content-length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until-close"


class Ending(Enum):
    """How a connection ends that is cut in the middle of a body."""

    FIN = "fin"
    RESET = "reset"


@dataclass(frozen=True)
class Cut:
    """The connection ends after so many bytes of the body; a negative number counts from the body's end."""

    after: int | None
    ending: Ending


@dataclass(frozen=True)
class Hold:
    """The answer waits at a gate after so many bytes of the body; None is before the first byte of the status line."""

    gate: Gate
    after: int | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer, right or wrong. Made by the functions of this module, changed by its methods."""

    status: int = 200
    headers: Mapping[str, str] | None = None
    """Added to the usual ones, or put in their place."""
    content: Content = Content.MEDIA
    body: bytes | None = None
    """The body itself, instead of what `content` names."""
    content_type: str | None = None
    """A Content-Type that may lie about the body; None tells the truth."""
    framing: Framing = Framing.LENGTH
    announced_length: int | None = None
    """A Content-Length that may lie about the body."""
    announced_excess: int = 0
    """Bytes that Content-Length says more (or less) than there are."""
    total_length: int | None = None
    """The body is repeated up to this length, and made only as it is sent."""
    gzipped: bool = False
    honours_range: bool = False
    bytes_per_second: int | None = None
    holds: tuple[Hold, ...] = ()
    cut: Cut | None = None

    def header(self, name: str, value: str) -> Self:
        """Also sends this header, in place of the usual one of that name."""
        return replace(self, headers={**(self.headers or {}), name: value})

    def truncate(self, after: int | None = None) -> Self:
        """Ends the connection in good order (FIN) after so many bytes of the body, though more were promised.

        A negative number counts from the end. Without a number the whole body is sent but not its end: with `chunked`,
        the last chunk is missing.
        """
        return replace(self, cut=Cut(after, Ending.FIN))

    def reset(self, after: int) -> Self:
        """Tears the connection (RST) after so many bytes of the body; negative counts from the end.

        The client may see fewer bytes: a reset throws away what has not left the sender yet.
        """
        return replace(self, cut=Cut(after, Ending.RESET))

    def announce(self, length: int) -> Self:
        """Says this Content-Length, whatever is sent."""
        return replace(self, announced_length=length)

    def announce_excess(self, excess: int) -> Self:
        """Says a Content-Length that is too big by so many bytes, or too small when negative."""
        return replace(self, announced_excess=excess)

    def chunked(self) -> Self:
        """Sends the body in chunks (Transfer-Encoding), without a Content-Length."""
        return replace(self, framing=Framing.CHUNKED)

    def until_close(self) -> Self:
        """Sends neither Content-Length nor chunks: the body ends with the connection, so a cut looks like an end."""
        return replace(self, framing=Framing.UNTIL_CLOSE)

    def gzip(self) -> Self:
        """Compresses the body and says so in Content-Encoding, asked for or not."""
        return replace(self, gzipped=True)

    def endless(self, length: int = ENDLESS_BYTES) -> Self:
        """Repeats the body up to `length` bytes, which Content-Length announces."""
        return replace(self, total_length=length)

    def with_range(self) -> Self:
        """Answers a single byte range with 206 or 416, as object stores do; else Range is ignored (twilio.md A4)."""
        return replace(self, honours_range=True)

    def drip(self, bytes_per_second: int) -> Self:
        """Sends the body no faster than this."""
        return replace(self, bytes_per_second=bytes_per_second)

    def hold(self, gate: Gate, after: int = 0) -> Self:
        """Waits at the gate after so many bytes of the body (0: after the headers; negative counts from the end)."""
        return replace(self, holds=(*self.holds, Hold(gate, after)))

    def stall(self, gate: Gate | None = None) -> Self:
        """Sends no byte, not even the status line, until the gate is released; without one, until the server stops."""
        return replace(self, holds=(Hold(gate or Gate(), None), *self.holds))


def media() -> Answer:
    """The recording, whole, as Twilio sends it."""
    return Answer()


def not_found() -> Answer:
    """404 with Twilio's error document: not there yet, not there any more, or moved to the customer's own S3."""
    return Answer(status=404, content=Content.ERROR)


def unauthorized() -> Answer:
    """401 whatever the credentials."""
    return Answer(status=401, content=Content.ERROR)


def forbidden() -> Answer:
    """403: the account is suspended or may not."""
    return Answer(status=403, content=Content.ERROR)


def too_many_requests(retry_after: int | str | datetime | None = 1) -> Answer:
    """429 (20429), with Retry-After in seconds, as an HTTP date, as whatever text is given, or without it."""
    return _with_retry_after(Answer(status=429, content=Content.ERROR), retry_after)


def server_error(status: int = 500, retry_after: int | str | datetime | None = None) -> Answer:
    """Any 5xx with Twilio's error document."""
    return _with_retry_after(Answer(status=status, content=Content.ERROR), retry_after)


def json_document(content_type: str | None = None) -> Answer:
    """200 with the recording's metadata as JSON where audio was asked for, if need be called audio/mpeg."""
    return Answer(content=Content.METADATA_JSON, content_type=content_type)


def xml_document(content_type: str | None = None) -> Answer:
    """200 with the recording's metadata as XML where audio was asked for."""
    return Answer(content=Content.METADATA_XML, content_type=content_type)


def error_document(content_type: str | None = None) -> Answer:
    """200 with Twilio's 404 document, which others have stored as audio (twilio.md A4, clientcomm#208)."""
    return Answer(content=Content.ERROR, content_type=content_type)


def html_document(content_type: str | None = None) -> Answer:
    """200 with a web page, as a proxy in between gives."""
    return Answer(content=Content.HTML, content_type=content_type)


def empty() -> Answer:
    """200, audio/mpeg and no byte."""
    return Answer(body=b"")


def wrong_magic(length: int = 4096) -> Answer:
    """200, audio/mpeg and bytes that begin like no audio."""
    return Answer(body=(b"\x00not audio\x00" * (length // 11 + 1))[:length])


def redirect(location: str | None = None, status: int = 302) -> Answer:
    """A redirect there; without a location to the same address again, which for ever is a loop."""
    answer = Answer(status=status, body=b"")
    return answer if location is None else answer.header("Location", location)


def reason_phrase(status: int) -> str:
    """The words after a status code; empty for codes nobody registered."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _with_retry_after(answer: Answer, retry_after: int | str | datetime | None) -> Answer:
    if retry_after is None:
        return answer
    if isinstance(retry_after, datetime):
        return answer.header("Retry-After", format_datetime(retry_after, usegmt=True))
    return answer.header("Retry-After", str(retry_after))
