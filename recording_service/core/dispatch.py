"""The dispatcher (design.md §2): whatever the catalogue says is due comes to be done, whoever has died or forgotten.

One of several is elected by a row of the catalogue, but nothing depends on there being only one: every step is a
conditional statement, and a bell too many does no harm.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from recording_service.core import processing_transitions, transitions
from recording_service.core.attempts import Attempts
from recording_service.core.clock_jumps import ClockJumps
from recording_service.core.errors import CatalogueUnavailable, DependencyUnavailable
from recording_service.core.event_retention import EventRetention
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.leases import LeaseWatch
from recording_service.core.lost_bells import LostBells
from recording_service.core.model import Bell, Work
from recording_service.core.next_bells import NO_LIMITS, AccountLimits
from recording_service.core.ports import BellQueue, Catalogue, Clock, DispatcherRow, Storage
from recording_service.core.retry import LONGEST_DELAY_SECONDS
from recording_service.core.scrub import ShelfScrub
from recording_service.core.sweep import ShelfSweep

_log = logging.getLogger(__name__)

_FORGOTTEN = {
    Work.DOWNLOAD: transitions.bell_forgotten,
    Work.PROCESSING: processing_transitions.bell_forgotten,
}

#: Bells that are rung, or looked for, at a time.
BATCH = 500


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """The dispatcher's clocks, in seconds."""

    #: Between two rounds.
    tick_seconds: float = 1.0
    #: A row that was touched less than this ago is left to whoever touched it, who is about to ring.
    grace_seconds: float = 2.0
    #: A lease that stands still for this long has expired.
    lease_seconds: float = 30.0
    #: A dispatcher whose counter stands still for this long is succeeded.
    election_seconds: float = 10.0
    #: Between two looks for bells that the queue has lost.
    bell_check_seconds: float = 5.0
    #: A probe's bell is given this long before the account's next one is rung.
    probe_patience_seconds: float = 10.0
    #: No row waits longer than this, whatever a clock has made of its time.
    longest_wait_seconds: float = LONGEST_DELAY_SECONDS
    #: Nor a paused account for its probe: once a minute, and the skew that hosts' clocks may have (reliability.md B3).
    longest_probe_wait_seconds: float = 360.0
    #: Between two looks for what waits longer.
    wait_check_seconds: float = 30.0
    #: What the workers go by: what is held back needs no bell.
    limits: AccountLimits = NO_LIMITS


class Dispatcher:
    """One dispatcher. For one thread."""

    def __init__(
        self,
        *,
        name: str,
        catalogue: Catalogue,
        queue: BellQueue,
        storage: Storage,
        attempts: Attempts,
        sweep: ShelfSweep,
        scrub: ShelfScrub,
        retention: EventRetention,
        clock: Clock,
        settings: DispatchSettings = DispatchSettings(),
    ) -> None:
        """`name` is unique to this process: the election goes by it."""
        self._name = name
        self._catalogue = catalogue
        self._queue = queue
        self._storage = storage
        self._attempts = attempts
        self._sweep = sweep
        self._scrub = scrub
        self._retention = retention
        self._clock = clock
        self._settings = settings
        # A round waits for a tick, ringing and replacing bells may take one each, of either kind, and what reads the
        # shelf a part of one: who looks later than that was stopped, or waited for what hung, and leases are given
        # their time anew.
        gap = 6 * settings.tick_seconds
        self._leases: LeaseWatch[Bell] = LeaseWatch(expiry_seconds=settings.lease_seconds, longest_gap_seconds=gap)
        self._holders: LeaseWatch[str] = LeaseWatch(expiry_seconds=settings.election_seconds, longest_gap_seconds=gap)
        self._lost_bells = {
            work: LostBells(
                catalogue,
                queue,
                clock,
                interval_seconds=settings.bell_check_seconds,
                work=work,
                limit=settings.limits.of(work),
            )
            for work in Work
        }
        self._clock_jumps = ClockJumps(
            catalogue,
            clock,
            longest_wait_seconds=settings.longest_wait_seconds,
            longest_probe_wait_seconds=settings.longest_probe_wait_seconds,
            interval_seconds=settings.wait_check_seconds,
        )
        self._probed_at: dict[str, float] = {}
        #: What is wrong now, by the step that it keeps from being done.
        self._troubles: dict[str, str] = {}
        self._has_room = True

    def run(self, stop: threading.Event) -> None:
        """Dispatches until told to stop; then leaves the office, so that a successor need not wait."""
        while not stop.wait(self._settings.tick_seconds):
            self.tick()
        try:
            self._catalogue.take("", DispatcherRow(self._name, self._catalogue.look().lease))
        except CatalogueUnavailable:
            _log.warning("the office could not be left; a successor will wait for it")

    def tick(self) -> bool:
        """One round; whether this dispatcher is the elected one. A dependency that is down only costs its own step."""
        self._clock_jumps.look()
        if not self._step(self._is_elected):
            return False
        # First: what is due is told by the clock.
        self._step(self._clock_jumps.mend)
        self._step(self._end_expired_leases)
        # While there is no room, attempts would only wear on: rows stay due, and nothing is forgotten by waiting.
        self._step(self._check_room)
        if self._has_room:
            self._step(self._probe_paused_accounts)
            # Before new bells are rung: they would be missing until a worker has claimed.
            self._step(self._replace_lost_bells)
            self._step(self._ring_due)
        # What is to be processed is here, and what is made of it goes into the catalogue.
        self._step(self._replace_lost_processing_bells)
        self._step(self._ring_due_processing)
        self._step(self._sweep.advance)
        self._step(self._scrub.scrub)
        self._step(self._retention.forget)
        return True

    def _step(self, step: Callable[[], bool | None]) -> bool:
        """One step of a round; trouble is logged when it begins and when it ends, not at every round."""
        name = step.__name__
        try:
            done = bool(step())
        except DependencyUnavailable as error:
            if self._troubles.get(name) != str(error):
                self._troubles[name] = str(error)
                _log.warning("%s; dispatching goes on when it is back step=%s", error, name)
        except Exception:
            # What is due must come to be done although one step has a bug.
            _log.exception("a step of the dispatcher failed unexpectedly step=%s", name)
        else:
            if self._troubles.pop(name, None):
                _log.warning("dispatching goes on step=%s", name)
            return done
        return False

    def _is_elected(self) -> bool:
        seen = self._catalogue.look()
        if seen.holder == self._name:
            return self._catalogue.hold(self._name)
        self._clock_jumps.stand_by()
        vacant = not seen.holder or self._holders.expired({seen.holder: seen.lease}, self._clock.monotonic())
        if not vacant or not self._catalogue.take(self._name, seen):
            return False
        _log.info("dispatching from now on name=%s", self._name)
        return True

    def _check_room(self) -> None:
        """Notes whether anything could be fetched now. A bug in finding that out keeps nothing from being done."""
        self._has_room = True
        try:
            self._storage.check_room()
        except DependencyUnavailable:
            self._has_room = False
            raise

    def _end_expired_leases(self) -> None:
        claimed = {attempt.bell: attempt.lease for attempt in self._catalogue.claimed()}
        for bell in self._leases.expired(claimed, self._clock.monotonic()):
            _log.warning("a lease has expired recording_sid=%s attempt=%d", bell.recording_sid, bell.attempt)
            self._attempts.crashed(bell)

    def _probe_paused_accounts(self) -> None:
        now, monotonic = self._clock_jumps.now(), self._clock.monotonic()
        for paused in self._catalogue.paused():
            # Rows that have come since the pause wait for the account as well, and should say so.
            self._catalogue.pause(paused.account_sid, now, paused.next_probe_time)
            probed_at = self._probed_at.get(paused.account_sid)
            if paused.next_probe_time > now or (
                probed_at is not None and monotonic - probed_at < self._settings.probe_patience_seconds
            ):
                continue
            candidate = self._catalogue.most_urgent(paused.account_sid, now)
            # A bell that still waits to be heard will do: without workers, bells would pile up.
            if candidate is not None and not self._queue.is_unheard(candidate.bell):
                self._probed_at[paused.account_sid] = monotonic
                self._ring_anew([candidate.bell])

    def _ring_due(self) -> None:
        self._ring_all_due(Work.DOWNLOAD)

    def _ring_due_processing(self) -> None:
        self._ring_all_due(Work.PROCESSING)

    def _replace_lost_bells(self) -> None:
        self._replace_all_lost(Work.DOWNLOAD)

    def _replace_lost_processing_bells(self) -> None:
        self._replace_all_lost(Work.PROCESSING)

    def _ring_all_due(self, work: Work) -> None:
        now, until = self._clock_jumps.now(), self._clock.monotonic() + self._settings.tick_seconds
        untouched_since = now - timedelta(seconds=self._settings.grace_seconds)
        while bells := self._catalogue.due_unrung(now, untouched_since, BATCH, work):
            self._ring(bells)
            # However many there are, leases and the election must not wait for them.
            if len(bells) < BATCH or self._clock.monotonic() >= until:
                return

    def _replace_all_lost(self, work: Work) -> None:
        until = self._clock.monotonic() + self._settings.tick_seconds
        for lost in self._lost_bells[work].search(BATCH, until):
            _log.warning("%d bells were lost; ringing anew", len(lost))
            self._ring_anew(lost)

    def _ring_anew(self, bells: Sequence[Bell]) -> None:
        """Rings for rows under a new attempt: the queue may remember the old bell's name, and would not ring it."""
        failpoint(Failpoint.DISPATCH_BEFORE_NEW_ATTEMPT)
        now = self._clock.now()
        amended = self._catalogue.amend(
            [(bell.key, partial(_FORGOTTEN[bell.work], bell=bell, now=now)) for bell in bells]
        )
        # A row that was not changed has moved on by itself: it may be waiting for its time.
        self._ring(
            [
                row.bell if bell.work is Work.DOWNLOAD else row.processing_bell
                for bell, (row, changed) in zip(bells, amended, strict=True)
                if row is not None and changed
            ]
        )

    def _ring(self, bells: Sequence[Bell]) -> None:
        if bells:
            failpoint(Failpoint.DISPATCH_BEFORE_RING)
            self._queue.ring(bells)
            failpoint(Failpoint.DISPATCH_AFTER_BELL)
            self._catalogue.mark_rung(bells, self._clock.now())
            failpoint(Failpoint.DISPATCH_AFTER_MARK)
