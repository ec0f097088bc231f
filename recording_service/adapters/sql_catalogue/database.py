"""Transactions: where they begin and end, what is done again, and how errors are translated. Safe across a fork."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakSet

from sqlalchemy import Connection, Executable, Pool, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from recording_service.adapters.sql_catalogue.engine import build_engine
from recording_service.adapters.sql_catalogue.errors import is_repeatable, is_unavailable
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.adapters.sql_catalogue.rows import Values
from recording_service.core.errors import CatalogueUnavailable

T = TypeVar("T")

#: How often a transaction is done that a deadlock or a connection found dead has undone.
ROUNDS = 4


class Database:
    """Runs units of work on pooled connections. Safe to use from many threads.

    Work is a function of a connection. It may be run more than once, each time in a new transaction, and must not keep
    the connection. Errors of the database become CatalogueUnavailable; those that a bug causes stay as they are.

    A process that forks: an SQLite connection must not be open across a fork. The child would count on file locks that
    only its parent holds, even for connections of its own, and a WAL could be removed under it. So idle connections are
    closed before every `os.fork`, and a child that inherited one nevertheless refuses to work. Inherited connections to
    PostgreSQL are left alone. Nothing needs to be called for that.
    """

    def __init__(self, url: str, options: DatabaseOptions) -> None:
        self._engine = build_engine(url, options)
        self.dialect = self._engine.dialect.name
        self._is_sqlite = self.dialect == "sqlite"
        # One statement needs no transaction of its own; without one, PostgreSQL is asked once and not three times.
        self._reader = self._engine if self._is_sqlite else self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._lock_seconds = options.lock_seconds
        self._turn = Lock()
        self._process_id = os.getpid()
        self._open: WeakSet[Any] = WeakSet()
        self._forks = 0
        self._inherited: list[Pool] = []
        self._is_unusable = False
        event.listen(self._engine, "connect", self._note_opened)
        event.listen(self._engine, "checkin", self._note_returned)
        event.listen(self._engine, "close", self._note_closed)
        _databases.add(self)

    def rows(self, statement: Executable, parameters: Mapping[str, object]) -> Sequence[Values]:
        """The rows that one reading statement gives."""
        return self.read(lambda connection: connection.execute(statement, parameters).all())

    def read(self, work: Callable[[Connection], T]) -> T:
        """Runs work that only reads. Each statement sees what is committed when it begins."""
        return self._run(self._read_once, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Runs work in one transaction, committed and flushed on return. Whatever the work raises undoes it."""
        return self._run(self._write_once, work)

    def close(self) -> None:
        """Closes every idle connection; those in use are closed when they are given back."""
        self._engine.dispose()

    def _run(self, once: Callable[[Callable[[Connection], T]], T], work: Callable[[Connection], T]) -> T:
        if self._is_unusable:
            raise RuntimeError("this process was forked while another thread used the catalogue")
        rounds = ROUNDS
        while True:
            rounds -= 1
            try:
                return once(work)
            except SQLAlchemyError as error:
                if rounds and is_repeatable(error):
                    continue
                if is_unavailable(error):
                    raise CatalogueUnavailable from error
                raise

    def _read_once(self, work: Callable[[Connection], T]) -> T:
        with self._reader.connect() as connection:
            return work(connection)

    def _write_once(self, work: Callable[[Connection], T]) -> T:
        with self._turn_to_write(), self._engine.connect() as connection:
            if self._is_sqlite:
                # Taking the lock when the first statement writes could fail at once, with SQLITE_BUSY_SNAPSHOT.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            result = work(connection)
            try:
                connection.commit()
            except DBAPIError as error:
                # Not to be done again: nobody knows whether it has been committed.
                raise CatalogueUnavailable from error
            return result

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """Lets one thread of this process write to SQLite at a time.

        SQLite's own waiting is polling with growing pauses, and serves whoever happens to look at the right moment.
        """
        if not self._is_sqlite:
            yield
            return
        turn = self._turn
        if not turn.acquire(timeout=self._lock_seconds):
            raise CatalogueUnavailable
        try:
            yield
        finally:
            turn.release()

    def before_fork(self) -> None:
        """Closes the idle SQLite connections of this process; they come back when they are needed."""
        if self._is_sqlite:
            self._forks += 1
            self._engine.dispose()

    def after_fork(self) -> None:
        """Makes the database fit for use in a child process. Idempotent."""
        if self._process_id == os.getpid():
            return
        self._process_id = os.getpid()
        self._turn = Lock()
        self._is_unusable = self._is_sqlite and len(self._open) > 0
        # Kept, for what is collected is closed, and the parent goes on using it.
        self._inherited.append(self._engine.pool)
        self._engine.dispose(close=False)

    def _note_opened(self, connection: Any, entry: ConnectionPoolEntry) -> None:
        self._open.add(connection)
        entry.info["forks"] = self._forks

    def _note_returned(self, _: object, entry: ConnectionPoolEntry) -> None:
        # One that was in use at a fork comes back to a pool that is there no more, and must not stay open for the next.
        if entry.info.get("forks") != self._forks:
            entry.invalidate()

    def _note_closed(self, connection: Any, _: object) -> None:
        self._open.discard(connection)


#: Every database of this process, for the forks.
_databases: WeakSet[Database] = WeakSet()


def _before_fork() -> None:
    for database in list(_databases):
        database.before_fork()


def _after_fork() -> None:
    for database in list(_databases):
        database.after_fork()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
