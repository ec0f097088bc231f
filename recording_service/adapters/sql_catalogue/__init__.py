"""The catalogue in SQL: SQLite in a file, or PostgreSQL for several hosts (design.md §2)."""

from recording_service.adapters.sql_catalogue.catalogue import SqlCatalogue
from recording_service.adapters.sql_catalogue.errors import SchemaMismatch

__all__ = ["SchemaMismatch", "SqlCatalogue"]
