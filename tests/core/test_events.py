"""What is an event, and what an event says of its recording."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.events import EventType, events_of, facts_of, new_events
from recording_service.core.model import CallDetails, FailureReason, Recording, RecordingFilter, RecordingState
from tests.support.recordings import ACCOUNT_SID, TIME, another

QUEUED, DOWNLOADING = RecordingState.QUEUED, RecordingState.DOWNLOADING
READY, FAILED, DELETED = RecordingState.READY, RecordingState.FAILED, RecordingState.DELETED
ABSENT, REPORTED = FailureReason.SOURCE_ABSENT, FailureReason.SOURCE_FAILED
STORED = another(1, state=READY, object_key="1.mp3")
GIVEN_UP = another(1, state=FAILED, failure_reason=ABSENT)
WAITING = another(1)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, WAITING, ()),
        (None, STORED, (EventType.RECORDING_READY,)),
        (None, GIVEN_UP, (EventType.RECORDING_FAILED,)),
        (None, replace(WAITING, state=DELETED), (EventType.RECORDING_DELETED,)),
        (WAITING, replace(WAITING, state=DOWNLOADING), ()),
        (replace(WAITING, state=DOWNLOADING), STORED, (EventType.RECORDING_READY,)),
        (STORED, replace(STORED, request_id="x"), ()),
        (STORED, replace(STORED, object_key="2.mp3"), (EventType.RECORDING_READY,)),
        (STORED, WAITING, ()),
        (GIVEN_UP, STORED, (EventType.RECORDING_READY,)),
        (GIVEN_UP, replace(GIVEN_UP, request_id="x"), ()),
        (GIVEN_UP, replace(GIVEN_UP, failure_reason=REPORTED), (EventType.RECORDING_FAILED,)),
        (GIVEN_UP, replace(GIVEN_UP, attempt=2), (EventType.RECORDING_FAILED,)),
        (STORED, replace(STORED, state=DELETED), (EventType.RECORDING_DELETED,)),
        (replace(STORED, state=DELETED), replace(STORED, state=DELETED, update_time=TIME + timedelta(1)), ()),
    ],
)
def test_what_has_happened_is_read_off_the_row_before_and_after(
    before: Recording | None, after: Recording, expected: tuple[EventType, ...]
) -> None:
    assert events_of(before, after) == expected
    assert [event.type for event in new_events(before, after)] == list(expected)


# What could be in a fact by itself would prove nothing.
texts = st.text().map("§{}§".format)


@given(
    states=st.tuples(st.sampled_from(RecordingState), st.sampled_from([READY, FAILED, DELETED])),
    personal=st.fixed_dictionaries(
        dict.fromkeys(("from_number", "to_number", "source_url", "direction", "track", "source"), texts)
    ),
    labels=st.dictionaries(texts, texts, min_size=1, max_size=3),
    message=texts,
)
def test_an_event_has_no_number_label_url_or_text_of_its_recording(
    states: tuple[RecordingState, RecordingState], personal: dict[str, str], labels: dict[str, str], message: str
) -> None:
    call = CallDetails(call_sid="CA1", conference_sid="CF1", labels=labels, **personal)  # type: ignore[arg-type]
    before = another(1, state=states[0], call=call, failure_message=message)
    after = replace(before, state=states[1], revision=2)

    values = [str(value) for value in facts_of(before, after).values()]

    for text in (*personal.values(), *labels, *labels.values(), message):
        assert not any(text in value for value in values)
    json.dumps(facts_of(before, after))


def test_what_is_not_known_is_left_out() -> None:
    assert facts_of(None, GIVEN_UP) == {
        "account_sid": ACCOUNT_SID,
        "recording_sid": GIVEN_UP.recording_sid,
        "state": "FAILED",
        "failure_reason": "SOURCE_ABSENT",
        "recording_revision": 1,
        "create_time": "2026-03-04T05:06:07.000089Z",
    }


def test_an_event_is_wanted_by_account_call_and_the_state_it_tells_of() -> None:
    (event,) = new_events(None, replace(STORED, call=CallDetails(call_sid="CA1")))
    wanted = [
        RecordingFilter(),
        RecordingFilter(account_sids=frozenset({ACCOUNT_SID}), call_sids=frozenset({"CA1", "CA2"})),
        RecordingFilter(states=frozenset({READY, FAILED})),
    ]
    unwanted = [
        RecordingFilter(account_sids=frozenset({""})),
        RecordingFilter(call_sids=frozenset({"CA2"})),
        RecordingFilter(states=frozenset({FAILED})),
    ]
    assert all(event.is_wanted(matching) for matching in wanted)
    assert not any(event.is_wanted(matching) for matching in unwanted)
