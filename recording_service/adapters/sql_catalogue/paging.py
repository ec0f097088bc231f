"""The statement that lists recordings: newest first, narrowed by a filter, after a position.

Every filter is met by an index that has the recordings in this order already, so that a page costs the same however
many there are: those of an account, those with a label, those that are not READY, or all of them. Only those in which
something is said are all looked up, by the index of words, and sorted.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, select, tuple_

from recording_service.adapters.sql_catalogue.rows import to_microseconds
from recording_service.adapters.sql_catalogue.schema import AGE, has_call, is_unsettled, recording_labels, recordings
from recording_service.adapters.sql_catalogue.word_index import has_words, joined_with_words
from recording_service.core.model import PagePosition, RecordingFilter, RecordingState

#: The states of the rows that have an index of their own.
UNSETTLED = frozenset({RecordingState.QUEUED, RecordingState.DOWNLOADING, RecordingState.FAILED})

_c = recordings.c
_l = recording_labels.c


def page_statement(matching: RecordingFilter, size: int, after: PagePosition | None, dialect: str) -> Select[Any]:
    """At most `size` recordings that match, newest first, after that position."""
    statement = select(recordings)
    age: Sequence[ColumnElement[Any]] = AGE
    labels = sorted(matching.labels.items())
    if matching.words is not None:
        statement = statement.select_from(joined_with_words(dialect))
        statement = statement.where(*has_words(dialect, matching.words), *(_has_label(*label) for label in labels))
    elif labels:
        # Along the index of one label.
        age = (_l.create_time, _l.account_sid, _l.recording_sid)
        (key, value), *others = labels
        is_same = and_(_c.account_sid == _l.account_sid, _c.recording_sid == _l.recording_sid)
        statement = statement.join_from(recording_labels, recordings, is_same)
        statement = statement.where(_l.key == key, _l.value == value, *(_has_label(*label) for label in others))
    if after is not None:
        position = (to_microseconds(after.create_time), after.account_sid, after.recording_sid)
        statement = statement.where(tuple_(*age) < tuple_(*(literal(value) for value in position)))
    statement = statement.where(*_conditions(matching, age[0]))
    return statement.order_by(*(column.desc() for column in age)).limit(size)


def _conditions(matching: RecordingFilter, create_time: ColumnElement[int]) -> Iterator[ColumnElement[bool]]:
    yield from _indexed_conditions(matching)
    if matching.states:
        yield _c.state.in_(sorted(state.value for state in matching.states))
    if matching.failure_reasons:
        yield _c.failure_reason.in_(sorted(reason.value for reason in matching.failure_reasons))
    if matching.account_sids:
        yield _unindexed(_c.account_sid).in_(sorted(matching.account_sids))
    if matching.create_time_from is not None:
        yield create_time >= to_microseconds(matching.create_time_from)
    if matching.create_time_before is not None:
        yield create_time < to_microseconds(matching.create_time_before)


def _indexed_conditions(matching: RecordingFilter) -> Iterator[ColumnElement[bool]]:
    """Those by which an index is to be chosen, beside the one of the labels; given in the words of the index."""
    if matching.call_sids:
        yield _c.call_sid.in_(sorted(matching.call_sids))
        if "" not in matching.call_sids:
            yield has_call
    elif matching.labels or matching.words is not None:
        return
    elif matching.states and matching.states <= UNSETTLED:
        yield is_unsettled
    elif len(matching.account_sids) == 1:
        yield _c.account_sid == next(iter(matching.account_sids))


def _unindexed(text: ColumnElement[str]) -> ColumnElement[str]:
    """The same text, but not for looking it up: SQLite would read all recordings of these accounts and sort them."""
    return text.concat("")


def _has_label(key: str, value: str) -> ColumnElement[bool]:
    other = recording_labels.alias()
    return exists().where(
        other.c.account_sid == _c.account_sid,
        other.c.recording_sid == _c.recording_sid,
        other.c.key == key,
        other.c.value == value,
    )
