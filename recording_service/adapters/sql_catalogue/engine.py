"""From a URL to SQLAlchemy's engine."""

from sqlalchemy import Engine, make_url

from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.adapters.sql_catalogue.postgresql_engine import postgresql_engine
from recording_service.adapters.sql_catalogue.sqlite_engine import create_sqlite_file, sqlite_engine, sqlite_path


def build_engine(url: str, options: DatabaseOptions) -> Engine:
    """The engine of that URL (`sqlite:////path` or `postgresql://…`); ValueError for any other. Connects to nothing."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return sqlite_engine(sqlite_path(url), options)
        case "postgresql":
            return postgresql_engine(parsed, options)
        case other:
            raise ValueError(f"the catalogue can't be kept in {other}: only in sqlite or postgresql")


def create_database(url: str, options: DatabaseOptions) -> None:
    """Makes an empty SQLite file, where there is none. A PostgreSQL database is the operator's to make."""
    if make_url(url).get_backend_name() == "sqlite":
        create_sqlite_file(sqlite_path(url), options)
