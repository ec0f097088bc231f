"""The words of transcripts, and each database's index of them.

Recordings whose transcripts were made before are not found by their words until they are transcribed anew.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# The words are cut and folded already (core/spoken_words.py), and are only to be taken apart at the spaces: of the
# tokenizers, `ascii` is the one to which every character beyond ASCII belongs to a word. Nothing is
# ranked, so that nobody needs their number. The text is not kept twice: the triggers are those of sqlite.org/fts5.html,
# 4.4.3.
_SQLITE = (
    """
    CREATE VIRTUAL TABLE transcript_index
    USING fts5(words, content='transcript_words', content_rowid='id', tokenize='ascii', columnsize=0)
    """,
    """
    CREATE TRIGGER transcript_words_inserted AFTER INSERT ON transcript_words BEGIN
        INSERT INTO transcript_index(rowid, words) VALUES (new.id, new.words);
    END
    """,
    """
    CREATE TRIGGER transcript_words_deleted AFTER DELETE ON transcript_words BEGIN
        INSERT INTO transcript_index(transcript_index, rowid, words) VALUES ('delete', old.id, old.words);
    END
    """,
    """
    CREATE TRIGGER transcript_words_updated AFTER UPDATE ON transcript_words BEGIN
        INSERT INTO transcript_index(transcript_index, rowid, words) VALUES ('delete', old.id, old.words);
        INSERT INTO transcript_index(rowid, words) VALUES (new.id, new.words);
    END
    """,
)

# The words as they are, which no dictionary and no parser touches: what `simple` would make of them, but for its own
# idea of a word. Without positions: a vector has those of the first 16383 words only, and 256 of one word.
_POSTGRESQL = (
    """
    ALTER TABLE transcript_words ADD COLUMN lexemes tsvector NOT NULL
    GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED
    """,
    "CREATE INDEX transcript_words_lexemes ON transcript_words USING gin (lexemes)",
)


def upgrade() -> None:
    """Makes the table and the index."""
    op.create_table(
        "transcript_words",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_sid", KEY, nullable=False),
        sa.Column("recording_sid", KEY, nullable=False),
        sa.Column("media_sha256", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="transcript_words_id"),
        sa.ForeignKeyConstraint(
            ["account_sid", "recording_sid"],
            ["recordings.account_sid", "recordings.recording_sid"],
            name="transcript_words_recording",
            ondelete="CASCADE",
        ),
    )
    op.create_index("transcript_words_key", "transcript_words", ["account_sid", "recording_sid"], unique=True)
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)
