"""The values the service speaks of. Immutable; the rules by which they change are in `core.transitions`."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NamedTuple

from recording_service.core.search import WordSearch
from recording_service.core.sound import Probe


class RecordingState(StrEnum):
    """Where a recording is on its way from Twilio to the shelf."""

    QUEUED = "queued"
    DOWNLOADING = "downloading"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


#: States in which the recording comes to an end without anyone asking again.
IN_FLIGHT = frozenset({RecordingState.QUEUED, RecordingState.DOWNLOADING})


class FailureReason(StrEnum):
    """Why a recording is FAILED. Stable."""

    SOURCE_ABSENT = "source_absent"
    SOURCE_FAILED = "source_failed"
    SOURCE_NOT_FOUND = "source_not_found"
    SOURCE_UNAVAILABLE = "source_unavailable"
    SOURCE_TRUNCATED = "source_truncated"
    SOURCE_NOT_AUDIO = "source_not_audio"
    SOURCE_TOO_LARGE = "source_too_large"
    SOURCE_REDIRECT_REFUSED = "source_redirect_refused"
    WORKER_CRASHED = "worker_crashed"
    SOURCE_REFUSED = "source_refused"
    ENCRYPTION_KEY_UNKNOWN = "encryption_key_unknown"
    ENCRYPTION_KEY_WRONG = "encryption_key_wrong"
    ENCRYPTION_TAG_MISMATCH = "encryption_tag_mismatch"
    ENCRYPTION_DETAILS_INVALID = "encryption_details_invalid"


class WaitingReason(StrEnum):
    """Why a QUEUED recording is not being fetched yet."""

    RETRY = "retry"
    RATE_LIMITED = "rate_limited"
    ACCOUNT_UNAUTHORIZED = "account_unauthorized"
    STORAGE_UNAVAILABLE = "storage_unavailable"


class Work(StrEnum):
    """The two kinds of work on a recording, each with attempts, bells, leases and workers of its own."""

    DOWNLOAD = "download"
    PROCESSING = "processing"


class RecordingJob(StrEnum):
    """What is to be done with a recording."""

    FULL = "full"
    DOWNLOAD_ONLY = "download_only"


class Priority(IntEnum):
    """How urgent a recording is: the smallest number first, as in the proto and in SQL."""

    PLAYBACK = 1
    NORMAL = 2
    BULK = 3


class EnqueueReason(StrEnum):
    """What became of an enqueue (design.md §2)."""

    ENQUEUED = "enqueued"
    CACHED = "cached"
    DUPLICATE = "duplicate"
    ERROR = "error"


class UnavailableReason(StrEnum):
    """What Twilio reported instead of `completed`."""

    ABSENT = "absent"
    FAILED = "failed"


class RecordingKey(NamedTuple):
    """The identity of a recording, and of the work on it."""

    account_sid: str
    recording_sid: str


class Occasion(StrEnum):
    """Why a bell rings, by the mark in its name."""

    #: The attempt is due: the row's own bell.
    DUE = ""
    #: The attempt has ended: there is room for what was held back meanwhile (`core.next_bells`).
    ENDED = "-echo"
    #: Somebody waits for the recording now, and its own bell may have been heard in vain (`core.enqueueing`).
    WAITED_FOR = "-again"


_PROCESSING_MARK = "p"


class Bell(NamedTuple):
    """What the queue carries: there is work, and this row's attempt is what it was rung for."""

    account_sid: str
    recording_sid: str
    attempt: int
    work: Work = Work.DOWNLOAD
    occasion: Occasion = Occasion.DUE

    @property
    def key(self) -> RecordingKey:
        """The recording it was rung for."""
        return RecordingKey(self.account_sid, self.recording_sid)

    @property
    def is_own(self) -> bool:
        """Whether it is the row's own bell: others bring whatever is due."""
        return self.occasion is Occasion.DUE

    @property
    def echo(self) -> "Bell":
        """The bell that rings when this attempt has ended."""
        return self._replace(occasion=Occasion.ENDED)

    @property
    def again(self) -> "Bell":
        """The bell that rings when somebody comes to wait for it."""
        return self._replace(occasion=Occasion.WAITED_FOR)

    @property
    def job_id(self) -> str:
        """The queue's name for it: `<account_sid>-<recording_sid>-[p]<attempt>[-echo|-again]`; p is for processing.

        The account is part of it, so that the same RecordingSid under a wrong account takes nobody's bell.
        """
        kind = _PROCESSING_MARK if self.work is Work.PROCESSING else ""
        return f"{self.account_sid}-{self.recording_sid}-{kind}{self.attempt}{self.occasion.value}"

    @classmethod
    def from_job_id(cls, job_id: str) -> "Bell":
        """The bell of that name; ValueError if it is none."""
        account_sid, recording_sid, attempt, *mark = job_id.split("-", 3)
        number = attempt.removeprefix(_PROCESSING_MARK)
        work = Work.DOWNLOAD if number == attempt else Work.PROCESSING
        return cls(account_sid, recording_sid, int(number), work, Occasion("".join(f"-{word}" for word in mark)))


class EncryptionDetails(NamedTuple):
    """How Twilio has encrypted one recording (`core.encryption` checks): nothing in it is secret."""

    #: The public key that the recording's own key is wrapped for.
    public_key_sid: str
    #: The recording's own key, wrapped, in base64.
    encrypted_cek: str
    #: The initialization vector, in base64.
    iv: str

    @property
    def wrapped_key(self) -> bytes:
        """The recording's own key, wrapped."""
        return base64.b64decode(self.encrypted_cek)

    @property
    def initialization_vector(self) -> bytes:
        """The initialization vector."""
        return base64.b64decode(self.iv)


@dataclass(frozen=True, slots=True)
class CallDetails:
    """What is known of the call. Empty text, 0 and None stand for "not known"."""

    call_sid: str = ""
    conference_sid: str = ""
    source_url: str = ""
    source: str = ""
    track: str = ""
    direction: str = ""
    channels: int = 0
    start_time: datetime | None = None
    duration: timedelta | None = None
    from_number: str = ""
    to_number: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnqueueRequest:
    """A checked wish for one recording (`core.requests` checks)."""

    key: RecordingKey
    job: RecordingJob
    priority: Priority
    call: CallDetails = field(default_factory=CallDetails)
    #: Follows the request into the worker's log lines.
    request_id: str = ""
    #: How Twilio has encrypted it; None: not known to be encrypted.
    encryption_details: EncryptionDetails | None = None


@dataclass(frozen=True, slots=True)
class UnavailableReport:
    """A checked report that Twilio has no such recording. `error_code` is Twilio's, 0 if there was none."""

    key: RecordingKey
    reason: UnavailableReason
    call_sid: str = ""
    error_code: int = 0
    request_id: str = ""


class ProcessingState(StrEnum):
    """Where the steps after the download are, each of them and all together. READY is READY whatever this says."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Step(StrEnum):
    """What makes a recording useful, in the order in which it is done."""

    PROBE = "probe"
    WAVEFORM = "waveform"
    TRANSCRIPT = "transcript"


class StepReason(StrEnum):
    """Why a step is FAILED or SKIPPED. Stable."""

    MEDIA_EMPTY = "media_empty"
    MEDIA_NOT_AUDIO = "media_not_audio"
    MEDIA_TRUNCATED = "media_truncated"
    MEDIA_BROKEN = "media_broken"
    WORKER_CRASHED = "worker_crashed"
    TRANSCRIPTION_UNAVAILABLE = "transcription_unavailable"
    TRANSCRIPTION_KEY_REJECTED = "transcription_key_rejected"
    TRANSCRIPTION_REFUSED = "transcription_refused"
    TRANSCRIPTION_ANSWER_INVALID = "transcription_answer_invalid"
    TRANSCRIPTION_WRONG_LANGUAGE = "transcription_wrong_language"
    #: SKIPPED: nobody is configured to do it.
    NOT_CONFIGURED = "not_configured"
    #: SKIPPED: what it needs to know the probe could not tell.
    PROBE_FAILED = "probe_failed"


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step has ended: DONE, or FAILED or SKIPPED with a reason, and what people should know of it."""

    state: ProcessingState
    reason: StepReason | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Processing:
    """The work on a recording that is READY. Its attempts, bells and leases are as those of the download."""

    #: PENDING while it waits for a worker, RUNNING while one is at it, DONE when every step has ended, whatever way;
    #: None if nobody asked for it, or the bytes are not here.
    state: ProcessingState | None = None
    #: Counted from 1; 0 if there never was one.
    attempt: int = 0
    #: It was asked for before the recording was READY, with the download whose bell has rung; whoever made it READY, or
    #: the dispatcher, rings on.
    follows_download: bool = False
    rung_time: datetime | None = None
    next_attempt_time: datetime | None = None
    waiting_reason: WaitingReason | None = None
    claimed_by: str = ""
    lease: int = 0
    #: Failed attempts at the step that is not ended yet, by how that kind of failure would end it.
    failures_by_reason: Mapping[StepReason, int] = field(default_factory=dict)
    #: The steps that have ended.
    ends: Mapping[Step, StepEnd] = field(default_factory=dict)
    #: What the probe has found.
    probe: Probe | None = None

    @property
    def next_step(self) -> Step | None:
        """The step that is to be done, or is being done; None if all have ended."""
        return next((step for step in Step if step not in self.ends), None)

    @property
    def summary(self) -> ProcessingState | None:
        """How it stands, all steps together: FAILED if any is, SKIPPED if all are."""
        if self.state is not ProcessingState.DONE:
            return self.state
        states = {end.state for end in self.ends.values()}
        if ProcessingState.FAILED in states:
            return ProcessingState.FAILED
        return ProcessingState.DONE if ProcessingState.DONE in states else ProcessingState.SKIPPED

    def state_of(self, step: Step) -> ProcessingState | None:
        """How one step stands."""
        if step in self.ends:
            return self.ends[step].state
        if self.state is ProcessingState.RUNNING and step is not self.next_step:
            return ProcessingState.PENDING
        return self.state


@dataclass(frozen=True, slots=True)
class Recording:
    """One row of the catalogue. Times are aware and in UTC; empty text and None stand for "not known"."""

    account_sid: str
    recording_sid: str
    call: CallDetails
    job: RecordingJob
    priority: Priority
    state: RecordingState
    create_time: datetime
    update_time: datetime
    #: When the current attempt is due.
    next_attempt_time: datetime
    #: When the bell of the current attempt rang; None until it has.
    rung_time: datetime | None = None
    #: Counted from 1; each is claimed at most once.
    attempt: int = 1
    #: Failed attempts since it was enqueued anew or READY, by how that kind of failure would end it: what is spent of
    #: each kind's budget (`core.retry`). No reason is in it with 0.
    failures_by_reason: Mapping[FailureReason, int] = field(default_factory=dict)
    failure_reason: FailureReason | None = None
    failure_message: str = ""
    waiting_reason: WaitingReason | None = None
    #: The worker that claimed the current attempt.
    claimed_by: str = ""
    #: Raised by the worker while it works; a lease that stands still has expired (design.md §2).
    lease: int = 0
    received_bytes: int = 0
    #: Where the shelf has the bytes: `<account_sid>/<recording_sid>/<attempt>.<ext>`.
    object_key: str = ""
    size_bytes: int | None = None
    sha256: str = ""
    content_type: str = ""
    #: Grows with each change.
    revision: int = 1
    ready_time: datetime | None = None
    delete_time: datetime | None = None
    #: The request that last enqueued it.
    request_id: str = ""
    #: When its object was last read again and found to be what was downloaded; None until it has been.
    verified_time: datetime | None = None
    #: The SHA-256 of the bytes that were lost, until it is READY again: what turns up on the shelf is held against it.
    expected_sha256: str = ""
    #: Channels of the bytes that are stored; 0 if their beginning does not say, or there are none. 1 although both were
    #: asked for, where Twilio has no second one.
    stored_channels: int = 0
    #: How Twilio has encrypted it; None: not known to be encrypted. What is stored is always decrypted.
    encryption_details: EncryptionDetails | None = None
    processing: Processing = field(default_factory=Processing)

    @property
    def key(self) -> RecordingKey:
        """Its identity."""
        return RecordingKey(self.account_sid, self.recording_sid)

    @property
    def bell(self) -> Bell:
        """The bell of its current attempt."""
        return Bell(self.account_sid, self.recording_sid, self.attempt)

    @property
    def processing_bell(self) -> Bell:
        """The bell of its processing's current attempt."""
        return Bell(self.account_sid, self.recording_sid, self.processing.attempt, Work.PROCESSING)

    @property
    def failures(self) -> int:
        """Failed attempts of every kind since it was enqueued anew or READY."""
        return sum(self.failures_by_reason.values())

    @property
    def etag(self) -> str:
        """The name of this version of the bytes: their SHA-256, so that equal bytes are the same version."""
        return self.sha256


class ClaimedAttempt(NamedTuple):
    """An attempt that a worker is at, and how far it has raised its lease."""

    bell: Bell
    lease: int


class StoredObject(NamedTuple):
    """An object as it was published: how many bytes, and their SHA-256 in lower-case hex."""

    object_key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PausedAccount:
    """An account whose credentials Twilio refuses; one attempt is let through at each `next_probe_time`."""

    account_sid: str
    pause_time: datetime
    next_probe_time: datetime


@dataclass(frozen=True, slots=True)
class RecordingFilter:
    """What a list is narrowed to: AND between the filters, OR within one; an empty one narrows nothing."""

    states: frozenset[RecordingState] = frozenset()
    failure_reasons: frozenset[FailureReason] = frozenset()
    account_sids: frozenset[str] = frozenset()
    call_sids: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    create_time_from: datetime | None = None
    create_time_before: datetime | None = None
    #: What is to be said in the recording, by the transcript of the bytes that it has.
    words: WordSearch | None = None

    def matches(self, recording: Recording) -> bool:
        """Whether the recording, as it is, is one of those. What is said in it is not asked for: no row has that."""
        return (
            (not self.states or recording.state in self.states)
            and (not self.failure_reasons or recording.failure_reason in self.failure_reasons)
            and (not self.account_sids or recording.account_sid in self.account_sids)
            and (not self.call_sids or recording.call.call_sid in self.call_sids)
            and self.labels.items() <= recording.call.labels.items()
            and (self.create_time_from is None or recording.create_time >= self.create_time_from)
            and (self.create_time_before is None or recording.create_time < self.create_time_before)
        )


class PagePosition(NamedTuple):
    """The last recording of a page; the next page begins after it (newest first, ties by SID)."""

    create_time: datetime
    account_sid: str
    recording_sid: str


class Backlog(NamedTuple):
    """How much is waiting: rows that are QUEUED, and since when the oldest due one has been due."""

    queued: int
    oldest_due_time: datetime | None
