"""AttemptRows of core/ports.py, over every catalogue."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from recording_service.adapters.sql_catalogue import waits
from recording_service.core.model import Bell, ClaimedAttempt, Priority, Recording, RecordingState, WaitingReason
from recording_service.core.ports import Catalogue
from tests.support.recordings import ACCOUNT_SID, TIME, a_recording, another, change, now_of, put
from tests.support.simultaneous import simultaneously

OTHER_ACCOUNT = "AC" + "c" * 32
THIRD_ACCOUNT = "AC" + "d" * 32
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WORKER = "worker-1"


def rung(number: int, **fields: object) -> Recording:
    """A recording whose bell has rung."""
    return another(number, **{"rung_time": TIME, **fields})


def claim(catalogue: Catalogue, heard: Bell | None = None, worker: str = WORKER) -> Recording | None:
    return catalogue.claim(heard, worker, TIME, MINUTE)


def claim_all(catalogue: Catalogue, heard: Bell | None = None, worker: str = WORKER) -> list[Recording]:
    taken = []
    while row := claim(catalogue, heard, worker):
        taken.append(row)
    return taken


# Bells


def test_a_bell_that_rang_is_noted_once(catalogue: Catalogue) -> None:
    recording = a_recording()
    put(catalogue, recording)
    assert catalogue.mark_rung([recording.bell], TIME + SECOND) == {recording.bell}
    assert catalogue.mark_rung([recording.bell], TIME + 2 * SECOND) == set()
    # The time of the last change stays: nobody has changed what the recording is.
    assert now_of(catalogue, recording) == replace(recording, rung_time=TIME + SECOND, revision=2)


def test_those_bells_are_told_that_this_call_noted(catalogue: Catalogue) -> None:
    rows = [another(number) for number in range(40)]
    put(catalogue, *rows)
    catalogue.mark_rung([row.bell for row in rows[:10]], TIME)
    assert catalogue.mark_rung([row.bell for row in reversed(rows)] * 2, TIME) == {row.bell for row in rows[10:]}


def test_no_bell_is_noted_where_none_rang(catalogue: Catalogue) -> None:
    assert catalogue.mark_rung([], TIME) == set()


@pytest.mark.parametrize("attempt", [1, 3])
def test_a_bell_of_another_attempt_is_not_noted(catalogue: Catalogue, attempt: int) -> None:
    recording = a_recording(attempt=2)
    put(catalogue, recording)
    assert catalogue.mark_rung([recording.bell._replace(attempt=attempt), another(7).bell], TIME) == set()
    assert catalogue.get(recording.key) == recording


@pytest.mark.parametrize("state", RecordingState)
def test_a_bell_is_noted_whatever_has_become_of_the_recording(catalogue: Catalogue, state: RecordingState) -> None:
    recording = a_recording(state=state)
    put(catalogue, recording)
    assert catalogue.mark_rung([recording.bell], TIME) == {recording.bell}


def test_of_many_who_note_the_same_bells_exactly_one_has_each(catalogue: Catalogue) -> None:
    rows = [another(number) for number in range(20)]
    put(catalogue, *rows)
    bells = [row.bell for row in rows]
    told = simultaneously(
        [partial(catalogue.mark_rung, bells if caller % 2 else bells[::-1], TIME) for caller in range(8)]
    )
    assert sorted(bell for each in told for bell in each) == sorted(bells)
    assert {now_of(catalogue, row).revision for row in rows} == {2}


# Claims


def test_there_is_nothing_to_take_in_an_empty_catalogue(catalogue: Catalogue) -> None:
    assert claim(catalogue) is None
    assert claim(catalogue, a_recording().bell) is None


def test_a_claimed_recording_is_downloading(catalogue: Catalogue) -> None:
    recording = rung(1, lease=7, received_bytes=9, claimed_by="worker-0", waiting_reason=WaitingReason.RETRY)
    put(catalogue, recording)
    expected = replace(
        recording,
        state=RecordingState.DOWNLOADING,
        claimed_by=WORKER,
        lease=0,
        received_bytes=0,
        waiting_reason=None,
        update_time=TIME + SECOND,
        revision=2,
    )
    assert catalogue.claim(None, WORKER, TIME + SECOND, MINUTE) == expected
    assert catalogue.get(recording.key) == expected


def test_the_most_urgent_recording_is_taken_first_whichever_bell_was_heard(catalogue: Catalogue) -> None:
    urgent = [
        rung(5, priority=Priority.PLAYBACK, create_time=TIME + 9 * SECOND),
        rung(4, create_time=TIME - SECOND),
        rung(2),
        rung(3),
        rung(1, priority=Priority.BULK, create_time=TIME - 9 * SECOND),
    ]
    put(catalogue, *reversed(urgent))
    assert [row.key for row in claim_all(catalogue, urgent[-1].bell)] == [row.key for row in urgent]


@pytest.mark.parametrize("state", set(RecordingState) - {RecordingState.QUEUED})
def test_only_a_queued_recording_is_taken(catalogue: Catalogue, state: RecordingState) -> None:
    recording = rung(1, state=state)
    put(catalogue, recording)
    assert claim(catalogue, recording.bell) is None


def test_what_was_rung_for_is_taken_though_the_workers_clock_says_that_its_time_has_not_come(
    catalogue: Catalogue,
) -> None:
    # Whoever rang has found it due, by a clock of its own.
    noted, heard = rung(1, next_attempt_time=TIME + HOUR), another(2, next_attempt_time=TIME + HOUR)
    put(catalogue, noted, heard)
    assert [row.key for row in claim_all(catalogue, heard.bell)] == [noted.key, heard.key]


def test_a_recording_whose_bell_has_not_rung_is_taken_only_by_who_heard_it(catalogue: Catalogue) -> None:
    # Its ringer may not have noted the bell yet, and must be able to do so afterwards.
    unrung, other = another(1, attempt=2), another(2)
    put(catalogue, unrung, other)
    assert claim(catalogue) is None
    assert claim(catalogue, another(3).bell) is None
    assert claim(catalogue, unrung.bell._replace(attempt=1)) is None
    taken = claim(catalogue, unrung.bell)
    assert taken is not None
    assert (taken.key, taken.rung_time) == (unrung.key, None)
    assert catalogue.mark_rung([unrung.bell], TIME) == {unrung.bell}


@pytest.mark.parametrize("heard_first", [True, False])
def test_the_more_urgent_of_what_was_heard_and_what_has_rung_is_taken(catalogue: Catalogue, heard_first: bool) -> None:
    heard, other = another(1), rung(2, create_time=TIME + SECOND if heard_first else TIME - SECOND)
    put(catalogue, heard, other)
    taken = claim(catalogue, heard.bell)
    assert taken is not None
    assert taken.key == (heard.key if heard_first else other.key)


def test_an_attempt_is_given_to_one_worker_only(catalogue: Catalogue) -> None:
    rows = [rung(number) for number in range(30)]
    put(catalogue, *rows)
    taken = simultaneously([partial(claim_all, catalogue, None, f"worker-{number}") for number in range(6)])
    assert sorted(row.key for each in taken for row in each) == sorted(row.key for row in rows)
    for number, each in enumerate(taken):
        assert {row.claimed_by for row in each} <= {f"worker-{number}"}


def test_no_bell_is_heard_in_vain_while_its_ringer_notes_it(catalogue: Catalogue) -> None:
    for number in range(25):
        recording = another(number)
        put(catalogue, recording)
        told: set[Bell] = set()
        taken: list[Recording] = []

        def note(bells: list[Bell], told: set[Bell] = told) -> None:
            told |= catalogue.mark_rung(bells, TIME)

        def take(heard: Bell, taken: list[Recording] = taken) -> None:
            taken += claim_all(catalogue, heard)

        simultaneously([partial(note, [recording.bell]), partial(take, recording.bell)])
        assert told == {recording.bell}
        assert [row.key for row in taken] == [recording.key]


# Turns of accounts


def backfill_and_others() -> list[Recording]:
    """Four of one account, that were there first, two of another and one of a third."""
    accounts = [ACCOUNT_SID] * 4 + [OTHER_ACCOUNT] * 2 + [THIRD_ACCOUNT]
    return [
        rung(number, account_sid=account_sid, create_time=TIME + number * SECOND)
        for number, account_sid in enumerate(accounts)
    ]


@pytest.mark.parametrize("ends_at_once", [True, False], ids=["one at a time", "all at once"])
def test_accounts_take_turns_however_many_one_of_them_has(catalogue: Catalogue, ends_at_once: bool) -> None:
    rows = backfill_and_others()
    put(catalogue, *rows)
    taken = []
    while row := claim(catalogue):
        taken.append(row.key)
        if ends_at_once:
            change(catalogue, row, state=RecordingState.READY)
    assert taken == [rows[number].key for number in (0, 4, 6, 1, 5, 2, 3)]


def test_of_accounts_as_urgent_the_one_of_which_the_least_is_being_done_is_next(catalogue: Catalogue) -> None:
    row, other = rung(1), rung(2, account_sid=OTHER_ACCOUNT, create_time=TIME + SECOND)
    # The other one was served last, and is done with that.
    put(catalogue, rung(3, account_sid=OTHER_ACCOUNT))
    served = claim(catalogue)
    assert served is not None
    change(catalogue, served, state=RecordingState.READY)
    put(catalogue, row, other, another(4, state=RecordingState.DOWNLOADING))
    assert [taken.key for taken in claim_all(catalogue)] == [other.key, row.key]


def test_what_is_more_urgent_waits_for_no_turn(catalogue: Catalogue) -> None:
    rows = [rung(number, priority=Priority.PLAYBACK) for number in (1, 2)]
    patient = rung(3, account_sid=OTHER_ACCOUNT, create_time=TIME - HOUR)
    put(catalogue, *rows, patient)
    assert [row.key for row in claim_all(catalogue)] == [*(row.key for row in rows), patient.key]


def test_an_account_that_has_just_come_is_next_though_its_bell_is_not_noted_yet(catalogue: Catalogue) -> None:
    first, second = rung(1), rung(2)
    newcomer = another(3, account_sid=OTHER_ACCOUNT, create_time=TIME + SECOND)
    put(catalogue, first, second)
    assert claim(catalogue) is not None
    put(catalogue, newcomer)
    taken = claim(catalogue, newcomer.bell)
    assert taken is not None
    assert taken.key == newcomer.key


# Claims of paused accounts


def test_a_recording_of_a_paused_account_is_taken_once_at_each_probe_time(catalogue: Catalogue) -> None:
    rows = [rung(number) for number in range(3)]
    put(catalogue, *rows)
    catalogue.pause(ACCOUNT_SID, TIME, TIME + SECOND)

    def take(seconds: int) -> Recording | None:
        return catalogue.claim(rows[2].bell, WORKER, TIME + seconds * SECOND, MINUTE)

    assert take(0) is None
    probe = take(1)
    assert probe is not None
    assert (probe.key, probe.waiting_reason) == (rows[0].key, None)
    assert [account.next_probe_time for account in catalogue.paused()] == [TIME + SECOND + MINUTE]
    assert take(60) is None
    assert take(61) is not None
    assert take(62) is None


def test_a_probe_that_comes_late_is_followed_by_one_interval_of_rest(catalogue: Catalogue) -> None:
    put(catalogue, rung(1), rung(2))
    catalogue.pause(ACCOUNT_SID, TIME, TIME)
    late = TIME + 10 * MINUTE
    assert catalogue.claim(None, WORKER, late, MINUTE) is not None
    assert catalogue.claim(None, WORKER, late + SECOND, MINUTE) is None
    assert [account.next_probe_time for account in catalogue.paused()] == [late + MINUTE]


def test_the_recordings_of_other_accounts_are_taken_while_one_is_paused(catalogue: Catalogue) -> None:
    paused, free = rung(1), rung(2, account_sid=OTHER_ACCOUNT, create_time=TIME + SECOND)
    put(catalogue, paused, free)
    catalogue.pause(ACCOUNT_SID, TIME, TIME + MINUTE)
    assert [row.key for row in claim_all(catalogue, paused.bell)] == [free.key]


def test_taking_another_accounts_recording_is_no_probe(catalogue: Catalogue) -> None:
    put(catalogue, rung(1, priority=Priority.BULK), rung(2, account_sid=OTHER_ACCOUNT))
    catalogue.pause(ACCOUNT_SID, TIME, TIME)
    taken = claim(catalogue)
    assert taken is not None
    assert taken.account_sid == OTHER_ACCOUNT
    assert [account.next_probe_time for account in catalogue.paused()] == [TIME]


def test_of_many_workers_at_a_probe_time_one_probes(catalogue: Catalogue) -> None:
    put(
        catalogue,
        *(rung(number) for number in range(20)),
        *(rung(number, account_sid=OTHER_ACCOUNT) for number in (1, 2)),
    )
    catalogue.pause(ACCOUNT_SID, TIME, TIME)
    taken = [row for each in simultaneously([partial(claim_all, catalogue)] * 8) for row in each]
    assert sorted(row.account_sid for row in taken) == [ACCOUNT_SID, OTHER_ACCOUNT, OTHER_ACCOUNT]


# Leases


def test_a_worker_raises_its_lease_and_notes_its_progress(catalogue: Catalogue) -> None:
    put(catalogue, rung(1))
    taken = claim(catalogue)
    assert taken is not None
    assert catalogue.raise_lease(taken.bell, 100, TIME + SECOND)
    assert catalogue.raise_lease(taken.bell, 250, TIME + 2 * SECOND)
    expected = replace(taken, lease=2, received_bytes=250, update_time=TIME + 2 * SECOND, revision=taken.revision + 2)
    assert catalogue.get(taken.key) == expected


def test_no_lease_is_raised_but_that_of_a_current_attempt(catalogue: Catalogue) -> None:
    downloading = rung(1, attempt=2, state=RecordingState.DOWNLOADING)
    queued = rung(2)
    put(catalogue, downloading, queued)
    for bell in (downloading.bell._replace(attempt=1), downloading.bell._replace(attempt=3), queued.bell, rung(3).bell):
        assert not catalogue.raise_lease(bell, 1, TIME)
    assert catalogue.get_many([downloading.key, queued.key]) == {downloading.key: downloading, queued.key: queued}


def test_the_attempts_that_workers_are_at_are_told_with_their_leases(catalogue: Catalogue) -> None:
    rows = [rung(number) for number in range(3)]
    put(catalogue, *rows, another(9))
    for worker in ("worker-1", "worker-2", "worker-1"):
        claim(catalogue, None, worker)
    catalogue.raise_lease(rows[0].bell, 1, TIME)
    first, second, third = (ClaimedAttempt(row.bell, lease) for row, lease in zip(rows, (1, 0, 0), strict=True))
    assert catalogue.claimed() == [first, second, third]
    assert catalogue.claimed("worker-1") == [first, third]
    assert catalogue.claimed("worker-3") == []


# What is due


DUE_UNRUNG = another(1, create_time=TIME + SECOND)
DUE_RUNG = rung(2)
RUNG_BY_ANOTHER_CLOCK = rung(4, next_attempt_time=TIME + HOUR)
NEITHER = (
    another(3, next_attempt_time=TIME + SECOND),
    another(5, state=RecordingState.DOWNLOADING),
    rung(6, state=RecordingState.READY),
    another(7, account_sid=OTHER_ACCOUNT),
    rung(8, account_sid=OTHER_ACCOUNT),
)


def test_due_is_what_is_queued_and_rung_or_timely_and_not_of_a_paused_account(catalogue: Catalogue) -> None:
    put(catalogue, DUE_UNRUNG, DUE_RUNG, RUNG_BY_ANOTHER_CLOCK, *NEITHER)
    # A probe is not due work either: who wants one asks for it.
    catalogue.pause(OTHER_ACCOUNT, TIME, TIME)
    assert catalogue.due_unrung(TIME, TIME + MINUTE, 10) == [DUE_UNRUNG.bell]
    assert catalogue.due_rung(TIME + MINUTE, TIME, 10, None) == [DUE_RUNG.bell, RUNG_BY_ANOTHER_CLOCK.bell]
    assert catalogue.count_due_rung() == 2


def test_the_most_urgent_of_those_that_have_not_rung_come_first(catalogue: Catalogue) -> None:
    urgent = [
        another(5, priority=Priority.PLAYBACK, next_attempt_time=TIME - SECOND),
        another(4, create_time=TIME - SECOND),
        another(2, next_attempt_time=TIME - 2 * SECOND),
        another(3, next_attempt_time=TIME - 9 * SECOND),
        another(1, priority=Priority.BULK),
    ]
    put(catalogue, *reversed(urgent))
    assert catalogue.due_unrung(TIME, TIME, 3) == [row.bell for row in urgent[:3]]
    assert catalogue.due_unrung(TIME, TIME, 10) == [row.bell for row in urgent]


def test_a_recording_that_was_changed_since_is_left_to_its_caller(catalogue: Catalogue) -> None:
    touched, untouched = another(1), another(2)
    put(catalogue, touched, untouched)
    change(catalogue, touched, update_time=TIME + SECOND)
    now = TIME + SECOND
    assert catalogue.due_unrung(now, TIME, 10) == [untouched.bell]
    assert catalogue.due_unrung(now, TIME + SECOND, 10) == [touched.bell, untouched.bell]


def test_what_was_changed_in_the_future_is_no_callers_any_more(catalogue: Catalogue) -> None:
    recording = another(1, update_time=TIME + HOUR)
    put(catalogue, recording)
    assert catalogue.due_unrung(TIME, TIME - 2 * SECOND, 10) == [recording.bell]
    assert catalogue.due_unrung(TIME + HOUR, TIME + HOUR - 2 * SECOND, 10) == []


def test_those_that_rang_before_are_walked_over_in_the_order_of_their_keys(catalogue: Catalogue) -> None:
    rows = [rung(number, attempt=number, priority=Priority(1 + number % 3)) for number in (4, 2, 9, 1)]
    far = rung(0, account_sid=OTHER_ACCOUNT)
    put(catalogue, *rows, far, rung(3, rung_time=TIME + SECOND))
    now = TIME + SECOND
    fourth, second, ninth, first = (row.bell for row in rows)
    soon = TIME + SECOND
    assert catalogue.due_rung(soon, now, 2, None) == [first, second]
    assert catalogue.due_rung(soon, now, 2, second) == [fourth, ninth]
    assert catalogue.due_rung(soon, now, 2, ninth) == [far.bell]
    assert catalogue.due_rung(soon, now, 2, far.bell) == []
    assert catalogue.due_rung(TIME, now, 10, None) == []
    assert catalogue.count_due_rung() == 6


def test_a_bell_that_rang_in_the_future_has_rung_before(catalogue: Catalogue) -> None:
    recording = rung(1, rung_time=TIME + HOUR)
    put(catalogue, recording)
    assert catalogue.due_rung(TIME - 5 * SECOND, TIME, 10, None) == [recording.bell]
    assert catalogue.due_rung(TIME - 5 * SECOND, TIME + HOUR, 10, None) == []


# Clocks that were set


def in_back_off(number: int, **fields: object) -> Recording:
    """A recording that waits for a time."""
    waiting = {"waiting_reason": WaitingReason.RETRY, "next_attempt_time": TIME + MINUTE, "attempt": 2}
    return another(number, **{**waiting, **fields})


@pytest.mark.parametrize("by", [2 * HOUR, -2 * HOUR, 365 * 24 * HOUR])
def test_what_waits_is_moved_along_with_the_clock_once(catalogue: Catalogue, by: timedelta) -> None:
    waiting = in_back_off(1)
    put(catalogue, waiting)
    now = TIME + SECOND + by
    since = now - SECOND
    assert catalogue.shift_waits(by, since, now) == 1
    moved = replace(waiting, next_attempt_time=TIME + MINUTE + by, update_time=now, revision=2)
    assert catalogue.get(waiting.key) == moved
    assert catalogue.shift_waits(by, since, now) == 0
    assert catalogue.shift_waits(by, since, now + MINUTE) == 0
    assert catalogue.get(waiting.key) == moved


def test_what_was_changed_after_the_clock_was_set_again_is_not_moved_along_with_the_jump_before(
    catalogue: Catalogue,
) -> None:
    first_set, set_again = TIME + 2 * HOUR, TIME - 2 * HOUR
    at_times = [TIME, first_set + SECOND, set_again + SECOND, set_again + MINUTE]
    far = {"next_attempt_time": TIME + HOUR}
    put(catalogue, *(in_back_off(number, update_time=time, **far) for number, time in enumerate(at_times)))
    for expected in (1, 0):
        later = [(set_again, set_again + 2 * SECOND), (set_again + MINUTE, set_again + 2 * MINUTE)]
        assert catalogue.shift_waits(2 * HOUR, first_set, first_set + MINUTE, later) == expected
    moved = catalogue.get(in_back_off(0).key)
    assert moved is not None
    assert moved.update_time == first_set + MINUTE


@pytest.mark.parametrize("by", [2 * HOUR, -2 * HOUR])
def test_only_what_waits_is_moved_along_with_the_clock(catalogue: Catalogue, by: timedelta) -> None:
    now = TIME + SECOND + by
    left_alone = [
        in_back_off(1, update_time=now - SECOND, next_attempt_time=now + MINUTE),  # by the new clock
        in_back_off(2, update_time=now, next_attempt_time=now + MINUTE),
        rung(3, next_attempt_time=TIME + MINUTE),
        in_back_off(4, state=RecordingState.DOWNLOADING),
        in_back_off(5, state=RecordingState.FAILED),
        # Due by either clock.
        in_back_off(6, next_attempt_time=TIME - 3 * HOUR),
    ]
    put(catalogue, *left_alone)
    assert catalogue.shift_waits(by, now - SECOND, now) == 0
    assert [now_of(catalogue, row) for row in left_alone] == left_alone


def test_what_was_due_at_once_is_due_after_the_clock_was_set_back(catalogue: Catalogue) -> None:
    recording = another(1)
    put(catalogue, recording)
    now = TIME - 2 * HOUR
    assert catalogue.due_unrung(now, now, 10) == []
    assert catalogue.shift_waits(-2 * HOUR, now - SECOND, now) == 1
    assert catalogue.due_unrung(now, now, 10) == [recording.bell]


def test_any_number_of_rows_is_moved_along(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "CHUNK", 7)
    rows = [in_back_off(number) for number in range(30)]
    put(catalogue, *rows)
    now = TIME + HOUR
    assert catalogue.shift_waits(HOUR, now - SECOND, now) == 30
    assert {now_of(catalogue, row).next_attempt_time for row in rows} == {TIME + MINUTE + HOUR}
    assert catalogue.end_overlong_waits(now, now) == 30
    assert {now_of(catalogue, row).next_attempt_time for row in rows} == {now}


def test_what_waits_longer_than_anything_may_is_due(catalogue: Catalogue) -> None:
    overlong = in_back_off(1, next_attempt_time=TIME + 3 * HOUR)
    put(catalogue, overlong, in_back_off(2, next_attempt_time=TIME + 2 * HOUR))
    assert catalogue.end_overlong_waits(TIME, TIME + 2 * HOUR) == 1
    assert catalogue.get(overlong.key) == replace(overlong, next_attempt_time=TIME, update_time=TIME, revision=2)
    assert catalogue.end_overlong_waits(TIME, TIME + 2 * HOUR) == 0


@pytest.mark.parametrize("reason", [None, *WaitingReason])
def test_what_waits_for_no_time_does_not_wait_for_another_hosts_clock(
    catalogue: Catalogue, reason: WaitingReason | None
) -> None:
    put(catalogue, another(1, waiting_reason=reason, next_attempt_time=TIME + 5 * MINUTE))
    waits_for_no_time = reason in (None, WaitingReason.ACCOUNT_UNAUTHORIZED)
    assert catalogue.end_overlong_waits(TIME, TIME + HOUR) == int(waits_for_no_time)
    assert bool(catalogue.due_unrung(TIME, TIME, 10)) is waits_for_no_time


def test_only_what_is_queued_and_unrung_is_made_due(catalogue: Catalogue) -> None:
    far = TIME + 24 * HOUR
    put(
        catalogue,
        rung(1, next_attempt_time=far),
        another(2, next_attempt_time=far, state=RecordingState.DOWNLOADING),
        another(3, next_attempt_time=far, state=RecordingState.DELETED),
        another(4, next_attempt_time=TIME),
    )
    assert catalogue.end_overlong_waits(TIME, TIME + HOUR) == 0
