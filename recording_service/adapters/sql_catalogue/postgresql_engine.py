"""PostgreSQL: what a session is set to."""

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

from recording_service.adapters.sql_catalogue.options import DatabaseOptions

#: psycopg 3, whichever driver the URL names.
DRIVER = "postgresql+psycopg"

#: Seconds of silence after which a TCP connection is probed, and seconds between two probes.
KEEPALIVE_SECONDS = 5

#: How much longer than for a statement an answer is waited for, in seconds.
ANSWER_MARGIN_SECONDS = 1.0


def postgresql_engine(url: URL, options: DatabaseOptions) -> Engine:
    """The engine for that server. Connects to nothing. What the URL says goes before what is said here."""
    # Imported only where it is used: SQLite needs no driver for PostgreSQL.
    from recording_service.adapters.sql_catalogue.postgresql_connection import connecting

    query: dict[str, Any] = dict(url.query)
    engine = create_engine(
        url.set(drivername=DRIVER),
        connect_args=_arguments(options) | query | {"options": _session(options, query.get("options", ()))},
        isolation_level="READ COMMITTED",
        pool_size=options.pool_size,
        max_overflow=0,
        pool_timeout=options.pool_seconds,
        hide_parameters=True,  # errors quote their statement: numbers and labels are in its values
        pool_use_lifo=True,
        use_native_hstore=False,  # or the first connection would ask for the type
    )
    # The server's own time-out comes first, as long as it lives.
    event.listen(engine, "do_connect", connecting(options.statement_seconds + ANSWER_MARGIN_SECONDS))
    return engine


def _arguments(options: DatabaseOptions) -> dict[str, Any]:
    return {
        "connect_timeout": options.connect_seconds,
        "keepalives_idle": KEEPALIVE_SECONDS,
        "keepalives_interval": KEEPALIVE_SECONDS,
        "keepalives_count": 2,
        "tcp_user_timeout": round(2 * options.statement_seconds * 1000),
        "application_name": "recording-service",
    }


def _session(options: DatabaseOptions, theirs: str | tuple[str, ...]) -> str:
    ours = {
        "lock_timeout": round(options.lock_seconds * 1000),
        "statement_timeout": round(options.statement_seconds * 1000),
        # A process that was stopped amid a transaction must not keep its rows locked.
        "idle_in_transaction_session_timeout": round(2 * options.statement_seconds * 1000),
        # What is committed is on the medium (design.md §2), whatever the server's default is.
        "synchronous_commit": "on",
    }
    settings = [f"-c {name}={value}" for name, value in ours.items()]
    return " ".join([*settings, *([theirs] if isinstance(theirs, str) else theirs)])
