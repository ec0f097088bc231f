"""The part of the catalogue in memory that is about work: bells, claims, leases and waits of both kinds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import RLock

from recording_service.adapters.memory.work import WorkOn
from recording_service.core.model import (
    Bell,
    ClaimedAttempt,
    PagePosition,
    PausedAccount,
    Priority,
    Recording,
    RecordingKey,
    WaitingReason,
    Work,
)

#: What a row may wait for that is no time.
_TIMELESS = (None, WaitingReason.ACCOUNT_UNAUTHORIZED)


class MemoryAttempts:
    """`AttemptRows` of core/ports.py, and the rows themselves. Under the catalogue's lock."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._rows: dict[RecordingKey, Recording] = {}
        self._paused: dict[str, PausedAccount] = {}
        #: When each account was served last, counted.
        self._turns: dict[Work, Counter[str]] = {work: Counter() for work in Work}

    def mark_rung(self, bells: Sequence[Bell], now: datetime) -> set[Bell]:
        """Notes that these bells have rung; the bells for which this call set `rung_time`."""
        with self._lock:
            hit = set()
            for bell in bells:
                if (on := self._rung_for(bell)) is not None and on.rung_time is None:
                    self._put(on.changed(rung_time=now))
                    hit.add(bell)
            return hit

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
        """Takes the most urgent due row."""
        with self._lock:
            running = self._running(work)
            candidates = [
                on
                for on in self._claimable(work, now)
                if (on.rung_time is not None or on.bell == heard) and not _is_held_back(on, running, limit)
            ]
            if not candidates:
                return None
            turns = self._turns[work]
            first = min(
                candidates,
                key=lambda on: (on.row.priority, running[on.account_sid], turns[on.account_sid], age(on.row)),
            )
            of_turn = [on for on in candidates if _turn_of(on) == _turn_of(first)]
            taken = min(of_turn, key=lambda on: (on.is_begun, age(on.row)))
            turns[taken.account_sid] = max(turns.values(), default=0) + 1
            account = self._paused.get(taken.account_sid)
            if work is Work.DOWNLOAD and account is not None:
                self._paused[taken.account_sid] = replace(account, next_probe_time=now + probe_interval)
            return self._put(replace(taken.claimed(claimed_by), update_time=now))

    def raise_lease(self, bell: Bell, received_bytes: int, now: datetime) -> bool:
        """Raises the lease of a running attempt and notes its progress; False if it is not the current attempt."""
        with self._lock:
            on = self._rung_for(bell)
            if on is None or not on.is_running:
                return False
            progress = {"received_bytes": received_bytes} if bell.work is Work.DOWNLOAD else {}
            self._put(replace(on.changed(lease=on.lease + 1, **progress), update_time=now))
            return True

    def claimed(self, claimed_by: str | None = None) -> Sequence[ClaimedAttempt]:
        """The attempts that workers are at: all of them, or one worker's."""
        return sorted(
            ClaimedAttempt(on.bell, on.lease)
            for work in Work
            for on in self._on_all(work)
            if on.is_running and claimed_by in (None, on.claimed_by)
        )

    def due_unrung(
        self, now: datetime, untouched_since: datetime, size: int, work: Work = Work.DOWNLOAD
    ) -> Sequence[Bell]:
        """Due rows whose bell has not rung and that nobody has changed after that time, the most urgent first."""
        with self._lock:
            rows = [
                on
                for on in self._unpaused(work)
                if on.rung_time is None
                and on.next_attempt_time <= now
                and (on.row.update_time <= untouched_since or on.row.update_time > now)
            ]
            return [on.bell for on in sorted(rows, key=lambda on: urgency(on.row))[:size]]

    def count_due_rung(self, work: Work = Work.DOWNLOAD, limit: int | None = None) -> int:
        """How many due rows have had their bell rung, and rely on it."""
        with self._lock:
            running = self._running(work)
            rung = [on for on in self._unpaused(work) if on.rung_time is not None]
            urgent = [on for on in rung if on.row.priority is Priority.PLAYBACK]
            others = Counter(on.account_sid for on in rung if on.row.priority is not Priority.PLAYBACK)
            return len(urgent) + sum(
                count if limit is None else min(count, max(0, limit - running[account_sid]))
                for account_sid, count in others.items()
            )

    def due_rung(
        self, rung_before: datetime, now: datetime, size: int, after: Bell | None, work: Work = Work.DOWNLOAD
    ) -> Sequence[Bell]:
        """Due rows whose bell rang before that time, in the order of their keys."""
        with self._lock:
            rows = [
                on
                for on in self._unpaused(work)
                if on.rung_time is not None and (on.rung_time < rung_before or on.rung_time > now)
            ]
            return [on.bell for on in sorted(rows, key=key_of) if after is None or on.key > after.key][:size]

    def shift_waits(
        self, by: timedelta, since: datetime, now: datetime, later: Sequence[tuple[datetime, datetime]] = ()
    ) -> int:
        """Moves the `next_attempt_time` of waiting rows by that much, for the wall clock has jumped; how many."""
        with self._lock:
            waits = [
                on
                for work in Work
                for on in self._waiting(work)
                if on.rung_time is None
                and on.next_attempt_time > min(now, now - by)
                and not any(begin <= on.row.update_time <= end for begin, end in [(since, now), *later])
            ]
            for on in waits:
                self._put(replace(on.changed(next_attempt_time=on.next_attempt_time + by), update_time=now))
            return len(waits)

    def end_overlong_waits(self, now: datetime, latest: datetime) -> int:
        """Makes due what no clock that goes right would have waiting; how many."""
        with self._lock:
            waits = [
                on
                for work in Work
                for on in self._waiting(work)
                if on.rung_time is None
                and on.next_attempt_time > now
                and (on.next_attempt_time > latest or on.waiting_reason in _TIMELESS)
            ]
            for on in waits:
                self._put(replace(on.changed(next_attempt_time=now), update_time=now))
            return len(waits)

    def _on_all(self, work: Work) -> list[WorkOn]:
        with self._lock:
            return [WorkOn.of(row, work) for row in self._rows.values()]

    def _waiting(self, work: Work) -> list[WorkOn]:
        return [on for on in self._on_all(work) if on.is_waiting]

    def _unpaused(self, work: Work) -> list[WorkOn]:
        held = self._paused if work is Work.DOWNLOAD else {}
        return [on for on in self._waiting(work) if on.account_sid not in held]

    def _claimable(self, work: Work, now: datetime) -> list[WorkOn]:
        """What waits, without accounts that are paused and not to be probed yet."""
        held = {paused.account_sid for paused in self._paused.values() if paused.next_probe_time > now}
        return [on for on in self._waiting(work) if work is not Work.DOWNLOAD or on.account_sid not in held]

    def _running(self, work: Work) -> Counter[str]:
        """How many each account has running."""
        return Counter(on.account_sid for on in self._on_all(work) if on.is_running)

    def _rung_for(self, bell: Bell) -> WorkOn | None:
        """The work that the bell was rung for, if its attempt is the current one."""
        row = self._rows.get(bell.key)
        on = None if row is None else WorkOn.of(row, bell.work)
        return on if on is not None and on.bell == bell else None

    def _put(self, row: Recording) -> Recording:
        """Puts the row in its place, with a higher revision."""
        self._rows[row.key] = replace(row, revision=row.revision + 1)
        return self._rows[row.key]


def _turn_of(on: WorkOn) -> tuple[str, Priority]:
    return on.account_sid, on.row.priority


def _is_held_back(on: WorkOn, running: Counter[str], limit: int | None) -> bool:
    return limit is not None and on.row.priority is not Priority.PLAYBACK and running[on.account_sid] >= limit


def key_of(row: Recording | WorkOn) -> RecordingKey:
    """What most things are sorted by."""
    return row.key


def age(row: Recording) -> PagePosition:
    """What lists are sorted by, backwards."""
    return PagePosition(row.create_time, row.account_sid, row.recording_sid)


def urgency(row: Recording) -> tuple[int, PagePosition]:
    """What work is sorted by."""
    return (row.priority, age(row))
