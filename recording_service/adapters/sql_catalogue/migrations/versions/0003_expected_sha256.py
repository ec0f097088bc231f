"""What the bytes were that a recording has lost, so that they are recognised if they turn up again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Adds the column. Of losses before it, nothing is known."""
    op.add_column("recordings", sa.Column("expected_sha256", sa.Text(), nullable=False, server_default=""))
