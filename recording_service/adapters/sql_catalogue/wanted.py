"""A list of keys or bells as a table, made of one JSON parameter.

So a statement's text is the same for any number of them, and both databases look each up by the primary key.
SQLite reads the whole table for `(account_sid, recording_sid) IN (VALUES …)`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    cast,
    column,
    func,
    select,
    update,
)
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import JSON

from recording_service.adapters.sql_catalogue.schema import recordings

_c = recordings.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """The table, and the columns of a row of it. `attempt` is there if the rows are bells."""

    table: FromClause
    account_sid: ColumnElement[str]
    recording_sid: ColumnElement[str]
    attempt: ColumnElement[int]


def wanted(dialect: str, parameter: str) -> Wanted:
    """What the JSON array of arrays in that parameter lists."""
    text: Any = bindparam(parameter, type_=Text)
    parts: list[ColumnElement[Any]]
    if dialect == "sqlite":
        table = func.json_each(text).table_valued(column("value", Text), name="wanted")
        parts = [func.json_extract(table.c.value, literal(f"'$[{position}]'")) for position in range(3)]
        return Wanted(table, *parts)
    table = func.json_array_elements(cast(text, JSON)).table_valued(column("value", JSON), name="wanted")
    parts = [table.c.value.op("->>")(literal(str(position))) for position in range(3)]
    return Wanted(table, parts[0], parts[1], cast(parts[2], Integer))


def listed(rows: Iterable[tuple[Any, ...]]) -> str:
    """The parameter that lists these keys or bells."""
    return json.dumps(list(rows))


@cache
def select_wanted(dialect: str) -> Select[Any]:
    """The recordings whose keys the parameter `keys` lists."""
    keys = wanted(dialect, "keys")
    return select(recordings).join_from(
        keys.table, recordings, and_(_c.account_sid == keys.account_sid, _c.recording_sid == keys.recording_sid)
    )


@cache
def update_wanted(dialect: str) -> Update:
    """Changes those recordings at the time that the parameter `now` says; what else it changes is to be added."""
    keys = wanted(dialect, "keys")
    changed = update(recordings).where(_c.account_sid == keys.account_sid, _c.recording_sid == keys.recording_sid)
    return changed.values(update_time=bindparam("now"), revision=_c.revision + 1)


@cache
def lock_wanted(dialect: str) -> Select[Any]:
    """The same, locked in the order of their keys, in which everybody locks several recordings."""
    return select_wanted(dialect).order_by(_c.account_sid, _c.recording_sid).with_for_update(of=recordings)
