"""What holds on every database: waiting is bounded, and bugs are not called outages."""

from contextlib import closing
from threading import Event, Thread

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.adapters.sql_catalogue.database import Database
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.core.errors import CatalogueUnavailable
from tests.support.impatience import BOUND_SECONDS, PATIENCE_SECONDS, unavailable_in_time
from tests.support.recordings import a_recording


def test_connections_that_are_all_taken_are_waited_for_in_bounds(url: str) -> None:
    SqlCatalogue.open(url).close()
    reading, done = Event(), Event()

    def read_slowly(_: Connection) -> None:
        reading.set()
        done.wait(2 * BOUND_SECONDS)

    with closing(Database(url, DatabaseOptions(pool_size=1, pool_seconds=PATIENCE_SECONDS))) as database:
        catalogue = SqlCatalogue(database)
        thread = Thread(target=database.read, args=(read_slowly,))
        thread.start()
        reading.wait(BOUND_SECONDS)
        with unavailable_in_time():
            catalogue.get(a_recording().key)
        done.set()
        thread.join()
        assert catalogue.get(a_recording().key) is None


def test_a_statement_that_is_wrong_is_a_bug_and_no_outage(url: str) -> None:
    with closing(SqlCatalogue.open(url)), closing(Database(url, DatabaseOptions())) as database:
        for run in (database.read, database.write):
            with pytest.raises(DBAPIError):
                run(lambda connection: connection.execute(text("SELECT nothing FROM nowhere")).all())


def test_the_error_of_the_database_is_the_cause_and_not_the_message(url: str) -> None:
    SqlCatalogue.open(url).close()
    with closing(Database(url, DatabaseOptions(pool_size=1, pool_seconds=0.01))) as database:

        def read_twice(_: Connection) -> None:
            database.rows(text("SELECT 1"), {})

        with pytest.raises(CatalogueUnavailable) as caught:
            database.read(read_twice)
    assert str(caught.value) == str(CatalogueUnavailable())
    assert caught.value.__cause__ is not None
