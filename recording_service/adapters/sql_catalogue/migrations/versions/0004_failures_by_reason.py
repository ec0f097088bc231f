"""Failures counted by kind, each against a budget of its own."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

#: What Twilio reports (absent, failed) is the end of a recording without having been a failed attempt.
GIVEN_UP = "failures > 0 AND failure_reason IS NOT NULL AND failure_reason NOT IN ('source_absent', 'source_failed')"


def upgrade() -> None:
    """Takes the counts by kind in place of the one count of all, which is their sum from now on.

    Of which kinds the failures were was not written down. Where a recording was given up, they are put down to its
    reason, against whose budget they were all counted then. Others begin anew with whole budgets: one that can't be had
    is asked for a while longer, and none is given up for what is not known.
    """
    op.add_column("recordings", sa.Column("failures_by_reason", sa.Text(), nullable=False, server_default="{}"))
    counted = "'{\"' || failure_reason || '\":' || CAST(failures AS TEXT) || '}'"
    op.execute(f"UPDATE recordings SET failures_by_reason = {counted} WHERE {GIVEN_UP}")  # noqa: S608 - no values in it
    op.drop_column("recordings", "failures")
