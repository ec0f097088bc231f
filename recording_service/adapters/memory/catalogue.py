"""The catalogue in memory: for tests, and as the plain statement of what the SQL one must do."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from recording_service.adapters.memory.events import MemoryEvents
from recording_service.adapters.memory.work import WorkOn
from recording_service.core.model import (
    Backlog,
    Bell,
    ClaimedAttempt,
    PagePosition,
    PausedAccount,
    Priority,
    Recording,
    RecordingFilter,
    RecordingKey,
    RecordingState,
    Step,
    WaitingReason,
    Work,
)
from recording_service.core.ports import Amended, Artefact, Decide, DispatcherRow, NamedObject, RowChange

#: What a QUEUED row may wait for that is no time.
_TIMELESS = (None, WaitingReason.ACCOUNT_UNAUTHORIZED)


class MemoryCatalogue(MemoryEvents):
    """`Catalogue` of core/ports.py in one process's memory. Safe to use from many threads; nothing outlives it."""

    def __init__(self) -> None:
        self._lock = RLock()
        super().__init__(self._lock)
        self._rows: dict[RecordingKey, Recording] = {}
        self._paused: dict[str, PausedAccount] = {}
        #: When each account was served last, counted.
        self._turns: dict[Work, Counter[str]] = {work: Counter() for work in Work}
        self._artefacts: dict[tuple[RecordingKey, Step], Artefact] = {}
        self._dispatcher = DispatcherRow("", 0)

    def get(self, key: RecordingKey) -> Recording | None:
        """The recording as it is now."""
        return self._rows.get(key)

    def get_many(self, keys: Sequence[RecordingKey]) -> Mapping[RecordingKey, Recording]:
        """Those of the recordings that there are."""
        with self._lock:
            return {key: self._rows[key] for key in keys if key in self._rows}

    def find(self, recording_sid: str) -> Sequence[Recording]:
        """The recordings of that SID, over all accounts."""
        return self._sorted(_key, lambda row: row.recording_sid == recording_sid)

    def amend(
        self, changes: Sequence[tuple[RecordingKey, Decide]], artefacts: Sequence[Artefact] = ()
    ) -> Sequence[Amended]:
        """Changes many rows, all or none; decides anew where somebody else was faster."""
        while True:
            before = self.get_many([key for key, _ in changes])
            after, changed = _decided(changes, before)
            with self._lock:
                if all(self._rows.get(key) is before.get(key) for key, _ in changes):
                    written = {key for key, row in after.items() if row is not before.get(key)}
                    self._rows.update(after)
                    for artefact in artefacts:
                        if artefact.key in written:
                            self._artefacts[artefact.key, artefact.step] = artefact
                    for key, step in list(self._artefacts):
                        if key in written and after[key].state is RecordingState.DELETED:
                            del self._artefacts[key, step]
                    for key in sorted(after):
                        if after[key] is not before.get(key):
                            self._note_events(before.get(key), after[key])
                    return [Amended(after.get(key), hit) for (key, _), hit in zip(changes, changed, strict=True)]

    def artefact(self, key: RecordingKey, step: Step) -> Artefact | None:
        """What that step has made of the recording."""
        artefact = self._artefacts.get((key, step))
        return None if artefact is None else artefact._replace(text="")

    def transcript_texts(self, keys: Sequence[RecordingKey]) -> Mapping[RecordingKey, str]:
        """What is said in those of the recordings that have a transcript of their bytes."""
        with self._lock:
            transcripts = [self._artefacts.get((key, Step.TRANSCRIPT)) for key in keys]
            return {
                made.key: made.text
                for made in transcripts
                if made is not None and made.media_sha256 == self._rows[made.key].sha256
            }

    def page(self, matching: RecordingFilter, size: int, after: PagePosition | None) -> Sequence[Recording]:
        """At most `size` recordings, newest first."""
        with self._lock:
            rows = self._sorted(_age, lambda row: matching.matches(row) and (after is None or _age(row) < after))
            if matching.words is not None:
                texts = self.transcript_texts([row.key for row in rows])
                rows = [row for row in rows if row.key in texts and matching.words.finds(texts[row.key])]
            return rows[::-1][:size]

    def stored(self, size: int, after: RecordingKey | None) -> Sequence[Recording]:
        """READY recordings in the order of their keys."""
        rows = self._sorted(_key, lambda row: row.state is RecordingState.READY and (after is None or row.key > after))
        return rows[:size]

    def changed(
        self, since: datetime, before: datetime | None, size: int, after: RowChange | None
    ) -> Sequence[RowChange]:
        """Rows whose `update_time` is in that span, in the order of (update_time, key)."""
        with self._lock:
            changes = sorted(
                RowChange(row.update_time, row.key, row.revision)
                for row in self._rows.values()
                if row.update_time >= since and (before is None or row.update_time < before)
            )
        return [change for change in changes if after is None or change[:2] > after[:2]][:size]

    def backlog(self, now: datetime) -> Backlog:
        """How much is waiting."""
        with self._lock:
            queued = sum(row.state is RecordingState.QUEUED for row in self._rows.values())
            due = self._unpaused(Work.DOWNLOAD)
            times = (on.next_attempt_time for on in due if on.next_attempt_time <= now)
            return Backlog(queued, min(times, default=None))

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
            taken = min(
                candidates,
                key=lambda on: (on.row.priority, running[on.account_sid], turns[on.account_sid], _age(on.row)),
            )
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
            return [on.bell for on in sorted(rows, key=lambda on: _urgency(on.row))[:size]]

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
            return [on.bell for on in sorted(rows, key=_key) if after is None or on.key > after.key][:size]

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

    def pause(self, account_sid: str, now: datetime, next_probe_time: datetime) -> None:
        """Pauses the account, and gives its QUEUED rows the waiting reason ACCOUNT_UNAUTHORIZED."""
        with self._lock:
            self._paused.setdefault(account_sid, PausedAccount(account_sid, now, next_probe_time))
            for row in self._queued():
                if row.account_sid == account_sid and row.waiting_reason is not WaitingReason.ACCOUNT_UNAUTHORIZED:
                    self._change(row.key, waiting_reason=WaitingReason.ACCOUNT_UNAUTHORIZED, update_time=now)

    def resume(self, account_sid: str, now: datetime) -> int:
        """Ends the pause; how many rows it set free: none, if the account is not paused."""
        with self._lock:
            if self._paused.pop(account_sid, None) is None:
                return 0
            freed = [
                row
                for row in self._queued()
                if row.account_sid == account_sid
                and (row.waiting_reason is WaitingReason.ACCOUNT_UNAUTHORIZED or row.rung_time is not None)
            ]
            for row in freed:
                self._change(
                    row.key,
                    attempt=row.attempt + 1,
                    rung_time=None,
                    waiting_reason=None,
                    next_attempt_time=now,
                    update_time=now,
                )
            return len(freed)

    def paused(self) -> Sequence[PausedAccount]:
        """The accounts that are paused."""
        with self._lock:
            return [self._paused[account_sid] for account_sid in sorted(self._paused)]

    def most_urgent(self, account_sid: str, now: datetime) -> Recording | None:
        """The QUEUED row of the account, whose bell has rung or whose time has come, that a probe should take."""
        with self._lock:
            rows = [
                row
                for row in self._queued()
                if row.account_sid == account_sid and (row.rung_time is not None or row.next_attempt_time <= now)
            ]
            return min(rows, key=_urgency, default=None)

    def least_verified(self, verified_before: datetime, now: datetime, size: int) -> Sequence[Recording]:
        """READY recordings that have not been verified since that time: never, in the future, least recently."""
        never = self._sorted(_key, lambda row: row.state is RecordingState.READY and row.verified_time is None)
        verified = self._sorted(
            lambda row: (row.verified_time, row.key),
            lambda row: row.state is RecordingState.READY and row.verified_time is not None,
        )
        in_the_future = [row for row in verified if row.verified_time is not None and row.verified_time > now]
        before = [row for row in verified if row.verified_time is not None and row.verified_time < verified_before]
        return (never + in_the_future + before)[:size]

    def mark_verified(self, objects: Sequence[NamedObject], now: datetime) -> None:
        """Sets `verified_time` where the recording is READY and still names that object."""
        with self._lock:
            for key, object_key in objects:
                row = self._rows.get(key)
                if row is not None and row.state is RecordingState.READY and row.object_key == object_key:
                    self._rows[key] = replace(row, verified_time=now)

    def hasten_probes(self, now: datetime, latest: datetime) -> None:
        """Makes the probes of paused accounts due now whose `next_probe_time` is after `latest`."""
        with self._lock:
            for account in self._paused.values():
                if account.next_probe_time > latest:
                    self._paused[account.account_sid] = replace(account, next_probe_time=now)

    def look(self) -> DispatcherRow:
        """Who dispatches now."""
        return self._dispatcher

    def take(self, holder: str, seen: DispatcherRow) -> bool:
        """Takes the office over, if it is still as it was seen."""
        with self._lock:
            if self._dispatcher != seen:
                return False
            self._dispatcher = DispatcherRow(holder, seen.lease + 1)
            return True

    def hold(self, holder: str) -> bool:
        """Raises the holder's counter; False if it is not the holder any more."""
        with self._lock:
            if self._dispatcher.holder != holder:
                return False
            self._dispatcher = DispatcherRow(holder, self._dispatcher.lease + 1)
            return True

    def check(self) -> None:
        """Memory always answers."""

    def close(self) -> None:
        """There is nothing to close."""

    def _sorted(self, key: Callable[[Recording], Any], is_wanted: Callable[[Recording], bool]) -> list[Recording]:
        with self._lock:
            return sorted((row for row in self._rows.values() if is_wanted(row)), key=key)

    def _queued(self) -> list[Recording]:
        return [row for row in self._rows.values() if row.state is RecordingState.QUEUED]

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

    def _change(self, key: RecordingKey, **fields: Any) -> Recording:
        return self._put(replace(self._rows[key], **fields))

    def _put(self, row: Recording) -> Recording:
        """Puts the row in its place, with a higher revision."""
        self._rows[row.key] = replace(row, revision=row.revision + 1)
        return self._rows[row.key]


def _decided(
    changes: Sequence[tuple[RecordingKey, Decide]], before: Mapping[RecordingKey, Recording]
) -> tuple[dict[RecordingKey, Recording], list[bool]]:
    rows = dict(before)
    changed = []
    for key, decide in changes:
        row = rows.get(key)
        decision = decide(row)
        if decision is not None:
            if decision.key != key or (row is not None and decision.revision <= row.revision):
                raise ValueError("a decision must keep the key and set a higher revision")
            rows[key] = decision
        changed.append(decision is not None)
    return rows, changed


def _is_held_back(on: WorkOn, running: Counter[str], limit: int | None) -> bool:
    return limit is not None and on.row.priority is not Priority.PLAYBACK and running[on.account_sid] >= limit


def _key(row: Recording | WorkOn) -> RecordingKey:
    return row.key


def _age(row: Recording) -> PagePosition:
    return PagePosition(row.create_time, row.account_sid, row.recording_sid)


def _urgency(row: Recording) -> tuple[int, PagePosition]:
    return (row.priority, _age(row))
