"""The state machine of what follows the download: pure functions, as in `core.transitions`, which calls the first two.

    nothing ──READY, FULL asked for──▶ PENDING ──claim──▶ RUNNING ──last step ended──▶ DONE
                                        ▲  ▲               │                            │
                                        │  └─attempt ended─┘                            │
                                        └────FULL asked for, and steps are missing──────┘
    anything ──the bytes are lost, deleted──▶ nothing

Each step that ends is written at once, and never done again; an attempt goes through all that are left. Nothing here
touches the recording's own state: it stays READY throughout.
"""

from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import datetime, timedelta

from recording_service.core.model import (
    Bell,
    Processing,
    ProcessingState,
    Recording,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
    WaitingReason,
)
from recording_service.core.sound import Probe

#: Longest message that is stored with a step, in characters.
MAX_MESSAGE_CHARACTERS = 300

_PROBE_FAILED = StepEnd(
    ProcessingState.SKIPPED, StepReason.PROBE_FAILED, "the probe could not read the recording: see its reason"
)


def wanted(
    processing: Processing, available: Set[Step], now: datetime, *, follows_download: bool = False
) -> Processing:
    """What asking for FULL makes of the processing of a READY recording: the same, if nothing is missing.

    `follows_download`: it was asked for before, and the recording is READY now.

    Missing are steps that have never ended, that have FAILED, or that were SKIPPED because nobody was configured for
    them and are `available` now; and what was SKIPPED on account of a step that is missing.
    """
    if processing.state in (ProcessingState.PENDING, ProcessingState.RUNNING):
        return processing
    kept = {step: end for step, end in processing.ends.items() if not _is_missing(step, end, available)}
    if Step.PROBE not in kept:
        kept = {step: end for step, end in kept.items() if end.reason is not StepReason.PROBE_FAILED}
    if len(kept) == len(Step):
        return replace(processing, state=ProcessingState.DONE)
    asked_for = _pending(replace(processing, failures_by_reason={}, ends=kept), due=now)
    return replace(asked_for, follows_download=follows_download)


def has_forgotten(before: Recording | None, after: Recording) -> bool:
    """Whether results that the recording had are its own no more: it was deleted, or its bytes are in doubt."""
    if after.state is RecordingState.DELETED:
        return True
    made = before.processing.ends.items() if before is not None else ()
    return any(end.state is ProcessingState.DONE and step not in after.processing.ends for step, end in made)


def suspended(processing: Processing, *, keeps_results: bool = True) -> Processing:
    """The bytes are not here any more: no attempt is the current one. What was found out of them is kept, or not."""
    if not processing.attempt:
        return processing
    if not keeps_results:
        processing = replace(processing, ends={}, probe=None)
    return replace(
        processing,
        state=None,
        attempt=processing.attempt + 1,
        follows_download=False,
        rung_time=None,
        next_attempt_time=None,
        waiting_reason=None,
        claimed_by="",
    )


def step_ended(
    existing: Recording | None, bell: Bell, step: Step, end: StepEnd, now: datetime, probe: Probe | None = None
) -> Recording | None:
    """The step's end, if that attempt is still the one that runs and the step the one that is being done.

    `probe` is what it has found, if it was the probe.
    """
    if existing is None or not _is_running(existing, bell) or existing.processing.next_step is not step:
        return None
    processing = _ended(existing.processing, step, end)
    if step is Step.PROBE:
        processing = replace(processing, probe=probe)
    return _changed(existing, processing, now)


def put_off(
    existing: Recording | None,
    bell: Bell,
    *,
    waiting_reason: WaitingReason,
    delay: timedelta,
    spent_of: StepReason | None,
    now: datetime,
) -> Recording | None:
    """A next attempt after `delay`, if that attempt is still the one that runs.

    `spent_of`: by which kind of end's budget it is counted; None: by none.
    """
    if existing is None or not _is_running(existing, bell):
        return None
    processing = existing.processing
    failures = processing.failures_by_reason if spent_of is None else _spent(processing, spent_of)
    waiting = replace(processing, failures_by_reason=failures, waiting_reason=waiting_reason)
    return _changed(existing, _pending(waiting, due=now + delay), now)


def step_given_up(
    existing: Recording | None, bell: Bell, reason: StepReason, message: str, now: datetime
) -> Recording | None:
    """The step that was being done is FAILED, if that attempt is still the one that runs; a next attempt does others.

    A next one, because this one's worker may be gone.
    """
    if existing is None or not _is_running(existing, bell):
        return None
    step = existing.processing.next_step
    if step is None:
        return None
    processing = _ended(existing.processing, step, StepEnd(ProcessingState.FAILED, reason, message))
    if processing.state is not ProcessingState.DONE:
        processing = _pending(processing, due=now)
    return _changed(existing, processing, now)


def released(existing: Recording | None, bell: Bell, now: datetime) -> Recording | None:
    """A next attempt at once, after a clean stop: nothing is spent."""
    if existing is None or not _is_running(existing, bell):
        return None
    return _changed(existing, _pending(existing.processing, due=now), now)


def bell_forgotten(existing: Recording | None, bell: Bell, now: datetime) -> Recording | None:
    """A next attempt for a PENDING row whose bell the queue has lost: the old one's name may be remembered there."""
    if (
        existing is None
        or existing.processing.state is not ProcessingState.PENDING
        or existing.processing.attempt != bell.attempt
    ):
        return None
    waiting = existing.processing
    due = now if waiting.next_attempt_time is None else min(waiting.next_attempt_time, now)
    return _changed(existing, replace(_pending(waiting, due=due), waiting_reason=waiting.waiting_reason), now)


def _is_missing(step: Step, end: StepEnd, available: Set[Step]) -> bool:
    if end.reason is StepReason.NOT_CONFIGURED:
        return step in available
    return end.state is ProcessingState.FAILED


def _is_running(recording: Recording, bell: Bell) -> bool:
    return (
        recording.state is RecordingState.READY
        and recording.processing.state is ProcessingState.RUNNING
        and recording.processing.attempt == bell.attempt
    )


def _pending(processing: Processing, *, due: datetime) -> Processing:
    """PENDING for the next attempt. A reason to wait is only kept where the caller has just set it."""
    keeps_waiting = processing.state is ProcessingState.RUNNING
    return replace(
        processing,
        state=ProcessingState.PENDING,
        attempt=processing.attempt + 1,
        follows_download=False,
        rung_time=None,
        next_attempt_time=due,
        waiting_reason=processing.waiting_reason if keeps_waiting else None,
        claimed_by="",
    )


def _ended(processing: Processing, step: Step, end: StepEnd) -> Processing:
    ends = {**processing.ends, step: replace(end, message=end.message[:MAX_MESSAGE_CHARACTERS])}
    if step is Step.PROBE and end.state is ProcessingState.FAILED:
        # What can't be read can't be drawn or heard either.
        ends |= {other: _PROBE_FAILED for other in Step if other not in ends}
    after = replace(processing, ends=ends, failures_by_reason={})
    if after.next_step is None:
        after = replace(after, state=ProcessingState.DONE, waiting_reason=None, claimed_by="")
    return after


def _spent(processing: Processing, reason: StepReason) -> Mapping[StepReason, int]:
    spent = processing.failures_by_reason
    return {**spent, reason: spent.get(reason, 0) + 1}


def _changed(recording: Recording, processing: Processing, now: datetime) -> Recording:
    return replace(recording, processing=processing, revision=recording.revision + 1, update_time=now)
