"""Which schema a database has, and whether it is the one of this version."""

from sqlalchemy import Connection, column, inspect, select, table

from recording_service.adapters.sql_catalogue.errors import SchemaMismatch
from recording_service.adapters.sql_catalogue.schema import SCHEMA_REVISION

_VERSIONS = table("alembic_version", column("version_num"))


def found_revision(connection: Connection) -> str | None:
    """The revision that the database is at; None if no migration has ever been applied."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    return connection.execute(select(_VERSIONS.c.version_num)).scalar()


def require_current(connection: Connection) -> None:
    """Raises SchemaMismatch unless the database has the schema of this version."""
    found = found_revision(connection)
    if found != SCHEMA_REVISION:
        raise SchemaMismatch(found, SCHEMA_REVISION)
