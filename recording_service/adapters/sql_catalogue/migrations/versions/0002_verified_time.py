"""When each object was last read again by the scrub."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Adds the column, in which nothing has been verified yet, and the index by which the scrub finds its next rows."""
    op.add_column("recordings", sa.Column("verified_time", sa.BigInteger()))
    is_ready = sa.text("state = 'ready'")
    columns = ["state", "verified_time", "account_sid", "recording_sid"]
    op.create_index("recordings_verified", "recordings", columns, sqlite_where=is_ready, postgresql_where=is_ready)
