"""What may go wrong, by the service's stable reasons (clients/README.md has the table).

RecordingsError                 the base; itself for a code and reason that is none of these
├── InvalidRequest              the request itself is wrong: `field_violations` says where
├── Unauthenticated             no credentials, or none that the service knows
├── PermissionDenied            this caller may not do this, or not with this account
├── RecordingNotFound           unknown, deleted, or another account's
├── RecordingDeleted            an enqueue met a recording that was deleted
├── RecordingNotReady           its bytes are not here yet
├── RecordingFailed             its bytes will not come
├── StepNotDone                 what is made of it (a waveform, a transcript) is not there yet
├── StepWithoutResult           what is made of it will not come
├── RecordingTruncated          its bytes were here and are not whole any more
├── OffsetPastEnd               the range begins after the last byte
├── EtagMismatch                another version of the bytes is current
├── RevisionLost                events after that revision are not to be had: begin anew
├── EnqueueFailed               it is not certain that the recording is queued: ask again
├── CapacityExhausted           too much at once, of everybody or of this caller
├── Unavailable                 the service, or what it stands on, is away
├── DeadlineExceeded            no answer in time (a TimeoutError as well)
├── InternalError               a bug of the service; its log has the `errorId`
├── ChecksumMismatch            what was read is not what its SHA-256 says
├── ContractBroken              the service sent what its contract rules out
└── ClientClosed                the client was used after it was closed
InvalidOption                   a client can't be made like this (a ValueError)
"""

from collections.abc import Mapping
from dataclasses import dataclass

import grpc

from recordings.v1.enqueue_pb2 import EnqueueReason
from recordings.v1.recording_pb2 import Recording


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that is wrong, and how to mend it."""

    field: str
    description: str


class InvalidOption(ValueError):
    """Raised when a client can't be made with these options; the message names the option and how to mend it."""


class RecordingsError(Exception):
    """The base of everything a client raises about a call.

    Attributes:
        message: for people; not stable.
        code: gRPC's status code; None for what the client itself found out.
        reason: the stable reason of the service's ErrorInfo; empty where the service did not say one.
        metadata: the ErrorInfo's further fields.
        field_violations: which fields of the request are wrong.
        retry_delay: how long to wait before asking again, in seconds, if the service said so.
    """

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode | None = None,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
        retry_delay: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.metadata: Mapping[str, str] = metadata or {}
        self.field_violations = field_violations
        self.retry_delay = retry_delay


class InvalidRequest(RecordingsError):
    """Raised when the request is wrong whatever the state of the service; nothing was stored."""


class Unauthenticated(RecordingsError):
    """Raised when credentials are missing or not valid."""


class PermissionDenied(RecordingsError):
    """Raised when this caller lacks a scope, or may not touch the account."""


class RecordingNotFound(RecordingsError):
    """Raised when the recording is unknown, deleted, or another account's."""


class RecordingDeleted(RecordingsError):
    """Raised when a deleted recording is enqueued: it stays deleted."""


class RecordingNotReady(RecordingsError):
    """Raised when the bytes are asked for before they are here: wait for them with `wait_until_ready`."""

    @property
    def state(self) -> str:
        """QUEUED or DOWNLOADING."""
        return self.metadata.get("state", "")


class RecordingFailed(RecordingsError):
    """Raised when the bytes will not come; enqueueing it again starts anew."""

    @property
    def failure_reason(self) -> str:
        """Why, as FailureReason names it without its prefix, such as `SOURCE_ABSENT`."""
        return self.metadata.get("failureReason", "")


class StepNotDone(RecordingsError):
    """Raised when a waveform or a transcript is asked for before it is made: watch the recording until PROCESSED."""

    @property
    def step(self) -> str:
        """What is to be done yet, as ProcessingStep names it without its prefix: WAVEFORM or TRANSCRIPT."""
        return self.metadata.get("step", "")

    @property
    def state(self) -> str:
        """PENDING or RUNNING."""
        return self.metadata.get("state", "")


class StepWithoutResult(RecordingsError):
    """Raised when there is no waveform, or no transcript, and none is on its way."""

    @property
    def step(self) -> str:
        """What has no result, as ProcessingStep names it without its prefix: WAVEFORM or TRANSCRIPT."""
        return self.metadata.get("step", "")

    @property
    def state(self) -> str:
        """FAILED or SKIPPED; empty where nobody has asked for it: enqueue the recording as FULL."""
        return self.metadata.get("state", "")

    @property
    def processing_reason(self) -> str:
        """Why, as ProcessingReason names it without its prefix, such as `MEDIA_TRUNCATED`; empty if there is none."""
        return self.metadata.get("processingReason", "")


class RecordingTruncated(RecordingsError):
    """Raised when the stored bytes are not whole any more; the service fetches them again."""


class OffsetPastEnd(RecordingsError):
    """Raised when a range begins after the last byte."""

    @property
    def size_bytes(self) -> int:
        """How many bytes the recording has."""
        return int(self.metadata.get("sizeBytes", "0"))


class EtagMismatch(RecordingsError):
    """Raised when the bytes have become another version; two versions are never mixed. Read anew from the start."""

    @property
    def etag(self) -> str:
        """The current version's."""
        return self.metadata.get("etag", "")


class RevisionLost(RecordingsError):
    """Raised when events after a revision are not to be had: begin anew, without one, and with a snapshot.

    They are not kept any more, or the service's database was restored to a time before them.
    """

    @property
    def oldest_revision(self) -> int | None:
        """The oldest event that is kept, if the service said so."""
        return int(self.metadata["oldestRevision"]) if "oldestRevision" in self.metadata else None


class EnqueueFailed(RecordingsError):
    """Raised when it is not certain that the recording is queued. Asking again is safe.

    Attributes:
        enqueue_reason: the number in the answer: ERROR, or one that this client does not know.
        recording: the recording, if it was committed all the same: then it comes to an end even if nobody asks again.
    """

    enqueue_reason: int = EnqueueReason.ENQUEUE_REASON_ERROR
    recording: Recording | None = None


class CapacityExhausted(RecordingsError):
    """Raised when as much is going on as may, or this caller takes more than its share: wait, and try again."""


class Unavailable(RecordingsError):
    """Raised when the service can't be reached, is stopping, or lacks something that it stands on."""


class DeadlineExceeded(RecordingsError, TimeoutError):
    """Raised when there was no answer in time. What was asked for may have been done."""


class InternalError(RecordingsError):
    """Raised for a bug of the service. `metadata["errorId"]` finds it in the service's log."""


class ChecksumMismatch(RecordingsError):
    """Raised instead of the last byte of a whole read that is not what the recording's SHA-256 says."""


class ContractBroken(RecordingsError):
    """Raised when the service sends what its contract rules out; nothing of it is passed on."""


class ClientClosed(RecordingsError):
    """Raised when a client is used that has been closed."""
