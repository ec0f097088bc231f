"""How many attempts of a kind an account may have running at once (`AttemptRows.claim`), over every catalogue."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from recording_service.core.model import (
    Bell,
    Priority,
    Processing,
    ProcessingState,
    Recording,
    RecordingState,
    Work,
)
from recording_service.core.ports import Catalogue
from tests.support.recordings import ACCOUNT_SID, TIME, another, change, now_of, put
from tests.support.simultaneous import simultaneously

OTHER_ACCOUNT = "AC" + "c" * 32
THIRD_ACCOUNT = "AC" + "d" * 32
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
WORKER = "worker-1"
#: How long many workers may take over what they have to do.
PATIENCE_SECONDS = 40.0


def rung(work: Work, number: int, *, is_running: bool = False, is_rung: bool = True, **fields: Any) -> Recording:
    """A recording whose work of that kind waits, or runs, and has been rung for."""
    rung_time = TIME if is_rung else None
    if work is Work.DOWNLOAD:
        state = RecordingState.DOWNLOADING if is_running else RecordingState.QUEUED
        return another(number, **{"state": state, "rung_time": rung_time, **fields})
    state_of_it = ProcessingState.RUNNING if is_running else ProcessingState.PENDING
    processing = Processing(state_of_it, attempt=1, next_attempt_time=TIME, rung_time=rung_time)
    return another(number, **{"state": RecordingState.READY, "processing": processing, **fields})


def bell_of(work: Work, row: Recording) -> Bell:
    return row.bell if work is Work.DOWNLOAD else row.processing_bell


def claim(
    catalogue: Catalogue, work: Work, limit: int | None, heard: Bell | None = None, worker: str = WORKER
) -> Recording | None:
    return catalogue.claim(heard, worker, TIME, MINUTE, work=work, limit=limit)


def claim_all(catalogue: Catalogue, work: Work, limit: int | None) -> list[str]:
    taken = []
    while row := claim(catalogue, work, limit):
        taken.append(row.recording_sid)
    return taken


def ended(work: Work) -> Callable[[Recording | None], Recording | None]:
    """Ends an attempt, as its worker does."""

    def decide(row: Recording | None) -> Recording | None:
        if row is None:
            return None
        if work is Work.DOWNLOAD:
            return replace(row, state=RecordingState.READY, revision=row.revision + 1)
        processing = replace(row.processing, state=ProcessingState.DONE)
        return replace(row, processing=processing, revision=row.revision + 1)

    return decide


def sids(rows: list[Recording]) -> list[str]:
    return [row.recording_sid for row in rows]


@pytest.mark.parametrize("work", Work)
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_of_an_account_are_taken_than_it_may_have_running(catalogue: Catalogue, work: Work, limit: int) -> None:
    rows = [rung(work, number, create_time=TIME + number * SECOND) for number in range(5)]
    others = [rung(work, number, account_sid=OTHER_ACCOUNT, create_time=TIME + 9 * SECOND) for number in (8, 9)]
    put(catalogue, *rows, *others)
    assert sorted(claim_all(catalogue, work, limit)) == sids(rows[:limit] + others[: min(limit, 2)])
    assert claim(catalogue, work, limit, bell_of(work, rows[4])) is None
    assert [now_of(catalogue, row) for row in rows[limit:]] == rows[limit:]


@pytest.mark.parametrize("work", Work)
def test_where_one_has_ended_the_next_may_be_taken(catalogue: Catalogue, work: Work) -> None:
    rows = [rung(work, number, create_time=TIME + number * SECOND) for number in range(4)]
    put(catalogue, *rows)
    for row in rows:
        taken = claim(catalogue, work, 1)
        assert taken is not None
        assert taken.key == row.key
        assert claim(catalogue, work, 1) is None
        catalogue.amend([(row.key, ended(work))])


@pytest.mark.parametrize("work", Work)
def test_a_limit_of_one_kind_of_work_is_none_of_the_other(catalogue: Catalogue, work: Work) -> None:
    other = next(kind for kind in Work if kind is not work)
    row = rung(work, 1)
    put(catalogue, row, *(rung(other, number, is_running=True) for number in range(2, 6)))
    assert claim_all(catalogue, work, 1) == sids([row])


@pytest.mark.parametrize("work", Work)
def test_without_a_limit_all_are_taken(catalogue: Catalogue, work: Work) -> None:
    rows = [rung(work, number) for number in range(5)]
    put(catalogue, *rows)
    assert claim_all(catalogue, work, None) == sids(rows)


@pytest.mark.parametrize("work", Work)
def test_what_somebody_waits_to_hear_is_never_held_back(catalogue: Catalogue, work: Work) -> None:
    urgent = [rung(work, number, priority=Priority.PLAYBACK) for number in (1, 2, 3)]
    held_back = [rung(work, 4), rung(work, 5, priority=Priority.BULK)]
    put(catalogue, *urgent, *held_back)
    assert claim_all(catalogue, work, 1) == sids(urgent)
    # It counts for the others all the same: what runs is what Twilio, or a processor, has to bear.
    assert claim(catalogue, work, 3) is None
    taken = claim(catalogue, work, 4)
    assert taken is not None
    assert taken.key == held_back[0].key


@pytest.mark.parametrize("work", Work)
def test_what_was_held_back_and_becomes_urgent_may_be_taken(catalogue: Catalogue, work: Work) -> None:
    row = rung(work, 2)
    put(catalogue, rung(work, 1, is_running=True), row)
    assert (claim(catalogue, work, 1), catalogue.count_due_rung(work, 1)) == (None, 0)
    change(catalogue, row, priority=Priority.PLAYBACK)
    assert catalogue.count_due_rung(work, 1) == 1
    assert claim_all(catalogue, work, 1) == sids([row])


@pytest.mark.parametrize("work", Work)
def test_an_account_that_has_all_it_may_keeps_nobody_waiting(catalogue: Catalogue, work: Work) -> None:
    """Whatever would be its turn."""
    put(
        catalogue,
        rung(work, 1, is_running=True),
        rung(work, 2, create_time=TIME - MINUTE),
        rung(work, 3, account_sid=OTHER_ACCOUNT),
        rung(work, 4, account_sid=THIRD_ACCOUNT, priority=Priority.BULK),
    )
    assert claim_all(catalogue, work, 1) == sids([another(3), another(4)])


@pytest.mark.parametrize("work", Work)
def test_what_was_heard_is_held_back_like_any_other_and_what_else_may_be_is_taken(
    catalogue: Catalogue, work: Work
) -> None:
    heard, other = rung(work, 2, is_rung=False), rung(work, 3, account_sid=OTHER_ACCOUNT)
    put(catalogue, rung(work, 1, is_running=True), heard, other)
    taken = claim(catalogue, work, 1, bell_of(work, heard))
    assert taken is not None
    assert taken.key == other.key
    assert claim(catalogue, work, 1, bell_of(work, heard)) is None
    catalogue.amend([(rung(work, 1).key, ended(work))])
    taken = claim(catalogue, work, 1, bell_of(work, heard))
    assert taken is not None
    assert taken.key == heard.key


@pytest.mark.parametrize("work", Work)
def test_an_echo_brings_what_has_rung_and_nothing_that_has_not(catalogue: Catalogue, work: Work) -> None:
    unrung, row = rung(work, 1, is_rung=False), rung(work, 2)
    put(catalogue, unrung, row)
    echo = bell_of(work, unrung).echo
    taken = claim(catalogue, work, 2, echo)
    assert taken is not None
    assert taken.key == row.key
    assert claim(catalogue, work, 2, echo) is None


# What relies on the queue


@pytest.mark.parametrize("work", Work)
@pytest.mark.parametrize(("limit", "expected"), [(None, 9), (1, 3), (2, 4), (3, 5), (5, 7), (7, 9), (99, 9)])
def test_of_what_has_rung_as_much_relies_on_a_bell_as_may_be_taken(
    catalogue: Catalogue, work: Work, limit: int | None, expected: int
) -> None:
    put(
        catalogue,
        # Two run, and five wait, of two priorities that share what room there is.
        *(rung(work, number, is_running=True) for number in (1, 2)),
        *(rung(work, number) for number in (3, 4)),
        *(rung(work, number, priority=Priority.BULK) for number in (5, 6, 7)),
        *(rung(work, number, priority=Priority.PLAYBACK) for number in (8, 9)),
        *(rung(work, number, account_sid=OTHER_ACCOUNT) for number in (1, 2)),
        rung(work, 10, is_rung=False),
    )
    assert catalogue.count_due_rung(work, limit) == expected


def test_what_waits_for_a_paused_account_relies_on_no_bell(catalogue: Catalogue) -> None:
    put(catalogue, rung(Work.DOWNLOAD, 1), rung(Work.DOWNLOAD, 2, account_sid=OTHER_ACCOUNT))
    catalogue.pause(ACCOUNT_SID, TIME, TIME + MINUTE)
    assert catalogue.count_due_rung(Work.DOWNLOAD, 1) == 1


@pytest.mark.parametrize("limit", [1, 2])
def test_a_probe_of_a_paused_account_is_held_back_by_what_is_still_running(catalogue: Catalogue, limit: int) -> None:
    put(catalogue, rung(Work.DOWNLOAD, 1, is_running=True), rung(Work.DOWNLOAD, 2))
    catalogue.pause(ACCOUNT_SID, TIME, TIME)
    assert claim_all(catalogue, Work.DOWNLOAD, limit) == sids([another(2)][: limit - 1])
    # Held back, it was no probe.
    expected = TIME if limit == 1 else TIME + MINUTE
    assert [account.next_probe_time for account in catalogue.paused()] == [expected]


# Many at once


@pytest.mark.parametrize("work", Work)
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_of_many_who_claim_at_once_as_many_get_one_as_may_run(catalogue: Catalogue, work: Work, limit: int) -> None:
    for round_ in range(6):
        account_sid = f"AC{round_:032x}"
        rows = [rung(work, number, account_sid=account_sid) for number in range(10)]
        put(catalogue, *rows)
        taken = simultaneously([partial(claim, catalogue, work, limit) for _ in range(8)])
        assert sum(row is not None for row in taken) == limit
        catalogue.amend([(row.key, ended(work)) for row in rows])


class Workers:
    """Threads that claim and end attempts, and count what runs: from before a claim is known until before its end."""

    def __init__(self, catalogue: Catalogue, limits: Mapping[Work, int]) -> None:
        self._catalogue = catalogue
        self._limits = limits
        self._lock = threading.Lock()
        self._running: Counter[tuple[Work, str]] = Counter()
        self._until = time.monotonic() + PATIENCE_SECONDS
        self.most: Counter[tuple[Work, str]] = Counter()
        self.taken: list[Bell] = []

    def work(self, work: Work, left: Callable[[], bool], name: str) -> None:
        """Claims and ends whatever there is, until nothing is left."""
        while left() and time.monotonic() < self._until:
            row = claim(self._catalogue, work, self._limits[work], None, name)
            if row is None:
                continue
            account = work, row.account_sid
            may_be_held_back = row.priority is not Priority.PLAYBACK
            with self._lock:
                self.taken.append(bell_of(work, row))
                self._running[account] += may_be_held_back
                self.most[account] = max(self.most[account], self._running[account])
            with self._lock:
                self._running[account] -= may_be_held_back
            self._catalogue.amend([(row.key, ended(work))])


def test_many_workers_of_both_kinds_keep_to_the_limits_and_leave_nothing_undone(catalogue: Catalogue) -> None:
    limits = {Work.DOWNLOAD: 2, Work.PROCESSING: 1}
    rows: list[tuple[Work, Recording]] = []
    for place, account_sid in enumerate((ACCOUNT_SID, OTHER_ACCOUNT)):
        for number in range(12):
            for work in Work:
                priority = (Priority.NORMAL, Priority.BULK, Priority.NORMAL, Priority.PLAYBACK)[number % 4]
                one = 1000 * place + 2 * number + (work is Work.DOWNLOAD)
                rows.append((work, rung(work, one, account_sid=account_sid, priority=priority)))
    put(catalogue, *(row for _, row in rows))
    workers = Workers(catalogue, limits)
    left = {work: partial(catalogue.count_due_rung, work) for work in Work}
    simultaneously(
        [
            partial(workers.work, work, lambda work=work: bool(left[work]()), f"{work}-{number}")  # type: ignore[misc]
            for work in Work
            for number in range(4)
        ]
    )
    assert sorted(workers.taken) == sorted(bell_of(work, row) for work, row in rows)
    assert catalogue.claimed() == []
    for (work, _), most in workers.most.items():
        assert most <= limits[work]


@pytest.mark.parametrize("work", Work)
def test_no_place_that_becomes_free_is_missed_by_who_looks_afterwards(catalogue: Catalogue, work: Work) -> None:
    """An attempt ends, and others claim at the same moment: if none of them gets the place, the next to look does."""
    for round_ in range(15):
        account_sid = f"AC{round_:032x}"
        running, *rows = (rung(work, number, account_sid=account_sid, is_running=number == 0) for number in range(4))
        put(catalogue, running, *rows)

        def end(running: Recording = running) -> Recording | None:
            catalogue.amend([(running.key, ended(work))])
            return None

        calls: list[Callable[[], Recording | None]] = [end]
        calls += [partial(claim, catalogue, work, 1, bell_of(work, row)) for row in rows]
        taken = simultaneously(calls)
        got = sum(row is not None for row in taken)
        assert got <= 1
        late = claim(catalogue, work, 1)
        assert got + (late is not None) == 1
        catalogue.amend([(row.key, ended(work)) for row in rows])


@pytest.mark.parametrize("work", Work)
def test_ringing_enqueueing_pausing_and_claiming_within_limits_wait_for_nobody_for_ever(
    catalogue: Catalogue, work: Work
) -> None:
    rows = [rung(work, number, is_rung=number % 2 == 0) for number in range(24)]
    put(catalogue, *rows)
    bells = [bell_of(work, row) for row in rows]

    def touch(row: Recording | None) -> Recording | None:
        return row and replace(row, revision=row.revision + 1)

    def pause() -> None:
        for _ in range(4):
            catalogue.pause(ACCOUNT_SID, TIME, TIME)
            catalogue.resume(ACCOUNT_SID, TIME)

    def claim_and_end(one: int) -> None:
        for bell in bells[one::4]:
            row = claim(catalogue, work, 2, bell)
            if row is not None:
                catalogue.amend([(row.key, ended(work))])

    calls: list[Callable[[], object]] = [
        partial(catalogue.mark_rung, bells[::-1], TIME),
        partial(catalogue.amend, [(row.key, touch) for row in reversed(rows)]),
        pause,
        *(partial(claim_and_end, one) for one in range(4)),
    ]
    begun = time.monotonic()
    simultaneously(calls)
    assert time.monotonic() - begun < PATIENCE_SECONDS
