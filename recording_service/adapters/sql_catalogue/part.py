"""What the parts of the catalogue have in common."""

from recording_service.adapters.sql_catalogue.database import Database


class CataloguePart:
    """One concern of the catalogue, on a database that it shares with the others."""

    def __init__(self, database: Database) -> None:
        self._database = database
