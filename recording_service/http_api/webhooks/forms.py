"""A webhook's form, read from the raw body: nothing trimmed, nothing dropped, nothing guessed (twilio.md A2).

The signature covers every parameter byte for byte, so a body that can't be read exactly is refused instead of repaired.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect, Request

from recording_service.http_api.problems import Problem

#: Twilio's webhooks are about 1 KB.
MAX_BODY_BYTES: Final = 16 * 1024
_MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
#: The form that is read: in UTF-8, whether or not that is said. Twilio says so.
_CONTENT_TYPE: Final = re.compile(
    rf"{re.escape(_MEDIA_TYPE)}[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*(?:utf-8|us-ascii|\"utf-8\")[ \t]*)?;?",
    re.IGNORECASE,
)
_LENGTH: Final = re.compile(r"[0-9]{1,20}")
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Form:
    """The parameters of a form in their order; a name may occur several times, a value may be blank.

    `getall` and iteration over names are what twilio's validator asks a multi-dictionary for.
    """

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self._pairs = pairs
        # By name, because a hostile form has thousands: looking each of them up in the pairs would take seconds.
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def getall(self, name: str) -> list[str]:
        """Every value of a parameter, in order; empty if it was not sent."""
        return list(self._values.get(name, ()))

    @classmethod
    def parse(cls, body: bytes) -> "Form":
        """Read `application/x-www-form-urlencoded`.

        Raises:
            ValueError: it is none: broken percent-encoding, no UTF-8, or not a single pair.
        """
        pairs = tuple(_pair(piece) for piece in body.split(b"&") if piece)
        if not pairs:
            raise ValueError("no parameters")
        return cls(pairs)


async def read_form(request: Request) -> Form:
    """Read the form of a webhook, within its limits.

    Raises:
        Problem: 415 for another media type or charset, 413 for more than `MAX_BODY_BYTES` (whether or not the length
            was announced), 400 for a body that is no form or was cut.
    """
    content_types = request.headers.getlist("content-type")
    if len(content_types) != 1 or _CONTENT_TYPE.fullmatch(content_types[0]) is None:
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", f"Webhooks are sent as {_MEDIA_TYPE}, in UTF-8.")
    try:
        body = await _read_body(request)
    except ClientDisconnect:
        # Nobody is left to be told: it is for the log.
        raise Problem(400, "BODY_CUT_SHORT", "The connection ended before the body did.") from None
    try:
        return Form.parse(body)
    except ValueError:
        raise Problem(400, "INVALID_REQUEST", "The body is no form.") from None


async def _read_body(request: Request) -> bytes:
    too_large = Problem(413, "BODY_TOO_LARGE", f"A webhook has at most {MAX_BODY_BYTES} bytes.")
    announced = request.headers.get("content-length", "0")
    if _LENGTH.fullmatch(announced) and int(announced) > MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise too_large
    return bytes(body)


def _pair(piece: bytes) -> tuple[str, str]:
    name, _, value = piece.partition(b"=")
    return _decoded(name), _decoded(value)


def _decoded(text: bytes) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise ValueError("broken percent-encoding")
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
