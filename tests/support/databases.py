"""Databases for tests: an SQLite file, or a schema of its own in the PostgreSQL of RECORDING_TEST_POSTGRES_URL.

Without that variable there is no PostgreSQL to be had, and the tests run over SQLite alone; where CI is set, that is an
error (`.ci/postgresql start FOLDER` starts a private one).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

POSTGRESQL_URL = os.environ.get("RECORDING_TEST_POSTGRES_URL", "")

if not POSTGRESQL_URL and os.environ.get("CI"):
    raise pytest.UsageError(
        "RECORDING_TEST_POSTGRES_URL is not set: in CI the tests of the catalogue have to run on PostgreSQL too"
    )

#: The kinds of database that are to be had here.
DATABASES = ("sqlite", "postgresql") if POSTGRESQL_URL else ("sqlite",)


@contextmanager
def postgresql_schema() -> Iterator[str]:
    """The URL of an empty schema, which is dropped in the end with everything in it."""
    schema = f"test_{uuid4().hex}"
    engine = create_engine(POSTGRESQL_URL, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        url = make_url(POSTGRESQL_URL).update_query_dict({"options": f"-c search_path={schema}"})
        yield url.render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()
