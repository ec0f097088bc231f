"""What has changed lately, of RecordingRows of core/ports.py, over every catalogue."""

from datetime import timedelta

import pytest

from recording_service.core.model import Recording, RecordingState
from recording_service.core.ports import Catalogue, RowChange
from tests.support.recordings import TIME, another, change, put

SECOND = timedelta(seconds=1)
OTHER_ACCOUNT = "AC" + "c" * 32


def changed(number: int, seconds: float, **fields: object) -> Recording:
    """A recording that changed so many seconds after TIME."""
    return another(number, **{"update_time": TIME + seconds * SECOND, **fields})


def told(*recordings: Recording) -> list[RowChange]:
    """What is said of these."""
    return [RowChange(recording.update_time, recording.key, recording.revision) for recording in recordings]


def test_rows_are_found_in_the_order_in_which_they_changed_and_ties_by_their_keys(catalogue: Catalogue) -> None:
    rows = [changed(4, 1), changed(1, 2), changed(3, 2), changed(0, 2, account_sid=OTHER_ACCOUNT), changed(2, 3)]
    put(catalogue, *reversed(rows))
    assert catalogue.changed(TIME, None, 10, None) == told(*rows)


def test_a_span_has_its_beginning_and_not_its_end(catalogue: Catalogue) -> None:
    rows = [changed(number, number) for number in range(5)]
    put(catalogue, *rows)
    assert catalogue.changed(TIME + SECOND, TIME + 3 * SECOND, 10, None) == told(*rows[1:3])
    assert catalogue.changed(TIME + SECOND, TIME + SECOND, 10, None) == []
    assert catalogue.changed(TIME + 5 * SECOND, None, 10, None) == []


def test_a_moment_is_told_from_the_next_microsecond(catalogue: Catalogue) -> None:
    put(catalogue, changed(1, 0))
    assert catalogue.changed(TIME + timedelta(microseconds=1), None, 10, None) == []
    assert catalogue.changed(TIME, TIME + timedelta(microseconds=1), 10, None) == told(changed(1, 0))


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_all_of_them_may_be_walked_over_in_pieces_though_many_changed_at_one_moment(
    catalogue: Catalogue, size: int
) -> None:
    rows = [*(changed(number, 0) for number in range(4)), *(changed(number, 1) for number in range(4, 7))]
    put(catalogue, *rows)
    walked: list[RowChange] = []
    while piece := catalogue.changed(TIME, TIME + 2 * SECOND, size, walked[-1] if walked else None):
        assert len(piece) <= size
        walked += piece
    assert walked == told(*rows)


@pytest.mark.parametrize("state", RecordingState)
def test_rows_of_every_state_are_found_tombstones_too(catalogue: Catalogue, state: RecordingState) -> None:
    row = changed(1, 0, state=state)
    put(catalogue, row)
    assert catalogue.changed(TIME, None, 10, None) == told(row)


def test_a_row_that_changes_again_is_found_only_where_it_is_now_with_its_revision(catalogue: Catalogue) -> None:
    row, other = changed(1, 0), changed(2, 1)
    put(catalogue, row, other)
    now = change(catalogue, row, update_time=TIME + 2 * SECOND)
    assert now.revision == row.revision + 1
    assert catalogue.changed(TIME, None, 10, None) == told(other, now)


def test_a_bell_that_has_rung_is_no_change_of_that_kind(catalogue: Catalogue) -> None:
    row = changed(1, 0)
    put(catalogue, row)
    catalogue.mark_rung([row.bell], TIME + 5 * SECOND)
    assert catalogue.changed(TIME + SECOND, None, 10, None) == []
    assert catalogue.changed(TIME, None, 10, None) == [RowChange(TIME, row.key, row.revision + 1)]
