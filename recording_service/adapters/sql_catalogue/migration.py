"""Brings a database to the schema of this version, with Alembic, in one transaction and one process at a time."""

from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from recording_service.adapters.sql_catalogue.database import Database
from recording_service.adapters.sql_catalogue.engine import create_database
from recording_service.adapters.sql_catalogue.errors import SchemaMismatch
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.adapters.sql_catalogue.revision import found_revision
from recording_service.adapters.sql_catalogue.schema import SCHEMA_REVISION

#: Where the migrations are, by package, so that they are found wherever it is installed.
SCRIPT_LOCATION = "recording_service.adapters.sql_catalogue:migrations"

#: PostgreSQL's advisory lock of the migrations: an arbitrary number, this service's own.
MIGRATION_LOCK = 7_202_411_230_001

#: A migration may take its time, and the processes that start meanwhile wait for it.
MIGRATION_OPTIONS = DatabaseOptions(lock_seconds=60, statement_seconds=600, pool_size=1, foreign_keys=False)

#: Alembic keeps what it is doing in variables of its modules.
_alembic = Lock()


def migrate(url: str) -> None:
    """Applies what is missing, all or nothing. Idempotent; any number of processes may call it at once.

    Raises SchemaMismatch if the database has been used by a newer version, and CatalogueUnavailable if it does not
    answer, or another process migrates for longer than anyone should wait.
    """
    create_database(url, MIGRATION_OPTIONS)
    database = Database(url, MIGRATION_OPTIONS)
    try:
        with _alembic:
            database.write(_upgrade)
    finally:
        database.close()


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration, for that connection; there is no alembic.ini."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", SCRIPT_LOCATION)
    return config


def _upgrade(connection: Connection) -> None:
    # On SQLite the transaction itself keeps other processes out.
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = found_revision(connection)
    if found is not None and found not in known:
        raise SchemaMismatch(found, SCHEMA_REVISION)
    command.upgrade(config, "head")
