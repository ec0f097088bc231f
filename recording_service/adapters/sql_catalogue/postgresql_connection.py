"""A connection to PostgreSQL that does not wait for ever.

`statement_timeout` is the server's: one that hangs, or whose host has gone without a word, never looks at it. Nor does
TCP help while the other kernel still answers, and a unix socket knows no time-outs at all.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

T = TypeVar("T")


class AnswerOverdue(psycopg.OperationalError):
    """Raised when a server did not answer in time. Whoever asks again at once waits as long again."""

    #: For `errors.is_repeatable`, which must not need this driver.
    is_overdue = True


class BoundedConnection(psycopg.Connection[Any]):
    """Gives a server up that does not answer in time."""

    #: How long any answer may take, in seconds; None: for ever.
    answer_seconds: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Waits for an answer. Raises AnswerOverdue, and closes the connection, if it does not come in time."""
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            # What may still come is the answer to a question that nobody asks any more.
            self.pgconn.finish()
            raise AnswerOverdue(str(error)) from error


def connecting(answer_seconds: float) -> Callable[..., BoundedConnection]:
    """What connects, for SQLAlchemy's `do_connect`."""

    def connect(_dialect: Any, _record: Any, arguments: Any, named: Any) -> BoundedConnection:
        connection: BoundedConnection = BoundedConnection.connect(*arguments, **named)
        connection.answer_seconds = answer_seconds
        return connection

    return connect
