"""Secrets that are easy to recognise, looked for wherever they must not be: logs, Redis, rows, requests to others.

A secret is found as it is, percent-encoded, escaped for JSON or as Python shows it, in base64 (wherever it begins in
what was encoded, as in Basic authentication), and all of this inside of what RQ has compressed with zlib.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from tests.faults.redis_process import RedisKey

#: The shortest secret that is looked for, in bytes: a shorter one, or its base64, is anywhere by chance.
SHORTEST_SECRET = 8

#: How much of the text before and behind a finding is told, in bytes.
AROUND_BYTES = 60

#: Most findings of one secret that are told of one place: what leaks once, leaks with every line.
MOST_FINDINGS = 5

#: Most that is looked at of one compressed piece, in bytes.
MOST_DECOMPRESSED = 16_000_000

#: Where zlib's output may begin (RFC 1950: CMF 0x78, FLG for each of its levels), and the same in base64.
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda]")
_ZLIB_IN_BASE64 = re.compile(rb"e(?:AE|F4|J|No)[A-Za-z0-9+/]{8,}")

_E164 = re.compile(r"\+\d{7,}")


@dataclass(frozen=True)
class Finding:
    """A secret where it must not be. It tells the secret's name, and by what stands around it, its value too."""

    secret: str
    #: In what form: `as it is`, `base64` …
    form: str
    where: str
    around: str

    def __str__(self) -> str:
        return f"{self.secret} ({self.form}) in {self.where}: …{self.around}…"


class Canaries:
    """Secrets by their names. Each search tells what it has found; nothing found is an empty list."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """The values, by names to tell of.

        A phone number in E.164 is looked for without its plus too; of a URL also the password and the query's values,
        where they are long enough. ValueError for a value that is too short to be looked for.
        """
        for name, value in secrets.items():
            if len(value.encode()) < SHORTEST_SECRET:
                raise ValueError(f"{name} has less than {SHORTEST_SECRET} bytes: it would be found by chance")
        self._forms = {name: _forms(value) for name, value in secrets.items()}

    def in_bytes(self, data: bytes, where: str) -> list[Finding]:
        """What there is in these bytes, and in what is compressed in them."""
        return [
            finding
            for layer, content in _layers(data)
            for name, forms in self._forms.items()
            for finding in _found(name, forms, content, f"{where}{layer}")
        ]

    def in_text(self, text: str, where: str) -> list[Finding]:
        """What there is in a text, such as a caller's error."""
        return self.in_bytes(text.encode(errors="surrogateescape"), where)

    def in_files(self, *paths: Path) -> list[Finding]:
        """What there is in files, and in all files of folders and of theirs. FileNotFoundError for none of both."""
        return [finding for file in _files(paths) for finding in self.in_bytes(file.read_bytes(), str(file))]

    def in_redis(self, keys: Iterable[RedisKey]) -> list[Finding]:
        """What there is in a dump of Redis, names of keys included."""
        return [
            finding
            for key in keys
            for finding in self.in_bytes(
                key.name + b"\n" + key.content, f"Redis' {key.kind} {key.name.decode(errors='backslashreplace')}"
            )
        ]

    def in_rows(self, rows: Iterable[Mapping[str, object]], where: str) -> list[Finding]:
        """What there is in the rows of a table, column by column."""
        return [
            finding
            for row in rows
            for column, value in row.items()
            for finding in self.in_bytes(
                value if isinstance(value, bytes) else str(value).encode(errors="surrogateescape"), f"{where}.{column}"
            )
        ]


def _found(name: str, forms: Mapping[bytes, str], data: bytes, where: str) -> Iterator[Finding]:
    """The first findings of a secret. A form that stands in a longer one, at the same place, is none of its own."""
    spans: list[tuple[int, int]] = []
    for form, label in forms.items():
        start = data.find(form)
        while start >= 0 and len(spans) < MOST_FINDINGS:
            end = start + len(form)
            if not any(before <= start and end <= behind for before, behind in spans):
                spans.append((start, end))
                around = data[max(0, start - AROUND_BYTES) : end + AROUND_BYTES]
                yield Finding(name, label, where, around.decode(errors="backslashreplace"))
            start = data.find(form, end)


def _forms(value: str) -> dict[bytes, str]:
    """What to look for, the longest first, with what to call it."""
    forms: dict[bytes, str] = {}
    for form, label in _all_forms(value):
        forms.setdefault(form.encode(errors="surrogateescape"), label)
    return dict(sorted(forms.items(), key=lambda entry: -len(entry[0])))


def _all_forms(value: str) -> Iterator[tuple[str, str]]:
    for part, what in _parts(value):
        yield part, f"as it is{what}"
        for encoded in (quote(part), quote(part, safe=""), quote_plus(part)):
            yield encoded, f"percent-encoded{what}"
            yield re.sub("%..", lambda code: code[0].lower(), encoded), f"percent-encoded{what}"
        for escaped in _escaped(part):
            yield escaped, f"escaped{what}"
        for encoded in _in_base64(part.encode(errors="surrogateescape")):
            yield encoded, f"base64{what}"
            yield quote(encoded, safe=""), f"percent-encoded base64{what}"


def _parts(value: str) -> Iterator[tuple[str, str]]:
    """The value, and what of it is as secret as the whole, with how to call that."""
    yield value, ""
    if _E164.fullmatch(value):
        yield value[1:], ", without its plus"
    url = urlsplit(value) if "://" in value else None
    if url is None:
        return
    parts = [(url.password or "", ", its password"), (unquote(url.password or ""), ", its password")]
    parts += [(part, ", of its query") for _, part in parse_qsl(url.query)]
    yield from ((part, what) for part, what in parts if len(part.encode()) >= SHORTEST_SECRET)


def _escaped(value: str) -> Iterator[str]:
    """As JSON has it, also in JSON in JSON, and as Python shows texts and bytes."""
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield repr(value)[1:-1]
    yield repr(value.encode(errors="surrogateescape"))[2:-1]


def _in_base64(value: bytes) -> Iterator[str]:
    """Those characters that the value alone decides, for each of the three ways in which it may begin."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value).decode()
        first = (0, 2, 3)[before]
        last = (None, -3, -2)[(before + len(value)) % 3]
        yield encoded[first:last]
        yield encoded[first:last].replace("+", "-").replace("/", "_")


def _layers(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes, and what is compressed in them, with how to call it."""
    yield "", data
    view = memoryview(data)
    for start in _ZLIB.finditer(data):
        if inside := _decompressed(view[start.start() :]):
            yield " (decompressed)", inside
    for piece in _ZLIB_IN_BASE64.finditer(data):
        whole = piece[0][: len(piece[0]) // 4 * 4]
        tail = piece[0][len(whole) :]
        try:
            decoded = base64.b64decode(whole + (tail.ljust(4, b"=") if len(tail) > 1 else b""))
        except binascii.Error:
            continue
        if inside := _decompressed(memoryview(decoded)):
            yield " (base64, decompressed)", inside


def _decompressed(data: memoryview) -> bytes:
    """As much as there is of it; nothing if it is no output of zlib."""
    try:
        return zlib.decompressobj().decompress(data, MOST_DECOMPRESSED)
    except zlib.error:
        return b""


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file())
        elif path.is_file():
            yield path
        else:
            raise FileNotFoundError(f"there is no {path} to look for secrets in")
