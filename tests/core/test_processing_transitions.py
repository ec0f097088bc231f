"""The state machine of what follows the download, transition by transition."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core import processing_transitions, transitions
from recording_service.core.audio import MP3
from recording_service.core.model import (
    Bell,
    FailureReason,
    Priority,
    Processing,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
    StoredObject,
    UnavailableReason,
    UnavailableReport,
    WaitingReason,
)
from recording_service.core.processing_transitions import MAX_MESSAGE_CHARACTERS
from tests.support.clocks import START
from tests.support.core_world import a_key, a_request
from tests.support.recordings import a_recording

KEY = a_key()
BEFORE = START
NOW = START + timedelta(minutes=10)
OBJECT = StoredObject(f"{KEY.account_sid}/{KEY.recording_sid}/1.mp3", 1234, "ab" * 32)
OTHER_OBJECT = StoredObject(f"{KEY.account_sid}/{KEY.recording_sid}/2.mp3", 1235, "cd" * 32)

PENDING, RUNNING, ENDED = ProcessingState.PENDING, ProcessingState.RUNNING, ProcessingState.DONE
PROBE, WAVEFORM, TRANSCRIPT = Step.PROBE, Step.WAVEFORM, Step.TRANSCRIPT

#: Each way for a step to end.
DONE = StepEnd(ProcessingState.DONE)
FAILED = StepEnd(ProcessingState.FAILED, StepReason.WORKER_CRASHED, "it died")
NOT_CONFIGURED = StepEnd(ProcessingState.SKIPPED, StepReason.NOT_CONFIGURED, "nobody")
PROBE_FAILED = StepEnd(ProcessingState.SKIPPED, StepReason.PROBE_FAILED, "see the probe")

EVERYTHING = frozenset(Step)
NOTHING: frozenset[Step] = frozenset()

Ends = Mapping[Step, StepEnd]


def processing(state: ProcessingState | None, **fields: object) -> Processing:
    """Processing of that state as the service leaves it, on its third attempt, with its probe done."""
    usual: dict[str, object] = {"attempt": 3, "rung_time": BEFORE, "next_attempt_time": BEFORE, "ends": {PROBE: DONE}}
    by_state: dict[ProcessingState | None, dict[str, object]] = {
        RUNNING: {"claimed_by": "worker-1", "lease": 5, "failures_by_reason": {StepReason.WORKER_CRASHED: 1}},
        ENDED: {"ends": dict.fromkeys(Step, DONE)},
        None: {"rung_time": None, "next_attempt_time": None},
    }
    return Processing(state, **{**usual, **by_state.get(state, {}), **fields})  # type: ignore[arg-type]


def row(state: ProcessingState | None, **fields: object) -> Recording:
    """A READY recording whose processing is in that state."""
    return a_recording(
        account_sid=KEY.account_sid,
        recording_sid=KEY.recording_sid,
        state=RecordingState.READY,
        object_key=OBJECT.object_key,
        size_bytes=OBJECT.size_bytes,
        sha256=OBJECT.sha256,
        content_type="audio/mpeg",
        create_time=BEFORE,
        update_time=BEFORE,
        next_attempt_time=BEFORE,
        ready_time=BEFORE,
        revision=11,
        processing=processing(state, **fields),
    )


WAITING_ROW, RUNNING_ROW, ENDED_ROW, SUSPENDED_ROW = (row(state) for state in (PENDING, RUNNING, ENDED, None))
UNWANTED_ROW = replace(WAITING_ROW, job=RecordingJob.DOWNLOAD_ONLY, processing=Processing())
EVERY_ROW = [WAITING_ROW, RUNNING_ROW, ENDED_ROW, SUSPENDED_ROW, UNWANTED_ROW]
BELL = RUNNING_ROW.processing_bell


def changed(before: Recording, **fields: object) -> Recording:
    """The row with its processing changed so, and what goes with every change."""
    after = replace(before.processing, **fields)  # type: ignore[arg-type]
    return replace(before, processing=after, revision=before.revision + 1, update_time=NOW)


# Wanted

#: By name: how the steps stand, what can be done now, and which of their ends are kept.
WANTED: dict[str, tuple[Ends, frozenset[Step], set[Step]]] = {
    "nothing has ended": ({}, EVERYTHING, set()),
    "all is done": (dict.fromkeys(Step, DONE), EVERYTHING, set(Step)),
    "all is done, and nobody does anything any more": (dict.fromkeys(Step, DONE), NOTHING, set(Step)),
    "some never ended": ({PROBE: DONE}, EVERYTHING, {PROBE}),
    "one has failed": ({PROBE: DONE, WAVEFORM: FAILED, TRANSCRIPT: DONE}, EVERYTHING, {PROBE, TRANSCRIPT}),
    "one has failed, and nobody does it": (
        {PROBE: DONE, WAVEFORM: FAILED, TRANSCRIPT: DONE},
        NOTHING,
        {PROBE, TRANSCRIPT},
    ),
    "nobody did it, and somebody does now": (
        {PROBE: DONE, WAVEFORM: DONE, TRANSCRIPT: NOT_CONFIGURED},
        EVERYTHING,
        {PROBE, WAVEFORM},
    ),
    "nobody did it, and nobody does": (
        {PROBE: DONE, WAVEFORM: DONE, TRANSCRIPT: NOT_CONFIGURED},
        frozenset({PROBE, WAVEFORM}),
        set(Step),
    ),
    "the probe has failed": ({PROBE: FAILED, WAVEFORM: PROBE_FAILED, TRANSCRIPT: PROBE_FAILED}, EVERYTHING, set()),
    "the probe has failed after others were done": (
        {PROBE: FAILED, WAVEFORM: DONE, TRANSCRIPT: PROBE_FAILED},
        NOTHING,
        {WAVEFORM},
    ),
    "nobody probed, and the others are done": (
        {PROBE: NOT_CONFIGURED, WAVEFORM: DONE, TRANSCRIPT: DONE},
        EVERYTHING,
        {WAVEFORM, TRANSCRIPT},
    ),
    "nobody did anything, and nobody does": (dict.fromkeys(Step, NOT_CONFIGURED), NOTHING, set(Step)),
    "nobody did anything, and somebody draws": (
        dict.fromkeys(Step, NOT_CONFIGURED),
        frozenset({WAVEFORM}),
        {PROBE, TRANSCRIPT},
    ),
}


@pytest.mark.parametrize("state", [None, ENDED])
@pytest.mark.parametrize(("ends", "available", "kept"), WANTED.values(), ids=WANTED)
def test_what_is_missing_is_wanted_and_nothing_else(
    state: ProcessingState | None, ends: Ends, available: frozenset[Step], kept: set[Step]
) -> None:
    before = processing(state, ends=ends, failures_by_reason={})
    after = processing_transitions.wanted(before, available, NOW)
    if kept == set(Step):
        assert after == replace(before, state=ENDED)
        return
    assert after == Processing(
        PENDING, attempt=4, next_attempt_time=NOW, ends={step: end for step, end in ends.items() if step in kept}
    )


def test_every_kind_of_end_is_wanted_in_the_table() -> None:
    kinds = {(end.state, end.reason) for ends, _, _ in WANTED.values() for end in ends.values()}
    assert kinds == {(end.state, end.reason) for end in (DONE, FAILED, NOT_CONFIGURED, PROBE_FAILED)}


def test_what_was_never_wanted_begins_with_the_first_attempt() -> None:
    after = processing_transitions.wanted(Processing(), EVERYTHING, NOW)
    assert after == Processing(PENDING, attempt=1, next_attempt_time=NOW)
    assert after.next_step is PROBE


@pytest.mark.parametrize("state", [PENDING, RUNNING])
def test_what_is_being_done_is_not_asked_for_again(state: ProcessingState) -> None:
    for ends in ({}, {PROBE: DONE, WAVEFORM: FAILED}):
        before = processing(state, ends=ends)
        assert processing_transitions.wanted(before, EVERYTHING, NOW) is before


@given(ends=st.dictionaries(st.sampled_from(Step), st.sampled_from([DONE, FAILED, NOT_CONFIGURED, PROBE_FAILED])))
def test_what_is_done_is_never_wanted_again_and_wanting_twice_is_as_once(ends: Ends) -> None:
    before = processing(ENDED, ends=ends, failures_by_reason={})
    after = processing_transitions.wanted(before, EVERYTHING, NOW)
    assert after.ends.items() <= ends.items()
    assert {step for step, end in ends.items() if end == DONE} <= set(after.ends)
    assert processing_transitions.wanted(after, EVERYTHING, NOW) == after


# Asking for FULL


@pytest.mark.parametrize("priority", Priority)
def test_full_again_after_a_failure_is_as_urgent_as_it_is_asked_for(priority: Priority) -> None:
    existing = row(ENDED, ends={PROBE: DONE, WAVEFORM: FAILED, TRANSCRIPT: DONE})
    after = transitions.enqueued(existing, a_request(KEY, priority=priority), NOW)
    wanted = Processing(PENDING, attempt=4, next_attempt_time=NOW, ends={PROBE: DONE, TRANSCRIPT: DONE})
    assert after == replace(existing, processing=wanted, priority=priority, revision=12, update_time=NOW)


@pytest.mark.parametrize("state", [PENDING, RUNNING])
def test_processing_that_is_under_way_becomes_more_urgent_and_never_less(state: ProcessingState) -> None:
    existing = row(state)
    urgent = transitions.enqueued(existing, a_request(KEY, priority=Priority.PLAYBACK), NOW)
    assert urgent == replace(existing, priority=Priority.PLAYBACK, revision=12, update_time=NOW)
    assert transitions.enqueued(existing, a_request(KEY, priority=Priority.BULK), NOW) is None


@pytest.mark.parametrize("existing", EVERY_ROW, ids=lambda existing: existing.processing.state)
def test_who_only_wants_to_hear_it_changes_nothing_of_the_processing(existing: Recording) -> None:
    request = a_request(KEY, RecordingJob.DOWNLOAD_ONLY, Priority.PLAYBACK)
    assert transitions.enqueued(existing, request, NOW) is None


# Suspended


@pytest.mark.parametrize("existing", EVERY_ROW, ids=lambda existing: existing.processing.state)
def test_where_the_bytes_are_lost_no_attempt_goes_on_and_what_was_found_out_is_kept(existing: Recording) -> None:
    before = existing.processing
    after = processing_transitions.suspended(before)
    assert (after.state, after.ends) == (None, before.ends)
    assert (after.rung_time, after.next_attempt_time, after.waiting_reason, after.claimed_by) == (None, None, None, "")
    assert after.attempt == (before.attempt + 1 if before.attempt else 0)


@pytest.mark.parametrize("back", [OBJECT, OTHER_OBJECT], ids=["the same bytes", "others"])
def test_what_was_found_out_is_kept_for_the_same_bytes_and_dropped_for_others(back: StoredObject) -> None:
    lost = transitions.refetched(row(RUNNING), OBJECT.object_key, BEFORE)
    assert lost is not None
    downloading = replace(lost, state=RecordingState.DOWNLOADING, claimed_by="worker-1")
    after = transitions.stored(downloading, downloading.bell, back, MP3, NOW)
    assert after is not None
    ends = {PROBE: DONE} if back is OBJECT else {}
    assert after.processing == replace(
        lost.processing,
        state=PENDING,
        attempt=5,
        follows_download=True,
        next_attempt_time=NOW,
        failures_by_reason={},
        ends=ends,
    )


def test_what_was_all_found_out_needs_no_attempt_when_the_same_bytes_are_back() -> None:
    lost = transitions.refetched(ENDED_ROW, OBJECT.object_key, BEFORE)
    assert lost is not None
    downloading = replace(lost, state=RecordingState.DOWNLOADING)
    after = transitions.stored(downloading, downloading.bell, OBJECT, MP3, NOW)
    assert after is not None
    assert after.processing == replace(lost.processing, state=ENDED)


def test_bytes_that_nobody_wants_processed_are_not() -> None:
    downloading = replace(
        UNWANTED_ROW, state=RecordingState.DOWNLOADING, object_key="", size_bytes=None, sha256="", ready_time=None
    )
    after = transitions.stored(downloading, downloading.bell, OBJECT, MP3, NOW)
    assert after is not None
    assert after.processing == Processing()


@pytest.mark.parametrize("found", [OBJECT, OTHER_OBJECT], ids=["the same bytes", "others"])
def test_an_object_that_is_adopted_is_processed_if_that_was_wanted(found: StoredObject) -> None:
    lost = transitions.refetched(row(RUNNING), OBJECT.object_key, BEFORE)
    assert lost is not None
    given_up = replace(lost, state=RecordingState.FAILED, failure_reason=FailureReason.SOURCE_NOT_FOUND)
    after = transitions.adopted(given_up, given_up.bell, found, MP3, NOW)
    if found is OTHER_OBJECT:
        assert after is None
        return
    assert after is not None
    assert (after.processing.state, after.processing.rung_time, after.processing.attempt) == (PENDING, None, 5)


# A step's end


@pytest.mark.parametrize("end", [DONE, FAILED, NOT_CONFIGURED], ids=lambda end: end.reason or end.state)
def test_a_step_that_ends_is_written_and_the_attempt_goes_on(end: StepEnd) -> None:
    after = processing_transitions.step_ended(RUNNING_ROW, BELL, WAVEFORM, end, NOW)
    # What the step before has spent of its budget is the next one's to spend.
    assert after == changed(RUNNING_ROW, ends={PROBE: DONE, WAVEFORM: end}, failures_by_reason={})
    assert after.processing.next_step is TRANSCRIPT


@pytest.mark.parametrize("end", [DONE, FAILED, NOT_CONFIGURED], ids=lambda end: end.reason or end.state)
def test_with_the_last_step_the_processing_is_done(end: StepEnd) -> None:
    existing = row(RUNNING, ends={PROBE: DONE, WAVEFORM: DONE})
    after = processing_transitions.step_ended(existing, BELL, TRANSCRIPT, end, NOW)
    assert after == changed(
        existing,
        state=ENDED,
        claimed_by="",
        ends={PROBE: DONE, WAVEFORM: DONE, TRANSCRIPT: end},
        failures_by_reason={},
    )


def test_what_a_failed_probe_could_not_read_is_not_tried_by_others() -> None:
    existing = row(RUNNING, ends={})
    after = processing_transitions.step_ended(existing, BELL, PROBE, FAILED, NOW)
    assert after is not None
    ends = after.processing.ends
    assert ends[PROBE] == FAILED
    for step in (WAVEFORM, TRANSCRIPT):
        assert (ends[step].state, ends[step].reason) == (ProcessingState.SKIPPED, StepReason.PROBE_FAILED)
    assert (after.processing.state, after.processing.summary) == (ENDED, ProcessingState.FAILED)


def test_a_probe_that_fails_takes_nothing_back_that_was_done_before() -> None:
    existing = row(RUNNING, ends={WAVEFORM: DONE})
    after = processing_transitions.step_ended(existing, BELL, PROBE, FAILED, NOW)
    assert after is not None
    assert after.processing.ends[WAVEFORM] == DONE


def test_a_probe_that_nobody_does_keeps_nobody_else_from_theirs() -> None:
    existing = row(RUNNING, ends={})
    after = processing_transitions.step_ended(existing, BELL, PROBE, NOT_CONFIGURED, NOW)
    assert after == changed(existing, ends={PROBE: NOT_CONFIGURED}, failures_by_reason={})


@pytest.mark.parametrize("step", [PROBE, TRANSCRIPT])
def test_only_the_step_that_is_being_done_ends(step: Step) -> None:
    assert processing_transitions.step_ended(RUNNING_ROW, BELL, step, DONE, NOW) is None


def test_a_message_is_cut() -> None:
    long = replace(FAILED, message="x" * 1000)
    after = processing_transitions.step_ended(RUNNING_ROW, BELL, WAVEFORM, long, NOW)
    assert after is not None
    assert after.processing.ends[WAVEFORM].message == "x" * MAX_MESSAGE_CHARACTERS


# An attempt's end


@pytest.mark.parametrize("spent_of", [None, StepReason.WORKER_CRASHED])
def test_an_attempt_that_is_put_off_is_followed_by_one_that_is_unrung(spent_of: StepReason | None) -> None:
    after = processing_transitions.put_off(
        RUNNING_ROW,
        BELL,
        waiting_reason=WaitingReason.STORAGE_UNAVAILABLE,
        delay=timedelta(seconds=9),
        spent_of=spent_of,
        now=NOW,
    )
    assert after == changed(
        RUNNING_ROW,
        state=PENDING,
        attempt=4,
        rung_time=None,
        next_attempt_time=NOW + timedelta(seconds=9),
        waiting_reason=WaitingReason.STORAGE_UNAVAILABLE,
        claimed_by="",
        failures_by_reason={StepReason.WORKER_CRASHED: 2 if spent_of else 1},
    )


def test_a_step_that_is_given_up_is_failed_and_a_next_attempt_does_the_others() -> None:
    after = processing_transitions.step_given_up(RUNNING_ROW, BELL, StepReason.WORKER_CRASHED, "it died", NOW)
    assert after == changed(
        RUNNING_ROW,
        state=PENDING,
        attempt=4,
        rung_time=None,
        next_attempt_time=NOW,
        claimed_by="",
        ends={PROBE: DONE, WAVEFORM: FAILED},
        failures_by_reason={},
    )


def test_where_the_last_step_is_given_up_there_is_no_next_attempt() -> None:
    existing = row(RUNNING, ends={PROBE: DONE, WAVEFORM: DONE})
    after = processing_transitions.step_given_up(existing, BELL, StepReason.WORKER_CRASHED, "it died", NOW)
    ends = {PROBE: DONE, WAVEFORM: DONE, TRANSCRIPT: FAILED}
    assert after == changed(existing, state=ENDED, claimed_by="", ends=ends, failures_by_reason={})


def test_where_the_probe_is_given_up_the_others_are_skipped_and_there_is_no_next_attempt() -> None:
    existing = row(RUNNING, ends={})
    after = processing_transitions.step_given_up(existing, BELL, StepReason.WORKER_CRASHED, "it died", NOW)
    assert after is not None
    assert (after.processing.state, after.processing.attempt) == (ENDED, 3)
    assert after.processing.ends[TRANSCRIPT].reason is StepReason.PROBE_FAILED


def test_a_clean_stop_spends_nothing_and_the_next_attempt_is_due_at_once() -> None:
    after = processing_transitions.released(RUNNING_ROW, BELL, NOW)
    assert after == changed(RUNNING_ROW, state=PENDING, attempt=4, rung_time=None, next_attempt_time=NOW, claimed_by="")


#: Everything by which a worker, or somebody in its place, ends something.
ENDINGS: dict[str, Callable[[Recording | None, Bell], Recording | None]] = {
    "step ended": lambda existing, bell: processing_transitions.step_ended(existing, bell, WAVEFORM, DONE, NOW),
    "put off": lambda existing, bell: processing_transitions.put_off(
        existing,
        bell,
        waiting_reason=WaitingReason.RETRY,
        delay=timedelta(seconds=1),
        spent_of=StepReason.WORKER_CRASHED,
        now=NOW,
    ),
    "step given up": lambda existing, bell: processing_transitions.step_given_up(
        existing, bell, StepReason.WORKER_CRASHED, "it died", NOW
    ),
    "released": lambda existing, bell: processing_transitions.released(existing, bell, NOW),
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize(
    "existing",
    [
        None,
        WAITING_ROW,
        ENDED_ROW,
        SUSPENDED_ROW,
        replace(RUNNING_ROW, processing=replace(RUNNING_ROW.processing, attempt=4)),
        replace(RUNNING_ROW, processing=replace(RUNNING_ROW.processing, attempt=2)),
        transitions.deleted(RUNNING_ROW, NOW),
        transitions.refetched(RUNNING_ROW, OBJECT.object_key, NOW),
    ],
    ids=["no row", "waiting", "ended", "suspended", "a later attempt", "an earlier one", "deleted", "refetched"],
)
def test_nothing_ends_but_the_attempt_that_runs(
    ending: Callable[[Recording | None, Bell], Recording | None], existing: Recording | None
) -> None:
    assert ending(existing, BELL) is None


# Bells


@pytest.mark.parametrize("reason", [None, *WaitingReason])
@pytest.mark.parametrize(("due", "then"), [(BEFORE, BEFORE), (NOW + timedelta(hours=1), NOW)])
def test_a_bell_that_is_lost_is_followed_by_one_of_another_name(
    reason: WaitingReason | None, due: object, then: object
) -> None:
    existing = row(PENDING, waiting_reason=reason, next_attempt_time=due)
    after = processing_transitions.bell_forgotten(existing, existing.processing_bell, NOW)
    # Who rang had found it due, by whatever clock.
    assert after == changed(existing, attempt=4, rung_time=None, next_attempt_time=then)


@pytest.mark.parametrize(
    ("existing", "attempt"), [(None, 3), (RUNNING_ROW, 3), (ENDED_ROW, 3), (SUSPENDED_ROW, 3), (WAITING_ROW, 2)]
)
def test_no_bell_is_replaced_of_what_does_not_wait_for_it(existing: Recording | None, attempt: int) -> None:
    bell = BELL._replace(attempt=attempt)
    assert processing_transitions.bell_forgotten(existing, bell, NOW) is None


# All of them

EVERY_TRANSITION: dict[str, Callable[[Recording], Recording | None]] = {
    "enqueued": lambda existing: transitions.enqueued(existing, a_request(KEY, priority=Priority.PLAYBACK), NOW),
    **{
        name: lambda existing, ending=ending: ending(existing, existing.processing_bell)  # type: ignore[misc]
        for name, ending in ENDINGS.items()
    },
    "bell forgotten": lambda existing: processing_transitions.bell_forgotten(existing, existing.processing_bell, NOW),
    "refetched": lambda existing: transitions.refetched(existing, existing.object_key, NOW),
    "unavailable": lambda existing: transitions.unavailable(
        existing, UnavailableReport(KEY, UnavailableReason.ABSENT), NOW
    ),
    "deleted": lambda existing: transitions.deleted(existing, NOW),
}

rows = st.builds(
    row,
    st.sampled_from([None, PENDING, RUNNING]),
    ends=st.dictionaries(st.sampled_from(Step), st.sampled_from([DONE, FAILED, NOT_CONFIGURED]), max_size=2),
    failures_by_reason=st.sampled_from([{}, {StepReason.WORKER_CRASHED: 3}]),
) | st.builds(
    row,
    st.just(ENDED),
    ends=st.fixed_dictionaries(dict.fromkeys(Step, st.sampled_from([DONE, FAILED, NOT_CONFIGURED]))),
)


@pytest.mark.parametrize("transition", EVERY_TRANSITION.values(), ids=EVERY_TRANSITION)
@given(existing=rows)
def test_whatever_happens_a_row_stays_whole(
    transition: Callable[[Recording], Recording | None], existing: Recording
) -> None:
    after = transition(existing)
    if after is None:
        return
    before, now = existing.processing, after.processing
    assert (after.key, after.revision, after.update_time) == (existing.key, existing.revision + 1, NOW)
    assert now.attempt in (before.attempt, before.attempt + 1)
    if now.attempt == before.attempt:
        assert now.rung_time == before.rung_time
    else:
        assert now.rung_time is None
        assert now.state is not RUNNING, "only a claim begins an attempt"
    assert now.state is None or after.state is RecordingState.READY
    assert (now.state is ENDED) == (now.state is not None and now.next_step is None)
    assert now.claimed_by == "" or now.state is RUNNING
    assert now.waiting_reason is None or now.state is PENDING
    assert now.state is not PENDING or now.next_attempt_time is not None
    assert all(end.reason is not None for end in now.ends.values() if end.state is not ProcessingState.DONE)
    done = {step for step, end in before.ends.items() if end == DONE}
    assert done <= set(now.ends) or after.state is RecordingState.DELETED, "what is done stays done"


@pytest.mark.parametrize("name", [*ENDINGS, "bell forgotten", "enqueued", "unavailable"])
@given(existing=rows)
def test_nothing_of_it_changes_the_recordings_own_state(name: str, existing: Recording) -> None:
    after = EVERY_TRANSITION[name](existing)
    if after is None:
        return
    alone = replace(
        after,
        processing=existing.processing,
        priority=existing.priority,
        revision=existing.revision,
        update_time=existing.update_time,
    )
    assert alone == existing


# How it stands


@pytest.mark.parametrize(
    ("ends", "summary"),
    [
        ([DONE, DONE, DONE], ProcessingState.DONE),
        ([DONE, DONE, NOT_CONFIGURED], ProcessingState.DONE),
        ([DONE, FAILED, NOT_CONFIGURED], ProcessingState.FAILED),
        ([FAILED, PROBE_FAILED, PROBE_FAILED], ProcessingState.FAILED),
        ([NOT_CONFIGURED] * 3, ProcessingState.SKIPPED),
    ],
)
def test_all_together_are_failed_if_any_is_and_skipped_if_all_are(
    ends: list[StepEnd], summary: ProcessingState
) -> None:
    assert processing(ENDED, ends=dict(zip(Step, ends, strict=True))).summary is summary


@pytest.mark.parametrize("state", [None, PENDING, RUNNING])
def test_what_is_not_at_its_end_stands_as_it_does_whatever_has_failed(state: ProcessingState | None) -> None:
    before = processing(state, ends={PROBE: DONE, WAVEFORM: FAILED})
    assert before.summary is state
    assert (before.state_of(PROBE), before.state_of(WAVEFORM)) == (ProcessingState.DONE, ProcessingState.FAILED)
    assert before.state_of(TRANSCRIPT) is state


def test_while_one_step_runs_those_after_it_are_pending() -> None:
    before = processing(RUNNING)
    assert [before.state_of(step) for step in Step] == [ProcessingState.DONE, RUNNING, PENDING]
