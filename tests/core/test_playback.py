"""Opening a range: everything is checked before the first byte, and every byte is counted."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import (
    CatalogueUnavailable,
    EtagMismatch,
    InvalidRequest,
    OffsetPastEnd,
    RecordingFailed,
    RecordingNotFound,
    RecordingNotReady,
    RecordingTruncated,
    SourceTooLarge,
    StorageUnavailable,
)
from recording_service.core.model import FailureReason, RecordingState
from recording_service.core.playback import OpenRange, Shelf
from recording_service.core.requests import Target
from tests.support.core_world import AUDIO, KEY, World, a_request
from tests.support.failing_port import once


def ready(world: World) -> None:
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    world.work()


def opened(world: World, offset: int = 0, length: int = 0, etag: str = "") -> OpenRange:
    return Shelf(world.catalogue.port, world.storage.port, world.clock).open_range(world.row(), offset, length, etag)


def everything(range_: OpenRange, size: int = 100) -> bytes:
    pieces = []
    while piece := range_.read(size):
        pieces.append(piece)
    range_.close()
    return b"".join(pieces)


def lose(world: World) -> None:
    world.shelf.lose(world.row().object_key)


def truncate(world: World) -> None:
    world.shelf.truncate(world.row().object_key, len(AUDIO) - 1)


@given(offset=st.integers(0, len(AUDIO)), length=st.integers(0, len(AUDIO) + 10), size=st.integers(1, len(AUDIO) + 10))
def test_a_range_gives_the_bytes_that_were_downloaded(offset: int, length: int, size: int) -> None:
    world = World()
    ready(world)
    range_ = opened(world, offset, length)
    expected = AUDIO[offset:] if length == 0 else AUDIO[offset : offset + length]
    assert (range_.start, range_.end) == (offset, offset + len(expected))
    assert (range_.complete_length, range_.remaining) == (len(AUDIO), len(expected))
    assert range_.recording == world.row()
    assert everything(range_, size) == expected
    assert range_.remaining == 0


def test_no_more_is_read_than_was_asked_for(world: World) -> None:
    ready(world)
    range_ = opened(world, 10, 20)
    assert range_.read(5) == AUDIO[10:15]
    assert range_.remaining == 15
    assert range_.read(0) == b""
    assert range_.read(-1) == b""
    assert range_.read(10**9) == AUDIO[15:30]
    assert range_.read(10**9) == b""


def test_the_end_may_be_asked_for_and_is_empty(world: World) -> None:
    ready(world)
    assert everything(opened(world, len(AUDIO))) == b""


@pytest.mark.parametrize(("offset", "length"), [(-1, 0), (0, -1)])
def test_a_negative_number_is_refused_whatever_the_state(world: World, offset: int, length: int) -> None:
    world.enqueuer().enqueue(a_request())
    with pytest.raises(InvalidRequest):
        opened(world, offset, length)


def test_past_the_end_is_refused_with_the_size(world: World) -> None:
    ready(world)
    with pytest.raises(OffsetPastEnd) as refused:
        opened(world, len(AUDIO) + 1)
    assert refused.value.size_bytes == len(AUDIO)


def test_an_etag_pins_the_version(world: World) -> None:
    ready(world)
    assert everything(opened(world, etag=world.row().etag)) == AUDIO
    with pytest.raises(EtagMismatch) as refused:
        opened(world, etag="another")
    assert refused.value.etag == world.row().etag


def test_the_version_is_looked_at_before_the_offset(world: World) -> None:
    ready(world)
    with pytest.raises(EtagMismatch):
        opened(world, offset=10**9, etag="another")


@pytest.mark.parametrize("state", [RecordingState.QUEUED, RecordingState.DOWNLOADING])
def test_what_is_on_its_way_is_not_ready(world: World, state: RecordingState) -> None:
    world.enqueuer().enqueue(a_request())
    if state is RecordingState.DOWNLOADING:
        world.claim()
    with pytest.raises(RecordingNotReady) as refused:
        opened(world)
    assert refused.value.state is state
    assert refused.value.retry_seconds > 0


def test_what_failed_says_why(world: World) -> None:
    world.script(SourceTooLarge("too large"))
    world.enqueuer().enqueue(a_request())
    world.work()
    with pytest.raises(RecordingFailed) as refused:
        opened(world)
    assert refused.value.failure_reason is FailureReason.SOURCE_TOO_LARGE


@pytest.mark.parametrize("damage", [lose, truncate])
def test_an_object_that_is_not_whole_is_found_before_the_first_byte_and_fetched_again(
    world: World, damage: Callable[[World], None]
) -> None:
    ready(world)
    damage(world)
    with pytest.raises(RecordingTruncated):
        opened(world)
    row = world.row()
    assert (row.state, row.attempt, row.object_key) == (RecordingState.QUEUED, 2, "")
    assert world.enqueuer().enqueue(a_request()).recording.attempt == 2
    world.work()
    assert everything(opened(world)) == AUDIO


def test_an_object_that_ends_early_is_never_read_as_if_it_were_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(world)
    range_ = opened(world)
    stored = world.shelf.open(world.row().object_key)
    monkeypatch.setattr(type(stored), "read_at", lambda self, offset, size: AUDIO[:1000][offset : offset + size])
    assert b"".join(range_.read(300) for _ in range(4)) == AUDIO[:1000]
    with pytest.raises(RecordingTruncated):
        range_.read(300)
    assert range_.remaining == len(AUDIO) - 1000
    assert world.row().state is RecordingState.QUEUED


def test_a_range_stays_readable_though_the_recording_is_deleted_meanwhile(world: World) -> None:
    ready(world)
    range_ = opened(world)
    world.service().delete(Target(*KEY), allow_missing=False)
    assert everything(range_) == AUDIO


def test_a_recording_that_was_deleted_while_it_was_opened_is_not_found_and_not_fetched_again(world: World) -> None:
    ready(world)
    world.storage.before["open"] = once(lambda _: world.service().delete(Target(*KEY), allow_missing=False))
    with pytest.raises(RecordingNotFound):
        opened(world)
    assert world.row().state is RecordingState.DELETED


def test_a_shelf_that_can_not_be_read_is_no_reason_to_fetch_again(world: World) -> None:
    ready(world)
    row = world.row()
    world.storage.fail(StorageUnavailable(), "open")
    with pytest.raises(StorageUnavailable):
        opened(world)
    assert world.row() == row


def test_a_loss_that_can_not_be_noted_is_no_loss_of_the_row(world: World) -> None:
    ready(world)
    lose(world)
    world.catalogue.fail(CatalogueUnavailable(), "amend")
    with pytest.raises(CatalogueUnavailable):
        opened(world)
    assert world.row().state is RecordingState.READY


def test_only_the_object_that_is_lost_sends_the_recording_back(world: World) -> None:
    ready(world)
    before = world.row()
    lose(world)
    with pytest.raises(RecordingTruncated):
        opened(world)
    world.enqueuer().enqueue(a_request())
    world.work()
    fetched_again = world.row()
    assert fetched_again.object_key != before.object_key
    Shelf(world.catalogue.port, world.storage.port, world.clock).lost(before)
    assert world.row() == fetched_again
