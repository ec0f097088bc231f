"""An index of the recordings that wait for no time, among which those are looked for that wait nevertheless."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

IS_TIMELESS = (
    "state = 'queued' AND rung_time IS NULL AND (waiting_reason IS NULL OR waiting_reason = 'account_unauthorized')"
)


def upgrade() -> None:
    """Adds the index; nothing is read or changed by it that is not in it."""
    condition = sa.text(IS_TIMELESS)
    columns = ["state", "next_attempt_time"]
    op.create_index("recordings_timeless", "recordings", columns, sqlite_where=condition, postgresql_where=condition)
