"""The words for what the matter is: there are some for everything the contract knows, and for what it will know."""

import pytest

from recording_service.http_api.words import (
    FAILURE_WORDS,
    PROBE_WARNING_WORDS,
    PROCESSING_WORDS,
    STATE_WORDS,
    WAITING_WORDS,
    enum_name,
    in_words,
    step_in_words,
)
from recordings.v1.recording_pb2 import (
    FailureReason,
    ProbeWarning,
    ProcessingReason,
    ProcessingStepStatus,
    Recording,
    RecordingState,
    WaitingReason,
)

FAILED, QUEUED = RecordingState.RECORDING_STATE_FAILED, RecordingState.RECORDING_STATE_QUEUED


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (STATE_WORDS, RecordingState.values()),
        (FAILURE_WORDS, FailureReason.values()),
        (WAITING_WORDS, WaitingReason.values()),
        (PROCESSING_WORDS, ProcessingReason.values()),
        (PROBE_WARNING_WORDS, ProbeWarning.values()),
    ],
)
def test_every_value_of_the_contract_has_a_sentence_of_its_own(words: dict[int, str], numbers: list[int]) -> None:
    assert set(words) == set(numbers) - {0}
    assert len(set(words.values())) == len(words)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in words.values())


def test_a_failure_and_what_is_waited_for_are_said_rather_than_the_state() -> None:
    absent = FailureReason.FAILURE_REASON_SOURCE_ABSENT
    limited = WaitingReason.WAITING_REASON_RATE_LIMITED
    assert in_words(Recording(state=FAILED, failure_reason=absent)) == FAILURE_WORDS[absent]
    assert in_words(Recording(state=QUEUED, waiting_reason=limited)) == WAITING_WORDS[limited]
    assert in_words(Recording(state=QUEUED)) == STATE_WORDS[QUEUED]


def test_a_step_with_a_result_needs_no_words() -> None:
    empty = ProcessingReason.PROCESSING_REASON_MEDIA_EMPTY
    assert step_in_words(ProcessingStepStatus(reason=empty)) == PROCESSING_WORDS[empty]
    assert step_in_words(ProcessingStepStatus()) == ""


def test_a_service_that_is_newer_than_the_words_is_understood_as_far_as_they_go() -> None:
    newer = Recording()
    # state = 99, failure_reason = 99: protobuf keeps numbers that its enums do not know.
    newer.MergeFromString(bytes([0xA0, 1, 99, 0xA8, 1, 99]))
    assert in_words(newer) == "The recording is not ready to be played."
    newer.state = FAILED
    assert in_words(newer) == STATE_WORDS[FAILED]
    assert enum_name(FailureReason, "FAILURE_REASON_", newer.failure_reason) == "99"
    assert enum_name(RecordingState, "RECORDING_STATE_", newer.state) == "FAILED"
