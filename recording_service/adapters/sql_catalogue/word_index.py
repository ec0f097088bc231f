"""The words of transcripts, and how each database looks them up.

They are written as core/spoken_words.py cuts and folds them, and a search asks for such words: what a word is, no
database has a say in. SQLite has an FTS5 table over them, which triggers keep in step, and PostgreSQL a column that is
generated from them, with a GIN index. Neither is in `schema`, which has what both databases have.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from recording_service.adapters.sql_catalogue.schema import recordings, transcript_words
from recording_service.adapters.sql_catalogue.wanted import wanted
from recording_service.core.model import RecordingKey, Step
from recording_service.core.ports import Artefact
from recording_service.core.search import SearchTerm, WordSearch
from recording_service.core.spoken_words import searched_words

_c = recordings.c
_w = transcript_words.c
_INDEX = table("transcript_index", column("rowid"), column("transcript_index"))
_LEXEMES: ColumnElement[Any] = column("lexemes", _selectable=transcript_words)

_DELETE = delete(transcript_words).where(
    _w.account_sid == bindparam("of_account_sid"), _w.recording_sid == bindparam("of_recording_sid")
)
_INSERT = insert(transcript_words)

#: The words are those of the recording's bytes.
is_of_the_recording = and_(
    _c.account_sid == _w.account_sid, _c.recording_sid == _w.recording_sid, _c.sha256 == _w.media_sha256
)


def store_words(connection: Connection, artefacts: Sequence[Artefact]) -> None:
    """Puts what is said in the place of what was said, for those of the artefacts that are transcripts."""
    transcripts = [artefact for artefact in artefacts if artefact.step is Step.TRANSCRIPT]
    remove_words(connection, [transcript.key for transcript in transcripts])
    # Of several for one recording, the last.
    rows = {transcript.key: _row(transcript) for transcript in transcripts}
    if rows:
        connection.execute(_INSERT, list(rows.values()))


def remove_words(connection: Connection, of: Sequence[RecordingKey]) -> None:
    """Removes what is said in those recordings."""
    if of:
        keys = [{"of_account_sid": key.account_sid, "of_recording_sid": key.recording_sid} for key in of]
        connection.execute(_DELETE, keys)


@cache
def select_texts(dialect: str) -> Select[Any]:
    """What is said in the recordings whose keys the parameter `keys` lists, where it was made of their bytes."""
    keys = wanted(dialect, "keys")
    return (
        select(_w.account_sid, _w.recording_sid, _w.text)
        .join_from(
            keys.table,
            transcript_words,
            and_(_w.account_sid == keys.account_sid, _w.recording_sid == keys.recording_sid),
        )
        .join(recordings, is_of_the_recording)
    )


def joined_with_words(dialect: str) -> FromClause:
    """The recordings that have a transcript of their bytes, from the index on."""
    if dialect == "sqlite":
        return _INDEX.join(transcript_words, _INDEX.c.rowid == _w.id).join(recordings, is_of_the_recording)
    return transcript_words.join(recordings, is_of_the_recording)


def has_words(dialect: str, search: WordSearch) -> Iterator[ColumnElement[bool]]:
    """What is to be true of them for the search to find them."""
    if dialect == "sqlite":
        yield _INDEX.c.transcript_index.match(" ".join(map(_fts5_phrase, search.terms)))
        return
    yield _LEXEMES.op("@@", is_comparison=True)(cast(" & ".join(map(_lexemes, search.terms)), TSQUERY))
    for phrase in search.terms:
        if len(phrase.words) > 1:
            yield func.strpos(literal(" ") + _w.words + literal(" "), _spaced(phrase)) > 0


def _row(transcript: Artefact) -> dict[str, str]:
    return {
        "account_sid": transcript.key.account_sid,
        "recording_sid": transcript.key.recording_sid,
        "media_sha256": transcript.media_sha256,
        "text": transcript.text,
        "words": " ".join(searched_words(transcript.text)),
    }


# Words have letters, digits and marks only: there is nothing in them to be quoted.


def _fts5_phrase(term: SearchTerm) -> str:
    return f'"{" ".join(term.words)}"' + ("*" if term.is_prefix else "")


def _lexemes(term: SearchTerm) -> str:
    """As a tsquery that says that the words are there, not where."""
    return " & ".join(f"'{word}'" for word in term.words) + (":*" if term.is_prefix else "")


def _spaced(phrase: SearchTerm) -> str:
    return f" {' '.join(phrase.words)}" + ("" if phrase.is_prefix else " ")
