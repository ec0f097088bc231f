"""What the core needs of the world.

Each port has one adapter in `adapters/` (and an in-memory double), and one contract suite in `tests/contract/` that all
of them pass.

An adapter translates its library's errors to the ones named here, `from` the original. What is not named is a bug.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from recording_service.core.event_ports import DeliveryRows, EventRows
from recording_service.core.model import (
    Backlog,
    Bell,
    ClaimedAttempt,
    EncryptionDetails,
    PagePosition,
    PausedAccount,
    Recording,
    RecordingFilter,
    RecordingKey,
    Step,
    StoredObject,
    Work,
)

#: A pure function of a row (None: there is none) to the row as it should be (None: leave it as it is). It may be
#: called more than once: each time with what is there now.
Decide = Callable[[Recording | None], Recording | None]


class Amended(NamedTuple):
    """What became of one `amend`: the row as it is now (None: there is none), and whether this call changed it."""

    recording: Recording | None
    changed: bool


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC. May jump."""

    def monotonic(self) -> float:
        """Seconds that only grow, from an arbitrary start."""


class RowChange(NamedTuple):
    """When a row last changed, and the revision it has since."""

    update_time: datetime
    key: RecordingKey
    revision: int


class Artefact(NamedTuple):
    """What a step has made of a recording's bytes, and the SHA-256 of the bytes that it was made of."""

    key: RecordingKey
    step: Step
    media_sha256: str
    content: bytes
    #: What is said in a TRANSCRIPT, by which its recording is found; `artefact` leaves it out.
    text: str = ""


class RecordingRows(Protocol):
    """The recordings themselves. Every method raises CatalogueUnavailable if the database does not answer in time."""

    def get(self, key: RecordingKey) -> Recording | None:
        """The recording as it is now. Tombstones are rows too."""

    def get_many(self, keys: Sequence[RecordingKey]) -> Mapping[RecordingKey, Recording]:
        """Those of the recordings that there are; any number of keys."""

    def find(self, recording_sid: str) -> Sequence[Recording]:
        """The recordings of that SID, over all accounts."""

    def amend(
        self, changes: Sequence[tuple[RecordingKey, Decide]], artefacts: Sequence[Artefact] = ()
    ) -> Sequence[Amended]:
        """Changes many rows in one transaction, committed and flushed on return; results in the order of `changes`.

        Each row is read, decided on and written on the condition that its revision is still the one that was decided on
        (an insert: that there is still no row); where the condition fails, the row is read and decided on anew. The
        same key may occur twice: the second decision then sees the first one's result. `decide` must set a higher
        revision. An exception from `decide` is raised on, and nothing of the whole call is committed. The events of the
        changes (`core.events`) are committed with them.

        In the same transaction the artefacts are stored whose recordings were changed by it, in the place of those that
        were there; and all those of a recording whose results are not its own any more (`has_forgotten`) are removed.
        The same goes for their text.
        """

    def artefact(self, key: RecordingKey, step: Step) -> Artefact | None:
        """What that step has made of the recording, of whatever bytes it had then; None if there is nothing."""

    def transcript_texts(self, keys: Sequence[RecordingKey]) -> Mapping[RecordingKey, str]:
        """What is said in those of the recordings that have a transcript, made of the bytes that they have now."""

    def page(self, matching: RecordingFilter, size: int, after: PagePosition | None) -> Sequence[Recording]:
        """At most `size` recordings, newest first (create_time, account_sid, recording_sid, all descending).

        Words are looked for in `transcript_texts`, by an index of them and not by reading them all.
        """

    def stored(self, size: int, after: RecordingKey | None) -> Sequence[Recording]:
        """READY recordings in the order of their keys, for walking over all of them in pieces."""

    def changed(
        self, since: datetime, before: datetime | None, size: int, after: RowChange | None
    ) -> Sequence[RowChange]:
        """Rows whose `update_time` is in that span (None: without an end), tombstones too, for walking in pieces.

        In the order of (update_time, key). A row may become visible later than its `update_time` says, and the clocks
        of several hosts wrote them: who wants to miss none lets the spans overlap. What raises a revision and leaves
        `update_time` alone (a bell that has rung) is not found by it.
        """

    def backlog(self, now: datetime) -> Backlog:
        """How much is waiting, and the earliest `next_attempt_time` that has come. For people: nothing goes by it."""


class AttemptRows(Protocol):
    """The work on the recordings. Raises CatalogueUnavailable as RecordingRows does.

    There are two kinds, each with columns of its own: the DOWNLOAD of a row that is QUEUED or DOWNLOADING, and the
    PROCESSING of one that is READY, whose states are PENDING and RUNNING and which no account's pause holds back. What
    is said here of the first is true of the second. A bell says which kind it was rung for; where there is none to say
    it, `work` does.

    `limit` is how many an account may have DOWNLOADING at once; None: any number. Rows of an account that has as many
    are held back: due, and not to be claimed. What somebody waits to hear (PLAYBACK) is never held back.

    A row is *due* when it is QUEUED, its account is not paused, and its bell has rung or its `next_attempt_time` has
    come. Who rang has found that its time had come, and the clocks of others have no say in it any more: they may have
    jumped meanwhile, or be those of other hosts (reliability.md B3 #30). For the same reason a time that is still to
    come counts as long ago, where it is asked for how long something has been as it is.
    """

    def mark_rung(self, bells: Sequence[Bell], now: datetime) -> set[Bell]:
        """Notes that these bells have rung; those for which *this call* set `rung_time`, from NULL, for that attempt.

        One conditional statement: of many simultaneous calls for one bell exactly one gets it back. Raises the
        revision. Not conditional on the state: a worker may have heard the bell, and even finished, before its ringer
        notes it.
        """

    def claim(
        self,
        heard: Bell | None,
        claimed_by: str,
        now: datetime,
        probe_interval: timedelta,
        *,
        work: Work = Work.DOWNLOAD,
        limit: int | None = None,
    ) -> Recording | None:
        """Takes the most urgent due row: DOWNLOADING, `claimed_by`, lease and bytes at 0.

        The most urgent is the one of the most urgent priority; among these, of the account of which the fewest are
        DOWNLOADING, then of the one that was served longest ago, so that nobody's many keep others waiting; among
        these, the oldest (create_time); of what is to be processed first those of which no step has been done: what
        has been put off, and may be for hours, keeps nobody's waveform waiting. Claims that begin at the same moment
        may not see each other in this; but no
        account ever has more than `limit`.

        Only rows whose bell has rung, or for which `heard` was rung: so that every row keeps a bell of its own. Whether
        their time has come is not asked: a bell rings only for what is due.
        A row of a paused account may be taken if the account's `next_probe_time` has come, which then moves on by
        `probe_interval` in the same transaction. Clears the waiting reason. At most one caller gets an attempt; None if
        there is nothing to take.
        """

    def raise_lease(self, bell: Bell, received_bytes: int, now: datetime) -> bool:
        """Raises the lease of a DOWNLOADING attempt and notes its progress; False if it is not the current attempt.

        Processing receives no bytes: what it is told of them is not noted.
        """

    def claimed(self, claimed_by: str | None = None) -> Sequence[ClaimedAttempt]:
        """The attempts of both kinds that workers are at: all of them, or one worker's."""

    def due_unrung(
        self, now: datetime, untouched_since: datetime, size: int, work: Work = Work.DOWNLOAD
    ) -> Sequence[Bell]:
        """At most `size` due rows whose bell has not rung and that nobody has changed since, the most urgent first.

        A change that is still to come (after `now`) is none since.
        """

    def count_due_rung(self, work: Work = Work.DOWNLOAD, limit: int | None = None) -> int:
        """How many due rows have had their bell rung, and so rely on the queue: what is held back does not."""

    def due_rung(
        self, rung_before: datetime, now: datetime, size: int, after: Bell | None, work: Work = Work.DOWNLOAD
    ) -> Sequence[Bell]:
        """Due rows whose bell rang before that time, in the order of their keys, for walking over them in pieces.

        A bell that is still to ring (after `now`) rang before.
        """

    def shift_waits(
        self, by: timedelta, since: datetime, now: datetime, later: Sequence[tuple[datetime, datetime]] = ()
    ) -> int:
        """Moves the `next_attempt_time` of waiting rows, of both kinds, by that much; how many waits.

        To be called when the wall clock has jumped.

        Waiting are unrung QUEUED rows that by the old clock (`now - by`) or by the new one are still to wait. What was
        changed from `since` to `now` was changed by the new clock and stays as it is: so calling again (with a later
        `now`, after CatalogueUnavailable) shifts nothing twice. Raises the revision: watchers see the time.
        If the clock was set again before, `now` is what it had come to then, and `later` what it has shown since, from
        and to: what was changed then stays as well. The next jump is to be told of once this one has been.
        """

    def end_overlong_waits(self, now: datetime, latest: datetime) -> int:
        """Makes due what no clock that goes right would have waiting, of both kinds; how many waits.

        Idempotent. Raises the revision.

        That are unrung QUEUED rows whose `next_attempt_time` is after `latest`, and, if it is after `now`, those that
        wait for no time: that have no waiting reason, or wait for their account.
        """


class AccountRows(Protocol):
    """Accounts whose credentials Twilio refuses. Raises CatalogueUnavailable as RecordingRows does."""

    def pause(self, account_sid: str, now: datetime, next_probe_time: datetime) -> None:
        """Pauses the account, and gives its QUEUED rows the waiting reason ACCOUNT_UNAUTHORIZED.

        Idempotent: of an account that is paused already, only rows that have come since change.
        """

    def resume(self, account_sid: str, now: datetime) -> int:
        """Ends the pause; how many rows it set free. Idempotent.

        Rows that waited for the account, or whose bell was heard in vain, get a new attempt, due now and unrung.
        """

    def paused(self) -> Sequence[PausedAccount]:
        """The accounts that are paused."""

    def most_urgent(self, account_sid: str, now: datetime) -> Recording | None:
        """The QUEUED row of the account, whose bell has rung or whose time has come, that a probe should take."""

    def hasten_probes(self, now: datetime, latest: datetime) -> None:
        """Makes the probes of paused accounts due now whose `next_probe_time` is after `latest`. Idempotent."""


class NamedObject(NamedTuple):
    """An object, and the recording that named it when it was looked at."""

    key: RecordingKey
    object_key: str


class VerifiedRows(Protocol):
    """How far the scrub has come. Raises CatalogueUnavailable as RecordingRows does."""

    def least_verified(self, verified_before: datetime, now: datetime, size: int) -> Sequence[Recording]:
        """At most `size` READY recordings that have not been verified since `verified_before`, which is before `now`.

        First those that never were (in the order of their keys), then those whose `verified_time` is after `now` (a
        clock has jumped), then the others, each by `verified_time`.
        """

    def mark_verified(self, objects: Sequence[NamedObject], now: datetime) -> None:
        """Sets `verified_time` where the recording is READY and still names that object. Idempotent.

        Raises no revision: nobody who watches the recording needs to hear of it.
        """


class DispatcherRow(NamedTuple):
    """Who dispatches, and the counter that it raises while it lives. Both start empty."""

    holder: str
    lease: int


class DispatcherElection(Protocol):
    """The one row by which one of several dispatchers is elected. Raises CatalogueUnavailable as RecordingRows does."""

    def look(self) -> DispatcherRow:
        """Who dispatches now."""

    def take(self, holder: str, seen: DispatcherRow) -> bool:
        """Takes the office over, if it is still as it was seen."""

    def hold(self, holder: str) -> bool:
        """Raises the holder's counter; False if it is not the holder any more."""


class Catalogue(
    RecordingRows, AttemptRows, AccountRows, VerifiedRows, EventRows, DeliveryRows, DispatcherElection, Protocol
):
    """The truth (design.md §2). Safe to use from many threads."""

    def check(self) -> None:
        """Raises CatalogueUnavailable unless the database answers and has the schema of this version."""

    def close(self) -> None:
        """Closes every connection."""


class BellQueue(Protocol):
    """The doorbell (design.md §2): may forget, and may ring twice. Raises QueueUnavailable within its timeouts."""

    def ring(self, bells: Sequence[Bell]) -> None:
        """Rings all of them, in order. Idempotent: a bell that the queue knows already has rung.

        Raises QueueUnavailable, or whatever the queue's library raises on a bug of ours; any number may then have rung.
        """

    def waiting(self, work: Work = Work.DOWNLOAD) -> int:
        """How many bells of that kind nobody has heard yet."""

    def is_unheard(self, bell: Bell) -> bool:
        """Whether the bell has rung and nobody has heard it yet. One that a worker is hearing just now has been heard.

        For a single one; it may take longer the more bells wait.
        """

    def unheard(self, work: Work = Work.DOWNLOAD) -> Container[Bell]:
        """All of that kind that nobody has heard yet, as `is_unheard` has it; for many questions at once.

        Those that are rung or heard while it looks may be among them or not.
        """

    def incarnation(self) -> str:
        """A name for the queue's memory: another one means that it may have forgotten bells."""

    def check(self) -> None:
        """Raises QueueUnavailable unless the queue answers."""

    def close(self) -> None:
        """Closes every connection."""


class Upload(Protocol):
    """An object on its way to the shelf: nobody sees it before `publish`."""

    @property
    def received_bytes(self) -> int:
        """How many bytes were written."""

    def write(self, data: bytes) -> None:
        """Appends; StorageFull if there is no room, StorageUnavailable if the shelf can't take it."""

    def publish(self) -> StoredObject:
        """Makes the object visible under its key, flushed to the medium with its name (reliability.md B1).

        Never replaces anything. An object of that key with the very same bytes counts as this one, as it may be there
        when a catalogue was restored and counts attempts anew; with other bytes it is StorageUnavailable.
        Raises StorageUnavailable if any step fails; the object is then not there, or is there whole.
        """

    def replace(self) -> StoredObject:
        """As `publish`, but in one step in the place of whatever object has the key: for copies of a shelf alone.

        Raises StorageUnavailable if any step fails; what was there is then as it was, or this object is there whole.
        """


class StoredBytes(Protocol):
    """An open object. Stays readable though the object is removed meanwhile. Safe for one thread."""

    @property
    def size_bytes(self) -> int:
        """How many bytes the shelf has, looked at when it was opened."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes; fewer only where the object ends. StorageUnavailable if it can't be read."""

    def close(self) -> None:
        """Lets it go. Idempotent."""


class ObjectEntry(NamedTuple):
    """One object, or the unfinished remains of one, as a walk over the shelf finds it."""

    object_key: str
    modify_time: datetime


class Storage(Protocol):
    """The shelf (design.md §2), with keys `<account_sid>/<recording_sid>/<attempt>.<ext>`. For many threads at once."""

    def create(self, object_key: str) -> AbstractContextManager[Upload]:
        """A new object. Leaving the context without `publish` leaves nothing behind. StorageUnavailable."""

    def open(self, object_key: str) -> StoredBytes:
        """Opens an object for reading. ObjectMissing; StorageUnavailable."""

    def size(self, object_key: str) -> int | None:
        """How many bytes the object has, looked at now; None if it is not there. StorageUnavailable."""

    def remove(self, object_key: str) -> None:
        """Removes one object, or the remains of one. Idempotent. StorageUnavailable."""

    def remove_others(self, key: RecordingKey, keep: str | None) -> None:
        """Removes everything of that recording, remains of uploads too, but the object `keep`. Idempotent."""

    def entries(self) -> Iterator[ObjectEntry]:
        """Walks over everything on the shelf, remains of uploads too; what one recording has comes without a break."""

    def check(self) -> None:
        """Raises StorageUnavailable unless the shelf can be read and written."""

    def check_room(self, size_bytes: int = 0) -> None:
        """Raises StorageFull unless that much more may be written without touching the reserve; StorageUnavailable.

        Cheap, and looked at anew each time: may be asked before every push and every download.
        """


class Media(Protocol):
    """An answer of Twilio's that may be a recording. Its headers have come; its body is read as it comes."""

    @property
    def content_length(self) -> int | None:
        """The length that was announced, in bytes."""

    @property
    def asked_for(self) -> str:
        """The format that was asked for, by its extension: `mp3` or `wav`. What comes may be another."""

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives: at most 64 KiB a piece, never waiting to fill one. Raises SourceError."""


class MediaSource(Protocol):
    """Twilio, as far as this service fetches from it."""

    def open(self, key: RecordingKey) -> AbstractContextManager[Media]:
        """Asks for the recording in its account's format, with its account's credentials. Raises SourceError."""

    def open_encrypted(self, key: RecordingKey) -> AbstractContextManager[Media]:
        """Asks for a recording that is encrypted, in the one format in which those are had. Raises SourceError."""

    def encryption_details(self, key: RecordingKey) -> EncryptionDetails | None:
        """How the recording is encrypted, by Twilio's resource of it; None if it is not.

        Raises SourceError, and EncryptionDetailsInvalid if what the resource says can't be read.
        """


class MediaKey(Protocol):
    """The key of one recording, unwrapped: in memory only. May be used any number of times."""

    def verify(self, body: Iterable[bytes], tag: bytes) -> None:
        """Reads an encrypted body to its end. Raises EncryptionTagMismatch unless the tag is that of it."""

    def decrypt(self, body: Iterable[bytes], tag: bytes) -> Iterator[bytes]:
        """The body decrypted, piece by piece; after the last one EncryptionTagMismatch unless the tag is that of it.

        To be believed only when it has come to its end, or after `verify`.
        """


class Decryptor(Protocol):
    """The private keys that are configured."""

    def open_key(self, account_sid: str, details: EncryptionDetails) -> MediaKey:
        """Unwraps the key of a recording of that account.

        Raises EncryptionKeyUnknown, EncryptionKeyWrong, EncryptionDetailsInvalid.
        """


class Change(NamedTuple):
    """A recording has changed, and has this revision now."""

    account_sid: str
    recording_sid: str
    revision: int


class ChangeSubscription(Protocol):
    """A place to hear of changes. For one thread, but `close` may come from any."""

    def next(self, timeout_seconds: float) -> Sequence[Change]:
        """What has been heard; waits at most that long for the first.

        Raises QueueUnavailable if hearing is impossible now: changes may then have been missed, and asking again tries
        to hear again.
        """

    def close(self) -> None:
        """Lets it go. Idempotent."""


class ChangeFeed(Protocol):
    """Tells other processes that a recording has changed: a hint, which may get lost. The catalogue is the truth."""

    def publish(self, changes: Sequence[Change]) -> None:
        """Tells whoever listens. Raises QueueUnavailable within its timeouts."""

    def subscribe(self) -> ChangeSubscription:
        """Listens from now on (or from when Redis can be reached)."""

    def close(self) -> None:
        """Closes every connection."""
