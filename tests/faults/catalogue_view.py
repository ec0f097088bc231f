"""The catalogue as the checker sees it: plain SQL, beside the service's own code and without its help."""

import json
from collections.abc import Mapping

import sqlalchemy as sa


class CatalogueView:
    """Reads the rows of a catalogue, by URL, and never writes. Safe for many threads; the maker closes it."""

    def __init__(self, url: str) -> None:
        postgresql = url.startswith("postgresql")
        self._engine = sa.create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1) if postgresql else url,
            pool_pre_ping=True,
            connect_args={} if postgresql else {"timeout": 30.0, "check_same_thread": False},
        )

    def row(self, recording_sid: str) -> dict[str, object] | None:
        """The row of a recording, by column; None if there is none. AssertionError if there are several."""
        found = self._all("SELECT * FROM recordings WHERE recording_sid = :recording_sid", recording_sid=recording_sid)
        assert len(found) <= 1, f"{len(found)} rows for {recording_sid}"
        return found[0] if found else None

    def rows(self) -> list[dict[str, object]]:
        """Every row."""
        return self._all("SELECT * FROM recordings ORDER BY account_sid, recording_sid")

    def unsettled(self) -> list[dict[str, object]]:
        """The rows that have not come to an end: the recording, or what follows its download."""
        in_flight, unprocessed = "state IN ('queued', 'downloading')", "processing_state IN ('pending', 'running')"
        return self._all(f"SELECT * FROM recordings WHERE {in_flight} OR {unprocessed}")  # noqa: S608 - our own words

    def drawn_of(self) -> dict[str, str]:
        """By each recording's SID the SHA-256 of the bytes that its waveform was drawn of, if there is one."""
        found = self._all("SELECT recording_sid, media_sha256 FROM artefacts WHERE step = 'waveform'")
        return {str(row["recording_sid"]): str(row["media_sha256"]) for row in found}

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def _all(self, statement: str, **values: object) -> list[dict[str, object]]:
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(sa.text(statement), values)]


def failures_of(row: Mapping[str, object]) -> int:
    """How many failures a row counts, of all kinds."""
    return sum(json.loads(str(row["failures_by_reason"])).values())
