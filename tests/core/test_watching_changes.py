"""The window on what has changed: nothing is missed for good, nothing is told twice, whatever clocks do."""

from datetime import timedelta

import pytest

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.core import watching_changes
from recording_service.core.errors import CatalogueUnavailable
from recording_service.core.model import Recording
from recording_service.core.ports import Catalogue, RowChange
from recording_service.core.watching_changes import OVERLAP, ChangeWindow, change_of
from tests.support.clocks import HandDrivenClock
from tests.support.failing_port import Faults
from tests.support.recordings import another, change, put

SECOND = timedelta(seconds=1)


class Lately:
    """A window over a catalogue, with a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock = HandDrivenClock()
        self.catalogue = Faults[Catalogue](MemoryCatalogue())

    def open(self) -> ChangeWindow:
        return ChangeWindow(self.catalogue.port, self.clock)

    def put(self, number: int, dated: timedelta = timedelta()) -> RowChange:
        """A new recording, written down by a clock that differs so much from ours."""
        recording = another(number, update_time=self.clock.now() + dated)
        put(self.catalogue.adapter, recording)
        return change_of(recording)

    def change(self, number: int) -> Recording:
        return change(self.catalogue.adapter, another(number), update_time=self.clock.now())


@pytest.fixture
def lately() -> Lately:
    return Lately()


def told(window: ChangeWindow) -> list[RowChange]:
    """What is missed, which is then told."""
    missed = window.missed()
    window.note(missed)
    window.settle()
    return missed


def test_what_is_there_when_a_window_is_opened_counts_as_told(lately: Lately) -> None:
    lately.put(1)
    assert told(lately.open()) == []


def test_what_changes_afterwards_is_found_once(lately: Lately) -> None:
    lately.put(1)
    window = lately.open()
    for _ in range(3):
        lately.clock.advance(2)
        assert told(window) == []
        now = change_of(lately.change(1))
        assert told(window) == [now]
        assert told(window) == []


def test_what_somebody_else_told_is_not_found(lately: Lately) -> None:
    window = lately.open()
    first = lately.put(1)
    window.note([first])
    assert told(window) == []
    newer = change_of(lately.change(1))
    window.note([first])
    assert told(window) == [newer]


@pytest.mark.parametrize("dated", [-OVERLAP + SECOND, OVERLAP - SECOND])
def test_a_change_dated_by_a_clock_that_differs_or_committed_late_is_found(lately: Lately, dated: timedelta) -> None:
    window = lately.open()
    assert told(window) == []
    late = lately.put(1, dated)
    assert told(window) == [late]
    lately.clock.advance(2)
    assert told(window) == []


def test_a_change_dated_far_ahead_is_found_when_its_time_has_come(lately: Lately) -> None:
    window = lately.open()
    ahead = lately.put(1, timedelta(hours=1))
    assert told(window) == []
    lately.clock.advance(3600)
    assert told(window) == [ahead]


def test_what_was_dated_before_the_clock_was_set_back_is_found_at_once(lately: Lately) -> None:
    window = lately.open()
    before = lately.put(1)
    lately.clock.jump(-3600)
    assert told(window) == [before]
    after = lately.put(2)
    assert told(window) == [after]
    assert told(window) == []


def test_what_was_dated_before_the_clock_was_set_ahead_is_found_at_once(lately: Lately) -> None:
    window = lately.open()
    before = lately.put(1)
    lately.clock.jump(3600)
    assert told(window) == [before]


def test_what_could_not_be_told_is_found_again_however_late(lately: Lately) -> None:
    window = lately.open()
    first = lately.put(1)
    assert window.missed() == [first]
    lately.clock.advance(3600)
    assert told(window) == [first]
    assert told(window) == []


def test_a_catalogue_that_was_away_for_long_is_looked_through_from_where_it_went(lately: Lately) -> None:
    window = lately.open()
    lately.catalogue.fail(CatalogueUnavailable(), "changed")
    first = lately.put(1)
    for _ in range(10):
        lately.clock.advance(60)
        with pytest.raises(CatalogueUnavailable):
            window.missed()
    lately.catalogue.mend()
    assert told(window) == [first]


def test_many_changes_are_read_in_pieces(lately: Lately, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching_changes, "PIECE_SIZE", 10)
    window = lately.open()
    changes = [lately.put(number) for number in range(35)]
    before = lately.catalogue.calls["changed"]
    assert told(window) == changes
    assert lately.catalogue.calls["changed"] - before == 4
