"""VerifiedRows of core/ports.py, over every catalogue: how far the scrub has come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from recording_service.core.model import Recording, RecordingState
from recording_service.core.ports import Catalogue, NamedObject
from tests.support.recordings import ACCOUNT_SID, TIME, another, change, now_of, put

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
OTHER_ACCOUNT = "AC" + "c" * 32


def stored(number: int, **fields: object) -> Recording:
    """A READY recording."""
    recording = another(number)
    object_key = f"{ACCOUNT_SID}/{recording.recording_sid}/1.mp3"
    return another(number, **{"state": RecordingState.READY, "object_key": object_key, **fields})


def named(recording: Recording) -> NamedObject:
    return NamedObject(recording.key, recording.object_key)


def test_rows_are_found_that_were_never_verified_then_those_of_the_future_then_the_oldest(catalogue: Catalogue) -> None:
    rows = {
        "never": stored(5),
        "never either": stored(6),
        "in a future": stored(4, verified_time=TIME + SECOND),
        "in a farther one": stored(1, verified_time=TIME + 1000 * HOUR),
        "oldest": stored(3, verified_time=TIME - 3 * HOUR),
        "older": stored(2, verified_time=TIME - 2 * HOUR),
    }
    recent = [stored(7, verified_time=TIME - HOUR), stored(8, verified_time=TIME)]
    put(catalogue, *reversed(rows.values()), *recent)
    for size in range(len(rows) + 2):
        assert catalogue.least_verified(TIME - HOUR, TIME, size) == list(rows.values())[:size]


def test_those_verified_at_one_moment_are_in_the_order_of_their_keys(catalogue: Catalogue) -> None:
    rows = [stored(number, verified_time=TIME - HOUR) for number in (3, 1, 2)]
    elsewhere = stored(0, account_sid=OTHER_ACCOUNT, verified_time=TIME - HOUR)
    put(catalogue, *rows, elsewhere)
    assert catalogue.least_verified(TIME, TIME, 10) == [*sorted(rows, key=lambda row: row.key), elsewhere]


@pytest.mark.parametrize("state", set(RecordingState) - {RecordingState.READY})
def test_only_what_is_ready_is_verified(catalogue: Catalogue, state: RecordingState) -> None:
    row = stored(1, state=state)
    put(catalogue, row)
    assert catalogue.least_verified(TIME, TIME, 10) == []
    catalogue.mark_verified([named(row)], TIME)
    assert now_of(catalogue, row) == row


def test_a_mark_says_when_and_nothing_else_not_even_a_revision(catalogue: Catalogue) -> None:
    rows = [stored(2), stored(1), stored(3)]
    put(catalogue, *rows)
    catalogue.mark_verified([named(row) for row in rows[:2]], TIME + SECOND)
    for row, verified_time in zip(rows, [TIME + SECOND, TIME + SECOND, None], strict=True):
        assert now_of(catalogue, row).verified_time == verified_time
        assert (now_of(catalogue, row).revision, now_of(catalogue, row).update_time) == (row.revision, row.update_time)
    catalogue.mark_verified([named(rows[0])], TIME)
    assert now_of(catalogue, rows[0]).verified_time == TIME


def test_a_recording_that_names_another_object_is_not_marked(catalogue: Catalogue) -> None:
    row = stored(1)
    put(catalogue, row)
    catalogue.mark_verified([NamedObject(row.key, row.object_key.replace("/1.", "/2.")), named(stored(9))], TIME)
    assert now_of(catalogue, row) == row


def test_nothing_is_marked_for_nothing(catalogue: Catalogue) -> None:
    catalogue.mark_verified([], TIME)


def test_a_mark_takes_nothing_from_a_change_that_was_decided_on_before_it(catalogue: Catalogue) -> None:
    row = stored(1)
    put(catalogue, row)

    def decide(before: Recording | None) -> Recording | None:
        # The scrub comes between the reading and the writing.
        assert before is not None
        if before.verified_time is None:
            catalogue.mark_verified([named(row)], TIME)
        return replace(before, lease=7, revision=before.revision + 1)

    catalogue.amend([(row.key, decide)])
    now = now_of(catalogue, row)
    assert (now.lease, now.revision, now.verified_time) == (7, 2, TIME)


def test_a_mark_is_undone_by_a_change(catalogue: Catalogue) -> None:
    row = stored(1)
    put(catalogue, row)
    catalogue.mark_verified([named(row)], TIME)
    assert change(catalogue, row, verified_time=None).verified_time is None
    assert catalogue.least_verified(TIME - HOUR, TIME, 10) == [now_of(catalogue, row)]
