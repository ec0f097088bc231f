"""What an answer has to be like, checked on the wire and against Python's slicing."""

from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from tests.http_api.conformance.places import LARGE_BYTES, LAST_MODIFIED, Place
from tests.http_api.conformance.wire import Answer, Head, Wire, request

#: The fields that 200, 206 and 304 have in common (RFC 9110 §15.3.7, §15.4.5).
VERSION_FIELDS = ("etag", "last-modified", "cache-control", "accept-ranges", "vary")
#: What the errors of a recording that is there say.
_REASONS = {412: "PRECONDITION_FAILED", 416: "RANGE_NOT_SATISFIABLE"}
#: What is read of an answer that is only begun.
_BEGINNING_BYTES = 1000


class Expected(NamedTuple):
    """The status, and which bytes come with it: up to, not including, `end`."""

    status: int
    start: int = 0
    end: int = 0


def selected(parts: Sequence[slice] | None, size: int) -> Expected:
    """What a Range field comes to: every byte that any part has is marked, and the marks are looked at."""
    if parts is None or not size:
        return Expected(200, 0, size)
    marks = bytearray(size)
    for part in parts:
        marks[part] = b"\1" * len(marks[part])
    start, end = marks.find(1), marks.rfind(1) + 1
    if start < 0:
        return Expected(416)
    return Expected(206, start, end) if marks.find(0, start, end) < 0 else Expected(200, 0, size)


class Player:
    """Makes requests of one place, one after the other on one connection as long as answers are read to their end."""

    def __init__(self, port: int, place: Place) -> None:
        self._port = port
        self._place = place
        self._wire = Wire.to(port)
        self._read: set[Expected] = set()

    def close(self) -> None:
        """Drops the connection."""
        self._wire.close()

    def check(self, expected: Expected, *lines: str, method: str = "GET") -> None:
        """Makes a request; AssertionError if it is answered otherwise.

        The bytes of a large answer are read and compared to their end once; then its header and beginning are, and the
        connection is dropped.
        """
        self._wire.send(request(method, self._place.target, *self._place.endpoint.fields, *lines))
        head = self._wire.head()
        assert head.status == expected.status, f"{head.status}"
        check_head(head, expected, self._place)
        if expected.status not in (200, 206) or method == "HEAD":
            answer = Answer(head, self._wire.body(head, method))
            if method != "HEAD" and expected.status in _REASONS:
                check_problem(answer, expected.status, _REASONS[expected.status])
            return
        content = self._place.content[expected.start : expected.end]
        if len(content) > LARGE_BYTES and expected in self._read:
            assert self._wire.read(_BEGINNING_BYTES) == content[:_BEGINNING_BYTES]
            self._wire.close()
            self._wire = Wire.to(self._port)
            return
        assert self._wire.body(head) == content
        self._read.add(expected)

    def reconnect(self) -> None:
        """Begins anew, after an answer that was not understood."""
        self._wire.close()
        self._wire = Wire.to(self._port)


def check_head(head: Head, expected: Expected, place: Place) -> None:
    """The fields that an answer of this status must have, and those that it must not."""
    assert parsedate_to_datetime(head["date"]).tzinfo is UTC
    assert head["x-content-type-options"] == "nosniff"
    varies = [name for field in head.all("vary") for name in field.split(", ")]
    assert ("Origin" in varies) == place.endpoint.is_shared
    for name in ("content-encoding", "transfer-encoding", "trailer"):
        assert name not in head
    if expected.status in (200, 206, 304):
        # What a browser keeps is for whoever shows the same as before.
        assert varies[:2] == ["Authorization", "Cookie"]
        assert head["etag"] == place.etag
        assert head["last-modified"] == LAST_MODIFIED
        assert head["cache-control"] == "private, max-age=3600, immutable"
        assert head["accept-ranges"] == "bytes"
    else:
        assert head["content-type"] == "application/problem+json"
        assert head["cache-control"] == "no-store"
    if expected.status in (200, 206):
        assert head["content-type"] == "audio/mpeg"
        assert head["content-length"] == str(expected.end - expected.start)
        name = f"recording-{place.recording_sid}.mp3"
        assert head["content-disposition"] == f'{place.endpoint.disposition}; filename="{name}"'
    match expected.status:
        case 206:
            assert head["content-range"] == f"bytes {expected.start}-{expected.end - 1}/{place.size}"
        case 416:
            assert head["content-range"] == f"bytes */{place.size}"
        case _:
            assert "content-range" not in head


def check_problem(answer: Answer, status: int, reason: str) -> dict[str, object]:
    """An error as RFC 9457 has it, with our reason; its members."""
    assert answer.head.status == status
    assert answer.head["content-type"] == "application/problem+json"
    assert answer.head["cache-control"] == "no-store"
    members: dict[str, object] = answer.json()
    assert members["type"] == "about:blank"
    assert members["title"]
    assert members["status"] == status
    assert members["detail"]
    assert members["reason"] == reason
    assert members["request_id"] == answer.head["x-request-id"]
    return members
