"""What is particular to PostgreSQL: sessions, locked rows, lost connections."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.adapters.sql_catalogue.database import Database
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.adapters.sql_catalogue.paging import page_statement
from recording_service.core.model import Recording, RecordingFilter
from recording_service.core.typed_search import word_search
from tests.support.databases import POSTGRESQL_URL
from tests.support.impatience import IMPATIENT, unavailable_in_time
from tests.support.recordings import ACCOUNT_SID, TIME, a_recording, another, change, now_of, put
from tests.support.simultaneous import simultaneously
from tests.support.waiting import eventually

#: Where there is no PostgreSQL, there are no tests of it (tests.support.databases: in CI there has to be one).
__test__ = bool(POSTGRESQL_URL)

MINUTE = timedelta(minutes=1)


@contextmanager
def locked(url: str, *rows: Recording) -> Iterator[Connection]:
    """What another host does that is amid a change of these rows."""
    engine = create_engine(url)
    with engine.connect() as connection:
        for row in rows:
            statement = text("SELECT 1 FROM recordings WHERE recording_sid = :recording_sid FOR UPDATE")
            connection.execute(statement, {"recording_sid": row.recording_sid})
        yield connection
    engine.dispose()


def is_waiting_for_a_lock(connection: Connection) -> bool:
    """Whether any session waits for one that this one holds."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    return bool(connection.execute(text(statement)).scalar())


# The index of words


def test_recordings_are_found_by_the_index_of_words(postgresql_url: str) -> None:
    SqlCatalogue.open(postgresql_url).close()
    matching = RecordingFilter(words=word_search('hel* "good day"'), account_sids=frozenset({ACCOUNT_SID}))

    def plan(connection: Connection) -> str:
        # Of a table this small it would read all.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        statement = page_statement(matching, 10, None, "postgresql")
        query = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {query}", query.params))

    with closing(Database(postgresql_url, DatabaseOptions())) as database:
        found = database.write(plan)
    assert "Bitmap Index Scan on transcript_words_lexemes" in found
    assert "Seq Scan" not in found


# Sessions


def test_nothing_is_waited_for_without_end_and_what_is_committed_is_durable(postgresql_url: str) -> None:
    options = DatabaseOptions(lock_seconds=1.5, statement_seconds=4)
    with closing(Database(postgresql_url, options)) as database:

        def setting(name: str) -> object:
            return database.write(lambda connection: connection.execute(text(f"SHOW {name}")).scalar())

        assert setting("lock_timeout") == "1500ms"
        assert setting("statement_timeout") == "4s"
        assert setting("idle_in_transaction_session_timeout") == "8s"
        assert setting("synchronous_commit") == "on"
        assert setting("transaction_isolation") == "read committed"


def test_what_the_operator_says_in_the_url_goes_before(postgresql_url: str) -> None:
    query = {"options": "-c lock_timeout=77ms", "application_name": "theirs"}
    url = make_url(postgresql_url).update_query_dict(query, append=True).render_as_string()
    with closing(Database(url, DatabaseOptions())) as database:
        rows = database.rows(text("SELECT current_setting('lock_timeout'), current_setting('application_name')"), {})
    assert [tuple(row) for row in rows] == [("77ms", "theirs")]


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_any_url_of_postgresql_is_taken(postgresql_url: str, scheme: str) -> None:
    url = make_url(postgresql_url).set(drivername=scheme).render_as_string()
    SqlCatalogue.open(url).close()


# Bounds


def test_a_row_that_another_host_has_locked_makes_writers_give_up_in_time(postgresql_url: str) -> None:
    recording = a_recording(rung_time=TIME)
    with closing(SqlCatalogue.open(postgresql_url, options=IMPATIENT)) as catalogue:
        put(catalogue, recording)
        writers: list[Callable[[], object]] = [
            lambda: change(catalogue, recording, lease=1),
            lambda: catalogue.claim(recording.bell, "worker", TIME, MINUTE),
            lambda: catalogue.pause(recording.account_sid, TIME, TIME),
            lambda: catalogue.raise_lease(another(1).bell, 1, TIME) or change(catalogue, recording, lease=1),
        ]
        with locked(postgresql_url, recording):
            for write in writers:
                with unavailable_in_time():
                    write()
            assert catalogue.get(recording.key) == recording
        assert change(catalogue, recording, lease=1).lease == 1


def test_an_answer_that_does_not_come_is_waited_for_in_bounds(postgresql_url: str) -> None:
    with closing(Database(postgresql_url, IMPATIENT)) as database:
        for run in (database.read, database.write):
            with unavailable_in_time():
                run(lambda connection: connection.execute(text("SELECT pg_sleep(60)")).all())


def test_a_server_that_hangs_is_waited_for_once(postgresql_url: str) -> None:
    # As where its disk hangs: it takes connections and statements, and its own time-out does not come either.
    query = {"options": "-c statement_timeout=0"}
    url = make_url(postgresql_url).update_query_dict(query).render_as_string()
    rounds: list[str] = []

    def work(connection: Connection) -> None:
        rounds.append("one")
        connection.execute(text("SELECT pg_sleep(5)")).all()

    with closing(Database(url, IMPATIENT)) as database:
        for run in (database.read, database.write):
            rounds.clear()
            with unavailable_in_time():
                run(work)
            assert rounds == ["one"]
        assert [tuple(row) for row in database.rows(text("SELECT 1"), {})] == [(1,)]


def test_a_server_that_is_not_there_is_unavailable() -> None:
    for migrate in (True, False):
        with unavailable_in_time():
            SqlCatalogue.open("postgresql://nobody@127.0.0.1:1/nothing", migrate=migrate)


# Claims


def test_a_row_that_another_worker_is_taking_is_passed_over(postgresql_url: str) -> None:
    urgent, other = another(1, rung_time=TIME), another(2, rung_time=TIME)
    with closing(SqlCatalogue.open(postgresql_url, options=IMPATIENT)) as catalogue:
        put(catalogue, urgent, other)
        with locked(postgresql_url, urgent):
            taken = catalogue.claim(urgent.bell, "worker", TIME, MINUTE)
        assert taken is not None
        assert taken.key == other.key


def test_where_there_is_nothing_else_a_locked_row_is_waited_for(postgresql_url: str) -> None:
    # Its ringer may be noting the bell just now: a bell that is heard in vain is lost.
    assert is_taken_though_changed_meanwhile(postgresql_url, a_recording(), "rung_time = 1")


def test_a_row_that_becomes_more_urgent_while_it_is_waited_for_is_taken_all_the_same(postgresql_url: str) -> None:
    assert is_taken_though_changed_meanwhile(postgresql_url, a_recording(rung_time=TIME), "priority = 1")


def is_taken_though_changed_meanwhile(url: str, recording: Recording, change: str) -> bool:
    """Whether a claim takes the only row, which somebody has locked, and changes once the claim waits for it."""
    with closing(SqlCatalogue.open(url)) as catalogue, locked(url) as other:
        put(catalogue, recording)

        def change_slowly() -> None:
            other.execute(text(f"UPDATE recordings SET {change}, revision = 2"))  # noqa: S608 - our own words
            eventually(lambda: is_waiting_for_a_lock(other), what="the claim's waiting")
            other.commit()

        def claim_when_locked() -> Recording | None:
            with closing(Database(url, DatabaseOptions())) as database:
                locks = text("SELECT 1 FROM recordings FOR UPDATE SKIP LOCKED")
                eventually(lambda: not database.write(lambda connection: connection.execute(locks).all()))
            return catalogue.claim(recording.bell, "worker", TIME, MINUTE)

        _, taken = simultaneously([change_slowly, claim_when_locked])
        return taken is not None and now_of(catalogue, recording).claimed_by == "worker"


def test_a_worker_that_is_amid_its_claim_keeps_no_other_from_claiming_for_the_same_account(postgresql_url: str) -> None:
    with closing(SqlCatalogue.open(postgresql_url, options=IMPATIENT)) as catalogue:
        put(catalogue, *(another(number, rung_time=TIME) for number in range(3)))
        assert catalogue.claim(None, "worker", TIME, MINUTE) is not None
        with locked(postgresql_url) as other:
            other.execute(text("UPDATE account_turns SET turn = turn + 1"))
            assert catalogue.claim(None, "worker", TIME, MINUTE) is not None
            other.commit()
        assert catalogue.claim(None, "worker", TIME, MINUTE) is not None


# Lost connections, deadlocks


def test_connections_that_the_server_has_closed_are_replaced(postgresql_url: str) -> None:
    name = uuid4().hex
    url = make_url(postgresql_url).update_query_dict({"application_name": name}).render_as_string()
    with closing(SqlCatalogue.open(url)) as catalogue, locked(postgresql_url) as other:
        # Several of them: each must be noticed.
        simultaneously([partial(catalogue.get, another(number).key) for number in range(6)])

        def hang_up() -> None:
            hanging_up = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name")
            other.execute(hanging_up, {"name": name})
            other.commit()

        hang_up()
        put(catalogue, a_recording())
        hang_up()
        assert catalogue.get(a_recording().key) == a_recording()


def test_a_transaction_that_a_deadlock_has_undone_is_done_again(postgresql_url: str) -> None:
    rows = [another(1), another(2)]
    with closing(SqlCatalogue.open(postgresql_url)) as catalogue:
        put(catalogue, *rows)
    both_hold_one = Barrier(2)

    def count_up(database: Database, order: list[Recording]) -> int:
        rounds = 0

        def work(connection: Connection) -> None:
            nonlocal rounds
            rounds += 1
            for row in order:
                statement = text("UPDATE recordings SET lease = lease + 1 WHERE recording_sid = :recording_sid")
                connection.execute(statement, {"recording_sid": row.recording_sid})
                if rounds == 1 and row is order[0]:
                    both_hold_one.wait(20)

        database.write(work)
        return rounds

    with closing(Database(postgresql_url, DatabaseOptions(lock_seconds=20, statement_seconds=30))) as database:
        rounds = simultaneously([partial(count_up, database, rows), partial(count_up, database, rows[::-1])])
        assert max(rounds) > 1
        counted = database.rows(text("SELECT lease FROM recordings"), {})
    assert [tuple(row) for row in counted] == [(2,), (2,)]


def test_a_transaction_whose_commit_failed_is_not_done_again(postgresql_url: str) -> None:
    # Whether it was committed, nobody knows.
    rounds = 0

    def work(connection: Connection) -> None:
        nonlocal rounds
        rounds += 1
        victim = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with locked(postgresql_url) as other:
            other.execute(text("SELECT pg_terminate_backend(:victim, 5000)"), {"victim": victim})

    with closing(Database(postgresql_url, DatabaseOptions())) as database, unavailable_in_time():
        database.write(work)
    assert rounds == 1


def test_what_postgresql_refuses_to_store_is_a_bug_and_no_outage(postgresql_url: str) -> None:
    with closing(SqlCatalogue.open(postgresql_url)) as catalogue:
        with pytest.raises(DBAPIError):
            put(catalogue, a_recording(request_id="a\0b"))
        assert catalogue.get(a_recording().key) is None
