"""Which index SQLite walks along, without statistics, for what is asked often or of a catalogue grown large."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.adapters.sql_catalogue.database import Database
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.core.model import CallDetails, PagePosition, RecordingFilter, RecordingState, Work
from recording_service.core.ports import NamedObject, RowChange
from recording_service.core.typed_search import word_search
from tests.support.events import add_events
from tests.support.recordings import ACCOUNT_SID, TIME, a_recording, another, change, put

MINUTE = timedelta(minutes=1)
KEY_INDEX = "sqlite_autoindex_recordings_1"
DELIVERY_INDEX = "sqlite_autoindex_event_deliveries_1"
LABEL_KEY_INDEX = "sqlite_autoindex_recording_labels_1"
#: From the words to the recordings, and not the other way.
FOUND_BY_WORDS = {"transcript_index VIRTUAL TABLE INDEX", "transcript_words USING INTEGER PRIMARY KEY", KEY_INDEX}
ONE, TWO = another(1), another(2)
HERE = PagePosition(TIME, ACCOUNT_SID, ONE.recording_sid)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed meanwhile, with their parameters."""
    executed: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        executed.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def plans(database: Database, executed: list[tuple[str, Any]]) -> list[str]:
    """The steps by which SQLite finds rows for these statements."""
    steps: list[str] = []
    for statement, parameters in executed:
        if statement.startswith(("SELECT", "UPDATE", "WITH", "DELETE")):
            one = parameters[0] if isinstance(parameters, list) else parameters

            def explain(connection: Any, statement: str = statement, one: Any = one) -> list[str]:
                return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one)]

            steps += database.read(explain)
    watched = (" recordings", " recording_labels", " events", " event_deliveries", " transcript_", "ORDER BY")
    return [step for step in steps if any(one in step for one in watched)]


def page(**narrowed: Any) -> Callable[[SqlCatalogue], object]:
    return lambda catalogue: catalogue.page(RecordingFilter(**narrowed), 10, HERE)


@pytest.mark.parametrize(
    ("ask", "indexes"),
    [
        (lambda catalogue: catalogue.get(ONE.key), {KEY_INDEX}),
        (lambda catalogue: catalogue.get_many([ONE.key, TWO.key]), {KEY_INDEX}),
        (lambda catalogue: change(catalogue, ONE, lease=1), {KEY_INDEX}),
        (lambda catalogue: catalogue.find(ONE.recording_sid), {"recordings_sid"}),
        (lambda catalogue: catalogue.stored(10, ONE.key), {"recordings_ready"}),
        (lambda catalogue: catalogue.changed(TIME, TIME + MINUTE, 10, None), {"recordings_changed"}),
        (lambda catalogue: catalogue.changed(TIME, None, 10, RowChange(TIME, ONE.key, 1)), {"recordings_changed"}),
        (lambda catalogue: catalogue.least_verified(TIME, TIME, 10), {"recordings_verified"}),
        (lambda catalogue: catalogue.mark_verified([NamedObject(ONE.key, "1.mp3")], TIME), {KEY_INDEX}),
        (lambda catalogue: catalogue.backlog(TIME), {"COVERING INDEX recordings_queued"}),
        (lambda catalogue: catalogue.mark_rung([ONE.bell, TWO.bell], TIME), {KEY_INDEX}),
        (
            lambda catalogue: catalogue.claim(ONE.bell, "worker", TIME, MINUTE),
            {
                "recordings_rung (state=?",
                KEY_INDEX,
                "recordings_downloading (state=? AND account_sid=?)",
            },
        ),
        (
            lambda catalogue: catalogue.claim(ONE.bell, "worker", TIME, MINUTE, limit=3),
            {
                "recordings_rung (state=?",
                KEY_INDEX,
                "recordings_downloading (state=? AND account_sid=?)",
            },
        ),
        (
            lambda catalogue: catalogue.claim(ONE.processing_bell, "worker", TIME, MINUTE, work=Work.PROCESSING),
            {
                "recordings_processing_rung (processing_state=?",
                KEY_INDEX,
            },
        ),
        (lambda catalogue: catalogue.raise_lease(ONE.bell, 1, TIME), {KEY_INDEX}),
        (lambda catalogue: catalogue.raise_lease(ONE.processing_bell, 1, TIME), {KEY_INDEX}),
        (lambda catalogue: catalogue.claimed(), {"recordings_downloading", "recordings_processing_running"}),
        (lambda catalogue: catalogue.claimed("worker"), {"recordings_downloading", "recordings_processing_running"}),
        (lambda catalogue: catalogue.due_unrung(TIME, TIME, 10), {"recordings_unrung"}),
        (lambda catalogue: catalogue.due_rung(TIME, TIME, 10, ONE.bell), {"recordings_queued"}),
        (lambda catalogue: catalogue.count_due_rung(), {"COVERING INDEX recordings_rung"}),
        (
            lambda catalogue: catalogue.count_due_rung(limit=2),
            {"COVERING INDEX recordings_rung", "COVERING INDEX recordings_downloading"},
        ),
        (lambda catalogue: catalogue.due_unrung(TIME, TIME, 10, Work.PROCESSING), {"recordings_processing_unrung"}),
        (lambda catalogue: catalogue.due_rung(TIME, TIME, 10, None, Work.PROCESSING), {"recordings_processing_rung"}),
        (lambda catalogue: catalogue.count_due_rung(Work.PROCESSING), {"COVERING INDEX recordings_processing_rung"}),
        (
            lambda catalogue: catalogue.shift_waits(MINUTE, TIME + MINUTE, TIME + 2 * MINUTE),
            {"recordings_unrung", "recordings_processing_unrung"},
        ),
        (
            lambda catalogue: catalogue.end_overlong_waits(TIME, TIME + MINUTE),
            {"recordings_unrung", "recordings_timeless", "recordings_processing_unrung"},
        ),
        (lambda catalogue: catalogue.number_events(), {"events_revision", "INTEGER PRIMARY KEY"}),
        (lambda catalogue: catalogue.events(3, 10), {"events_revision (revision>?)"}),
        (lambda catalogue: catalogue.prune_events(timedelta(0), 10), {"events_revision", DELIVERY_INDEX}),
        (lambda catalogue: catalogue.schedule_deliveries(TIME, 10), {"events_revision (revision>?)"}),
        (
            lambda catalogue: catalogue.claim_deliveries(TIME, MINUTE, MINUTE, 10),
            {"event_deliveries_pending", DELIVERY_INDEX, "events_revision (revision=?)"},
        ),
        (
            lambda catalogue: catalogue.count_deliveries(),
            {"INDEX event_deliveries_pending", "INDEX event_deliveries_given_up"},
        ),
        (lambda catalogue: catalogue.pause(ACCOUNT_SID, TIME, TIME), {"recordings_queued", KEY_INDEX}),
        (lambda catalogue: catalogue.most_urgent(ACCOUNT_SID, TIME), {"recordings_queued"}),
        (page(), {"recordings_age"}),
        (page(states=frozenset({RecordingState.READY})), {"recordings_age"}),
        (page(account_sids=frozenset({ACCOUNT_SID, "AC" + "c" * 32})), {"recordings_age"}),
        (page(account_sids=frozenset({ACCOUNT_SID})), {"recordings_account_age"}),
        (page(states=frozenset({RecordingState.FAILED})), {"recordings_unsettled"}),
        (
            page(states=frozenset({RecordingState.FAILED}), account_sids=frozenset({ACCOUNT_SID})),
            {"recordings_unsettled"},
        ),
        (page(call_sids=frozenset({"CA1"}), account_sids=frozenset({ACCOUNT_SID})), {"recordings_call"}),
        (page(labels={"team": "a"}, account_sids=frozenset({ACCOUNT_SID})), {"recording_labels_value", KEY_INDEX}),
        (page(words=word_search("hello")), FOUND_BY_WORDS),
        (page(words=word_search('hel* "good day"'), account_sids=frozenset({ACCOUNT_SID})), FOUND_BY_WORDS),
        (page(words=word_search("hello"), states=frozenset({RecordingState.FAILED})), FOUND_BY_WORDS),
        (page(words=word_search("hello"), call_sids=frozenset({"CA1"}), create_time_from=TIME), FOUND_BY_WORDS),
        (page(words=word_search("hello"), labels={"team": "a"}), {*FOUND_BY_WORDS, LABEL_KEY_INDEX}),
        (lambda catalogue: catalogue.transcript_texts([ONE.key, TWO.key]), {KEY_INDEX, "transcript_words_key"}),
    ],
)
def test_what_is_asked_is_found_by_an_index(
    sqlite_url: str, ask: Callable[[SqlCatalogue], object], indexes: set[str]
) -> None:
    SqlCatalogue.open(sqlite_url).close()
    with closing(Database(sqlite_url, DatabaseOptions())) as database:
        catalogue = SqlCatalogue(database)
        put(catalogue, ONE, TWO, a_recording(call=CallDetails(labels={"team": "a"})))
        # An event that is to be delivered, one that has a revision, and one that has none.
        catalogue.begin_deliveries()
        add_events(catalogue, 1, first=11)
        catalogue.number_events()
        catalogue.schedule_deliveries(TIME, 10)
        add_events(catalogue, 1, first=12)
        catalogue.number_events()
        add_events(catalogue, 1, first=13)
        with statements() as executed:
            ask(catalogue)
        steps = plans(database, executed)
    finding = [step for step in steps if "ORDER BY" not in step]
    assert finding
    assert all(any(index in step for index in indexes) for step in finding), steps
    assert all(any(index in step for step in finding) for index in indexes), steps


@pytest.mark.parametrize(
    "ask",
    [
        lambda catalogue: catalogue.claim(ONE.bell, "worker", TIME, MINUTE),
        lambda catalogue: catalogue.events(3, 10),
        lambda catalogue: catalogue.prune_events(MINUTE, 10),
        lambda catalogue: catalogue.claim_deliveries(TIME, MINUTE, MINUTE, 10),
        lambda catalogue: catalogue.stored(10, ONE.key),
        lambda catalogue: catalogue.changed(TIME, TIME + MINUTE, 10, None),
        lambda catalogue: catalogue.changed(TIME, None, 10, RowChange(TIME, ONE.key, 1)),
        lambda catalogue: catalogue.least_verified(TIME, TIME, 10),
        lambda catalogue: catalogue.due_rung(TIME, TIME, 10, ONE.bell),
        # Looked for every half a minute, and next to never found.
        lambda catalogue: catalogue.shift_waits(MINUTE, TIME + MINUTE, TIME + 2 * MINUTE),
        lambda catalogue: catalogue.end_overlong_waits(TIME, TIME + MINUTE),
        page(),
        page(account_sids=frozenset({ACCOUNT_SID})),
        page(states=frozenset({RecordingState.FAILED})),
        page(labels={"team": "a"}),
    ],
)
def test_what_is_asked_for_in_order_is_not_sorted(sqlite_url: str, ask: Callable[[SqlCatalogue], object]) -> None:
    SqlCatalogue.open(sqlite_url).close()
    with closing(Database(sqlite_url, DatabaseOptions())) as database:
        with statements() as executed:
            ask(SqlCatalogue(database))
        steps = plans(database, executed)
    assert steps
    assert not [step for step in steps if "ORDER BY" in step]
