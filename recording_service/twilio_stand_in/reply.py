"""From an answer to bytes on the wire: the head, then the body with all its cuts, holds and lies."""

import asyncio
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

from recording_service.twilio_stand_in.answers import Answer, Ending, Framing, reason_phrase
from recording_service.twilio_stand_in.connection import Connection, RequestHead
from recording_service.twilio_stand_in.request_log import Outcome

#: Most bytes given to the socket at once.
PIECE_BYTES = 256 * 1024

#: How often a second a dripping answer sends.
DRIPS_PER_SECOND = 20

#: A single byte range, the only kind honoured (RFC 9110 §14.1.2).
SINGLE_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True)
class Reply:
    """An answer made out for one request."""

    answer: Answer
    status: int
    headers: dict[str, str]
    body: bytes
    length: int
    """Bytes of the whole body; when it is more than `body` has, `body` repeats."""
    without_body: bool
    keeps_alive: bool

    @property
    def cut_at(self) -> int | None:
        """Where the connection ends before the answer does."""
        if self.answer.cut is None:
            return None
        return self.length if self.answer.cut.after is None else self.offset(self.answer.cut.after)

    def offset(self, after: int) -> int:
        """A place in the body; a negative one counts from the end."""
        return max(0, min(self.length, after if after >= 0 else self.length + after))


@dataclass(frozen=True)
class Observer:
    """Who is told how far a reply has come."""

    answered: Callable[[int], None]
    sent: Callable[[int], None]


def made_out(answer: Answer, body: bytes, content_type: str, request: RequestHead) -> Reply:
    """Works out the headers and the body of an answer to a request."""
    headers = {"Date": formatdate(usegmt=True), "Content-Type": answer.content_type or content_type}
    if answer.gzipped:
        body = gzip.compress(body, mtime=0)
        headers["Content-Encoding"] = "gzip"
    status = answer.status
    if 300 <= status < 400:
        headers["Location"] = request.target
    if answer.honours_range and status == 200:
        status, body = _ranged(headers, body, request.headers.get("range", ""))
    length = len(body) if answer.total_length is None or not body else answer.total_length
    announced = (length if answer.announced_length is None else answer.announced_length) + answer.announced_excess
    if answer.framing is Framing.LENGTH:
        headers["Content-Length"] = str(announced)
    elif answer.framing is Framing.CHUNKED:
        headers["Transfer-Encoding"] = "chunked"
    honest = answer.cut is None and (answer.framing is Framing.CHUNKED or headers.get("Content-Length") == str(length))
    keeps_alive = honest and request.keeps_alive
    if not keeps_alive and answer.cut is None:
        headers["Connection"] = "close"
    headers = _overridden(headers, answer)
    return Reply(answer, status, headers, body, length, request.method == "HEAD", keeps_alive)


async def send_reply(connection: Connection, reply: Reply, observer: Observer) -> Outcome:
    """Sends a reply; raises ConnectionError when the client goes away first."""
    for hold in reply.answer.holds:
        if hold.after is None:
            await connection.wait_or_hang_up(hold.gate.passed())
    observer.answered(reply.status)
    await connection.send(_head(reply))
    if reply.without_body:
        return Outcome.SENT
    end = reply.length if reply.cut_at is None else reply.cut_at
    await _send_body(connection, reply, end, observer)
    if reply.answer.cut is None:
        if reply.answer.framing is Framing.CHUNKED:
            await connection.send(b"0\r\n\r\n")
        return Outcome.SENT
    if reply.answer.cut.ending is Ending.RESET:
        connection.reset()
    return Outcome.CUT


async def _send_body(connection: Connection, reply: Reply, end: int, observer: Observer) -> None:
    pace = reply.answer.bytes_per_second
    piece_limit = PIECE_BYTES if pace is None else max(1, pace // DRIPS_PER_SECOND)
    held = [(reply.offset(hold.after), hold.gate) for hold in reply.answer.holds if hold.after is not None]
    holds = sorted((hold for hold in held if hold[0] <= end), key=lambda hold: hold[0])
    body = memoryview(reply.body)
    position = 0
    while True:
        while holds and holds[0][0] == position:
            await connection.wait_or_hang_up(holds.pop(0)[1].passed())
        if position == end:
            return
        start = position % len(body)
        size = min(piece_limit, len(body) - start, (holds[0][0] if holds else end) - position)
        await _send_piece(connection, body[start : start + size], reply.answer.framing)
        position += size
        observer.sent(position)
        if pace is not None and position < end:
            await connection.wait_or_hang_up(asyncio.sleep(size / pace))


async def _send_piece(connection: Connection, piece: memoryview, framing: Framing) -> None:
    if framing is Framing.CHUNKED:
        await connection.send(b"".join((f"{len(piece):x}\r\n".encode(), piece, b"\r\n")))
    else:
        await connection.send(piece)


def _head(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {reason_phrase(reply.status)}"]
    lines += (f"{name}: {value}" for name, value in reply.headers.items())
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _ranged(headers: dict[str, str], body: bytes, asked: str) -> tuple[int, bytes]:
    headers["Accept-Ranges"] = "bytes"
    match = SINGLE_RANGE.fullmatch(asked)
    if match is None:
        return 200, body
    first = int(match[1])
    last = min(int(match[2] or len(body)), len(body) - 1)
    if first > last:
        headers["Content-Range"] = f"bytes */{len(body)}"
        return 416, b""
    headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return 206, body[first : last + 1]


def _overridden(headers: dict[str, str], answer: Answer) -> dict[str, str]:
    """The answer's own headers take the place of those of the same name, however written."""
    own = answer.headers or {}
    replaced = {name.lower() for name in own}
    return {**{name: value for name, value in headers.items() if name.lower() not in replaced}, **own}
