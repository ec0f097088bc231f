"""The enums of the model and their numbers in the contract, by name: RecordingState.READY is RECORDING_STATE_READY."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from recording_service.core.events import EventType
from recording_service.core.model import (
    EnqueueReason,
    FailureReason,
    Priority,
    ProcessingState,
    RecordingJob,
    RecordingState,
    Step,
    StepReason,
    UnavailableReason,
    WaitingReason,
)
from recording_service.core.sound import ProbeWarning
from recording_service.core.watching import WatchUntil
from recordings.v1 import enqueue_pb2, event_pb2, recording_pb2, watch_pb2

Member = TypeVar("Member", bound=Enum)


def _numbers(members: type[Member], contract: Any, prefix: str) -> Mapping[Member, Any]:
    """The number of each member; ValueError if the contract has no value of that name.

    Typed Any, because generated stubs give each enum's numbers a type of its own.
    """
    return {member: contract.Value(f"{prefix}_{member.name}") for member in members}


def _members(numbers: Mapping[Member, Any]) -> Mapping[int, Member]:
    return {number: member for member, number in numbers.items()}


STATE_NUMBERS = _numbers(RecordingState, recording_pb2.RecordingState, "RECORDING_STATE")
FAILURE_REASON_NUMBERS = _numbers(FailureReason, recording_pb2.FailureReason, "FAILURE_REASON")
WAITING_REASON_NUMBERS = _numbers(WaitingReason, recording_pb2.WaitingReason, "WAITING_REASON")
JOB_NUMBERS = _numbers(RecordingJob, recording_pb2.RecordingJob, "RECORDING_JOB")
PRIORITY_NUMBERS = _numbers(Priority, recording_pb2.Priority, "PRIORITY")
ENQUEUE_REASON_NUMBERS = _numbers(EnqueueReason, enqueue_pb2.EnqueueReason, "ENQUEUE_REASON")
UNAVAILABLE_REASON_NUMBERS = _numbers(UnavailableReason, enqueue_pb2.UnavailableReason, "UNAVAILABLE_REASON")
EVENT_TYPE_NUMBERS = _numbers(EventType, event_pb2.EventType, "EVENT_TYPE")
WATCH_UNTIL_NUMBERS = _numbers(WatchUntil, watch_pb2.WatchUntil, "WATCH_UNTIL")

PROCESSING_STATE_NUMBERS = _numbers(ProcessingState, recording_pb2.ProcessingState, "PROCESSING_STATE")
STEP_NUMBERS = _numbers(Step, recording_pb2.ProcessingStep, "PROCESSING_STEP")
STEP_REASON_NUMBERS = _numbers(StepReason, recording_pb2.ProcessingReason, "PROCESSING_REASON")
PROBE_WARNING_NUMBERS = _numbers(ProbeWarning, recording_pb2.ProbeWarning, "PROBE_WARNING")

STATES = _members(STATE_NUMBERS)
FAILURE_REASONS = _members(FAILURE_REASON_NUMBERS)
JOBS = _members(JOB_NUMBERS)
PRIORITIES = _members(PRIORITY_NUMBERS)
UNAVAILABLE_REASONS = _members(UNAVAILABLE_REASON_NUMBERS)
WATCH_UNTILS = _members(WATCH_UNTIL_NUMBERS)
