"""The enums of the model and of the contract say the same."""

from collections.abc import Mapping
from typing import Any

import pytest

from recording_service.grpc_api import enums
from recordings.v1 import enqueue_pb2, recording_pb2, watch_pb2

TABLES = [
    (enums.STATE_NUMBERS, recording_pb2.RecordingState),
    (enums.FAILURE_REASON_NUMBERS, recording_pb2.FailureReason),
    (enums.WAITING_REASON_NUMBERS, recording_pb2.WaitingReason),
    (enums.JOB_NUMBERS, recording_pb2.RecordingJob),
    (enums.PRIORITY_NUMBERS, recording_pb2.Priority),
    (enums.ENQUEUE_REASON_NUMBERS, enqueue_pb2.EnqueueReason),
    (enums.UNAVAILABLE_REASON_NUMBERS, enqueue_pb2.UnavailableReason),
    (enums.PROCESSING_STATE_NUMBERS, recording_pb2.ProcessingState),
    (enums.STEP_NUMBERS, recording_pb2.ProcessingStep),
    (enums.STEP_REASON_NUMBERS, recording_pb2.ProcessingReason),
    (enums.PROBE_WARNING_NUMBERS, recording_pb2.ProbeWarning),
    (enums.WATCH_UNTIL_NUMBERS, watch_pb2.WatchUntil),
]


@pytest.mark.parametrize(("numbers", "contract"), TABLES)
def test_every_value_of_the_contract_but_unspecified_has_its_member_and_no_other(
    numbers: Mapping[Any, int], contract: Any
) -> None:
    assert sorted(numbers.values()) == [number for number in contract.values() if number != 0]


def test_a_priority_has_the_same_number_everywhere() -> None:
    assert all(int(priority) == number for priority, number in enums.PRIORITY_NUMBERS.items())
