"""A form of several parts, read to the letter (RFC 7578, RFC 2046 §5.1): what is nearly one is none."""

import re
from dataclasses import dataclass, field

_CONTENT_TYPE = re.compile(r'multipart/form-data; *boundary=(?:"([^"]{1,70})"|([!-~]{1,70}))')
_DISPOSITION = re.compile(r'form-data; name="([^"\r\n]+)"(?:; filename="([^"\r\n]*)")?')


class MalformedForm(Exception):
    """Raised when a body is no such form. The text says why."""


@dataclass(frozen=True)
class Part:
    """One part of a form: a field, or a file if it has a file name."""

    name: str
    file_name: str | None
    content_type: str | None
    data: bytes = field(repr=False)


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """The parts of a form, in their order. Raises MalformedForm."""
    found = _CONTENT_TYPE.fullmatch(content_type)
    if found is None:
        raise MalformedForm("the Content-Type is not multipart/form-data with a boundary")
    delimiter = b"\r\n--" + (found[1] or found[2]).encode("latin-1")
    preamble, *pieces = (b"\r\n" + body).split(delimiter)
    if preamble or not pieces:
        raise MalformedForm("the form does not begin with its boundary")
    if pieces.pop() not in (b"--", b"--\r\n"):
        raise MalformedForm("the form does not end with its boundary")
    return [_part(piece) for piece in pieces]


def _part(piece: bytes) -> Part:
    head, blank, data = piece.partition(b"\r\n\r\n")
    if not blank or not head.startswith(b"\r\n"):
        raise MalformedForm("a part of the form has no headers")
    headers: dict[str, str] = {}
    for line in head[2:].decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or name.lower() in headers:
            raise MalformedForm("a part of the form has malformed headers")
        headers[name.lower()] = value.strip()
    disposition = _DISPOSITION.fullmatch(headers.pop("content-disposition", ""))
    content_type = headers.pop("content-type", None)
    if disposition is None or headers:
        raise MalformedForm("a part of the form has other headers than a name and a type")
    return Part(disposition[1], disposition[2], content_type, data)
