"""The catalogue in memory: for tests, and as the plain statement of what the SQL one must do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import Any

from recording_service.adapters.memory.attempts import MemoryAttempts, age, key_of, urgency
from recording_service.adapters.memory.events import MemoryEvents
from recording_service.core.model import (
    Backlog,
    PagePosition,
    PausedAccount,
    Recording,
    RecordingFilter,
    RecordingKey,
    RecordingState,
    Step,
    WaitingReason,
    Work,
)
from recording_service.core.ports import Amended, Artefact, Decide, DispatcherRow, NamedObject, RowChange
from recording_service.core.processing_transitions import has_forgotten


class MemoryCatalogue(MemoryAttempts, MemoryEvents):
    """`Catalogue` of core/ports.py in one process's memory. Safe to use from many threads; nothing outlives it."""

    def __init__(self) -> None:
        lock = RLock()
        MemoryAttempts.__init__(self, lock)
        MemoryEvents.__init__(self, lock)
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
        return self._sorted(key_of, lambda row: row.recording_sid == recording_sid)

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
                    forgotten = {key for key in written if has_forgotten(before.get(key), after[key])}
                    for key, step in list(self._artefacts):
                        if key in forgotten:
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
            rows = self._sorted(age, lambda row: matching.matches(row) and (after is None or age(row) < after))
            if matching.words is not None:
                texts = self.transcript_texts([row.key for row in rows])
                rows = [row for row in rows if row.key in texts and matching.words.finds(texts[row.key])]
            return rows[::-1][:size]

    def stored(self, size: int, after: RecordingKey | None) -> Sequence[Recording]:
        """READY recordings in the order of their keys."""
        rows = self._sorted(
            key_of, lambda row: row.state is RecordingState.READY and (after is None or row.key > after)
        )
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
            return min(rows, key=urgency, default=None)

    def least_verified(self, verified_before: datetime, now: datetime, size: int) -> Sequence[Recording]:
        """READY recordings that have not been verified since that time: never, in the future, least recently."""
        never = self._sorted(key_of, lambda row: row.state is RecordingState.READY and row.verified_time is None)
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

    def _change(self, key: RecordingKey, **fields: Any) -> Recording:
        return self._put(replace(self._rows[key], **fields))


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
