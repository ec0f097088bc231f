"""Which column of another system is which field of the contract."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import click

#: Names of columns by field, the most telling first; case, blanks, `_`, `-` and `.` don't matter.
USUAL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "recording_sid": ("recording_sid", "recording_id", "recording", "sid"),
    "source_url": ("recording_url", "source_url", "recording_uri", "media_url", "url", "uri"),
    "account_sid": ("account_sid", "account_id", "account"),
    "call_sid": ("call_sid", "call_id", "call"),
    "conference_sid": ("conference_sid", "conference_id", "conference"),
    "source": ("recording_source", "source"),
    "track": ("recording_track", "track"),
    "direction": ("direction", "call_direction"),
    "channels": ("recording_channels", "channels"),
    "start_time": (
        "recording_start_time",
        "start_time",
        "started_at",
        "start_date",
        "date_created",
        "date",
        "timestamp",
    ),
    "duration": ("recording_duration", "duration", "duration_seconds"),
    "from_number": ("from_number", "from", "caller"),
    "to_number": ("to_number", "to", "called"),
}

#: How a column begins that is a label: `label.customer`.
LABEL_PREFIXES: Final = ("label.", "labels.")


class Column(NamedTuple):
    """The field it is, and how telling its name is: of several for one field the lowest that isn't empty counts."""

    field: str
    rank: int


class Columns:
    """What names mean, by `--map` and by the usual names. An ignored name, or an unknown one, is None."""

    def __init__(self, mapped: Mapping[str, str]) -> None:
        self._mapped = mapped
        # JSON lines name their columns again in each; a file that invents names all the time must not fill the memory.
        self.of = lru_cache(maxsize=1024)(self._of)

    def _of(self, name: str) -> Column | None:
        name = name.strip()
        if name in self._mapped:
            field = self._mapped[name]
            return Column(field, -1) if field != "-" else None
        for prefix in LABEL_PREFIXES:
            if name.lower().startswith(prefix) and len(name) > len(prefix):
                return Column(f"labels.{name[len(prefix) :]}", 0)
        return _USUAL.get(_plain(name))


def columns_of(mappings: Iterable[str]) -> Columns:
    """Reads `--map` options, `column=field`; `-` as the field ignores the column.

    Raises:
        click.UsageError: one of them isn't that.
    """
    mapped: dict[str, str] = {}
    for mapping in mappings:
        name, equals, field = mapping.rpartition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--map: {mapping!r} is no column=field")
        is_label = field.startswith("labels.") and len(field) > len("labels.")
        if field not in USUAL_NAMES and field != "-" and not is_label:
            known = ", ".join(USUAL_NAMES)
            raise click.UsageError(f"--map: {field!r} is no field; there are {known}, labels.KEY, and - to ignore")
        mapped[name.strip()] = field
    return Columns(mapped)


def _plain(name: str) -> str:
    return re.sub(r"[\s_.\-]", "", name).casefold()


_USUAL: Final[Mapping[str, Column]] = {
    _plain(name): Column(field, rank) for field, names in USUAL_NAMES.items() for rank, name in enumerate(names)
}
