"""The columns of the two kinds of work on a recording, seen alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement

from recording_service.adapters.sql_catalogue.schema import (
    account_turns,
    is_being_processed,
    is_downloading,
    is_processing_rung,
    is_processing_unrung,
    is_queued,
    is_rung,
    is_timeless,
    is_to_be_processed,
    is_unrung,
    recordings,
)
from recording_service.core.model import ProcessingState, RecordingState, Work

_c = recordings.c


@dataclass(frozen=True, eq=False)
class WorkColumns:
    """One kind of work: its columns, and the conditions that its indexes have."""

    work: Work
    #: What the names of its columns begin with.
    prefix: str
    #: Its states while it waits, and while a worker is at it.
    waiting_state: str
    running_state: str
    is_waiting: ColumnElement[bool]
    is_running: ColumnElement[bool]
    is_rung: ColumnElement[bool]
    is_unrung: ColumnElement[bool]
    #: It waits for no time.
    is_timeless: ColumnElement[bool]
    #: Whether accounts may be paused for it.
    has_pauses: bool

    def __getitem__(self, name: str) -> Column[Any]:
        """The column that the download has under that name."""
        return _c[self.prefix + name]

    def named(self, **values: Any) -> dict[str, Any]:
        """The values by the names of the columns."""
        return {self.prefix + name: value for name, value in values.items()}

    @property
    def turn(self) -> Column[Any]:
        """Where its turns are counted."""
        return account_turns.c[self.prefix + "turn"]


COLUMNS: Mapping[Work, WorkColumns] = {
    Work.DOWNLOAD: WorkColumns(
        work=Work.DOWNLOAD,
        prefix="",
        waiting_state=RecordingState.QUEUED.value,
        running_state=RecordingState.DOWNLOADING.value,
        is_waiting=is_queued,
        is_running=is_downloading,
        is_rung=is_rung,
        is_unrung=is_unrung,
        is_timeless=is_timeless,
        has_pauses=True,
    ),
    Work.PROCESSING: WorkColumns(
        work=Work.PROCESSING,
        prefix="processing_",
        waiting_state=ProcessingState.PENDING.value,
        running_state=ProcessingState.RUNNING.value,
        is_waiting=is_to_be_processed,
        is_running=is_being_processed,
        is_rung=is_processing_rung,
        is_unrung=is_processing_unrung,
        is_timeless=_c.processing_waiting_reason.is_(None),
        has_pauses=False,
    ),
}
