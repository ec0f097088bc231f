"""The catalogue in SQL, put together."""

import logging
from typing import Self

from recording_service.adapters.sql_catalogue.accounts import SqlAccounts
from recording_service.adapters.sql_catalogue.amendments import SqlAmendments
from recording_service.adapters.sql_catalogue.artefacts import SqlArtefacts
from recording_service.adapters.sql_catalogue.attempts import SqlAttempts
from recording_service.adapters.sql_catalogue.claims import SqlClaims
from recording_service.adapters.sql_catalogue.database import Database
from recording_service.adapters.sql_catalogue.deliveries import SqlDeliveries
from recording_service.adapters.sql_catalogue.election import SqlElection
from recording_service.adapters.sql_catalogue.engine import create_database
from recording_service.adapters.sql_catalogue.events import SqlEvents
from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.adapters.sql_catalogue.recordings import SqlRecordings
from recording_service.adapters.sql_catalogue.revision import found_revision, require_current
from recording_service.adapters.sql_catalogue.schema import SCHEMA_REVISION
from recording_service.adapters.sql_catalogue.verified import SqlVerified
from recording_service.adapters.sql_catalogue.waits import SqlWaits
from recording_service.core.clock import SystemClock

_log = logging.getLogger(__name__)


class SqlCatalogue(
    SqlRecordings,
    SqlAmendments,
    SqlArtefacts,
    SqlAttempts,
    SqlClaims,
    SqlWaits,
    SqlAccounts,
    SqlVerified,
    SqlEvents,
    SqlDeliveries,
    SqlElection,
):
    """`Catalogue` of core/ports.py on SQLite or PostgreSQL. Safe to use from many threads, and across a fork."""

    @classmethod
    def open(cls, url: str, *, migrate: bool = True, options: DatabaseOptions | None = None) -> Self:
        """The catalogue at that URL: `sqlite:////path/of/file` or `postgresql://…`.

        Brings the schema up to date, and has the feed of a restored backup begin anew, or (`migrate=False`) only checks
        the schema. Any number of processes may do so at once.
        Raises ValueError for a URL of another kind, SchemaMismatch for a schema that this version can't work with, and
        CatalogueUnavailable if the database does not answer in time.
        """
        used = options or DatabaseOptions()
        if migrate:
            create_database(url, used)
        database = Database(url, used)
        try:
            if migrate and database.read(found_revision) != SCHEMA_REVISION:
                # Imported only here, because it takes longer than everything else together.
                from recording_service.adapters.sql_catalogue.migration import migrate as apply_migrations

                apply_migrations(url)
            database.read(require_current)
            catalogue = cls(database)
            if migrate and catalogue.begin_feed_of_copy(SystemClock().now()):
                _log.warning(
                    "the catalogue is a backup's: its feed of events begins anew, and its readers with a snapshot"
                )
        except BaseException:
            database.close()
            raise
        return catalogue

    def check(self) -> None:
        """Raises CatalogueUnavailable unless the database answers and has the schema of this version."""
        self._database.read(require_current)

    def after_fork(self) -> None:
        """Makes the catalogue fit for use in a forked process. Idempotent; `os.fork` sees to it by itself."""
        self._database.after_fork()

    def close(self) -> None:
        """Closes every connection."""
        self._database.close()
