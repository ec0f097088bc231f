"""The catalogues that the contract suite runs over, each empty for each test."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, delete, update

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.adapters.sql_catalogue.schema import (
    account_turns,
    artefacts,
    dispatcher,
    event_deliveries,
    event_feed,
    events,
    paused_accounts,
    recording_labels,
    recordings,
    transcript_words,
)
from recording_service.core.ports import Catalogue
from tests.support.databases import DATABASES, postgresql_schema


class DatabasesWithSchema:
    """The databases with the schema in place, made once: each is emptied again, or copied, for each test."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._template = folder / "template.sqlite3"
        self._stack = stack
        self._postgresql: str | None = None

    def sqlite(self, folder: Path) -> str:
        """The URL of an empty SQLite file in that folder."""
        if not self._template.exists():
            SqlCatalogue.open(f"sqlite:///{self._template}").close()
        shutil.copy(self._template, folder / "catalogue.sqlite3")
        return f"sqlite:///{folder}/catalogue.sqlite3"

    def postgresql(self) -> str:
        """The URL of an empty schema, the same one each time."""
        if self._postgresql is None:
            self._postgresql = self._stack.enter_context(postgresql_schema())
            SqlCatalogue.open(self._postgresql).close()
        engine = create_engine(self._postgresql)
        with engine.begin() as connection:
            for table in (
                recording_labels,
                artefacts,
                transcript_words,
                recordings,
                paused_accounts,
                account_turns,
                events,
                event_deliveries,
            ):
                connection.execute(delete(table))
            connection.execute(update(dispatcher).values(holder="", lease=0))
            connection.execute(
                update(event_feed).values(
                    revision=0,
                    pruned_revision=0,
                    age=0,
                    scheduled_revision=None,
                    held_until=None,
                    forgotten=0,
                    is_copy=0,
                )
            )
        engine.dispose()
        return self._postgresql


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabasesWithSchema]:
    with ExitStack() as stack:
        yield DatabasesWithSchema(tmp_path_factory.mktemp("catalogues"), stack)


@pytest.fixture(params=DATABASES)
def catalogue_url(request: pytest.FixtureRequest, tmp_path: Path, databases: DatabasesWithSchema) -> str:
    """The URL of an empty catalogue in SQL, to be opened by as many processes as a test likes."""
    return databases.sqlite(tmp_path) if request.param == "sqlite" else databases.postgresql()


@pytest.fixture(params=("memory", *DATABASES))
def catalogue(request: pytest.FixtureRequest, tmp_path: Path, databases: DatabasesWithSchema) -> Iterator[Catalogue]:
    """An empty catalogue."""
    if request.param == "memory":
        yield MemoryCatalogue()
        return
    url = databases.sqlite(tmp_path) if request.param == "sqlite" else databases.postgresql()
    with closing(SqlCatalogue.open(url, migrate=False)) as opened:
        yield opened
