"""The two kinds of work on a recording, seen alike: which of its fields are the one's, and which the other's."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from recording_service.core.model import (
    Bell,
    ProcessingState,
    Recording,
    RecordingKey,
    RecordingState,
    WaitingReason,
    Work,
)


@dataclass(frozen=True, slots=True)
class WorkOn:
    """One kind of work on one recording, as it stands."""

    row: Recording
    work: Work
    is_waiting: bool
    is_running: bool
    attempt: int
    rung_time: datetime | None
    next_attempt_time: datetime
    waiting_reason: WaitingReason | None
    claimed_by: str
    lease: int

    @classmethod
    def of(cls, row: Recording, work: Work) -> "WorkOn":
        """That work on that recording."""
        is_download = work is Work.DOWNLOAD
        of = row if is_download else row.processing
        return cls(
            row=row,
            work=work,
            is_waiting=of.state is (RecordingState.QUEUED if is_download else ProcessingState.PENDING),
            is_running=of.state is (RecordingState.DOWNLOADING if is_download else ProcessingState.RUNNING),
            attempt=of.attempt,
            rung_time=of.rung_time,
            next_attempt_time=of.next_attempt_time or row.next_attempt_time,
            waiting_reason=of.waiting_reason,
            claimed_by=of.claimed_by,
            lease=of.lease,
        )

    @property
    def key(self) -> RecordingKey:
        """The recording's identity."""
        return self.row.key

    @property
    def account_sid(self) -> str:
        """The recording's account."""
        return self.row.account_sid

    @property
    def is_begun(self) -> bool:
        """Whether a part of it has been done already: a step."""
        return self.work is Work.PROCESSING and bool(self.row.processing.ends)

    @property
    def bell(self) -> Bell:
        """The bell of its current attempt."""
        return self.row.bell if self.work is Work.DOWNLOAD else self.row.processing_bell

    def changed(self, **fields: Any) -> Recording:
        """The recording with other fields of this work."""
        if self.work is Work.DOWNLOAD:
            return replace(self.row, **fields)
        return replace(self.row, processing=replace(self.row.processing, **fields))

    def claimed(self, claimed_by: str) -> Recording:
        """The recording with this work RUNNING (or DOWNLOADING), its lease at 0."""
        begun = WorkOn.of(self.changed(claimed_by=claimed_by, lease=0, waiting_reason=None), self.work)
        if self.work is Work.DOWNLOAD:
            return begun.changed(state=RecordingState.DOWNLOADING, received_bytes=0)
        return begun.changed(state=ProcessingState.RUNNING)
