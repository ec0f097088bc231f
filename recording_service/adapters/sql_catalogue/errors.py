"""Which of SQLAlchemy's errors mean that the database is unavailable, and which are a bug of ours."""

from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError, TimeoutError

from recording_service.core.errors import CatalogueUnavailable

#: SQLite's code for "this statement is wrong", which its driver calls operational (sqlite.org/rescode.html).
SQLITE_ERROR = 1

#: SQLite's codes for a damaged file and for one that is no database, which its driver calls neither operational.
SQLITE_DAMAGED = frozenset({11, 26})

#: PostgreSQL's codes for a transaction that must be done again: serialization_failure and deadlock_detected.
REPEATABLE_SQLSTATES = frozenset({"40001", "40P01"})


class SchemaMismatch(CatalogueUnavailable):
    """Raised when the database has another schema than this version of the service works with.

    `found` is None where there is no schema at all. A newer version has to be started, or (an older schema) the
    migrations applied.
    """

    def __init__(self, found: str | None, expected: str) -> None:
        super().__init__()
        self.args = (f"the catalogue has schema {found or 'none'}, and this version works with schema {expected}",)
        self.found = found
        self.expected = expected


def is_unavailable(error: Exception) -> bool:
    """Whether the database did not answer in time, refused or broke; otherwise the error is a bug."""
    if isinstance(error, TimeoutError):
        return True  # all connections of the pool were taken
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    code = sqlite_code(error)
    if code is None:
        return isinstance(error, OperationalError | InternalError)
    if isinstance(error, OperationalError):
        return code != SQLITE_ERROR
    return isinstance(error, DatabaseError) and code in SQLITE_DAMAGED


def is_repeatable(error: Exception) -> bool:
    """Whether a transaction was undone before its commit, through no fault of its own: it may be done again at once.

    A connection that was found dead cost no time. One that was closed because no answer came has cost all that a call
    may take.
    """
    if not isinstance(error, DBAPIError) or getattr(error.orig, "is_overdue", False):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in REPEATABLE_SQLSTATES


def sqlite_code(error: DBAPIError) -> int | None:
    """SQLite's primary result code; None if the error is not SQLite's."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF
