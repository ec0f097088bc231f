"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Says what it changes. There is no way back but a backup: what a newer version wrote, an older one can't read."""
    ${upgrades if upgrades else "raise NotImplementedError"}
