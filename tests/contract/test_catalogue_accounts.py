"""AccountRows and DispatcherElection of core/ports.py, over every catalogue."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from recording_service.core.model import (
    FailureReason,
    PausedAccount,
    Priority,
    RecordingFilter,
    RecordingState,
    WaitingReason,
)
from recording_service.core.ports import Catalogue, DispatcherRow
from tests.support.recordings import ACCOUNT_SID, TIME, a_recording, another, now_of, put
from tests.support.simultaneous import simultaneously

OTHER_ACCOUNT = "AC" + "c" * 32
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
UNAUTHORIZED = WaitingReason.ACCOUNT_UNAUTHORIZED


# Pauses


def test_no_account_is_paused_at_first(catalogue: Catalogue) -> None:
    assert catalogue.paused() == []


def test_the_accounts_that_are_paused_are_told(catalogue: Catalogue) -> None:
    catalogue.pause(OTHER_ACCOUNT, TIME, TIME + MINUTE)
    catalogue.pause(ACCOUNT_SID, TIME + SECOND, TIME + 2 * MINUTE)
    assert catalogue.paused() == [
        PausedAccount(ACCOUNT_SID, TIME + SECOND, TIME + 2 * MINUTE),
        PausedAccount(OTHER_ACCOUNT, TIME, TIME + MINUTE),
    ]


def test_a_paused_account_says_so_on_each_recording_of_its_own_that_waits(catalogue: Catalogue) -> None:
    waiting = [another(1), another(2, next_attempt_time=TIME + MINUTE, waiting_reason=WaitingReason.RETRY)]
    others = [another(3, account_sid=OTHER_ACCOUNT)]
    others += [another(4 + n, state=state) for n, state in enumerate(set(RecordingState) - {RecordingState.QUEUED})]
    put(catalogue, *waiting, *others)
    catalogue.pause(ACCOUNT_SID, TIME + SECOND, TIME + MINUTE)
    for row in waiting:
        expected = replace(row, waiting_reason=UNAUTHORIZED, update_time=TIME + SECOND, revision=2)
        assert catalogue.get(row.key) == expected
    for row in others:
        assert catalogue.get(row.key) == row


def test_pausing_again_changes_only_what_has_come_since(catalogue: Catalogue) -> None:
    before, since = another(1), another(2)
    put(catalogue, before)
    catalogue.pause(ACCOUNT_SID, TIME, TIME + MINUTE)
    held_back = now_of(catalogue, before)
    put(catalogue, since)
    catalogue.pause(ACCOUNT_SID, TIME + SECOND, TIME + 5 * MINUTE)
    assert catalogue.paused() == [PausedAccount(ACCOUNT_SID, TIME, TIME + MINUTE)]
    assert catalogue.get(before.key) == held_back
    assert now_of(catalogue, since).waiting_reason is UNAUTHORIZED


def test_a_pause_that_ends_sets_free_what_waited_for_it(catalogue: Catalogue) -> None:
    waited = another(
        1, attempt=4, failures_by_reason={FailureReason.SOURCE_NOT_FOUND: 2}, next_attempt_time=TIME + MINUTE
    )
    heard_in_vain = another(2, rung_time=TIME + SECOND)
    unrung, downloading, elsewhere = (
        another(3),
        another(4, state=RecordingState.DOWNLOADING, rung_time=TIME),
        another(5, account_sid=OTHER_ACCOUNT, rung_time=TIME),
    )
    put(catalogue, waited, downloading, elsewhere)
    catalogue.pause(ACCOUNT_SID, TIME, TIME + MINUTE)
    put(catalogue, heard_in_vain, unrung)
    later = TIME + 2 * SECOND
    assert catalogue.resume(ACCOUNT_SID, later) == 2
    assert catalogue.paused() == []
    freed: dict[str, Any] = {
        "rung_time": None,
        "waiting_reason": None,
        "next_attempt_time": later,
        "update_time": later,
    }
    assert catalogue.get(waited.key) == replace(waited, attempt=5, revision=3, **freed)
    assert catalogue.get(heard_in_vain.key) == replace(heard_in_vain, attempt=2, revision=2, **freed)
    for row in (unrung, downloading, elsewhere):
        assert catalogue.get(row.key) == row


def test_any_number_of_recordings_waits_and_is_set_free(catalogue: Catalogue) -> None:
    rows = [another(number, rung_time=TIME) for number in range(10_001)]
    put(catalogue, *rows)
    catalogue.pause(ACCOUNT_SID, TIME, TIME + MINUTE)
    assert {row.waiting_reason for row in catalogue.page(RecordingFilter(), len(rows), None)} == {UNAUTHORIZED}
    assert catalogue.resume(ACCOUNT_SID, TIME) == len(rows)
    assert catalogue.paused() == []
    assert len(catalogue.due_unrung(TIME, TIME, 2 * len(rows))) == len(rows)


def test_resuming_again_changes_nothing(catalogue: Catalogue) -> None:
    recording = a_recording()
    put(catalogue, recording)
    catalogue.pause(ACCOUNT_SID, TIME, TIME)
    catalogue.resume(ACCOUNT_SID, TIME)
    freed = now_of(catalogue, recording)
    catalogue.mark_rung([freed.bell], TIME)
    rung = now_of(catalogue, recording)
    assert catalogue.resume(ACCOUNT_SID, TIME) == 0
    assert catalogue.resume(OTHER_ACCOUNT, TIME) == 0
    assert catalogue.get(recording.key) == rung


def test_an_account_can_be_paused_anew(catalogue: Catalogue) -> None:
    catalogue.pause(ACCOUNT_SID, TIME, TIME)
    catalogue.resume(ACCOUNT_SID, TIME)
    catalogue.pause(ACCOUNT_SID, TIME + SECOND, TIME + MINUTE)
    assert catalogue.paused() == [PausedAccount(ACCOUNT_SID, TIME + SECOND, TIME + MINUTE)]


def test_many_may_pause_and_resume_at_once_while_others_work(catalogue: Catalogue) -> None:
    rows = [another(number, rung_time=TIME) for number in range(20)]
    put(catalogue, *rows)

    def work(caller: int) -> None:
        for _ in range(5):
            catalogue.pause(ACCOUNT_SID, TIME, TIME)
            catalogue.claim(rows[caller].bell, f"worker-{caller}", TIME, timedelta(0))
            catalogue.resume(ACCOUNT_SID, TIME)

    simultaneously([partial(work, caller) for caller in range(6)])
    catalogue.resume(ACCOUNT_SID, TIME)
    assert catalogue.paused() == []
    claimed = {attempt.bell.key for attempt in catalogue.claimed()}
    queued = [row for row in catalogue.get_many([row.key for row in rows]).values() if row.key not in claimed]
    assert len(queued) + len(claimed) == len(rows)
    assert {row.waiting_reason for row in queued} <= {None}


# Probes


@pytest.mark.parametrize("is_paused", [True, False])
def test_a_probe_takes_the_most_urgent_timely_recording_of_the_account(catalogue: Catalogue, is_paused: bool) -> None:
    put(
        catalogue,
        another(1),
        another(2, priority=Priority.PLAYBACK, create_time=TIME + SECOND),
        another(3, priority=Priority.PLAYBACK, create_time=TIME - SECOND, next_attempt_time=TIME + SECOND),
        another(4, priority=Priority.PLAYBACK, create_time=TIME - SECOND, state=RecordingState.DOWNLOADING),
        another(5, priority=Priority.PLAYBACK, create_time=TIME - SECOND, account_sid=OTHER_ACCOUNT),
    )
    if is_paused:
        catalogue.pause(ACCOUNT_SID, TIME, TIME + MINUTE)
    probe = catalogue.most_urgent(ACCOUNT_SID, TIME)
    assert probe is not None
    assert probe.key == another(2).key
    assert catalogue.get(probe.key) == probe


def test_there_is_no_probe_for_an_account_without_timely_recordings(catalogue: Catalogue) -> None:
    put(catalogue, another(1, next_attempt_time=TIME + SECOND), another(2, state=RecordingState.FAILED))
    assert catalogue.most_urgent(ACCOUNT_SID, TIME) is None


def test_a_probe_takes_what_was_rung_for_though_another_clock_says_that_its_time_has_not_come(
    catalogue: Catalogue,
) -> None:
    rung = another(1, rung_time=TIME, next_attempt_time=TIME + MINUTE)
    put(catalogue, rung)
    assert catalogue.most_urgent(ACCOUNT_SID, TIME) == rung


def test_a_probe_that_is_too_far_away_is_due_now(catalogue: Catalogue) -> None:
    catalogue.pause(ACCOUNT_SID, TIME, TIME + 2 * MINUTE)
    catalogue.pause(OTHER_ACCOUNT, TIME, TIME + MINUTE)
    catalogue.hasten_probes(TIME + SECOND, TIME + MINUTE)
    assert [account.next_probe_time for account in catalogue.paused()] == [TIME + SECOND, TIME + MINUTE]
    catalogue.hasten_probes(TIME + 2 * SECOND, TIME + MINUTE)
    assert [account.next_probe_time for account in catalogue.paused()] == [TIME + SECOND, TIME + MINUTE]


# The dispatcher


def test_nobody_dispatches_at_first(catalogue: Catalogue) -> None:
    assert catalogue.look() == DispatcherRow("", 0)
    assert not catalogue.hold("host-1")


def test_the_office_is_taken_and_held(catalogue: Catalogue) -> None:
    assert catalogue.take("host-1", catalogue.look())
    taken = catalogue.look()
    assert taken.holder == "host-1"
    assert catalogue.hold("host-1")
    assert not catalogue.hold("host-2")
    assert catalogue.look() == DispatcherRow("host-1", taken.lease + 1)


def test_the_office_is_not_taken_from_a_holder_who_lives(catalogue: Catalogue) -> None:
    catalogue.take("host-1", catalogue.look())
    seen = catalogue.look()
    catalogue.hold("host-1")
    assert not catalogue.take("host-2", seen)
    assert catalogue.look().holder == "host-1"


def test_a_holder_who_lost_the_office_hears_so(catalogue: Catalogue) -> None:
    catalogue.take("host-1", catalogue.look())
    assert catalogue.take("host-2", catalogue.look())
    assert not catalogue.hold("host-1")
    assert catalogue.hold("host-2")


def test_a_term_of_office_never_looks_like_an_earlier_one(catalogue: Catalogue) -> None:
    catalogue.take("host-1", catalogue.look())
    seen = catalogue.look()
    catalogue.take("host-2", seen)
    catalogue.take("host-1", catalogue.look())
    assert catalogue.look() != seen
    assert not catalogue.take("host-3", seen)


def test_of_many_who_take_the_office_at_once_one_has_it(catalogue: Catalogue) -> None:
    seen = catalogue.look()
    took = simultaneously([partial(catalogue.take, f"host-{number}", seen) for number in range(8)])
    assert took.count(True) == 1
    assert catalogue.look().holder == f"host-{took.index(True)}"
