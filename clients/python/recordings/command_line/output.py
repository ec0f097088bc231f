"""What is printed: lines, tables and JSON that `jq`, `column` and people like. Colours are for terminals alone."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

import click
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from recordings.v1.recording_pb2 import FailureReason, ProcessingState, Recording, RecordingState, WaitingReason

#: In place of a cell that is empty: a row has as many words as its header.
NOTHING: Final = "-"

_COLOURS: Final = {"READY": "green", "CACHED": "green", "FAILED": "red", "DELETED": "red", "REFUSED": "red"}


def printable(text: str) -> str:
    """The text with whatever could move a terminal's cursor, or end the line, written as an escape."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def complain(text: str) -> None:
    """A line to stderr, in the command's name."""
    click.echo(f"recordings: {printable(text)}", err=True)


def as_dict(message: Message) -> dict[str, Any]:
    """Protobuf's own JSON with the contract's field names, as over HTTP: enums by name, int64 as strings."""
    members: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return members


def print_json(members: dict[str, Any]) -> None:
    """One object, on one line."""
    click.echo(json.dumps(members, ensure_ascii=not _writes_unicode(), separators=(",", ":")))


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def short_name(kind: EnumTypeWrapper, number: int) -> str:
    """An enum's value without its prefix, such as READY; a number that this client doesn't know as it is."""
    names: Sequence[str] = kind.keys()
    prefix = names[0].removesuffix("UNSPECIFIED")
    by_number = dict(zip(kind.values(), names, strict=True))
    return by_number.get(number, str(number)).removeprefix(prefix)


def state_name(recording: Recording) -> str:
    """QUEUED, DOWNLOADING, READY, FAILED or DELETED."""
    return short_name(RecordingState, recording.state)


def why(recording: Recording) -> str:
    """Why it is FAILED, or QUEUED and not fetched; nothing to say otherwise."""
    if recording.failure_reason:
        return short_name(FailureReason, recording.failure_reason)
    return short_name(WaitingReason, recording.waiting_reason) if recording.waiting_reason else ""


def processing_name(recording: Recording) -> str:
    """Where the steps after the download are; nothing if none was asked for."""
    return short_name(ProcessingState, recording.processing_state) if recording.processing_state else ""


def rfc3339(time: Timestamp) -> str:
    """A time to the second, in UTC."""
    return time.ToDatetime(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Table:
    """Rows under a header, each printed when it comes: the widths are known beforehand, the number of rows is not."""

    def __init__(self, **widths: int) -> None:
        self._widths = widths
        self._begun = False

    def row(self, *cells: str) -> None:
        """Prints a row; an empty cell as `-`. The last one may have blanks."""
        if not self._begun:
            self._begun = True
            self._line([name.upper() for name in self._widths], is_header=True)
        self._line([printable(cell) or NOTHING for cell in cells])

    def _line(self, cells: Sequence[str], *, is_header: bool = False) -> None:
        last = len(cells) - 1
        padded = [
            cell if number == last else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(cells, self._widths.values(), strict=True))
        ]
        styled = padded if is_header else [coloured(cell) for cell in padded]
        click.echo(click.style("  ".join(padded), bold=True) if is_header else "  ".join(styled))


def coloured(word: str) -> str:
    """A state or outcome in its colour."""
    colour = _COLOURS.get(word.strip())
    return click.style(word, fg=colour) if colour else word
