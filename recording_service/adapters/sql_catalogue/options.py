"""How the catalogue uses its database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """How long anything may wait, in seconds, and how many connections there may be."""

    #: For a lock that another transaction holds (SQLite's busy_timeout).
    lock_seconds: float = 2.0
    #: For the answer to one statement; PostgreSQL only: SQLite waits for nothing but locks.
    statement_seconds: float = 5.0
    #: For a new connection; PostgreSQL only. libpq takes whole seconds, and at least 2.
    connect_seconds: int = 3
    #: For a connection of the pool, where all of them are taken.
    pool_seconds: float = 2.0
    #: The most connections there are; they are kept open. Of many threads, a few use the database at once.
    pool_size: int = 16
    #: Off while migrating: SQLite changes a table by dropping it, which would cascade.
    foreign_keys: bool = True
