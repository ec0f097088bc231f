"""One attempt at fetching a recording: claim, fetch, verify, publish, and only then say READY.

After the claim nothing is raised: every ending is written to the row, and what can't be written the lease will end.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from recording_service.core import transitions
from recording_service.core.attempts import Attempts
from recording_service.core.audio import WAV, Audio
from recording_service.core.changes import tell
from recording_service.core.encrypted_download import EncryptedDownload
from recording_service.core.errors import (
    AttemptSuperseded,
    CatalogueUnavailable,
    DecryptionError,
    RecordingServiceError,
    SourceError,
    SourceNotAudio,
    SourceNotFound,
    SourceOtherFormat,
    SourceRateLimited,
    SourceRefused,
    SourceTooLarge,
    SourceTruncated,
    SourceUnauthorized,
    StorageUnavailable,
    WorkerCrashed,
)
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.landing import land
from recording_service.core.lease_keeper import LeaseKeeper
from recording_service.core.model import Bell, EncryptionDetails, Recording, RecordingState, StoredObject, Work
from recording_service.core.next_bells import NO_LIMITS, AccountLimits, NextBells
from recording_service.core.noting import USUAL_NOTING, Noting
from recording_service.core.ports import Catalogue, ChangeFeed, Clock, Decryptor, MediaSource, Storage

_log = logging.getLogger(__name__)

#: Answers that show that Twilio accepts the account's credentials, though it does not give the recording.
_AUTHORIZED_ANSWERS = (
    SourceNotFound,
    SourceRateLimited,
    SourceNotAudio,
    SourceTruncated,
    SourceTooLarge,
    # Whatever keeps it from being decrypted is found out with Twilio's answer at hand.
    DecryptionError,
)

#: What an encrypted recording may look like to whoever does not know that it is one.
_MAYBE_ENCRYPTED = (SourceNotAudio, SourceRefused)


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """How a worker keeps its lease and its manners."""

    #: How often the lease is raised and progress noted; far less than a lease lasts.
    lease_interval_seconds: float = 2.0
    #: How often one request may find out whether a paused account is accepted again.
    probe_interval_seconds: float = 60.0
    limits: AccountLimits = NO_LIMITS


class Downloader:
    """Answers bells, one at a time."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        storage: Storage,
        source: MediaSource,
        decryptor: Decryptor,
        changes: ChangeFeed,
        attempts: Attempts,
        next_bells: NextBells,
        clock: Clock,
        noting: Noting = USUAL_NOTING,
        settings: DownloadSettings = DownloadSettings(),
    ) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._source = source
        self._encrypted = EncryptedDownload(storage, source, decryptor)
        self._changes = changes
        self._attempts = attempts
        self._next_bells = next_bells
        self._clock = clock
        self._noting = noting
        self._settings = settings
        self._probe_interval = timedelta(seconds=settings.probe_interval_seconds)

    def answer(self, heard: Bell, claimed_by: str) -> Bell | None:
        """Claims the most urgent due recording and sees its attempt to an end; the attempt, or None if nothing was due.

        May be called any number of times for one bell. Raises CatalogueUnavailable only before anything was claimed.
        """
        limit = self._settings.limits.of(Work.DOWNLOAD)
        claimed = self._catalogue.claim(heard, claimed_by, self._clock.now(), self._probe_interval, limit=limit)
        if claimed is None:
            _log.debug("nothing is due recording_sid=%s attempt=%d", heard.recording_sid, heard.attempt)
            return None
        started = self._clock.monotonic()
        _log.info(
            "downloading recording_sid=%s attempt=%d request_id=%s",
            claimed.recording_sid,
            claimed.attempt,
            claimed.request_id,
        )
        tell(self._changes, claimed)
        try:
            self._see_through(claimed, started)
        except AttemptSuperseded as superseded:
            _log.warning("%s; its bytes are thrown away", superseded)
        except Exception:
            _log.exception(
                "an attempt's end could not be noted; its lease will end it recording_sid=%s", claimed.recording_sid
            )
        self._next_bells.ended(claimed.bell)
        return claimed.bell

    def _see_through(self, claimed: Recording, started: float) -> None:
        try:
            failpoint(Failpoint.DOWNLOAD_AFTER_CLAIM)
            stored, audio, details = self._fetch(claimed)
        except SourceUnauthorized as error:
            now = self._clock.now()
            failpoint(Failpoint.ACCOUNT_BEFORE_PAUSE)
            # Paused first: a row that is due again must not be rung for before it waits for its account.
            self._noting.note(lambda: self._catalogue.pause(claimed.account_sid, now, now + self._probe_interval))
            failpoint(Failpoint.ACCOUNT_AFTER_PAUSE)
            self._fail(claimed.bell, error, error.message)
        except (SourceError, DecryptionError, StorageUnavailable) as error:
            self._fail(claimed.bell, error, str(error))
            if isinstance(error, _AUTHORIZED_ANSWERS):
                self._resume_account(claimed.account_sid)
        except AttemptSuperseded:
            raise
        except Exception:
            _log.exception("an attempt failed unexpectedly recording_sid=%s", claimed.recording_sid)
            self._fail(claimed.bell, WorkerCrashed(), "an unexpected error; the log has it")
        else:
            self._ready(claimed, stored, audio, details, started)
            self._resume_account(claimed.account_sid)

    def _fail(self, bell: Bell, error: RecordingServiceError, message: str) -> None:
        self._noting.note(lambda: self._attempts.fail(bell, error, message))

    def _fetch(self, claimed: Recording) -> tuple[StoredObject, Audio, EncryptionDetails | None]:
        """The recording as it was published, what it is, and how it was encrypted."""
        # Twilio is not asked for what there is no room for.
        self._storage.check_room()
        details = claimed.encryption_details
        with LeaseKeeper(self._catalogue, claimed.bell, self._clock, self._settings.lease_interval_seconds) as lease:
            if details is None:
                try:
                    return *self._fetch_as_it_is(claimed, lease), None
                except _MAYBE_ENCRYPTED as error:
                    details = self._learnt(claimed, error)
                    if details is None and isinstance(error, SourceOtherFormat):
                        return *self._fetch_as_it_is(claimed, lease, of_any_format=True), None
                    if details is None:
                        raise
            return *self._encrypted.fetch(claimed, details, lease), details

    def _fetch_as_it_is(
        self, claimed: Recording, lease: LeaseKeeper, *, of_any_format: bool = False
    ) -> tuple[StoredObject, Audio]:
        with self._source.open(claimed.key) as media:
            failpoint(Failpoint.DOWNLOAD_SOURCE_OPENED)
            self._storage.check_room(media.content_length or 0)
            # One in 15 000 encrypted bodies begins as an MP3 does, and none as a WAV: that takes 64 bits.
            only = WAV if media.asked_for == WAV.extension and not of_any_format else None
            return land(self._storage, claimed, lease, media.chunks(), media.content_length, only=only)

    def _learnt(self, claimed: Recording, error: SourceError) -> EncryptionDetails | None:
        """How Twilio says that the recording is encrypted, noted so that no other attempt asks; None if it is not.

        Raises EncryptionDetailsInvalid; where Twilio does not say, the `error` that gave rise to the question.
        """
        try:
            details = self._source.encryption_details(claimed.key)
        except SourceError as unanswered:
            _log.warning(
                "whether a recording is encrypted could not be found out: %s recording_sid=%s",
                unanswered,
                claimed.recording_sid,
            )
            raise error from unanswered
        if details is not None:
            now = self._clock.now()
            learnt = (claimed.key, lambda row: transitions.encryption_learnt(row, claimed.bell, details, now))
            self._noting.note(lambda: self._catalogue.amend([learnt]))
        return details

    def _ready(
        self,
        claimed: Recording,
        stored: StoredObject,
        audio: Audio,
        details: EncryptionDetails | None,
        started: float,
    ) -> None:
        now = self._clock.now()
        bell = claimed.bell
        failpoint(Failpoint.DOWNLOAD_BEFORE_READY)
        ready = (claimed.key, lambda row: transitions.stored(row, bell, stored, audio, now, details))
        row, changed = self._noting.note(lambda: self._catalogue.amend([ready])[0])
        # An answer may have been lost, of a time that was noted: the object is the row's then.
        is_ours = row is not None and row.state is RecordingState.READY and row.object_key == stored.object_key
        if row is None or not (changed or is_ours):
            failpoint(Failpoint.DOWNLOAD_SUPERSEDED)
            # Another attempt has taken over, and its objects have other names. As long as it has not brought the
            # recording, ours may be all there is: what it leaves when it has, or the sweep, removes it then.
            if row is not None and row.state in (RecordingState.READY, RecordingState.DELETED):
                with self._leaving_remains_to_the_sweep(claimed):
                    self._storage.remove(stored.object_key)
            raise AttemptSuperseded(claimed.recording_sid, claimed.attempt)
        failpoint(Failpoint.DOWNLOAD_AFTER_READY)
        _log.info(
            "ready recording_sid=%s attempt=%d size_bytes=%d seconds=%.3f request_id=%s",
            row.recording_sid,
            row.attempt,
            stored.size_bytes,
            self._clock.monotonic() - started,
            row.request_id,
        )
        tell(self._changes, row)
        with self._leaving_remains_to_the_sweep(claimed):
            self._storage.remove_others(claimed.key, keep=stored.object_key)
            failpoint(Failpoint.DOWNLOAD_REMAINS_REMOVED)
        self._next_bells.ready(row)

    @contextmanager
    def _leaving_remains_to_the_sweep(self, claimed: Recording) -> Iterator[None]:
        try:
            yield
        except StorageUnavailable:
            _log.warning("remains of attempts are left to the sweep recording_sid=%s", claimed.recording_sid)

    def _resume_account(self, account_sid: str) -> None:
        """Ends the account's pause, if it is paused: Twilio has accepted its credentials."""
        try:
            if any(paused.account_sid == account_sid for paused in self._catalogue.paused()):
                failpoint(Failpoint.ACCOUNT_BEFORE_RESUME)
                freed = self._catalogue.resume(account_sid, self._clock.now())
                failpoint(Failpoint.ACCOUNT_AFTER_RESUME)
                _log.warning("Twilio accepts the account again; %d recordings go on account_sid=%s", freed, account_sid)
        except CatalogueUnavailable:
            # The attempt's own end is noted already.
            _log.warning("the account stays paused until its next probe account_sid=%s", account_sid)
