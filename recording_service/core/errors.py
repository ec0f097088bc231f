"""Every error the core raises.

RecordingServiceError
├── InvalidRequest                 the request itself is wrong
├── Unauthenticated                nobody we know calls
├── ScopeMissing                   somebody we know may not do this
├── AccountNotAllowed              somebody we know may not touch this account
├── RecordingNotFound              unknown, deleted, or another account's
├── RecordingDeleted               an enqueue met a tombstone
├── RecordingNotReady              its bytes are not here yet
├── RecordingFailed                its bytes will not come
├── StepNotDone                    what a step makes of it is not there yet
├── StepWithoutResult              it will not come: nobody asked, or the step has failed or was skipped
├── RecordingTruncated             its bytes were here and are not whole any more
├── OffsetPastEnd                  the range begins after the last byte
├── EtagMismatch                   the bytes are another version than the one asked for
├── EnqueueFailed                  it could not be both committed and rung for
│   ├── EnqueueStorageFull         it is committed, and nobody may fetch it: the shelf has no room
│   └── EnqueueBroken              the same, by a bug of ours
├── CapacityExhausted              too many streams or watchers
├── CallerLimitExceeded            too much of one caller
├── WatchOverrun                   a watcher of a list took too little of too much
├── RevisionPruned                 events after that revision are not kept any more
├── RevisionAhead                  the feed of events has not come so far
├── ServerDraining                 the server is stopping
├── DependencyUnavailable          something this service stands on is down or slow
│   ├── CatalogueUnavailable
│   ├── QueueUnavailable
│   └── StorageUnavailable
│       └── StorageFull            the shelf can be read, and takes nothing more
├── ObjectMissing                  the shelf has no such object
├── AttemptSuperseded              another attempt has taken over; the result is thrown away
├── WorkerCrashed                  the process that was at an attempt is gone
├── StepError                      a step after the download can't be done, this time or at all
│   ├── StepImpossible             of these bytes never
│   └── TranscriptionError
│       ├── TranscriptionRateLimited       the server asked for fewer requests
│       ├── TranscriptionUnavailable       it could not be reached, was slow, or broke
│       ├── TranscriptionTooSlow           it was not done with all clips in the time that there is for a recording
│       ├── TranscriptionKeyRejected       it does not accept the key
│       ├── TranscriptionRefused           it does not accept what is asked for
│       ├── TranscriptionAnswerInvalid     what it answered is no transcript
│       └── TranscriptionWrongLanguage     it heard another language than the one that is configured
├── DecryptionError                an encrypted recording could not be decrypted
│   ├── EncryptionDetailsInvalid
│   ├── EncryptionKeyUnknown
│   ├── EncryptionKeyWrong
│   └── EncryptionTagMismatch
└── SourceError                    Twilio did not give the recording, this time or at all
    ├── SourceNotFound
    │   └── SourceGone
    ├── SourceUnauthorized
    ├── SourceRateLimited
    ├── SourceUnavailable
    ├── SourceTimedOut
    ├── SourceTruncated
    ├── SourceNotAudio
    │   └── SourceOtherFormat
    ├── SourceTooLarge
    ├── SourceRefused
    │   └── SourceEncrypted
    └── RedirectRefused

Messages are for the caller: they name no address, no secret and no internal part.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recording_service.core.model import FailureReason, ProcessingState, Recording, RecordingState, Step, StepReason


class RecordingServiceError(Exception):
    """The base of every error of this package."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that is wrong, and how to mend it."""

    field: str
    description: str


class InvalidRequest(RecordingServiceError):
    """Raised when a request is wrong whatever the state of the system; nothing was stored."""

    def __init__(self, *violations: FieldViolation) -> None:
        super().__init__("; ".join(f"{violation.field}: {violation.description}" for violation in violations))
        self.violations = violations

    @classmethod
    def of(cls, field: str, description: str) -> "InvalidRequest":
        """The error for a single field."""
        return cls(FieldViolation(field, description))


class Unauthenticated(RecordingServiceError):
    """Raised when a call has no credentials, or none that are known here. Why, is for nobody to learn."""

    def __init__(self) -> None:
        super().__init__("credentials are missing or not valid: send `authorization: Bearer <token>`")


class ScopeMissing(RecordingServiceError):
    """Raised when a call needs a scope that its caller lacks; nothing has been looked up."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"this caller lacks the scope {scope}")
        self.scope = scope


class AccountNotAllowed(RecordingServiceError):
    """Raised when a caller asks for a recording of an account that it may not touch. Whether it exists isn't told."""

    def __init__(self, account_sid: str) -> None:
        super().__init__(f"this caller may not touch account {account_sid}")
        self.account_sid = account_sid


class RecordingNotFound(RecordingServiceError):
    """Raised when a recording is unknown, deleted, or another account's."""

    def __init__(self, recording_sid: str) -> None:
        super().__init__(f"there is no recording {recording_sid}")
        self.recording_sid = recording_sid


class RecordingDeleted(RecordingServiceError):
    """Raised when a deleted recording is enqueued: a tombstone is never revived."""

    def __init__(self, recording_sid: str) -> None:
        super().__init__(f"recording {recording_sid} was deleted and can't be enqueued again")
        self.recording_sid = recording_sid


class RecordingNotReady(RecordingServiceError):
    """Raised when the bytes of a recording are asked for before they are here."""

    def __init__(self, recording_sid: str, state: "RecordingState", retry_seconds: float) -> None:
        super().__init__(f"recording {recording_sid} is {state.value}; watch it with WatchRecording")
        self.recording_sid = recording_sid
        self.state = state
        self.retry_seconds = retry_seconds


class RecordingFailed(RecordingServiceError):
    """Raised when the bytes of a FAILED recording are asked for; enqueueing it again starts anew."""

    def __init__(self, recording_sid: str, failure_reason: "FailureReason") -> None:
        super().__init__(f"recording {recording_sid} could not be had: {failure_reason.value}")
        self.recording_sid = recording_sid
        self.failure_reason = failure_reason


class StepNotDone(RecordingServiceError):
    """Raised when what a step makes of a recording is asked for before it is there."""

    def __init__(self, recording_sid: str, step: "Step", state: "ProcessingState", retry_seconds: float) -> None:
        super().__init__(f"the {step.value} of recording {recording_sid} is not there yet; watch the recording")
        self.recording_sid = recording_sid
        self.step = step
        self.state = state
        self.retry_seconds = retry_seconds


class StepWithoutResult(RecordingServiceError):
    """Raised when what a step makes of a recording is asked for, and won't come; enqueueing it as FULL asks anew.

    `state` is None where nobody has asked for the steps at all.
    """

    def __init__(
        self, recording_sid: str, step: "Step", state: "ProcessingState | None", reason: "StepReason | None"
    ) -> None:
        why = "nobody has asked for it; enqueue the recording as FULL" if state is None else f"it is {state.name}"
        super().__init__(f"recording {recording_sid} has no {step.value}: {why}")
        self.recording_sid = recording_sid
        self.step = step
        self.state = state
        self.reason = reason


class RecordingTruncated(RecordingServiceError):
    """Raised when the stored bytes are lost or short; the recording is being fetched again."""

    def __init__(self, recording_sid: str) -> None:
        super().__init__(f"the stored bytes of recording {recording_sid} are not whole; it is being fetched again")
        self.recording_sid = recording_sid


class OffsetPastEnd(RecordingServiceError):
    """Raised when a range begins after the last byte."""

    def __init__(self, offset: int, size_bytes: int) -> None:
        super().__init__(f"offset {offset} is past the end: the recording has {size_bytes} bytes")
        self.offset = offset
        self.size_bytes = size_bytes


class EtagMismatch(RecordingServiceError):
    """Raised when another version of the bytes is current than the one that was asked for."""

    def __init__(self, recording_sid: str, etag: str) -> None:
        super().__init__(f"recording {recording_sid} has changed: its etag is now {etag}")
        self.recording_sid = recording_sid
        self.etag = etag


class EnqueueFailed(RecordingServiceError):
    """Raised when a recording could not be both committed and rung for. Asking again is safe.

    `recording` is set if the row was committed: the dispatcher then rings for it all the same.
    """

    def __init__(self, recording: "Recording | None", *, retry_seconds: float = 1.0) -> None:
        super().__init__("the recording could not be queued now; ask again")
        self.recording = recording
        self.retry_seconds = retry_seconds


class EnqueueStorageFull(EnqueueFailed):
    """Raised when a recording is committed, and not rung for because the shelf has no room (reliability.md B3 #15).

    The dispatcher rings for it once there is room again. Asking again before that is answered the same.
    """

    def __init__(self, recording: "Recording | None", *, retry_seconds: float = 10.0) -> None:
        super().__init__(recording, retry_seconds=retry_seconds)
        self.args = ("the storage is full: the recording will be fetched when there is room again",)


class EnqueueBroken(EnqueueFailed):
    """Raised when an enqueue met an error that nobody expected: a bug of ours. The log has it."""


class CapacityExhausted(RecordingServiceError):
    """Raised when as many streams or watchers are open as the server serves at once."""

    def __init__(self, resource: str, limit: int, *, retry_seconds: float = 1.0) -> None:
        super().__init__(f"all {limit} {resource} are taken; try again")
        self.resource = resource
        self.limit = limit
        self.retry_seconds = retry_seconds


class CallerLimitExceeded(RecordingServiceError):
    """Raised when one caller takes more than its share: what is left is for the others."""

    def __init__(self, resource: str, limit: float, *, retry_seconds: float = 1.0) -> None:
        super().__init__(f"this caller may have {limit:g} {resource}; wait, and try again")
        self.resource = resource
        self.limit = limit
        self.retry_seconds = retry_seconds


class WatchOverrun(RecordingServiceError):
    """Raised when more recordings have changed than may wait for a watcher. Watching again shows how they are now."""

    def __init__(self, limit: int, *, retry_seconds: float = 1.0) -> None:
        super().__init__(
            f"more than {limit} recordings changed before you took them; watch again, with a narrower filter if you can"
        )
        self.limit = limit
        self.retry_seconds = retry_seconds


class RevisionPruned(RecordingServiceError):
    """Raised when events are asked for after a revision, and not all that came after it are kept any more."""

    def __init__(self, after_revision: int, oldest_revision: int) -> None:
        super().__init__(
            f"events after revision {after_revision} are not kept any more: begin anew with a snapshot, "
            "and go on after the revision in its snapshot_complete"
        )
        self.after_revision = after_revision
        #: The oldest event that is kept, or will be.
        self.oldest_revision = oldest_revision


class RevisionAhead(RecordingServiceError):
    """Raised when events are asked for after a revision that the feed has not come to: its database was restored."""

    def __init__(self, after_revision: int, newest_revision: int) -> None:
        super().__init__(
            f"there is no revision {after_revision} yet: begin anew with a snapshot, "
            "and go on after the revision in its snapshot_complete"
        )
        self.after_revision = after_revision
        self.newest_revision = newest_revision


class ServerDraining(RecordingServiceError):
    """Raised when the server is stopping: another one, or the next one, will answer."""

    def __init__(self) -> None:
        super().__init__("the server is stopping; try again")


class DependencyUnavailable(RecordingServiceError):
    """Raised when something this service stands on is down or slow. Asking again is safe."""

    #: What is unavailable, in the words of the documentation.
    dependency = "a dependency"

    def __init__(self) -> None:
        super().__init__(f"{self.dependency} is unavailable; try again")


class CatalogueUnavailable(DependencyUnavailable):
    """Raised when the database does not answer in time."""

    dependency = "the catalogue"


class QueueUnavailable(DependencyUnavailable):
    """Raised when Redis does not answer in time, or refuses."""

    dependency = "the queue"


class StorageUnavailable(DependencyUnavailable):
    """Raised when the shelf can't be read or written: full, failing, or not there."""

    dependency = "the storage"


class StorageFull(StorageUnavailable):
    """Raised when the shelf has no room: what is there can be read, and nothing more is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.args = (f"{self.dependency} is full; try again",)


class ObjectMissing(RecordingServiceError):
    """Raised when the shelf has no object of that name."""

    def __init__(self, object_key: str) -> None:
        super().__init__(f"there is no object {object_key}")
        self.object_key = object_key


class AttemptSuperseded(RecordingServiceError):
    """Raised in a worker whose attempt is no longer the current one: whatever it has is thrown away."""

    def __init__(self, recording_sid: str, attempt: int) -> None:
        super().__init__(f"attempt {attempt} of recording {recording_sid} is no longer the current one")
        self.recording_sid = recording_sid
        self.attempt = attempt


class WorkerCrashed(RecordingServiceError):
    """What a dead work-horse and an expired lease are called in the table of `core.retry`."""

    def __init__(self) -> None:
        super().__init__("the process that fetched it died")


class StepError(RecordingServiceError):
    """The base of what may keep a step after the download from being done. `core.retry` says what follows."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StepImpossible(StepError):
    """Raised when a step can't be done of these bytes, now or ever. `reason` is how it ends."""

    def __init__(self, reason: "StepReason", message: str) -> None:
        super().__init__(message)
        self.reason = reason


class TranscriptionError(StepError):
    """The base of what may go wrong between this service and what transcribes for it.

    Messages are for the operator: they name no address and no key, and quote nothing of what the server answered.
    """


class TranscriptionRateLimited(TranscriptionError):
    """Raised for a 429, and for a 503 that says when to come back. `retry_after_seconds` is what was asked for."""

    def __init__(self, retry_after_seconds: float | None) -> None:
        super().__init__("the transcription server asked for fewer requests")
        self.retry_after_seconds = retry_after_seconds


class TranscriptionUnavailable(TranscriptionError):
    """Raised when no whole answer came: no connection, a time-out, a 5xx, a body that was cut off. Ask again later."""


class TranscriptionTooSlow(TranscriptionError):
    """Raised when the time for processing a recording is over, `longest_seconds`, and not all of it is transcribed."""

    def __init__(self, longest_seconds: float) -> None:
        super().__init__(
            f"not all was transcribed within {longest_seconds:g} s: raise RECORDING_PROCESSING_SECONDS, or have a "
            "faster server transcribe"
        )
        self.longest_seconds = longest_seconds


class TranscriptionKeyRejected(TranscriptionError):
    """Raised for a 401 or 403: about the key, and so about every clip. Until it is mended, asking again is in vain."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the transcription server refused the API key ({status}): check the key, and what it may do")
        self.status = status


class TranscriptionRefused(TranscriptionError):
    """Raised for any other 4xx and for a redirect: asking again in the same way would not help.

    The model may be unknown there, the address may be another service's, or the clip too large. `status` is HTTP's.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TranscriptionAnswerInvalid(TranscriptionError):
    """Raised when a server says that all is well and sends what is no transcript."""


class TranscriptionWrongLanguage(TranscriptionError):
    """Raised when a language is configured and the server says that it heard another one.

    `wanted` and `got` are codes of ISO 639; `got` is empty where the server named a language that is not known here.
    """

    def __init__(self, wanted: str, got: str) -> None:
        super().__init__(f"the server transcribed {got or 'an unknown language'}, and {wanted} is configured")
        self.wanted = wanted
        self.got = got


class DecryptionError(RecordingServiceError):
    """The base of what keeps an encrypted recording from being decrypted. No key and no value is in a message."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class EncryptionDetailsInvalid(DecryptionError):
    """Raised when what Twilio says of how it encrypted a recording can't be read."""


class EncryptionKeyUnknown(DecryptionError):
    """Raised when the private key for the public key of a recording is not configured."""

    def __init__(self, public_key_sid: str) -> None:
        super().__init__(f"no private key is configured for public key {public_key_sid} of the account")
        self.public_key_sid = public_key_sid


class EncryptionKeyWrong(DecryptionError):
    """Raised when the private key that is configured for a public key does not open what was wrapped for that."""

    def __init__(self, public_key_sid: str) -> None:
        super().__init__(f"the private key that is configured for public key {public_key_sid} is not the one for it")
        self.public_key_sid = public_key_sid


class EncryptionTagMismatch(DecryptionError):
    """Raised when an encrypted body is not what Twilio encrypted: its tag is wrong, or it is shorter than a tag."""


class SourceError(RecordingServiceError):
    """The base of what may go wrong between this service and Twilio. `core.retry` says what follows from each."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SourceNotFound(SourceError):
    """Raised for a 404: not there yet, or not any more (twilio.md A4)."""


class SourceGone(SourceNotFound):
    """Raised for a 410: not any more, and likely for good (RFC 9110 §15.5.11)."""


class SourceUnauthorized(SourceError):
    """Raised for a 401 or 403, and where no credentials are configured: about the account, not the recording."""


class SourceRateLimited(SourceError):
    """Raised for a 429. `retry_after_seconds` is what Twilio asked for, if it did."""

    def __init__(self, message: str, retry_after_seconds: float | None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SourceUnavailable(SourceError):
    """Raised for a 5xx, and when no connection came about. `retry_after_seconds` as for a 429."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SourceTimedOut(SourceError):
    """Raised when Twilio was silent too long, too slow, or not done in time."""


class SourceTruncated(SourceError):
    """Raised when the connection ended before the body did, or the length is not the one announced."""


class SourceNotAudio(SourceError):
    """Raised when the body is not audio, whatever its headers say."""


class SourceOtherFormat(SourceNotAudio):
    """Raised when a body begins as audio of another format than was asked for: encrypted bytes may, by chance."""


class SourceTooLarge(SourceError):
    """Raised when the body is, or announces to be, larger than allowed."""


class SourceRefused(SourceError):
    """Raised for any other 4xx: asking again in the same way would not help."""


class SourceEncrypted(SourceRefused):
    """Raised where Twilio refuses a format because the recording is encrypted (error 16109)."""


class RedirectRefused(SourceError):
    """Raised for a redirect to a host that is not allowed, or in a circle."""
