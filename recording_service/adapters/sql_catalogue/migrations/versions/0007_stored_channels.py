"""How many channels the stored bytes have; 0, not known, for those that are stored already."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Adds the column; no row is rewritten for it."""
    op.add_column("recordings", sa.Column("stored_channels", sa.Integer(), nullable=False, server_default="0"))
