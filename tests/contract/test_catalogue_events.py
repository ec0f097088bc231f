"""EventRows of core/event_ports.py, over every catalogue: events are committed with their change, in one order."""

from dataclasses import replace
from datetime import timedelta

import pytest

from recording_service.core.event_ports import FeedPosition
from recording_service.core.events import EventType
from recording_service.core.model import CallDetails, FailureReason, RecordingState
from recording_service.core.ports import Catalogue
from tests.support.events import DELETED, FAILED, READY, SECOND, add_events, fail, feed_of, forget_oldest, ready, told
from tests.support.recordings import ACCOUNT_SID, TIME, another, change, now_of, put
from tests.support.simultaneous import simultaneously

A_READY, A_FAILURE, A_DELETION = EventType.RECORDING_READY, EventType.RECORDING_FAILED, EventType.RECORDING_DELETED


def test_each_change_to_ready_failed_and_deleted_is_an_event_and_no_other_change_is(catalogue: Catalogue) -> None:
    recording = another(1)
    sid = recording.recording_sid
    put(catalogue, recording)
    change(catalogue, recording, state=RecordingState.DOWNLOADING)
    change(catalogue, recording, state=READY, object_key="1.mp3")
    change(catalogue, recording, request_id="again")
    change(catalogue, recording, state=RecordingState.QUEUED, object_key="")
    change(catalogue, recording, state=READY, object_key="2.mp3")
    change(catalogue, recording, state=RecordingState.QUEUED)
    fail(catalogue, recording, FailureReason.SOURCE_ABSENT)
    fail(catalogue, recording, FailureReason.SOURCE_FAILED)
    change(catalogue, recording, state=DELETED)

    assert told(feed_of(catalogue)) == [
        (1, A_READY, sid, 3),
        (2, A_READY, sid, 6),
        (3, A_FAILURE, sid, 8),
        (4, A_FAILURE, sid, 9),
        (5, A_DELETION, sid, 10),
    ]


def test_an_event_has_what_the_recording_was_then_and_a_name_of_its_own(catalogue: Catalogue) -> None:
    call = CallDetails(call_sid="CA1", from_number="+4915112345678", labels={"team": "a"})
    recording = ready(1, call=call, size_bytes=3, sha256="ab", content_type="audio/mpeg", ready_time=TIME)
    put(catalogue, recording)
    change(catalogue, recording, state=DELETED, call=CallDetails(), size_bytes=None, delete_time=TIME + SECOND)

    was_ready, was_deleted = feed_of(catalogue)

    assert was_ready.event_time == TIME
    assert was_ready.key == recording.key
    assert (was_ready.state, was_deleted.state) == (READY, DELETED)
    assert was_ready.facts == {
        "account_sid": ACCOUNT_SID,
        "recording_sid": recording.recording_sid,
        "call_sid": "CA1",
        "state": "READY",
        "size_bytes": 3,
        "sha256": "ab",
        "content_type": "audio/mpeg",
        "recording_revision": 1,
        "create_time": "2026-03-04T05:06:07.000089Z",
        "ready_time": "2026-03-04T05:06:07.000089Z",
    }
    assert was_deleted.facts["call_sid"] == "CA1"
    assert was_deleted.facts["delete_time"] == "2026-03-04T05:06:08.000089Z"
    assert was_ready.event_id != was_deleted.event_id


def test_an_event_is_only_there_if_its_change_was_committed(catalogue: Catalogue) -> None:
    def fails(_: object) -> None:
        raise ZeroDivisionError

    recording = ready(1)
    with pytest.raises(ZeroDivisionError):
        catalogue.amend([(recording.key, lambda _: recording), (another(2).key, fails)])
    assert feed_of(catalogue) == []


def test_the_events_of_one_amendment_are_in_the_order_of_their_recordings(catalogue: Catalogue) -> None:
    put(catalogue, ready(3), ready(1), another(4), ready(2))
    assert [event.key for event in feed_of(catalogue)] == [another(number).key for number in (1, 2, 3)]


def test_nothing_has_a_revision_before_somebody_reads(catalogue: Catalogue) -> None:
    add_events(catalogue, 2)
    assert catalogue.feed_position() == FeedPosition(0, 0)
    assert catalogue.events(0, 10) == []
    assert catalogue.number_events() == FeedPosition(2, 0)
    assert catalogue.number_events() == catalogue.feed_position() == FeedPosition(2, 0)
    add_events(catalogue, 1, first=3)
    assert catalogue.number_events() == FeedPosition(3, 0)
    assert [event.revision for event in catalogue.events(1, 10)] == [2, 3]


def test_the_order_is_that_of_the_commits_whatever_clocks_say(catalogue: Catalogue) -> None:
    for number in (1, 2, 3):
        put(catalogue, ready(number, update_time=TIME - number * SECOND))
    assert [event.key for event in feed_of(catalogue)] == [another(number).key for number in (1, 2, 3)]


def test_more_than_can_be_numbered_at_once_is_numbered_in_order(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recording_service.adapters.sql_catalogue.events.CHUNK", 2)
    add_events(catalogue, 7)
    assert catalogue.number_events() == FeedPosition(7, 0)
    assert [event.key for event in feed_of(catalogue)] == [another(number).key for number in range(1, 8)]


def test_many_who_number_at_once_give_each_event_one_revision(catalogue: Catalogue) -> None:
    rows = [ready(number) for number in range(1, 31)]
    simultaneously(
        [lambda row=row: put(catalogue, row) for row in rows] + [lambda: catalogue.number_events()] * len(rows)
    )
    events = feed_of(catalogue)
    assert [event.revision for event in events] == list(range(1, 31))
    assert {event.key for event in events} == {row.key for row in rows}


def test_events_are_forgotten_from_the_oldest_on_when_they_are_old_enough(catalogue: Catalogue) -> None:
    add_events(catalogue, 3)
    catalogue.number_events()
    catalogue.age_events(SECOND)
    add_events(catalogue, 2, first=4)
    catalogue.number_events()
    assert catalogue.prune_events(2 * SECOND, 10).removed == 0
    catalogue.age_events(SECOND)
    assert catalogue.prune_events(2 * SECOND, 2).removed == 2
    assert catalogue.feed_position() == FeedPosition(5, 2)
    assert catalogue.prune_events(2 * SECOND, 2).removed == 1
    assert catalogue.prune_events(2 * SECOND, 2).removed == 0
    assert catalogue.feed_position() == FeedPosition(5, 3)
    assert [event.revision for event in catalogue.events(0, 10)] == [4, 5]


def test_no_clock_makes_an_event_old_before_its_time_or_keeps_it_for_longer(catalogue: Catalogue) -> None:
    long_ago, in_the_future = TIME - timedelta(days=20_000), TIME + timedelta(days=20_000)
    put(catalogue, ready(1, update_time=long_ago), ready(2, update_time=in_the_future), ready(3))
    catalogue.number_events()
    assert catalogue.prune_events(SECOND, 10).removed == 0
    catalogue.age_events(SECOND)
    assert catalogue.prune_events(SECOND, 10).removed == 3


def test_events_without_a_revision_are_not_forgotten(catalogue: Catalogue) -> None:
    add_events(catalogue, 1)
    catalogue.age_events(SECOND)
    assert catalogue.prune_events(timedelta(0), 10).removed == 0
    assert len(feed_of(catalogue)) == 1
    # It gets old from then on.
    assert catalogue.prune_events(SECOND, 10).removed == 0


def test_revisions_go_on_though_all_events_are_forgotten(catalogue: Catalogue) -> None:
    add_events(catalogue, 2)
    catalogue.number_events()
    forget_oldest(catalogue, 2)
    add_events(catalogue, 1, first=3)
    assert catalogue.number_events() == FeedPosition(3, 2)
    assert [event.revision for event in catalogue.events(0, 10)] == [3]


# A restored catalogue


def test_a_feed_that_begins_anew_goes_on_beyond_all_that_was_ever_given(catalogue: Catalogue) -> None:
    add_events(catalogue, 2)
    catalogue.number_events()
    first = catalogue.begin_feed_anew(TIME)
    assert first == catalogue.feed_position() == FeedPosition(first.revision, first.revision)
    add_events(catalogue, 2, first=3)
    assert catalogue.number_events() == FeedPosition(first.revision + 2, first.revision)
    assert [event.revision - first.revision for event in catalogue.events(first.revision, 10)] == [1, 2]
    # A second later, and by a clock that was set back.
    later = catalogue.begin_feed_anew(TIME + SECOND)
    assert later.revision > first.revision + 2
    assert catalogue.begin_feed_anew(TIME - SECOND).revision > later.revision


def test_the_same_backup_restored_twice_begins_beyond_what_was_given_between() -> None:
    of_backup = FeedPosition(8, 0)
    first, second = of_backup.anew(TIME), of_backup.anew(TIME + SECOND)
    assert second.revision - first.revision == 1_000_000
    assert second.revision < 2**53


def test_events_from_before_a_feed_began_anew_are_forgotten_in_their_time(catalogue: Catalogue) -> None:
    add_events(catalogue, 2)
    catalogue.number_events()
    position = catalogue.begin_feed_anew(TIME)
    forget_oldest(catalogue, 2)
    assert catalogue.feed_position() == position


def test_a_tombstone_stays_in_its_event_without_what_was_known_of_the_call(catalogue: Catalogue) -> None:
    call = CallDetails(from_number="+4915112345678", to_number="+493012345678", labels={"name": "Somebody"})
    put(catalogue, ready(1, call=call, failure_message="+4915112345678"))
    recording = now_of(catalogue, another(1))
    change(catalogue, recording, state=FAILED, failure_reason=FailureReason.SOURCE_ABSENT)
    change(catalogue, recording, state=DELETED, call=CallDetails())
    written = repr([replace(event, event_id="") for event in feed_of(catalogue)])
    for personal in ("4915112345678", "493012345678", "Somebody", "team"):
        assert personal not in written
