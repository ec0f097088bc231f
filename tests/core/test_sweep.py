"""The walk over the shelf: what READY rows name is there, and what a row has no more use for is removed.

What becomes of objects without a row, or with a FAILED one, is in test_adoption.py.
"""

from datetime import timedelta

import pytest

from recording_service.core import sweep as sweep_module
from recording_service.core.errors import CatalogueUnavailable, RecordingFailed, SourceNotFound, StorageUnavailable
from recording_service.core.model import FailureReason, Recording, RecordingKey, RecordingState
from recording_service.core.ports import ObjectEntry
from recording_service.core.requests import Target
from recording_service.core.sweep import MOST_UNREADABLE, PIECE, ShelfSweep, SweepSettings
from tests.support.core_world import AUDIO, KEY, WORKER, World, a_key, a_request

SETTINGS = SweepSettings(interval_seconds=600.0, orphan_age_seconds=3600.0)
OLD_SECONDS = SETTINGS.orphan_age_seconds + 1


def ready(world: World, number: int = 1) -> Recording:
    key = a_key(number)
    world.twilio.script(key, [AUDIO])
    world.enqueuer().enqueue(a_request(key))
    world.work()
    return world.row(key)


def put(world: World, attempt: int, key: RecordingKey = KEY) -> str:
    """A published object."""
    object_key = f"{key.account_sid}/{key.recording_sid}/{attempt}.mp3"
    with world.shelf.create(object_key) as upload:
        upload.write(b"something")
        upload.publish()
    return object_key


def shelf(world: World) -> set[str]:
    return {entry.object_key for entry in world.shelf.entries()}


def walk(sweep: ShelfSweep, pieces: int = 10) -> None:
    """A whole round, and a few steps more."""
    for _ in range(pieces):
        sweep.advance()


def test_a_ready_recording_whose_object_is_gone_goes_back_to_be_fetched(world: World) -> None:
    gone, short, whole = ready(world, 1), ready(world, 2), ready(world, 3)
    world.shelf.lose(gone.object_key)
    world.shelf.truncate(short.object_key, 10)
    walk(world.sweep(SETTINGS))
    for recording in (gone, short):
        row = world.row(recording.key)
        assert (row.state, row.attempt, row.object_key) == (RecordingState.QUEUED, 2, "")
    assert world.row(whole.key) == whole


def test_the_dispatcher_rings_for_what_the_sweep_has_found(world: World) -> None:
    gone = ready(world)
    world.shelf.lose(gone.object_key)
    dispatcher = world.dispatcher()
    world.let_pass(10.0, dispatcher)
    world.work()
    assert (world.row().state, world.row().attempt) == (RecordingState.READY, 2)


def test_an_old_object_of_a_recording_that_is_ready_with_another_one_is_removed(world: World) -> None:
    named = ready(world).object_key
    put(world, 7)
    world.clock.advance(OLD_SECONDS)
    walk(world.sweep(SETTINGS))
    assert shelf(world) == {named}


def test_the_old_remains_of_an_upload_are_removed(world: World) -> None:
    with world.shelf.create(f"{KEY.account_sid}/{KEY.recording_sid}/1.mp3"):
        assert len(shelf(world)) == 1
        world.clock.advance(OLD_SECONDS)
        walk(world.sweep(SETTINGS))
        assert shelf(world) == set()


def test_nothing_young_is_removed(world: World) -> None:
    orphan = put(world, 7)
    world.clock.advance(SETTINGS.orphan_age_seconds)
    walk(world.sweep(SETTINGS))
    assert shelf(world) == {orphan}


def test_no_object_of_a_recording_that_is_on_its_way_is_removed_until_it_has_come(world: World) -> None:
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    kept = {put(world, 8), put(world, 9)}
    world.clock.advance(OLD_SECONDS)
    walk(world.sweep(SETTINGS))
    assert shelf(world) == kept
    claimed = world.claim()
    world.clock.advance(OLD_SECONDS)
    walk(world.sweep(SETTINGS))
    assert shelf(world) == kept
    world.attempts().release(WORKER)
    world.let_pass(10.0, world.dispatcher())
    world.work()
    assert shelf(world) == {world.row(claimed.key).object_key}


def test_of_the_remains_of_uploads_only_those_of_the_attempt_under_way_are_left_alone(world: World) -> None:
    world.enqueuer().enqueue(a_request())
    world.claim()
    folder = f"{KEY.account_sid}/{KEY.recording_sid}"
    with world.shelf.create(f"{folder}/1.wav"), world.shelf.create(f"{folder}/2.wav"):
        assert len(shelf(world)) == 2
        world.clock.advance(OLD_SECONDS)
        walk(world.sweep(SETTINGS))
        (left,) = shelf(world)
        assert left.startswith(f"{folder}/.1.wav.")


def test_what_a_deletion_could_not_remove_is_removed(world: World) -> None:
    ready(world)
    world.storage.fail(StorageUnavailable(), "remove_others")
    with pytest.raises(StorageUnavailable):
        world.service().delete(Target(*KEY), allow_missing=False)
    assert len(shelf(world)) == 1
    world.clock.advance(OLD_SECONDS)
    walk(world.sweep(SETTINGS))
    assert shelf(world) == set()


def test_a_round_is_walked_in_pieces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_module, "PIECE", 10)
    recordings = [ready(world, number) for number in range(1, 26)]
    for recording in recordings:
        world.shelf.lose(recording.object_key)
    sweep = world.sweep(SETTINGS)
    found = []
    for _ in range(3):
        sweep.advance()
        found.append(sum(world.row(recording.key).state is RecordingState.QUEUED for recording in recordings))
    assert found == [10, 20, 25]


def test_a_piece_is_small_enough_to_look_at_between_two_ticks() -> None:
    assert PIECE <= 1000


def test_the_next_round_begins_at_the_interval(world: World) -> None:
    recording = ready(world)
    sweep = world.sweep(SETTINGS)
    walk(sweep)
    world.shelf.lose(recording.object_key)
    world.clock.advance(SETTINGS.interval_seconds - 1)
    walk(sweep)
    assert world.row().state is RecordingState.READY
    world.clock.advance(1)
    walk(sweep)
    assert world.row().state is RecordingState.QUEUED


def test_a_jump_of_the_wall_clock_begins_no_round(world: World) -> None:
    recording = ready(world)
    sweep = world.sweep(SETTINGS)
    walk(sweep)
    world.shelf.lose(recording.object_key)
    world.clock.jump(10 * SETTINGS.interval_seconds)
    walk(sweep)
    assert world.row().state is RecordingState.READY


@pytest.mark.parametrize(
    ("error", "method"), [(CatalogueUnavailable(), "stored"), (CatalogueUnavailable(), "get_many")]
)
def test_a_round_that_was_cut_short_begins_anew_at_the_interval(world: World, error: Exception, method: str) -> None:
    recording, other = ready(world, 1), ready(world, 2)
    world.shelf.lose(recording.object_key)
    orphan = put(world, 7, other.key)
    world.clock.advance(OLD_SECONDS)
    sweep = world.sweep(SETTINGS)
    world.catalogue.fail(error, method)
    with pytest.raises(CatalogueUnavailable):
        walk(sweep)
    world.catalogue.mend()
    walk(sweep)
    assert orphan in shelf(world)
    world.clock.advance(SETTINGS.interval_seconds)
    walk(sweep)
    assert world.row().state is RecordingState.QUEUED
    assert shelf(world) == {other.object_key}


def test_an_older_shelf_beside_a_newer_catalogue_ends_in_a_reason_where_twilio_has_no_recordings_any_more(
    world: World,
) -> None:
    rows = [ready(world, number) for number in range(1, 4)]
    for row in rows:
        world.shelf.lose(row.object_key)
    world.twilio.script(rows[0].key, [AUDIO])
    for row in rows[1:]:
        world.twilio.script(row.key, [SourceNotFound("Twilio has no such recording (404)")])
    dispatcher = world.dispatcher()
    for _ in range(100):
        world.let_pass(7200.0, dispatcher, tick_seconds=1200.0)
        world.work()
    found, *gone = [world.row(row.key) for row in rows]
    assert (found.state, found.sha256) == (RecordingState.READY, rows[0].sha256)
    for row in gone:
        assert (row.state, row.failure_reason) == (RecordingState.FAILED, FailureReason.SOURCE_NOT_FOUND)
        assert (row.etag, row.size_bytes, row.object_key) == ("", None, "")
        with pytest.raises(RecordingFailed):
            world.service().open_range(Target(*row.key), 0, 0, "")


def test_a_shelf_that_can_not_be_read_sends_nothing_back(world: World) -> None:
    rows = [ready(world, number) for number in range(1, MOST_UNREADABLE + 1)]
    world.storage.fail(StorageUnavailable(), "size", "check")
    with pytest.raises(StorageUnavailable):
        walk(world.sweep(SETTINGS))
    assert [world.row(row.key) for row in rows] == rows


def test_many_objects_that_can_not_be_reached_keep_no_other_from_being_looked_at(world: World) -> None:
    *unreachable, last = [ready(world, number) for number in range(1, MOST_UNREADABLE + 3)]
    world.shelf.lose(last.object_key)

    def out_of_reach(object_key: str) -> None:
        if object_key != last.object_key:
            raise StorageUnavailable

    world.storage.before["size"] = out_of_reach
    walk(world.sweep(SETTINGS))
    assert [world.row(row.key) for row in unreachable] == unreachable
    assert world.row(last.key).state is RecordingState.QUEUED


def test_one_object_that_can_not_be_reached_keeps_no_other_from_being_looked_at(world: World) -> None:
    first, *_, last = [ready(world, number) for number in range(1, 4)]
    orphan = put(world, 7, last.key)
    world.shelf.lose(last.object_key)

    def unreachable(object_key: str) -> None:
        if object_key == first.object_key:
            raise StorageUnavailable

    world.storage.before["size"] = unreachable
    world.clock.advance(OLD_SECONDS)
    walk(world.sweep(SETTINGS))
    assert world.row(first.key) == first
    assert world.row(last.key).state is RecordingState.QUEUED
    assert orphan in shelf(world), "it may be all there is of the recording now"


def test_a_recording_that_was_fetched_again_while_it_was_looked_at_stays_ready(world: World) -> None:
    first = ready(world)
    world.shelf.lose(first.object_key)

    def fetch_again(_: object) -> None:
        world.storage.before.clear()
        world.enqueuer().enqueue(a_request())
        world.work()

    world.storage.before["size"] = fetch_again
    walk(world.sweep(SETTINGS))
    row = world.row()
    assert (row.state, row.attempt) == (RecordingState.READY, 2)


def test_what_is_not_ours_is_left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = world.clock.now() - timedelta(days=365)
    foreign = [ObjectEntry(key, long_ago) for key in ("lost+found", "README", "AC1/RE1/1.mp3", ".probe", "../x")]
    monkeypatch.setattr(world.shelf, "entries", lambda: iter(foreign))
    walk(world.sweep(SETTINGS))
    assert world.storage.calls["remove"] == 0
