"""What steps have made of recordings: stored and removed in the transaction that changes the recording."""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import Connection, Insert, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.schema import artefacts
from recording_service.adapters.sql_catalogue.wanted import listed
from recording_service.adapters.sql_catalogue.word_index import remove_words, select_texts, store_words
from recording_service.core.model import RecordingKey, Step
from recording_service.core.ports import Artefact

_a = artefacts.c
_GET = select(_a.media_sha256, _a.content).where(
    _a.account_sid == bindparam("account_sid"),
    _a.recording_sid == bindparam("recording_sid"),
    _a.step == bindparam("step"),
)
_DELETE = delete(artefacts).where(
    _a.account_sid == bindparam("of_account_sid"), _a.recording_sid == bindparam("of_recording_sid")
)


class SqlArtefacts(CataloguePart):
    """Reading them."""

    def artefact(self, key: RecordingKey, step: Step) -> Artefact | None:
        """What that step has made of the recording."""
        parameters = {"account_sid": key.account_sid, "recording_sid": key.recording_sid, "step": step.value}
        rows = self._database.rows(_GET, parameters)
        return Artefact(key, step, rows[0][0], bytes(rows[0][1])) if rows else None

    def transcript_texts(self, keys: Sequence[RecordingKey]) -> Mapping[RecordingKey, str]:
        """What is said in those of the recordings that have a transcript of their bytes."""
        if not keys:
            return {}
        rows = self._database.rows(select_texts(self._database.dialect), {"keys": listed(keys)})
        return {RecordingKey(row[0], row[1]): row[2] for row in rows}


def store_artefacts(connection: Connection, made: Sequence[Artefact]) -> None:
    """Puts each in its place."""
    rows = [
        {
            "account_sid": artefact.key.account_sid,
            "recording_sid": artefact.key.recording_sid,
            "step": artefact.step.value,
            "media_sha256": artefact.media_sha256,
            "content": artefact.content,
        }
        for artefact in made
    ]
    if rows:
        connection.execute(_store(connection.dialect.name), rows)
    store_words(connection, made)


def remove_artefacts(connection: Connection, of: Sequence[RecordingKey]) -> None:
    """Removes all of those recordings."""
    if of:
        keys = [{"of_account_sid": key.account_sid, "of_recording_sid": key.recording_sid} for key in of]
        connection.execute(_DELETE, keys)
    remove_words(connection, of)


@cache
def _store(dialect: str) -> Insert:
    insert = sqlite.insert(artefacts) if dialect == "sqlite" else postgresql.insert(artefacts)
    replaced = {name: insert.excluded[name] for name in ("media_sha256", "content")}
    return insert.on_conflict_do_update(index_elements=["account_sid", "recording_sid", "step"], set_=replaced)
