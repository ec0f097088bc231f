"""Databases without a schema, one for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import DATABASES, postgresql_schema


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.sqlite3"
    path.touch()
    return path


@pytest.fixture
def sqlite_url(sqlite_path: Path) -> str:
    return f"sqlite:///{sqlite_path}"


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    with postgresql_schema() as url:
        yield url


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of every kind that is to be had here."""
    chosen: str = request.getfixturevalue(f"{request.param}_url")
    return chosen
