"""The scrub: stored bytes are read again at a set rate, and what is not what was downloaded is fetched again."""

from datetime import timedelta

import pytest

from recording_service.core import object_digest
from recording_service.core import scrub as scrub_module
from recording_service.core.errors import CatalogueUnavailable, StorageUnavailable
from recording_service.core.model import ProcessingState, Recording, RecordingState, Step
from recording_service.core.object_digest import PIECE_BYTES
from recording_service.core.ports import StoredBytes
from recording_service.core.requests import Target
from recording_service.core.scrub import ScrubSettings, ShelfScrub
from tests.support.core_world import AUDIO, World, a_key, a_request
from tests.support.failing_port import once
from tests.support.steps import Reading

#: Enough for anything here in one second.
FAST = ScrubSettings(bytes_per_second=100 * len(AUDIO))


def ready(world: World, number: int = 1, audio: bytes = AUDIO) -> Recording:
    key = a_key(number)
    world.twilio.script(key, [audio])
    world.enqueuer().enqueue(a_request(key))
    world.work()
    return world.row(key)


def pass_seconds(world: World, scrub: ShelfScrub, seconds: int = 1) -> None:
    """The dispatcher's ticks, one a second."""
    for _ in range(seconds):
        world.clock.advance(1.0)
        scrub.scrub()


def read_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each piece has, as they are read."""
    pieces: list[int] = []
    kind: type[StoredBytes] = type(world.shelf.open(world.row().object_key))
    read_at = kind.read_at

    def noting(self: StoredBytes, offset: int, size: int) -> bytes:
        data = read_at(self, offset, size)
        pieces.append(len(data))
        return data

    monkeypatch.setattr(kind, "read_at", noting)
    return pieces


# What is found


def test_an_object_that_is_as_it_was_downloaded_is_verified_and_nobody_hears_of_it(world: World) -> None:
    before = ready(world)
    pass_seconds(world, world.scrub(FAST))
    after = world.row()
    assert after.verified_time == world.clock.now()
    assert (after.revision, after.update_time, after.state) == (before.revision, before.update_time, before.state)


@pytest.mark.parametrize("offset", [0, len(AUDIO) // 2, len(AUDIO) - 1])
def test_a_byte_that_is_another_one_sends_the_recording_back_to_be_fetched(
    world: World, offset: int, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = ready(world)
    world.shelf.alter(damaged.object_key, offset)
    pass_seconds(world, world.scrub(FAST))
    row = world.row()
    assert (row.state, row.attempt, row.object_key, row.verified_time) == (RecordingState.QUEUED, 2, "", None)
    assert damaged.recording_sid in caplog.text
    assert all(record.levelname == "WARNING" for record in caplog.records)


@pytest.mark.parametrize("is_damaged", [True, False], ids=["damaged", "lost"])
def test_what_may_have_been_made_of_damaged_bytes_is_made_anew_and_else_kept(world: World, is_damaged: bool) -> None:
    damaged = ready(world)
    runners = {step: Reading(step) for step in Step}
    world.process(world.processor(runners))
    assert world.row().processing.summary is ProcessingState.DONE
    if is_damaged:
        world.shelf.alter(damaged.object_key, 100)
    else:
        world.shelf.lose(damaged.object_key)
    pass_seconds(world, world.scrub(FAST))
    world.let_pass(10.0, world.dispatcher())
    world.work()
    world.process(world.processor(runners))
    assert world.row().processing.summary is ProcessingState.DONE
    assert [runner.runs for runner in runners.values()] == [2 if is_damaged else 1] * len(Step)


def test_the_damaged_bytes_stay_until_the_recording_is_fetched_again(world: World) -> None:
    damaged = ready(world)
    world.shelf.alter(damaged.object_key, 100)
    pass_seconds(world, world.scrub(FAST))
    assert world.shelf.size(damaged.object_key) == len(AUDIO)
    world.let_pass(10.0, world.dispatcher())
    world.work()
    assert (world.row().state, world.row().sha256) == (RecordingState.READY, damaged.sha256)
    assert world.shelf.size(damaged.object_key) is None


def test_an_object_that_is_short_longer_or_gone_sends_the_recording_back(world: World) -> None:
    short, gone, longer, whole = (ready(world, number) for number in range(1, 5))
    world.shelf.truncate(short.object_key, 10)
    world.shelf.lose(gone.object_key)
    world.shelf.lose(longer.object_key)
    with world.shelf.create(longer.object_key) as upload:
        upload.write(AUDIO + b"more")
        upload.publish()
    pass_seconds(world, world.scrub(FAST))
    for lost in (short, gone, longer):
        assert world.row(lost.key).state is RecordingState.QUEUED
    assert world.row(whole.key).state is RecordingState.READY


def test_an_object_that_was_removed_with_its_recording_meanwhile_is_no_loss(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    row = ready(world)
    world.storage.before["open"] = once(lambda _: world.service().delete(Target(*row.key), allow_missing=False))
    caplog.clear()
    pass_seconds(world, world.scrub(FAST))
    assert world.row().state is RecordingState.DELETED
    assert caplog.text == ""


def test_a_recording_that_was_fetched_again_meanwhile_is_not_sent_back(world: World) -> None:
    first = ready(world)

    def fetch_again(_: object) -> None:
        world.shelf.lose(first.object_key)
        world.sweep().advance()
        world.enqueuer().enqueue(a_request())
        world.work()

    world.storage.before["open"] = once(fetch_again)
    scrub = world.scrub(FAST)
    pass_seconds(world, scrub)
    assert (world.row().state, world.row().attempt) == (RecordingState.READY, 2)


# An unreadable disk


def test_an_object_that_can_not_be_read_is_not_fetched_again_and_is_verified_later(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    before = ready(world)
    scrub = world.scrub(FAST)
    world.storage.fail(StorageUnavailable(), "open")
    pass_seconds(world, scrub)
    assert world.row() == before
    assert before.recording_sid in caplog.text
    world.storage.mend()
    pass_seconds(world, scrub)
    assert world.row() == before
    world.clock.advance(FAST.interval_seconds)
    pass_seconds(world, scrub)
    assert world.row().verified_time == world.clock.now()


def test_no_other_waits_behind_an_object_that_can_not_be_read(world: World) -> None:
    rows = [ready(world, number) for number in range(1, 4)]
    unreadable = rows[0].object_key

    def fail(object_key: str) -> None:
        if object_key == unreadable:
            raise StorageUnavailable

    world.storage.before["open"] = fail
    scrub = world.scrub(FAST)
    pass_seconds(world, scrub)
    assert [world.row(row.key).verified_time is None for row in rows] == [True, False, False]
    assert world.storage.calls["open"] == 3


def test_objects_that_can_be_read_are_verified_within_the_interval_however_many_others_can_not(world: World) -> None:
    # Those that can't be read are never noted as verified, and so are always the first to be asked for.
    unreadable = {ready(world, number).object_key for number in range(1, 301)}
    good = [ready(world, number) for number in range(301, 801)]
    failed: list[str] = []

    def fail(object_key: str) -> None:
        if object_key in unreadable:
            failed.append(object_key)
            raise StorageUnavailable

    world.storage.before["open"] = fail
    scrub = world.scrub(FAST)
    for _ in range(int(FAST.interval_seconds / FAST.rest_seconds)):
        world.clock.advance(FAST.rest_seconds)
        scrub.scrub()
    assert all(world.row(row.key).verified_time is not None for row in good)
    assert sorted(failed) == sorted(unreadable)


def test_now_and_then_an_object_that_can_not_be_read_is_no_reason_to_rest(world: World) -> None:
    rows = [ready(world, number) for number in range(1, 21)]
    unreadable = {row.object_key for row in rows[::2]}

    def fail(object_key: str) -> None:
        if object_key in unreadable:
            raise StorageUnavailable

    world.storage.before["open"] = fail
    pass_seconds(world, world.scrub(FAST))
    assert [world.row(row.key).verified_time is None for row in rows] == 10 * [True, False]


def test_a_shelf_that_can_not_be_read_at_all_is_not_asked_at_every_tick(world: World) -> None:
    for number in range(1, 10):
        ready(world, number)
    world.storage.fail(StorageUnavailable(), "open")
    pass_seconds(world, world.scrub(FAST), seconds=int(FAST.rest_seconds))
    assert world.storage.calls["open"] == 2


# The catalogue is down


@pytest.mark.parametrize("method", ["least_verified", "mark_verified", "amend"])
def test_what_could_not_be_noted_is_noted_when_the_catalogue_is_back(world: World, method: str) -> None:
    whole, damaged = ready(world, 1), ready(world, 2)
    world.shelf.alter(damaged.object_key, 5)
    scrub = world.scrub(FAST)
    world.catalogue.fail(CatalogueUnavailable(), method)
    with pytest.raises(CatalogueUnavailable):
        pass_seconds(world, scrub)
    world.catalogue.mend()
    pass_seconds(world, scrub, 3)
    assert world.row(whole.key).verified_time is not None
    assert world.row(damaged.key).state is RecordingState.QUEUED


# The rate


def test_no_more_is_read_in_a_second_than_was_set(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(world)
    pieces = read_bytes(world, monkeypatch)
    scrub = world.scrub(ScrubSettings(bytes_per_second=500))
    for second in range(1, 5):
        pass_seconds(world, scrub)
        assert sum(pieces) == 500 * second
        assert world.row().verified_time is None
    pass_seconds(world, scrub)
    assert sum(pieces) == len(AUDIO)
    assert world.row().verified_time == world.clock.now()


def test_what_was_not_read_in_time_is_not_made_up_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(world)
    pieces = read_bytes(world, monkeypatch)
    scrub = world.scrub(ScrubSettings(bytes_per_second=500))
    world.clock.advance(3600.0)
    scrub.scrub()
    scrub.scrub()
    assert sum(pieces) == 500


def test_a_large_object_is_read_in_small_pieces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_digest, "PIECE_BYTES", 1000)
    ready(world)
    pieces = read_bytes(world, monkeypatch)
    pass_seconds(world, world.scrub(FAST))
    assert max(pieces) == 1000
    assert sum(pieces) == len(AUDIO)
    assert world.row().verified_time is not None
    assert PIECE_BYTES <= 1024 * 1024


def test_no_piece_is_begun_when_the_dispatcher_has_waited_long_enough(world: World) -> None:
    for number in range(1, 10):
        ready(world, number)
    slow_seconds = FAST.busy_seconds * 0.4
    world.storage.before["open"] = lambda _: world.clock.advance(slow_seconds)
    pass_seconds(world, world.scrub(FAST))
    assert world.storage.calls["open"] == 3


def test_a_rate_of_zero_turns_it_off(world: World) -> None:
    ready(world)
    pass_seconds(world, world.scrub(ScrubSettings(bytes_per_second=0)), seconds=5)
    assert world.storage.calls["open"] == 0
    assert world.catalogue.calls["least_verified"] == 0


# Rounds


def test_everything_is_read_once_an_interval_the_least_recently_verified_first(world: World) -> None:
    rows = [ready(world, number) for number in range(1, 4)]
    scrub = world.scrub(ScrubSettings(bytes_per_second=len(AUDIO) + 1))
    pass_seconds(world, scrub, 4)
    times = [world.row(row.key).verified_time for row in rows]
    assert times == sorted(time for time in times if time is not None)
    world.clock.advance(FAST.interval_seconds - 10)
    pass_seconds(world, scrub, 5)
    assert [world.row(row.key).verified_time for row in rows] == times
    world.clock.advance(FAST.rest_seconds)
    pass_seconds(world, scrub, 5)
    assert all(
        time is not None and before is not None and time - before >= timedelta(seconds=FAST.interval_seconds)
        for before, time in zip(times, (world.row(row.key).verified_time for row in rows), strict=True)
    )


def test_the_next_dispatcher_goes_on_where_the_last_one_was(world: World) -> None:
    rows = [ready(world, number) for number in range(1, 4)]
    pass_seconds(world, world.scrub(ScrubSettings(bytes_per_second=len(AUDIO) + 1)))
    assert [world.row(row.key).verified_time is not None for row in rows] == [True, False, False]
    opened = world.storage.calls["open"]
    pass_seconds(world, world.scrub(FAST))
    assert world.storage.calls["open"] == opened + 2


def test_more_rows_than_are_asked_for_at_once_are_all_read_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrub_module, "ROWS", 2)
    rows = [ready(world, number) for number in range(1, 8)]
    pass_seconds(world, world.scrub(FAST), 3)
    assert all(world.row(row.key).verified_time is not None for row in rows)
    assert world.storage.calls["open"] == len(rows)


@pytest.mark.parametrize("seconds", [-7200.0, -400 * 86400.0])
def test_a_time_in_the_future_counts_as_old_so_a_clock_that_was_wrong_hides_nothing(
    world: World, seconds: float
) -> None:
    row = ready(world)
    pass_seconds(world, world.scrub(FAST))
    world.clock.jump(seconds)
    world.shelf.alter(row.object_key, 7)
    pass_seconds(world, world.scrub(FAST))
    assert world.row().state is RecordingState.QUEUED


def test_what_is_not_ready_is_not_read(world: World) -> None:
    world.enqueuer().enqueue(a_request())
    pass_seconds(world, world.scrub(FAST))
    assert world.storage.calls["open"] == 0


def test_the_dispatcher_scrubs_and_rings_for_what_it_has_found(world: World) -> None:
    damaged = ready(world)
    world.shelf.alter(damaged.object_key, 3)
    world.let_pass(10.0, world.dispatcher())
    world.work()
    assert (world.row().state, world.row().attempt) == (RecordingState.READY, 2)
