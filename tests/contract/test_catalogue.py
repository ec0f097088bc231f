"""RecordingRows of core/ports.py, over every catalogue. The other parts of the port have files of their own."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording_service.core.model import (
    Backlog,
    CallDetails,
    EncryptionDetails,
    FailureReason,
    PagePosition,
    Priority,
    Recording,
    RecordingFilter,
    RecordingJob,
    RecordingKey,
    RecordingState,
    WaitingReason,
)
from recording_service.core.ports import Amended, Catalogue, Decide
from tests.support.recordings import ACCOUNT_SID, TIME, a_recording, another, change, now_of, put
from tests.support.simultaneous import simultaneously

OTHER_ACCOUNT = "AC" + "c" * 32
SECOND = timedelta(seconds=1)


def insert(recording: Recording) -> Decide:
    return lambda row: recording if row is None else None


def leave(row: Recording | None) -> None:
    return None


def count_up(row: Recording | None) -> Recording | None:
    return None if row is None else replace(row, lease=row.lease + 1, revision=row.revision + 1)


# Reading


def test_a_recording_is_read_as_it_was_stored(catalogue: Catalogue) -> None:
    recording = a_recording()
    put(catalogue, recording)
    assert catalogue.get(recording.key) == recording


def test_an_unknown_recording_is_none(catalogue: Catalogue) -> None:
    put(catalogue, a_recording())
    assert catalogue.get(RecordingKey(OTHER_ACCOUNT, a_recording().recording_sid)) is None


def test_a_tombstone_is_a_row_too(catalogue: Catalogue) -> None:
    tombstone = a_recording(state=RecordingState.DELETED, delete_time=TIME)
    put(catalogue, tombstone)
    assert catalogue.get(tombstone.key) == tombstone
    assert catalogue.find(tombstone.recording_sid) == [tombstone]
    assert catalogue.page(RecordingFilter(), 10, None) == [tombstone]


#: What PostgreSQL can store: everything but the character NUL and lone surrogates (which are no text).
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
counts = st.integers(0, 2**31 - 1)
sizes = st.integers(0, 2**62)
zones = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45))])
times = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=zones)


@st.composite
def whole_recordings(draw: st.DrawFn) -> Recording:
    """A recording with anything in every field."""
    by_type: dict[Any, st.SearchStrategy[Any]] = {
        str: texts,
        int: counts,
        datetime: times,
        datetime | None: st.none() | times,
        timedelta | None: st.none() | st.timedeltas(timedelta(0), timedelta(days=400)),
        int | None: st.none() | sizes,
        RecordingJob: st.sampled_from(RecordingJob),
        Priority: st.sampled_from(Priority),
        RecordingState: st.sampled_from(RecordingState),
        FailureReason | None: st.none() | st.sampled_from(FailureReason),
        WaitingReason | None: st.none() | st.sampled_from(WaitingReason),
    }
    by_name: dict[str, st.SearchStrategy[Any]] = {
        "labels": st.dictionaries(texts, texts, max_size=4),
        "failures_by_reason": st.dictionaries(st.sampled_from(FailureReason), st.integers(1, 1000), max_size=4),
        "stored_channels": st.integers(0, 8),
        "encryption_details": st.none() | st.builds(EncryptionDetails, texts, texts, texts),
        "lease": sizes,
        "received_bytes": sizes,
        "revision": st.integers(1, 2**62),
    }

    def draw_all(of: type) -> dict[str, Any]:
        strategies = {field.name: by_name.get(field.name, by_type.get(field.type)) for field in fields(of)}
        return {name: draw(strategy) for name, strategy in strategies.items() if strategy is not None}

    return Recording(call=CallDetails(**draw_all(CallDetails)), **draw_all(Recording))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=whole_recordings(), after=whole_recordings())
def test_every_field_is_stored_as_it_is(catalogue: Catalogue, before: Recording, after: Recording) -> None:
    there = catalogue.get(before.key)
    if there is None:
        there = before
        put(catalogue, before)
        assert catalogue.get(before.key) == before
    revision = there.revision + 1
    wanted = replace(after, account_sid=before.account_sid, recording_sid=before.recording_sid, revision=revision)
    assert catalogue.amend([(before.key, lambda row: wanted)]) == [(wanted, True)]
    assert catalogue.get(before.key) == wanted
    assert wanted in catalogue.page(RecordingFilter(labels=wanted.call.labels), 1000, None)


def test_failures_are_kept_by_their_reason_and_are_their_sum(catalogue: Catalogue) -> None:
    recording = a_recording()
    put(catalogue, recording)
    assert (now_of(catalogue, recording).failures_by_reason, now_of(catalogue, recording).failures) == ({}, 0)
    spent = {FailureReason.WORKER_CRASHED: 1, FailureReason.SOURCE_UNAVAILABLE: 8}
    change(catalogue, recording, failures_by_reason=spent)
    now = now_of(catalogue, recording)
    assert (now.failures_by_reason, now.failures) == (spent, 9)
    assert all(type(reason) is FailureReason for reason in now.failures_by_reason)


def test_those_are_read_together_that_there_are(catalogue: Catalogue) -> None:
    some = [another(number) for number in range(20)]
    put(catalogue, *some)
    keys = [another(number).key for number in range(10, 30)]
    assert catalogue.get_many(keys) == {recording.key: recording for recording in some[10:]}


def test_none_are_read_together_where_none_are_asked_for(catalogue: Catalogue) -> None:
    put(catalogue, a_recording())
    assert catalogue.get_many([]) == {}


def test_any_number_of_keys_may_be_read_together_and_any_number_of_times(catalogue: Catalogue) -> None:
    there = [another(number) for number in range(0, 40_000, 4000)]
    put(catalogue, *there)
    keys = [another(number).key for number in range(40_000)]
    assert catalogue.get_many(keys + keys) == {recording.key: recording for recording in there}


def test_a_recording_sid_is_found_over_all_accounts(catalogue: Catalogue) -> None:
    here, there = a_recording(), a_recording(account_sid=OTHER_ACCOUNT)
    put(catalogue, there, here, another(1))
    assert catalogue.find(here.recording_sid) == [here, there]
    assert catalogue.find("RE" + "f" * 32) == []


# Changing


def test_what_became_of_each_change_is_told_in_their_order(catalogue: Catalogue) -> None:
    there, new, unknown = another(3), another(1), another(2)
    put(catalogue, there)
    amended = catalogue.amend([(there.key, count_up), (unknown.key, leave), (new.key, insert(new)), (there.key, leave)])
    counted = replace(there, lease=1, revision=2)
    assert amended == [(counted, True), (None, False), (new, True), (counted, False)]
    assert catalogue.get_many([there.key, new.key, unknown.key]) == {there.key: counted, new.key: new}


def test_nothing_is_asked_and_nothing_changes(catalogue: Catalogue) -> None:
    assert catalogue.amend([]) == []


def test_a_row_that_is_left_as_it_is_keeps_its_revision(catalogue: Catalogue) -> None:
    recording = a_recording()
    put(catalogue, recording)
    assert catalogue.amend([(recording.key, leave)]) == [(recording, False)]
    assert catalogue.get(recording.key) == recording


def test_the_second_decision_on_a_key_sees_the_result_of_the_first(catalogue: Catalogue) -> None:
    new = a_recording()
    seen: list[Recording | None] = []

    def look_and_count(row: Recording | None) -> Recording | None:
        seen.append(row)
        return count_up(row)

    amended = catalogue.amend([(new.key, insert(new)), (new.key, look_and_count), (new.key, look_and_count)])
    assert seen[-2:] == [new, replace(new, lease=1, revision=2)]
    assert now_of(catalogue, new) == replace(new, lease=2, revision=3)
    assert [changed for _, changed in amended] == [True, True, True]
    assert amended[-1].recording == now_of(catalogue, new)


def test_both_results_of_a_key_that_occurs_twice_are_the_row_as_it_is_stored(catalogue: Catalogue) -> None:
    new = a_recording()
    amended = catalogue.amend([(new.key, insert(new)), (new.key, count_up)])
    assert [row for row, _ in amended] == [now_of(catalogue, new)] * 2


class Refused(Exception):
    pass


def test_an_exception_of_a_decision_is_raised_on_and_nothing_is_committed(catalogue: Catalogue) -> None:
    there = another(1)
    put(catalogue, there)

    def refuse(row: Recording | None) -> Recording | None:
        raise Refused

    with pytest.raises(Refused):
        catalogue.amend([(there.key, count_up), (another(2).key, insert(another(2))), (another(3).key, refuse)])
    assert catalogue.page(RecordingFilter(), 10, None) == [there]


@pytest.mark.parametrize("revision", [1, 0])
def test_a_decision_that_does_not_raise_the_revision_is_refused(catalogue: Catalogue, revision: int) -> None:
    recording = a_recording()
    put(catalogue, recording)
    with pytest.raises(ValueError, match="revision"):
        catalogue.amend([(recording.key, lambda row: replace(recording, lease=1, revision=revision))])
    assert catalogue.get(recording.key) == recording


def test_a_decision_that_changes_the_key_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="key"):
        catalogue.amend([(another(1).key, lambda row: another(2))])
    assert catalogue.page(RecordingFilter(), 10, None) == []


def meanwhile(do: Callable[[], object], then: Decide) -> Decide:
    """A decision during whose first making something else happens."""
    pending = [do]

    def decide(row: Recording | None) -> Recording | None:
        if pending:
            pending.pop()()
        return then(row)

    return decide


def test_a_row_that_changed_meanwhile_is_decided_on_anew(catalogue: Catalogue) -> None:
    recording, bystander = another(1), another(2)
    put(catalogue, recording, bystander)
    decide = meanwhile(lambda: change(catalogue, recording, lease=7), count_up)
    amended = catalogue.amend([(bystander.key, count_up), (recording.key, decide)])
    assert amended == [
        (replace(bystander, lease=1, revision=2), True),
        (replace(recording, lease=8, revision=3), True),
    ]
    assert [now_of(catalogue, bystander), now_of(catalogue, recording)] == [row for row, _ in amended]


def test_a_row_that_came_meanwhile_is_decided_on_anew(catalogue: Catalogue) -> None:
    recording = a_recording()
    theirs = replace(recording, request_id="theirs")
    decide = meanwhile(lambda: put(catalogue, theirs), insert(recording))
    assert catalogue.amend([(another(1).key, insert(another(1))), (recording.key, decide)]) == [
        (another(1), True),
        (theirs, False),
    ]
    assert catalogue.get(recording.key) == theirs


def test_a_row_may_be_left_as_it_is_when_it_is_decided_on_anew(catalogue: Catalogue) -> None:
    recording = a_recording()
    put(catalogue, recording)
    decide = meanwhile(
        lambda: change(catalogue, recording, lease=5),
        lambda row: count_up(row) if row and row.lease < 5 else None,
    )
    assert catalogue.amend([(recording.key, decide)]) == [(replace(recording, lease=5, revision=2), False)]


def test_of_many_who_insert_the_same_row_exactly_one_does(catalogue: Catalogue) -> None:
    def insert_all(caller: int) -> Sequence[Amended]:
        rows = [another(number, request_id=f"caller {caller}") for number in range(8)]
        return catalogue.amend([(row.key, insert(row)) for row in (rows if caller % 2 else rows[::-1])])

    results = simultaneously([partial(insert_all, caller) for caller in range(8)])
    for number in range(8):
        stored = now_of(catalogue, another(number))
        told = [amended for result in results for amended in result if amended.recording == stored]
        assert len(told) == 8
        assert [amended.changed for amended in told].count(True) == 1


def test_no_change_of_many_at_once_is_lost(catalogue: Catalogue) -> None:
    rows = [another(number) for number in range(4)]
    put(catalogue, *rows)

    def count_all(keys: list[RecordingKey]) -> None:
        for _ in range(5):
            assert all(changed for _, changed in catalogue.amend([(key, count_up) for key in keys]))

    keys = [row.key for row in rows]
    simultaneously([partial(count_all, keys[turn % 4 :] + keys[: turn % 4]) for turn in range(8)])
    assert [now_of(catalogue, row).lease for row in rows] == [40] * 4


# Listing


def test_the_newest_recording_comes_first(catalogue: Catalogue) -> None:
    rows = [
        another(1, create_time=TIME + SECOND),
        a_recording(account_sid=OTHER_ACCOUNT, recording_sid="RE" + "0" * 32),
        another(9),
        another(2),
        another(3, create_time=TIME - SECOND),
    ]
    put(catalogue, *reversed(rows))
    assert catalogue.page(RecordingFilter(), 10, None) == rows


def test_a_page_has_as_many_as_were_asked_for(catalogue: Catalogue) -> None:
    put(catalogue, *(another(number) for number in range(5)))
    assert catalogue.page(RecordingFilter(), 3, None) == [another(4), another(3), another(2)]


@pytest.mark.parametrize("narrowed", [{}, {"labels": {"team": "a"}}, {"account_sids": frozenset({ACCOUNT_SID})}])
@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_pages_follow_each_other_without_gap_or_repetition(
    catalogue: Catalogue, size: int, narrowed: dict[str, Any]
) -> None:
    labels = CallDetails(labels={"team": "a"})
    rows = [another(number, create_time=TIME + (number // 3) * SECOND, call=labels) for number in range(20)]
    put(catalogue, *rows)
    walked: list[Recording] = []
    after = None
    while page := catalogue.page(RecordingFilter(**narrowed), size, after):
        walked += page
        after = PagePosition(page[-1].create_time, page[-1].account_sid, page[-1].recording_sid)
    assert walked == sorted(rows, key=lambda row: (row.create_time, row.key), reverse=True)


ROWS = {
    "queued": another(1, call=CallDetails(call_sid="CA1", labels={"team": "a", "city": "x"})),
    "downloading": another(2, state=RecordingState.DOWNLOADING, call=CallDetails(labels={"team": "b"})),
    "ready": another(3, state=RecordingState.READY, call=CallDetails(call_sid="CA1"), create_time=TIME + SECOND),
    "absent": another(4, state=RecordingState.FAILED, failure_reason=FailureReason.SOURCE_ABSENT),
    "crashed": another(
        5,
        state=RecordingState.FAILED,
        failure_reason=FailureReason.WORKER_CRASHED,
        call=CallDetails(call_sid="CA2", labels={"team": "a", "city": "y"}),
    ),
    "deleted": another(6, state=RecordingState.DELETED, account_sid=OTHER_ACCOUNT, create_time=TIME + 2 * SECOND),
}


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({}, set(ROWS)),
        ({"states": {RecordingState.QUEUED}}, {"queued"}),
        ({"states": {RecordingState.FAILED, RecordingState.DOWNLOADING}}, {"absent", "crashed", "downloading"}),
        ({"states": {RecordingState.FAILED, RecordingState.READY}}, {"absent", "crashed", "ready"}),
        ({"states": {RecordingState.DELETED}}, {"deleted"}),
        ({"states": {RecordingState.FAILED}, "account_sids": {OTHER_ACCOUNT}}, set()),
        ({"failure_reasons": {FailureReason.SOURCE_ABSENT}}, {"absent"}),
        ({"failure_reasons": {FailureReason.SOURCE_ABSENT, FailureReason.WORKER_CRASHED}}, {"absent", "crashed"}),
        ({"account_sids": {OTHER_ACCOUNT}}, {"deleted"}),
        ({"account_sids": {OTHER_ACCOUNT, ACCOUNT_SID}}, set(ROWS)),
        ({"account_sids": {"AC" + "d" * 32}}, set()),
        ({"call_sids": {"CA1"}}, {"queued", "ready"}),
        ({"call_sids": {"CA1", "CA2"}}, {"queued", "ready", "crashed"}),
        ({"call_sids": {"CA1"}, "account_sids": {ACCOUNT_SID}}, {"queued", "ready"}),
        ({"call_sids": {"CA2", ""}}, {"downloading", "absent", "crashed", "deleted"}),
        ({"call_sids": {"CA1"}, "states": {RecordingState.READY}}, {"ready"}),
        ({"labels": {"team": "a"}}, {"queued", "crashed"}),
        ({"labels": {"team": "a", "city": "y"}}, {"crashed"}),
        ({"labels": {"team": "b", "city": "y"}}, set()),
        ({"labels": {"team": "a"}, "states": {RecordingState.QUEUED}}, {"queued"}),
        ({"labels": {"team": "a"}, "call_sids": {"CA2"}, "account_sids": {ACCOUNT_SID}}, {"crashed"}),
        ({"labels": {"team": "a"}, "create_time_from": TIME + SECOND}, set()),
        ({"create_time_from": TIME + SECOND}, {"ready", "deleted"}),
        ({"create_time_before": TIME + SECOND}, {"queued", "downloading", "absent", "crashed"}),
        ({"create_time_from": TIME + SECOND, "create_time_before": TIME + 2 * SECOND}, {"ready"}),
    ],
)
def test_a_list_is_narrowed_by_all_of_the_filters_and_any_value_of_each(
    catalogue: Catalogue, narrowed: dict[str, Any], expected: set[str]
) -> None:
    put(catalogue, *ROWS.values())
    values: dict[str, Any] = {name: frozenset(v) if isinstance(v, set) else v for name, v in narrowed.items()}
    page = catalogue.page(RecordingFilter(**values), 10, None)
    assert {name for name, row in ROWS.items() if row in page} == expected
    assert len(page) == len(expected)


def test_a_recording_is_found_by_its_labels_as_they_are_now(catalogue: Catalogue) -> None:
    recording, other = (another(number, call=CallDetails(labels={"team": "a", "city": "x"})) for number in (1, 2))
    put(catalogue, recording, other)
    changed = change(catalogue, recording, call=CallDetails(labels={"team": "b"}))
    assert catalogue.page(RecordingFilter(labels={"team": "b"}), 10, None) == [changed]
    assert catalogue.page(RecordingFilter(labels={"team": "a"}), 10, None) == [other]
    assert catalogue.page(RecordingFilter(labels={"city": "x"}), 10, None) == [other]


# Walking and counting


def test_ready_recordings_are_walked_over_in_the_order_of_their_keys(catalogue: Catalogue) -> None:
    ready = [another(number, state=RecordingState.READY) for number in (5, 3, 9, 1)]
    far = a_recording(account_sid=OTHER_ACCOUNT, state=RecordingState.READY)
    put(catalogue, *ready, far, another(2), another(4, state=RecordingState.DELETED))
    assert catalogue.stored(2, None) == [ready[3], ready[1]]
    assert catalogue.stored(2, ready[1].key) == [ready[0], ready[2]]
    assert catalogue.stored(2, another(8).key) == [ready[2], far]
    assert catalogue.stored(2, far.key) == []


def test_there_is_no_backlog_in_an_empty_catalogue(catalogue: Catalogue) -> None:
    assert catalogue.backlog(TIME) == Backlog(0, None)


def test_the_backlog_counts_what_is_queued_and_tells_since_when_the_oldest_is_due(catalogue: Catalogue) -> None:
    put(
        catalogue,
        another(1, next_attempt_time=TIME),
        another(2, next_attempt_time=TIME - SECOND, rung_time=TIME),
        another(3, next_attempt_time=TIME + SECOND),
        another(4, next_attempt_time=TIME - 9 * SECOND, state=RecordingState.DOWNLOADING),
        another(5, next_attempt_time=TIME - 9 * SECOND, account_sid=OTHER_ACCOUNT),
    )
    catalogue.pause(OTHER_ACCOUNT, TIME, TIME)
    assert catalogue.backlog(TIME) == Backlog(4, TIME - SECOND)
    assert catalogue.backlog(TIME - 2 * SECOND) == Backlog(4, None)


def test_a_catalogue_in_order_passes_the_check(catalogue: Catalogue) -> None:
    catalogue.check()
