"""How Twilio encrypted a recording, as JSON; empty, not known to be encrypted, for those that are there already."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Adds the column; no row is rewritten for it."""
    op.add_column("recordings", sa.Column("encryption_details", sa.Text(), nullable=False, server_default=""))
