"""The work that follows the download, with its turns, and what it has made.

Recordings that are READY stay as they are: nobody has rung for their processing. Asking for FULL again does.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_PENDING = "processing_state = 'pending'"
_RUNG = f"{_PENDING} AND processing_rung_time IS NOT NULL"
_NOT_BEGUN = f"{_RUNG} AND processing_ends = '{{}}'"
_RUNG_COLUMNS = (
    "processing_state",
    "priority",
    "account_sid",
    "create_time",
    "recording_sid",
    "processing_rung_time",
)
_UNRUNG = f"{_PENDING} AND processing_rung_time IS NULL"
_RUNNING = "processing_state = 'running'"


def upgrade() -> None:
    """Adds the columns, their indexes and the table of artefacts."""
    op.add_column("recordings", sa.Column("processing_state", sa.Text()))
    op.add_column("recordings", sa.Column("processing_attempt", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "recordings", sa.Column("processing_follows_download", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("recordings", sa.Column("processing_rung_time", sa.BigInteger()))
    op.add_column("recordings", sa.Column("processing_next_attempt_time", sa.BigInteger()))
    op.add_column("recordings", sa.Column("processing_waiting_reason", sa.Text()))
    op.add_column("recordings", sa.Column("processing_claimed_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("recordings", sa.Column("processing_lease", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(
        "recordings", sa.Column("processing_failures_by_reason", sa.Text(), nullable=False, server_default="{}")
    )
    op.add_column("recordings", sa.Column("processing_ends", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("recordings", sa.Column("processing_probe", sa.Text(), nullable=False, server_default=""))
    op.add_column("account_turns", sa.Column("processing_turn", sa.BigInteger(), nullable=False, server_default="0"))
    _partial(
        "recordings_processing_rung",
        _RUNG,
        *_RUNG_COLUMNS,
    )
    _partial(
        "recordings_processing_not_begun",
        _NOT_BEGUN,
        *_RUNG_COLUMNS,
        "processing_ends",
    )
    _partial("recordings_processing_unrung", _UNRUNG, "processing_state", "processing_next_attempt_time")
    _partial("recordings_processing_running", _RUNNING, "processing_state", "account_sid", "processing_claimed_by")
    op.create_table(
        "artefacts",
        sa.Column("account_sid", KEY, nullable=False),
        sa.Column("recording_sid", KEY, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("media_sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_sid", "recording_sid", "step", name="artefacts_key"),
        sa.ForeignKeyConstraint(
            ["account_sid", "recording_sid"],
            ["recordings.account_sid", "recordings.recording_sid"],
            name="artefacts_recording",
            ondelete="CASCADE",
        ),
    )


def _partial(name: str, condition: str, state: str, *columns: str) -> None:
    where = sa.text(condition)
    its_columns = [state, *columns] if op.get_context().dialect.name == "sqlite" else [*columns]
    op.create_index(name, "recordings", its_columns, sqlite_where=where, postgresql_where=where)
