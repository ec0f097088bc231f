"""PostgreSQL's indexes of the rows in one state, without the state.

It leaves out of account what an index's condition says: with the state in front, what follows it was not looked up, but
looked for from the index's beginning. A claim read all that waited for one that was more urgent.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_QUEUED = "state = 'queued'"
_UNRUNG = f"{_QUEUED} AND rung_time IS NULL"
_TIMELESS = f"{_UNRUNG} AND (waiting_reason IS NULL OR waiting_reason = 'account_unauthorized')"
_KEY = ("account_sid", "recording_sid")

#: Their columns and conditions, by their names.
INDEXES: Mapping[str, tuple[Sequence[str], str]] = {
    "recordings_rung": (
        ("priority", "account_sid", "create_time", "recording_sid", "next_attempt_time", "rung_time"),
        f"{_QUEUED} AND rung_time IS NOT NULL",
    ),
    "recordings_unrung": (("next_attempt_time",), _UNRUNG),
    "recordings_timeless": (("next_attempt_time",), _TIMELESS),
    "recordings_queued": ((*_KEY, "next_attempt_time"), _QUEUED),
    "recordings_downloading": (("account_sid", "claimed_by"), "state = 'downloading'"),
    "recordings_ready": (_KEY, "state = 'ready'"),
    "recordings_verified": (("verified_time", *_KEY), "state = 'ready'"),
}


def upgrade() -> None:
    """Makes them anew; those of processing are so from the beginning. SQLite needs the state, and keeps its own."""
    if op.get_context().dialect.name != "postgresql":
        return
    for name, (columns, condition) in INDEXES.items():
        op.drop_index(name, "recordings")
        op.create_index(name, "recordings", list(columns), postgresql_where=sa.text(condition))
