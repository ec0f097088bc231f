"""AttemptRows of core/ports.py for the work that follows the download, over every catalogue; and what it makes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from recording_service.adapters.sql_catalogue import waits
from recording_service.core.model import (
    Bell,
    ClaimedAttempt,
    Occasion,
    Priority,
    Processing,
    ProcessingState,
    Recording,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
    WaitingReason,
    Work,
)
from recording_service.core.ports import Artefact, Catalogue
from tests.support.recordings import ACCOUNT_SID, TIME, another, change, now_of, put
from tests.support.simultaneous import simultaneously

OTHER_ACCOUNT = "AC" + "c" * 32
THIRD_ACCOUNT = "AC" + "d" * 32
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WORKER = "processor-1"
PENDING, RUNNING = ProcessingState.PENDING, ProcessingState.RUNNING


def waiting(number: int, *, row: dict[str, Any] | None = None, **fields: Any) -> Recording:
    """A READY recording that waits to be processed, due at TIME and not rung for; `fields` are those of Processing."""
    processing = Processing(**{"state": PENDING, "attempt": 1, "next_attempt_time": TIME, **fields})
    return another(number, **{"state": RecordingState.READY, "processing": processing, **(row or {})})


def rung(number: int, **fields: Any) -> Recording:
    """The same, with its bell rung."""
    return waiting(number, **{"rung_time": TIME, **fields})


def claim(catalogue: Catalogue, heard: Bell | None = None, worker: str = WORKER) -> Recording | None:
    return catalogue.claim(heard, worker, TIME, MINUTE, work=Work.PROCESSING)


def claim_all(catalogue: Catalogue, heard: Bell | None = None, worker: str = WORKER) -> list[Recording]:
    taken = []
    while row := claim(catalogue, heard, worker):
        taken.append(row)
    return taken


def keys(rows: list[Recording]) -> list[str]:
    return [row.recording_sid for row in rows]


# Bells


def test_what_no_step_has_been_done_of_is_taken_before_what_was_put_off_though_it_is_younger(
    catalogue: Catalogue,
) -> None:
    done = {Step.PROBE: StepEnd(ProcessingState.DONE)}
    put_off, older, fresh = rung(1, ends=done), rung(2, ends=done), rung(3, row={"create_time": TIME + SECOND})
    put(catalogue, put_off, older, fresh)
    assert keys(claim_all(catalogue)) == keys([fresh, put_off, older])


def test_what_was_put_off_is_taken_by_whoever_heard_its_bell_only_after_what_is_fresh(catalogue: Catalogue) -> None:
    put_off = waiting(1, ends={Step.PROBE: StepEnd(ProcessingState.DONE)})
    fresh = rung(2, row={"create_time": TIME + SECOND})
    put(catalogue, put_off, fresh)
    heard = put_off.processing_bell
    assert [row and row.recording_sid for row in (claim(catalogue, heard), claim(catalogue, heard))] == keys(
        [fresh, put_off]
    )


def test_a_bell_that_rang_is_noted_once_and_for_its_kind_of_work_alone(catalogue: Catalogue) -> None:
    recording = waiting(1)
    put(catalogue, recording)
    bell = recording.processing_bell
    assert catalogue.mark_rung([bell], TIME + SECOND) == {bell}
    assert catalogue.mark_rung([bell], TIME + 2 * SECOND) == set()
    processing = replace(recording.processing, rung_time=TIME + SECOND)
    assert now_of(catalogue, recording) == replace(recording, processing=processing, revision=2)
    # The download's attempt has the same number, and a bell of its own.
    assert catalogue.mark_rung([recording.bell, bell], TIME) == {recording.bell}
    assert now_of(catalogue, recording).rung_time == TIME


@pytest.mark.parametrize("work", Work)
def test_an_echo_is_of_no_row(catalogue: Catalogue, work: Work) -> None:
    recording = waiting(1, row={"state": RecordingState.QUEUED} if work is Work.DOWNLOAD else None)
    put(catalogue, recording)
    echo = (recording.bell if work is Work.DOWNLOAD else recording.processing_bell).echo
    assert catalogue.mark_rung([echo], TIME) == set()
    assert catalogue.claim(echo, WORKER, TIME, MINUTE, work=work) is None
    assert catalogue.get(recording.key) == recording
    own = echo._replace(occasion=Occasion.DUE)
    assert catalogue.claim(own, WORKER, TIME, MINUTE, work=work) is not None
    assert not catalogue.raise_lease(echo, 1, TIME)
    assert catalogue.raise_lease(own, 1, TIME)


@pytest.mark.parametrize("attempt", [1, 3])
def test_a_bell_of_another_attempt_is_not_noted(catalogue: Catalogue, attempt: int) -> None:
    recording = waiting(1, attempt=2)
    put(catalogue, recording)
    assert catalogue.mark_rung([recording.processing_bell._replace(attempt=attempt)], TIME) == set()
    assert catalogue.get(recording.key) == recording


@pytest.mark.parametrize("state", [None, *ProcessingState])
def test_a_bell_is_noted_whatever_has_become_of_the_processing(
    catalogue: Catalogue, state: ProcessingState | None
) -> None:
    recording = waiting(1, state=state)
    put(catalogue, recording)
    assert catalogue.mark_rung([recording.processing_bell], TIME) == {recording.processing_bell}


def test_of_many_who_note_the_same_bells_exactly_one_has_each(catalogue: Catalogue) -> None:
    rows = [waiting(number) for number in range(20)]
    put(catalogue, *rows)
    bells = [row.processing_bell for row in rows] + [row.bell for row in rows]
    told = simultaneously(
        [partial(catalogue.mark_rung, bells if caller % 2 else bells[::-1], TIME) for caller in range(8)]
    )
    assert sorted(bell for each in told for bell in each) == sorted(bells)
    assert {now_of(catalogue, row).revision for row in rows} == {3}


# Claims


def test_what_is_claimed_is_running_and_ready_as_before(catalogue: Catalogue) -> None:
    ends = {Step.PROBE: StepEnd(ProcessingState.FAILED, StepReason.MEDIA_BROKEN, "frame 7")}
    recording = rung(
        1,
        row={"received_bytes": 9, "claimed_by": "worker-0", "lease": 4},
        lease=7,
        claimed_by="processor-0",
        waiting_reason=WaitingReason.RETRY,
        failures_by_reason={StepReason.WORKER_CRASHED: 2},
        ends=ends,
    )
    put(catalogue, recording)
    processing = replace(recording.processing, state=RUNNING, claimed_by=WORKER, lease=0, waiting_reason=None)
    expected = replace(recording, processing=processing, update_time=TIME + SECOND, revision=2)
    assert catalogue.claim(None, WORKER, TIME + SECOND, MINUTE, work=Work.PROCESSING) == expected
    assert catalogue.get(recording.key) == expected


@pytest.mark.parametrize("state", [None, *(set(ProcessingState) - {PENDING})])
def test_only_what_is_pending_is_taken(catalogue: Catalogue, state: ProcessingState | None) -> None:
    recording = rung(1, state=state)
    put(catalogue, recording)
    assert claim(catalogue, recording.processing_bell) is None


def test_neither_kind_of_work_is_taken_for_the_other(catalogue: Catalogue) -> None:
    queued, ready = another(1, rung_time=TIME), rung(2, row={"rung_time": TIME})
    put(catalogue, queued, ready)
    assert keys(claim_all(catalogue, queued.bell._replace(work=Work.PROCESSING))) == [ready.recording_sid]
    taken = catalogue.claim(ready.bell, WORKER, TIME, MINUTE)
    assert taken is not None
    assert taken.key == queued.key
    assert catalogue.claim(ready.bell, WORKER, TIME, MINUTE) is None


def test_what_has_not_rung_is_taken_only_by_who_heard_it(catalogue: Catalogue) -> None:
    unrung, other = waiting(1, attempt=2), waiting(2)
    put(catalogue, unrung, other)
    assert claim(catalogue) is None
    assert claim(catalogue, unrung.processing_bell._replace(attempt=1)) is None
    taken = claim(catalogue, unrung.processing_bell)
    assert taken is not None
    assert (taken.key, taken.processing.rung_time) == (unrung.key, None)
    assert catalogue.mark_rung([unrung.processing_bell], TIME) == {unrung.processing_bell}


def test_the_most_urgent_is_taken_first_whichever_bell_was_heard(catalogue: Catalogue) -> None:
    urgent = [
        rung(5, row={"priority": Priority.PLAYBACK, "create_time": TIME + 9 * SECOND}),
        rung(4, row={"create_time": TIME - SECOND}),
        rung(2),
        rung(1, row={"priority": Priority.BULK, "create_time": TIME - 9 * SECOND}),
    ]
    put(catalogue, *reversed(urgent))
    assert keys(claim_all(catalogue, urgent[-1].processing_bell)) == keys(urgent)


def test_no_pause_of_an_account_holds_back_what_is_here(catalogue: Catalogue) -> None:
    recording, unrung = rung(1), waiting(2)
    put(catalogue, recording, unrung)
    catalogue.pause(ACCOUNT_SID, TIME, TIME + HOUR)
    assert catalogue.get(recording.key) == recording
    assert catalogue.count_due_rung(Work.PROCESSING) == 1
    assert catalogue.due_unrung(TIME, TIME, 10, Work.PROCESSING) == [unrung.processing_bell]
    assert keys(claim_all(catalogue)) == [recording.recording_sid]
    # It was no probe either.
    assert [account.next_probe_time for account in catalogue.paused()] == [TIME + HOUR]
    assert catalogue.resume(ACCOUNT_SID, TIME) == 0


def test_an_attempt_is_given_to_one_worker_only(catalogue: Catalogue) -> None:
    rows = [rung(number) for number in range(30)]
    put(catalogue, *rows)
    taken = simultaneously([partial(claim_all, catalogue, None, f"processor-{number}") for number in range(6)])
    assert sorted(sid for each in taken for sid in keys(each)) == keys(rows)


def test_no_bell_is_heard_in_vain_while_its_ringer_notes_it(catalogue: Catalogue) -> None:
    for number in range(20):
        recording = waiting(number)
        put(catalogue, recording)
        bell = recording.processing_bell
        both: list[Callable[[], object]] = [
            partial(catalogue.mark_rung, [bell], TIME),
            partial(claim_all, catalogue, bell),
        ]
        noted, taken = simultaneously(both)
        assert noted == {bell}
        assert isinstance(taken, list)
        assert keys(taken) == [recording.recording_sid]


# Turns


@pytest.mark.parametrize("ends_at_once", [True, False], ids=["one at a time", "all at once"])
def test_accounts_take_turns_however_many_one_of_them_has(catalogue: Catalogue, ends_at_once: bool) -> None:
    accounts = [ACCOUNT_SID] * 4 + [OTHER_ACCOUNT] * 2 + [THIRD_ACCOUNT]
    rows = [
        rung(number, row={"account_sid": account_sid, "create_time": TIME + number * SECOND})
        for number, account_sid in enumerate(accounts)
    ]
    put(catalogue, *rows)
    taken = []
    while row := claim(catalogue):
        taken.append(row.key)
        if ends_at_once:
            change(catalogue, row, processing=replace(row.processing, state=ProcessingState.DONE))
    assert taken == [rows[number].key for number in (0, 4, 6, 1, 5, 2, 3)]


@pytest.mark.parametrize("first", Work)
def test_the_turns_of_one_kind_of_work_are_not_those_of_the_other(catalogue: Catalogue, first: Work) -> None:
    """An account that was served with one kind is as new as any other with the other kind."""
    second = next(work for work in Work if work is not first)
    rows = {
        Work.DOWNLOAD: lambda number, **row: another(number, rung_time=TIME, **row),
        Work.PROCESSING: lambda number, **row: rung(number, row=row),
    }
    mine = [rows[first](1), rows[second](2)]
    other = rows[second](3, account_sid=OTHER_ACCOUNT, create_time=TIME + SECOND)
    put(catalogue, *mine, other)
    taken = [catalogue.claim(None, WORKER, TIME, MINUTE, work=work) for work in (first, second, second)]
    assert [row.key if row else None for row in taken] == [mine[0].key, mine[1].key, other.key]


# Leases


def test_a_worker_raises_its_lease_and_receives_no_bytes(catalogue: Catalogue) -> None:
    put(catalogue, rung(1, row={"received_bytes": 77, "lease": 4}))
    taken = claim(catalogue)
    assert taken is not None
    assert catalogue.raise_lease(taken.processing_bell, 100, TIME + SECOND)
    processing = replace(taken.processing, lease=1)
    assert catalogue.get(taken.key) == replace(
        taken, processing=processing, update_time=TIME + SECOND, revision=taken.revision + 1
    )


def test_no_lease_is_raised_but_that_of_the_current_attempt_of_its_kind(catalogue: Catalogue) -> None:
    running, pending = waiting(1, state=RUNNING, attempt=2), rung(2)
    put(catalogue, running, pending)
    bell = running.processing_bell
    others = (bell._replace(attempt=1), bell._replace(attempt=3), bell._replace(work=Work.DOWNLOAD))
    for other in (*others, pending.processing_bell, rung(3).processing_bell):
        assert not catalogue.raise_lease(other, 1, TIME)
    assert catalogue.get_many([running.key, pending.key]) == {running.key: running, pending.key: pending}


def test_the_attempts_of_both_kinds_are_told_with_their_leases(catalogue: Catalogue) -> None:
    put(catalogue, rung(1), rung(2), another(3, rung_time=TIME), another(4, rung_time=TIME))
    processing = [claim(catalogue, None, worker) for worker in ("one", "two")]
    downloads = [catalogue.claim(None, worker, TIME, MINUTE) for worker in ("one", "two")]
    assert None not in (*processing, *downloads)
    first, second = (row.processing_bell for row in processing if row)
    third, fourth = (row.bell for row in downloads if row)
    catalogue.raise_lease(first, 0, TIME)
    expected = [ClaimedAttempt(bell, int(bell == first)) for bell in (first, second, third, fourth)]
    assert list(catalogue.claimed()) == sorted(expected)
    assert list(catalogue.claimed("one")) == sorted([expected[0], expected[2]])
    assert catalogue.claimed("three") == []


# What is due


def test_due_is_what_is_pending_and_rung_or_timely(catalogue: Catalogue) -> None:
    due_unrung, due_rung = waiting(1), rung(2)
    rung_by_another_clock = rung(4, next_attempt_time=TIME + HOUR)
    put(
        catalogue,
        due_unrung,
        due_rung,
        rung_by_another_clock,
        waiting(3, next_attempt_time=TIME + SECOND),
        waiting(5, state=RUNNING),
        rung(6, state=ProcessingState.DONE),
        rung(7, state=None),
        another(8),
        another(9, rung_time=TIME),
    )
    work = Work.PROCESSING
    assert catalogue.due_unrung(TIME, TIME + MINUTE, 10, work) == [due_unrung.processing_bell]
    expected = [due_rung.processing_bell, rung_by_another_clock.processing_bell]
    assert catalogue.due_rung(TIME + MINUTE, TIME, 10, None, work) == expected
    assert catalogue.count_due_rung(work) == 2
    # And the download's are its own.
    assert catalogue.due_unrung(TIME, TIME + MINUTE, 10) == [another(8).bell]
    assert catalogue.due_rung(TIME + MINUTE, TIME, 10, None) == [another(9).bell]
    assert catalogue.count_due_rung() == 1


def test_the_most_urgent_of_those_that_have_not_rung_come_first(catalogue: Catalogue) -> None:
    urgent = [
        waiting(5, row={"priority": Priority.PLAYBACK}),
        waiting(4, row={"create_time": TIME - SECOND}),
        waiting(2, next_attempt_time=TIME - 2 * SECOND),
        waiting(3, next_attempt_time=TIME - 9 * SECOND),
        waiting(1, row={"priority": Priority.BULK}),
    ]
    put(catalogue, *reversed(urgent))
    bells = [row.processing_bell for row in urgent]
    assert catalogue.due_unrung(TIME, TIME, 3, Work.PROCESSING) == bells[:3]
    assert catalogue.due_unrung(TIME, TIME, 10, Work.PROCESSING) == bells


def test_what_was_changed_since_is_left_to_who_changed_it(catalogue: Catalogue) -> None:
    touched, untouched = waiting(1, row={"update_time": TIME + SECOND}), waiting(2)
    put(catalogue, touched, untouched)
    assert catalogue.due_unrung(TIME + SECOND, TIME, 10, Work.PROCESSING) == [untouched.processing_bell]


def test_those_that_rang_before_are_walked_over_in_the_order_of_their_keys(catalogue: Catalogue) -> None:
    rows = [rung(number, attempt=number, row={"priority": Priority(1 + number % 3)}) for number in (4, 2, 9, 1)]
    far = rung(0, row={"account_sid": OTHER_ACCOUNT})
    put(catalogue, *rows, far, rung(3, rung_time=TIME + SECOND))
    now = TIME + SECOND
    walk = partial(catalogue.due_rung, now, now, 2, work=Work.PROCESSING)
    fourth, second, ninth, first = (row.processing_bell for row in rows)
    assert walk(after=None) == [first, second]
    assert walk(after=second) == [fourth, ninth]
    assert walk(after=ninth) == [far.processing_bell]
    assert walk(after=far.processing_bell) == []


# Waits


def in_back_off(number: int, **fields: Any) -> Recording:
    return waiting(number, **{"waiting_reason": WaitingReason.RETRY, "next_attempt_time": TIME + MINUTE, **fields})


@pytest.mark.parametrize("by", [2 * HOUR, -2 * HOUR])
def test_what_waits_is_moved_along_with_the_clock_once_and_the_downloads_time_is_not(
    catalogue: Catalogue, by: timedelta
) -> None:
    recording = in_back_off(1)
    alone = rung(2, next_attempt_time=TIME + MINUTE), in_back_off(3, state=RUNNING), in_back_off(4, state=None)
    put(catalogue, recording, *alone)
    now = TIME + SECOND + by
    assert catalogue.shift_waits(by, now - SECOND, now) == 1
    processing = replace(recording.processing, next_attempt_time=TIME + MINUTE + by)
    moved = replace(recording, processing=processing, update_time=now, revision=2)
    assert catalogue.get(recording.key) == moved
    assert catalogue.shift_waits(by, now - SECOND, now + MINUTE) == 0
    assert [now_of(catalogue, row) for row in alone] == list(alone)


def test_any_number_of_both_kinds_is_moved_along(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "CHUNK", 7)
    rows = [in_back_off(number) for number in range(15)]
    downloads = [another(number, next_attempt_time=TIME + MINUTE) for number in range(15, 30)]
    put(catalogue, *rows, *downloads)
    now = TIME + HOUR
    assert catalogue.shift_waits(HOUR, now - SECOND, now) == 30
    assert {now_of(catalogue, row).processing.next_attempt_time for row in rows} == {TIME + MINUTE + HOUR}
    assert catalogue.end_overlong_waits(now, now) == 30
    assert len(catalogue.due_unrung(now, now, 100, Work.PROCESSING)) == 15


def test_what_waits_longer_than_anything_may_is_due(catalogue: Catalogue) -> None:
    overlong, timeless = in_back_off(1, next_attempt_time=TIME + 3 * HOUR), waiting(2, next_attempt_time=TIME + MINUTE)
    put(catalogue, overlong, timeless, in_back_off(3, next_attempt_time=TIME + 2 * HOUR), rung(4))
    assert catalogue.end_overlong_waits(TIME, TIME + 2 * HOUR) == 2
    due = catalogue.due_unrung(TIME, TIME, 10, Work.PROCESSING)
    assert due == [overlong.processing_bell, timeless.processing_bell]
    assert catalogue.end_overlong_waits(TIME, TIME + 2 * HOUR) == 0


# Artefacts


def an_artefact(recording: Recording, step: Step = Step.PROBE, content: bytes = b"made") -> Artefact:
    return Artefact(recording.key, step, "ab" * 32, content)


def store(catalogue: Catalogue, recording: Recording, *artefacts: Artefact, changes: bool = True) -> None:
    """Stores them together with a change of the recording, or with none."""

    def decide(row: Recording | None) -> Recording | None:
        return replace(row, revision=row.revision + 1) if changes and row is not None else None

    ((_, changed),) = catalogue.amend([(recording.key, decide)], artefacts)
    assert changed is changes


@pytest.mark.parametrize("content", [b"", b"\x00\xff'\"", bytes(range(256)) * 4000])
def test_an_artefact_is_stored_as_it_is_with_the_change(catalogue: Catalogue, content: bytes) -> None:
    recording = waiting(1)
    put(catalogue, recording)
    made = an_artefact(recording, content=content)
    store(catalogue, recording, made)
    assert catalogue.artefact(recording.key, Step.PROBE) == made
    assert catalogue.artefact(recording.key, Step.WAVEFORM) is None
    assert catalogue.artefact(waiting(2).key, Step.PROBE) is None


def test_an_artefact_is_stored_only_with_the_change_of_its_recording(catalogue: Catalogue) -> None:
    recording, other = waiting(1), waiting(2)
    put(catalogue, recording, other)
    store(catalogue, recording, an_artefact(recording), changes=False)
    store(catalogue, recording, an_artefact(other))
    assert catalogue.artefact(recording.key, Step.PROBE) is None
    assert catalogue.artefact(other.key, Step.PROBE) is None


def test_a_decision_that_raises_leaves_no_artefact(catalogue: Catalogue) -> None:
    recording = waiting(1)
    put(catalogue, recording)

    def fail(row: Recording | None) -> Recording | None:
        raise LookupError

    with pytest.raises(LookupError):
        catalogue.amend([(recording.key, fail)], [an_artefact(recording)])
    assert catalogue.artefact(recording.key, Step.PROBE) is None


def test_an_artefact_takes_the_place_of_the_one_that_was_there(catalogue: Catalogue) -> None:
    recording = waiting(1)
    put(catalogue, recording)
    waveform = an_artefact(recording, Step.WAVEFORM, b"drawn")
    store(catalogue, recording, an_artefact(recording), waveform)
    after = Artefact(recording.key, Step.PROBE, "cd" * 32, b"made of other bytes")
    store(catalogue, recording, after)
    assert catalogue.artefact(recording.key, Step.PROBE) == after
    assert catalogue.artefact(recording.key, Step.WAVEFORM) == waveform


def test_with_the_tombstone_every_artefact_of_the_recording_goes_and_no_other(catalogue: Catalogue) -> None:
    recording, other = waiting(1), waiting(2)
    put(catalogue, recording, other)
    for row in (recording, other):
        store(catalogue, row, *(an_artefact(row, step) for step in Step))
    change(catalogue, recording, state=RecordingState.DELETED)
    assert [catalogue.artefact(recording.key, step) for step in Step] == [None] * 3
    assert None not in [catalogue.artefact(other.key, step) for step in Step]


def test_what_was_made_of_bytes_that_are_in_doubt_goes_with_the_step_that_was_done(catalogue: Catalogue) -> None:
    recording, other = waiting(1), waiting(2)
    put(catalogue, recording, other)
    done = StepEnd(ProcessingState.DONE)
    for row in (recording, other):
        ended = replace(row.processing, ends=dict.fromkeys(Step, done))
        change(catalogue, row, processing=ended)
        store(catalogue, row, *(an_artefact(row, step) for step in Step))
    change(catalogue, other, processing=replace(other.processing, attempt=9, ends=dict.fromkeys(Step, done)))
    change(catalogue, recording, processing=replace(recording.processing, ends={}))
    assert [catalogue.artefact(recording.key, step) for step in Step] == [None] * 3
    assert None not in [catalogue.artefact(other.key, step) for step in Step]


def test_of_a_deletion_and_a_step_that_ends_at_once_nothing_is_left(catalogue: Catalogue) -> None:
    for number in range(15):
        recording = waiting(number, state=RUNNING)
        put(catalogue, recording)

        def end(row: Recording | None) -> Recording | None:
            if row is None or row.state is RecordingState.DELETED:
                return None
            return replace(row, revision=row.revision + 1)

        def delete(row: Recording | None) -> Recording | None:
            return row and replace(row, state=RecordingState.DELETED, revision=row.revision + 1)

        simultaneously(
            [
                partial(catalogue.amend, [(recording.key, end)], [an_artefact(recording)]),
                partial(catalogue.amend, [(recording.key, delete)]),
            ]
        )
        assert now_of(catalogue, recording).state is RecordingState.DELETED
        assert catalogue.artefact(recording.key, Step.PROBE) is None
