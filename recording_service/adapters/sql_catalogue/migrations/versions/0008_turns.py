"""Whose turn it is to be claimed: when each account was last served, and what has been rung for and is being done."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
RUNG = ["state", "priority", "account_sid", "create_time", "recording_sid", "next_attempt_time", "rung_time"]
DOWNLOADING = ["state", "account_sid", "claimed_by"]


def upgrade() -> None:
    """Makes the indexes anew, in which few rows are, and a table that starts empty: whoever waits longest is first."""
    op.create_table(
        "account_turns",
        sa.Column("account_sid", KEY, nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_sid", name="account_turns_key"),
    )
    _make_anew("recordings_rung", RUNG, "state = 'queued' AND rung_time IS NOT NULL")
    _make_anew("recordings_downloading", DOWNLOADING, "state = 'downloading'")


def _make_anew(name: str, columns: Sequence[str], condition: str) -> None:
    where = sa.text(condition)
    op.drop_index(name, "recordings")
    op.create_index(name, "recordings", columns, sqlite_where=where, postgresql_where=where)
