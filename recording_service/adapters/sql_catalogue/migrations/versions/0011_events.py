"""Events, how far their feed has come, and what of them is to be delivered; nothing that happened before is in it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes three tables, and the feed's one row."""
    op.create_table(
        "events",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("revision", sa.BigInteger()),
        sa.Column("numbered_age", sa.BigInteger()),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("account_sid", KEY, nullable=False),
        sa.Column("recording_sid", KEY, nullable=False),
        sa.Column("recording_revision", sa.BigInteger(), nullable=False),
        sa.Column("event_time", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="events_key"),
    )
    op.create_index("events_revision", "events", ["revision"], unique=True)
    feed = op.create_table(
        "event_feed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("pruned_revision", sa.BigInteger(), nullable=False),
        sa.Column("age", sa.BigInteger(), nullable=False),
        sa.Column("scheduled_revision", sa.BigInteger()),
        sa.Column("held_until", sa.BigInteger()),
        sa.Column("forgotten", sa.BigInteger(), nullable=False),
        sa.Column("is_copy", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="event_feed_key"),
    )
    op.bulk_insert(feed, [{"id": 1, "revision": 0, "pruned_revision": 0, "age": 0, "forgotten": 0, "is_copy": 0}])
    op.create_table(
        "event_deliveries",
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_attempt_time", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("end_time", sa.BigInteger()),
        sa.PrimaryKeyConstraint("revision", name="event_deliveries_key"),
    )
    _create_partial_index("event_deliveries_pending", ["next_attempt_time", "revision"], "outcome IS NULL")
    _create_partial_index("event_deliveries_given_up", ["revision"], "outcome = 'given_up'")


def _create_partial_index(name: str, columns: Sequence[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "event_deliveries", columns, sqlite_where=where, postgresql_where=where)
