"""One attempt at a recording's processing: claim, do the steps that are left, and note each as it ends.

After the claim nothing is raised: every ending is written to the row, and what can't be written the lease will end. The
recording stays READY, whatever becomes of a step.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, NamedTuple, Protocol

from recording_service.core import processing_transitions, transitions
from recording_service.core.attempts import Attempts
from recording_service.core.changes import tell
from recording_service.core.errors import (
    AttemptSuperseded,
    CatalogueUnavailable,
    ObjectMissing,
    RecordingServiceError,
    StepError,
    StepImpossible,
    StorageUnavailable,
    WorkerCrashed,
)
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.lease_keeper import LeaseKeeper
from recording_service.core.model import Bell, ProcessingState, Recording, Step, StepEnd, StepReason, Work
from recording_service.core.next_bells import NO_LIMITS, AccountLimits, NextBells
from recording_service.core.noting import USUAL_NOTING, Noting
from recording_service.core.ports import Artefact, Catalogue, ChangeFeed, Clock, Storage
from recording_service.core.sound import Probe
from recording_service.core.stored_file import as_file

_log = logging.getLogger(__name__)

_NOT_CONFIGURED = StepEnd(
    ProcessingState.SKIPPED, StepReason.NOT_CONFIGURED, "nothing is configured that could do this step"
)
_DONE = StepEnd(ProcessingState.DONE)


class Made(NamedTuple):
    """What a step has made of a recording."""

    #: Kept as its artefact; empty: there is none.
    content: bytes = b""
    #: Kept with the recording.
    probe: Probe | None = None
    #: What is said in it, by which the recording is found.
    text: str = ""


class StepRunner(Protocol):
    """Does one step."""

    def run(self, recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        """Makes what the step makes out of the stored bytes, a seekable file. Idempotent: it changes nothing itself.

        Calls `check` now and then, which raises AttemptSuperseded once the attempt is no longer the current one.
        Raises StepImpossible if it can't be done of these bytes, another StepError if it may be done later, and
        StorageUnavailable.
        """


@dataclass(frozen=True, slots=True)
class ProcessingSettings:
    """How a worker keeps its lease, and what it may take."""

    #: How often the lease is raised; far less than a lease lasts.
    lease_interval_seconds: float = 2.0
    limits: AccountLimits = NO_LIMITS


class Processor:
    """Answers bells, one at a time."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        storage: Storage,
        runners: Mapping[Step, StepRunner],
        changes: ChangeFeed,
        attempts: Attempts,
        next_bells: NextBells,
        clock: Clock,
        noting: Noting = USUAL_NOTING,
        settings: ProcessingSettings = ProcessingSettings(),
    ) -> None:
        """A step that `runners` has nobody for is SKIPPED."""
        self._catalogue = catalogue
        self._storage = storage
        self._runners = runners
        self._changes = changes
        self._attempts = attempts
        self._next_bells = next_bells
        self._clock = clock
        self._noting = noting
        self._settings = settings

    def answer(self, heard: Bell, claimed_by: str) -> Bell | None:
        """Claims the most urgent recording that is to be processed and sees its attempt to an end.

        The attempt, or None if nothing was due. May be called any number of times for one bell. Raises
        CatalogueUnavailable only before anything was claimed.
        """
        claimed = self._catalogue.claim(
            heard,
            claimed_by,
            self._clock.now(),
            timedelta(0),
            work=Work.PROCESSING,
            limit=self._settings.limits.of(Work.PROCESSING),
        )
        if claimed is None:
            _log.debug("nothing is to be processed recording_sid=%s attempt=%d", heard.recording_sid, heard.attempt)
            return None
        bell = claimed.processing_bell
        tell(self._changes, claimed)
        try:
            self._see_through(claimed)
        except AttemptSuperseded as superseded:
            _log.warning("%s; what it has made is thrown away", superseded)
        except Exception:
            _log.exception(
                "the end of a step could not be noted; its lease will end it recording_sid=%s", claimed.recording_sid
            )
        self._next_bells.ended(bell)
        return bell

    def _see_through(self, claimed: Recording) -> None:
        row, bell = claimed, claimed.processing_bell
        try:
            failpoint(Failpoint.PROCESSING_AFTER_CLAIM)
            with LeaseKeeper(self._catalogue, bell, self._clock, self._settings.lease_interval_seconds) as lease:
                while (step := row.processing.next_step) is not None:
                    row = self._do(step, row, bell, lease.check)
        except ObjectMissing:
            self._fetch_again(row)
        except (StepError, StorageUnavailable) as error:
            self._fail(bell, error, str(error))
        except (AttemptSuperseded, CatalogueUnavailable):
            # No step's fault: a catalogue that was told again and again need not be told that one has failed.
            raise
        except Exception:
            _log.exception("a step failed unexpectedly recording_sid=%s", claimed.recording_sid)
            self._fail(bell, WorkerCrashed(), "an unexpected error; the log has it")

    def _fail(self, bell: Bell, error: RecordingServiceError, message: str) -> None:
        self._noting.note(lambda: self._attempts.fail(bell, error, message))

    def _do(self, step: Step, row: Recording, bell: Bell, check: Callable[[], None]) -> Recording:
        """Does one step and notes its end; the row as it is then. Raises AttemptSuperseded."""
        started = self._clock.monotonic()
        end, made = self._run(step, row, check)
        failpoint(Failpoint.PROCESSING_STEP_MADE)
        check()
        now = self._clock.now()
        artefacts = [Artefact(row.key, step, row.sha256, made.content, made.text)] if made.content else []

        def ended(existing: Recording | None) -> Recording | None:
            return processing_transitions.step_ended(existing, bell, step, end, now, made.probe)

        after, changed = self._noting.note(lambda: self._catalogue.amend([(row.key, ended)], artefacts)[0])
        # An answer may have been lost, of a time that was noted.
        is_ours = after is not None and after.processing.attempt == bell.attempt and step in after.processing.ends
        if after is None or not (changed or is_ours):
            raise AttemptSuperseded(bell.recording_sid, bell.attempt)
        failpoint(Failpoint.PROCESSING_STEP_NOTED)
        _log.info(
            "%s %s%s recording_sid=%s attempt=%d seconds=%.3f request_id=%s",
            step.value,
            end.state.value,
            f": {end.message}" if end.message else "",
            bell.recording_sid,
            bell.attempt,
            self._clock.monotonic() - started,
            row.request_id,
        )
        tell(self._changes, after)
        return after

    def _run(self, step: Step, row: Recording, check: Callable[[], None]) -> tuple[StepEnd, Made]:
        runner = self._runners.get(step)
        if runner is None:
            return _NOT_CONFIGURED, Made()
        with closing(self._storage.open(row.object_key)) as stored:
            if stored.size_bytes != row.size_bytes:
                raise ObjectMissing(row.object_key)
            try:
                return _DONE, runner.run(row, as_file(stored), check)
            except StepImpossible as error:
                return StepEnd(ProcessingState.FAILED, error.reason, error.message), Made()

    def _fetch_again(self, row: Recording) -> None:
        """The bytes are lost: the recording goes back to be fetched, and with it this attempt is over."""
        _log.warning("a stored object is gone; fetching it again recording_sid=%s", row.recording_sid)
        failpoint(Failpoint.SHELF_BEFORE_REFETCH)
        lost, now = row.object_key, self._clock.now()
        change = (row.key, lambda existing: transitions.refetched(existing, lost, now))
        after, changed = self._noting.note(lambda: self._catalogue.amend([change])[0])
        if changed and after is not None:
            tell(self._changes, after)
