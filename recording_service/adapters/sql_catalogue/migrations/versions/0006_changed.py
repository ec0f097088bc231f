"""An index of the recordings by when they last changed, so that watchers of lists find what nobody told them of."""

from collections.abc import Sequence

from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Adds the index; nothing is changed by it that is not in it."""
    op.create_index("recordings_changed", "recordings", ["update_time", "account_sid", "recording_sid"])
