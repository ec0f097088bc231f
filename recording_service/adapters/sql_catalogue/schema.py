"""The tables. A column is named as the model's field; times and durations are microseconds, times since 1970 in UTC.

`migrations/` makes them; a test compares the two.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    literal_column,
    or_,
)

#: The newest of `migrations/versions`, with which this version of the service works.
SCHEMA_REVISION = "0013"

#: Text that is compared and sorted byte by byte, on PostgreSQL too, as SQLite and Python do it.
Key = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

recordings = Table(
    "recordings",
    metadata,
    Column("account_sid", Key, nullable=False),
    Column("recording_sid", Key, nullable=False),
    Column("call_sid", Text, nullable=False),
    Column("conference_sid", Text, nullable=False),
    Column("source_url", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("track", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("start_time", BigInteger),
    Column("duration", BigInteger),
    Column("from_number", Text, nullable=False),
    Column("to_number", Text, nullable=False),
    # JSON, for reading; `recording_labels` has them for filtering.
    Column("labels", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Column("update_time", BigInteger, nullable=False),
    Column("next_attempt_time", BigInteger, nullable=False),
    Column("rung_time", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("failure_reason", Text),
    Column("failure_message", Text, nullable=False),
    Column("waiting_reason", Text),
    Column("claimed_by", Text, nullable=False),
    Column("lease", BigInteger, nullable=False),
    Column("received_bytes", BigInteger, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("size_bytes", BigInteger),
    Column("sha256", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("ready_time", BigInteger),
    Column("delete_time", BigInteger),
    Column("request_id", Text, nullable=False),
    Column("verified_time", BigInteger),
    Column("expected_sha256", Text, nullable=False, server_default=""),
    # JSON: a number by reason.
    Column("failures_by_reason", Text, nullable=False, server_default="{}"),
    Column("stored_channels", Integer, nullable=False, server_default="0"),
    # JSON, in the words of the contract.
    Column("encryption_details", Text, nullable=False, server_default=""),
    # The work that follows the download: its columns are named as the download's, which have no prefix.
    Column("processing_state", Text),
    Column("processing_attempt", Integer, nullable=False, server_default="0"),
    Column("processing_follows_download", Integer, nullable=False, server_default="0"),
    Column("processing_rung_time", BigInteger),
    Column("processing_next_attempt_time", BigInteger),
    Column("processing_waiting_reason", Text),
    Column("processing_claimed_by", Text, nullable=False, server_default=""),
    Column("processing_lease", BigInteger, nullable=False, server_default="0"),
    # JSON: a number by reason.
    Column("processing_failures_by_reason", Text, nullable=False, server_default="{}"),
    # JSON: how each step that has ended did so.
    Column("processing_ends", Text, nullable=False, server_default="{}"),
    # JSON, or empty.
    Column("processing_probe", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("account_sid", "recording_sid", name="recordings_key"),
)

# The states are literals, not parameters: only then does a database see that a partial index has the rows.
is_queued = recordings.c.state == literal_column("'queued'")
is_downloading = recordings.c.state == literal_column("'downloading'")
is_to_be_processed = recordings.c.processing_state == literal_column("'pending'")
is_being_processed = recordings.c.processing_state == literal_column("'running'")
is_ready = recordings.c.state == literal_column("'ready'")
is_unsettled = recordings.c.state.in_(literal_column(f"'{state}'") for state in ("queued", "downloading", "failed"))
is_rung = recordings.c.rung_time.is_not(None)
is_unrung = recordings.c.rung_time.is_(None)
is_processing_rung = recordings.c.processing_rung_time.is_not(None)
is_not_begun = recordings.c.processing_ends == literal_column("'{}'")
is_processing_unrung = recordings.c.processing_rung_time.is_(None)
#: It waits for no time: for no reason, or for its account.
is_timeless = or_(
    recordings.c.waiting_reason.is_(None),
    recordings.c.waiting_reason == literal_column("'account_unauthorized'"),
)
has_call = recordings.c.call_sid != literal_column("''")

#: How urgent a row is, the most urgent first.
URGENCY = (recordings.c.priority, recordings.c.create_time, recordings.c.account_sid, recordings.c.recording_sid)

#: The order in which recordings are listed, backwards.
AGE = (recordings.c.create_time, recordings.c.account_sid, recordings.c.recording_sid)


def _partial(name: str, condition: ColumnElement[bool], *columns: Column[Any]) -> None:
    Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


def _of_state(name: str, condition: ColumnElement[bool], state: Column[Any], *columns: Column[Any]) -> None:
    """A partial index of the rows in one state.

    For SQLite the state is in it, and first, though it is the same in all rows: SQLite has no statistics and takes the
    index of which most columns are given. It also reads the row for every column that a condition names and the index
    lacks. PostgreSQL leaves what the index's condition says out of account: what follows the state would not be looked
    up then, but looked for from the index's beginning.
    """
    for dialect, its_columns in (("sqlite", (state, *columns)), ("postgresql", columns)):
        index = Index(name, *its_columns, sqlite_where=condition, postgresql_where=condition, info={"dialect": dialect})
        index.ddl_if(dialect=dialect)


_c = recordings.c
# By account: whose turn it is to be claimed is found by leaps from one account to the next.
_of_state(
    "recordings_rung",
    and_(is_queued, is_rung),
    _c.state,
    _c.priority,
    _c.account_sid,
    _c.create_time,
    _c.recording_sid,
    _c.next_attempt_time,
    _c.rung_time,
)
_of_state("recordings_unrung", and_(is_queued, is_unrung), _c.state, _c.next_attempt_time)
# The few of them that a clock can have made wait for no reason.
_of_state("recordings_timeless", and_(is_queued, is_unrung, is_timeless), _c.state, _c.next_attempt_time)
_of_state("recordings_queued", is_queued, _c.state, _c.account_sid, _c.recording_sid, _c.next_attempt_time)
_of_state("recordings_downloading", is_downloading, _c.state, _c.account_sid, _c.claimed_by)
_of_state("recordings_ready", is_ready, _c.state, _c.account_sid, _c.recording_sid)
_of_state("recordings_verified", is_ready, _c.state, _c.verified_time, _c.account_sid, _c.recording_sid)
# For lists of those that are not READY, which are few among many.
_partial("recordings_unsettled", is_unsettled, *AGE)
_partial("recordings_call", has_call, _c.call_sid)
# The same for processing, of which there is none that waits for its account.
_TO_BE_PROCESSED = (
    _c.processing_state,
    _c.priority,
    _c.account_sid,
    _c.create_time,
    _c.recording_sid,
    _c.processing_rung_time,
)
_of_state(
    "recordings_processing_rung",
    and_(is_to_be_processed, is_processing_rung),
    *_TO_BE_PROCESSED,
)
# Those of which no step has ended are claimed first, and may be none among very many.
_of_state(
    "recordings_processing_not_begun",
    and_(is_to_be_processed, is_processing_rung, is_not_begun),
    *_TO_BE_PROCESSED,
    _c.processing_ends,
)
_of_state(
    "recordings_processing_unrung",
    and_(is_to_be_processed, is_processing_unrung),
    _c.processing_state,
    _c.processing_next_attempt_time,
)
_of_state(
    "recordings_processing_running", is_being_processed, _c.processing_state, _c.account_sid, _c.processing_claimed_by
)
Index("recordings_age", *AGE)
Index("recordings_changed", _c.update_time, _c.account_sid, _c.recording_sid)
Index("recordings_account_age", _c.account_sid, _c.create_time, _c.recording_sid)
Index("recordings_sid", _c.recording_sid)

#: The labels once more, with the recording's time: those with a label are found newest first, be they few or many.
recording_labels = Table(
    "recording_labels",
    metadata,
    Column("account_sid", Key, nullable=False),
    Column("recording_sid", Key, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("create_time", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_sid", "recording_sid", "key", name="recording_labels_key"),
    ForeignKeyConstraint(
        ["account_sid", "recording_sid"],
        ["recordings.account_sid", "recordings.recording_sid"],
        name="recording_labels_recording",
        ondelete="CASCADE",
    ),
    Index("recording_labels_value", "key", "value", "create_time", "account_sid", "recording_sid"),
)

#: What steps have made of recordings: of the bytes that have that SHA-256.
artefacts = Table(
    "artefacts",
    metadata,
    Column("account_sid", Key, nullable=False),
    Column("recording_sid", Key, nullable=False),
    Column("step", Text, nullable=False),
    Column("media_sha256", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("account_sid", "recording_sid", "step", name="artefacts_key"),
    ForeignKeyConstraint(
        ["account_sid", "recording_sid"],
        ["recordings.account_sid", "recordings.recording_sid"],
        name="artefacts_recording",
        ondelete="CASCADE",
    ),
)

#: What is said in recordings whose bytes have that SHA-256: as it was written, and as the words that are looked for.
#: Each database has an index of the words of its own (`word_index`), and keeps it in step by itself.
transcript_words = Table(
    "transcript_words",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True, nullable=False),
    Column("account_sid", Key, nullable=False),
    Column("recording_sid", Key, nullable=False),
    Column("media_sha256", Text, nullable=False),
    Column("text", Text, nullable=False),
    # With a space between two of them.
    Column("words", Text, nullable=False),
    PrimaryKeyConstraint("id", name="transcript_words_id"),
    ForeignKeyConstraint(
        ["account_sid", "recording_sid"],
        ["recordings.account_sid", "recordings.recording_sid"],
        name="transcript_words_recording",
        ondelete="CASCADE",
    ),
    Index("transcript_words_key", "account_sid", "recording_sid", unique=True),
)

paused_accounts = Table(
    "paused_accounts",
    metadata,
    Column("account_sid", Key, nullable=False),
    Column("pause_time", BigInteger, nullable=False),
    Column("next_probe_time", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_sid", name="paused_accounts_key"),
)

#: When each account was last served, counted: whose turn it is goes by no clock.
account_turns = Table(
    "account_turns",
    metadata,
    Column("account_sid", Key, nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("processing_turn", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("account_sid", name="account_turns_key"),
)

#: One row, always.
dispatcher = Table(
    "dispatcher",
    metadata,
    Column("id", Integer, autoincrement=False, nullable=False),
    Column("holder", Text, nullable=False),
    Column("lease", BigInteger, nullable=False),
    PrimaryKeyConstraint("id", name="dispatcher_key"),
)

#: What has happened. `number` is drawn when an event is written, `revision` when it is seen to be committed;
#: `numbered_age` is the feed's age then.
events = Table(
    "events",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True, nullable=False),
    Column("revision", BigInteger),
    Column("numbered_age", BigInteger),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("account_sid", Key, nullable=False),
    Column("recording_sid", Key, nullable=False),
    Column("recording_revision", BigInteger, nullable=False),
    Column("event_time", BigInteger, nullable=False),
    # JSON.
    Column("facts", Text, nullable=False),
    PrimaryKeyConstraint("number", name="events_key"),
    # It has those without a revision, too.
    Index("events_revision", "revision", unique=True),
)

#: One row, always: the feed's counter, its age (a duration, as `age_events` counts it), and how far deliveries have
#: been made of it (NULL: none are to be).
event_feed = Table(
    "event_feed",
    metadata,
    Column("id", Integer, autoincrement=False, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("pruned_revision", BigInteger, nullable=False),
    Column("age", BigInteger, nullable=False),
    Column("scheduled_revision", BigInteger),
    Column("held_until", BigInteger),
    # Events that were removed before they were delivered, ever.
    Column("forgotten", BigInteger, nullable=False),
    # 1 in a backup, until that is used as a catalogue.
    Column("is_copy", Integer, nullable=False),
    PrimaryKeyConstraint("id", name="event_feed_key"),
)

#: What is to be delivered to the receiver of callbacks, and what came of it: `outcome` is NULL until it has ended.
event_deliveries = Table(
    "event_deliveries",
    metadata,
    Column("revision", BigInteger, autoincrement=False, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_attempt_time", BigInteger, nullable=False),
    Column("outcome", Text),
    Column("end_time", BigInteger),
    PrimaryKeyConstraint("revision", name="event_deliveries_key"),
)

is_undelivered = event_deliveries.c.outcome.is_(None)
is_given_up = event_deliveries.c.outcome == literal_column("'given_up'")
_partial("event_deliveries_pending", is_undelivered, event_deliveries.c.next_attempt_time, event_deliveries.c.revision)
_partial("event_deliveries_given_up", is_given_up, event_deliveries.c.revision)
