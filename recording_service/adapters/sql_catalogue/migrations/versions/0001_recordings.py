"""Recordings, their labels, paused accounts and the dispatcher's row."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Makes everything."""
    _create_recordings()
    _create_indexes()
    _create_labels()
    op.create_table(
        "paused_accounts",
        sa.Column("account_sid", KEY, nullable=False),
        sa.Column("pause_time", sa.BigInteger(), nullable=False),
        sa.Column("next_probe_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_sid", name="paused_accounts_key"),
    )
    dispatcher = op.create_table(
        "dispatcher",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="dispatcher_key"),
    )
    op.bulk_insert(dispatcher, [{"id": 1, "holder": "", "lease": 0}])


def _create_recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("account_sid", KEY, nullable=False),
        sa.Column("recording_sid", KEY, nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("conference_sid", sa.Text(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("start_time", sa.BigInteger()),
        sa.Column("duration", sa.BigInteger()),
        sa.Column("from_number", sa.Text(), nullable=False),
        sa.Column("to_number", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_time", sa.BigInteger(), nullable=False),
        sa.Column("rung_time", sa.BigInteger()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure_reason", sa.Text()),
        sa.Column("failure_message", sa.Text(), nullable=False),
        sa.Column("waiting_reason", sa.Text()),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger()),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("ready_time", sa.BigInteger()),
        sa.Column("delete_time", sa.BigInteger()),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_sid", "recording_sid", name="recordings_key"),
    )


def _create_indexes() -> None:
    age = ["create_time", "account_sid", "recording_sid"]
    key = ["account_sid", "recording_sid"]
    rung = ["state", "priority", *age, "next_attempt_time", "rung_time"]
    _create_partial_index("recordings_rung", rung, "state = 'queued' AND rung_time IS NOT NULL")
    unrung = ["state", "next_attempt_time"]
    _create_partial_index("recordings_unrung", unrung, "state = 'queued' AND rung_time IS NULL")
    _create_partial_index("recordings_queued", ["state", *key, "next_attempt_time"], "state = 'queued'")
    _create_partial_index("recordings_downloading", ["state", "claimed_by"], "state = 'downloading'")
    _create_partial_index("recordings_ready", ["state", *key], "state = 'ready'")
    _create_partial_index("recordings_unsettled", age, "state IN ('queued', 'downloading', 'failed')")
    _create_partial_index("recordings_call", ["call_sid"], "call_sid != ''")
    op.create_index("recordings_age", "recordings", age)
    op.create_index("recordings_account_age", "recordings", ["account_sid", "create_time", "recording_sid"])
    op.create_index("recordings_sid", "recordings", ["recording_sid"])


def _create_partial_index(name: str, columns: Sequence[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "recordings", columns, sqlite_where=where, postgresql_where=where)


def _create_labels() -> None:
    op.create_table(
        "recording_labels",
        sa.Column("account_sid", KEY, nullable=False),
        sa.Column("recording_sid", KEY, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_sid", "recording_sid", "key", name="recording_labels_key"),
        sa.ForeignKeyConstraint(
            ["account_sid", "recording_sid"],
            ["recordings.account_sid", "recordings.recording_sid"],
            name="recording_labels_recording",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "recording_labels_value", "recording_labels", ["key", "value", "create_time", "account_sid", "recording_sid"]
    )
