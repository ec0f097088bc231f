"""Conditional requests by RFC 9110 §13: who wins, and when a Range still counts. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from recording_service.http_api.playback.http_dates import parse_http_date

#: The fields that make a request conditional, in lower case.
CONDITIONAL_FIELDS: Final = frozenset(
    {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"}
)
_ENTITY_TAG: Final = re.compile(r'(W/)?"([!#-~\x80-\xff]*)"')
#: What may stand before, between and after the elements of a list; between two of them there is a comma in it.
_SEPARATORS: Final = re.compile(r"[ \t,]*")
_WHITESPACE: Final = " \t"


@dataclass(frozen=True, slots=True)
class Validators:
    """What a representation is compared by.

    Attributes:
        etag: the strong entity tag's text, without its quotes.
        last_modified: whole seconds since the epoch; `None` if not known.
    """

    etag: str
    last_modified: int | None


class Outcome(Enum):
    """What the preconditions of a GET or HEAD come to."""

    PROCEED = auto()
    NOT_MODIFIED = auto()
    FAILED = auto()


def evaluate(fields: Mapping[str, str], validators: Validators) -> Outcome:
    """Evaluate the preconditions in the order of §13.2.2; `fields` maps lower-case names to (joined) values."""
    if (if_match := fields.get("if-match")) is not None:
        if not _any_match(if_match, validators.etag, weak=False):
            return Outcome.FAILED
    elif _is_before(fields.get("if-unmodified-since"), validators.last_modified):
        return Outcome.FAILED
    if (if_none_match := fields.get("if-none-match")) is not None:
        return Outcome.NOT_MODIFIED if _any_match(if_none_match, validators.etag, weak=True) else Outcome.PROCEED
    since = _http_date(fields.get("if-modified-since"))
    if since is not None and validators.last_modified is not None and validators.last_modified <= since:
        return Outcome.NOT_MODIFIED
    return Outcome.PROCEED


def range_applies(if_range: str | None, validators: Validators) -> bool:
    """Whether `Range` counts: there is no `If-Range`, or it names exactly this version (§13.1.5).

    A weak tag names none; a date has to be the very Last-Modified, later ones don't do.
    """
    if if_range is None:
        return True
    tag = _ENTITY_TAG.fullmatch(if_range.strip(_WHITESPACE))
    if tag is not None:
        return tag[1] is None and tag[2] == validators.etag
    date = _http_date(if_range)
    return date is not None and date == validators.last_modified


def _any_match(field: str, etag: str, *, weak: bool) -> bool:
    """Whether a list of entity tags, or `*`, has this one. A malformed list matches nothing."""
    if field.strip(_WHITESPACE) == "*":
        return True
    separators = _SEPARATORS.match(field)
    position = separators.end() if separators else 0
    found = False
    while position < len(field):
        tag = _ENTITY_TAG.match(field, position)
        separators = _SEPARATORS.match(field, tag.end()) if tag else None
        if tag is None or separators is None:
            return False
        position = separators.end()
        if position < len(field) and "," not in separators[0]:
            return False
        found = found or (tag[2] == etag and (weak or tag[1] is None))
    return found


def _is_before(field: str | None, last_modified: int | None) -> bool:
    date = _http_date(field)
    return date is not None and last_modified is not None and date < last_modified


def _http_date(field: str | None) -> int | None:
    """Seconds since the epoch; `None` for a field that is missing or no date, which is ignored."""
    return None if field is None else parse_http_date(field)
