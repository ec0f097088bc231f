"""Copying the shelf while the service goes on: nothing is taken over that is not whole, and nothing is hidden."""

import pytest

from recording_service.adapters.memory.storage import MemoryStorage
from recording_service.core.errors import StorageUnavailable
from recording_service.core.model import Recording
from recording_service.core.ports import Storage
from recording_service.core.requests import Target
from recording_service.core.shelf_copy import ShelfCopied, ShelfCopier, TargetUnavailable
from tests.support.core_world import AUDIO, World, a_key, a_request
from tests.support.faults import Faults, once


def ready(world: World, number: int = 1) -> Recording:
    world.twilio.script(a_key(number), [AUDIO + bytes([number])])
    world.enqueuer().enqueue(a_request(a_key(number)))
    world.work()
    return world.row(a_key(number))


def copier(world: World, target: Storage) -> ShelfCopier:
    """A copying whose catalogue is the one that goes on: nothing has happened since it was copied."""
    catalogue = world.catalogue.port
    return ShelfCopier(world.storage.port, target, catalogue=catalogue, live=catalogue, looked_at=lambda: None)


def contents(storage: MemoryStorage) -> dict[str, bytes]:
    return {
        entry.object_key: b"" if "/." in entry.object_key else storage.open(entry.object_key).read_at(0, 10**9)
        for entry in storage.entries()
    }


def test_everything_is_copied_once_and_then_what_is_new(world: World) -> None:
    target = MemoryStorage()
    for number in (1, 2):
        ready(world, number)
    size = len(AUDIO) + 1

    assert copier(world, target).copy() == ShelfCopied(copied=2, copied_bytes=2 * size)
    ready(world, 3)
    assert copier(world, target).copy() == ShelfCopied(copied=1, copied_bytes=size, skipped=2)

    assert contents(target) == contents(world.shelf)


def test_uploads_are_not_copied_and_remains_in_the_copy_are_taken_away(world: World) -> None:
    target = MemoryStorage()
    row = ready(world)
    with world.shelf.create(f"{row.account_sid}/{row.recording_sid}/2.mp3"), target.create(row.object_key):
        assert copier(world, target).copy() == ShelfCopied(copied=1, copied_bytes=len(AUDIO) + 1, removed=1)
    assert set(contents(target)) == {row.object_key}


def test_an_object_of_another_size_in_the_copy_is_copied_anew(world: World) -> None:
    target = MemoryStorage()
    row = ready(world)
    copier(world, target).copy()
    target.truncate(row.object_key, 5)

    assert copier(world, target).copy().copied == 1

    assert contents(target) == contents(world.shelf)


@pytest.mark.parametrize("damage", ["shortened", "flipped", "unreadable"])
def test_damage_is_not_copied_but_reported(world: World, damage: str) -> None:
    target = MemoryStorage()
    row, whole = ready(world, 1), ready(world, 2)
    if damage == "unreadable":
        world.storage.before["open"] = once(lambda _: (_ for _ in ()).throw(StorageUnavailable()))
    else:
        world.shelf.lose(row.object_key)
        body = AUDIO if damage == "shortened" else AUDIO + b"?"
        with world.shelf.create(row.object_key) as upload:
            upload.write(body)
            upload.publish()

    report = copier(world, target).copy()

    assert (report.copied, report.missing) == (1, 1)
    assert len(contents(target)) == 1
    assert report.copied_bytes == len(AUDIO) + 1
    assert damage == "unreadable" or set(contents(target)) == {whole.object_key}


def test_an_object_that_no_row_names_is_copied_as_it_is(world: World) -> None:
    target = MemoryStorage()
    key = a_key(9)
    with world.shelf.create(f"{key.account_sid}/{key.recording_sid}/4.mp3") as upload:
        upload.write(AUDIO)
        upload.publish()

    assert copier(world, target).copy().copied == 1


def test_a_ready_recording_without_an_object_is_reported_missing(world: World) -> None:
    lost = ready(world)
    world.shelf.lose(lost.object_key)

    assert copier(world, MemoryStorage()).copy() == ShelfCopied(missing=1)


def test_an_object_that_vanishes_because_its_row_has_moved_on_is_not_missed(world: World) -> None:
    target = MemoryStorage()
    before = World()
    ready(before)
    row = ready(world)
    world.storage.before["open"] = once(lambda _: world.service().delete(Target(*row.key), allow_missing=False))

    report = ShelfCopier(
        world.storage.port,
        target,
        catalogue=before.catalogue.port,
        live=world.catalogue.port,
        looked_at=lambda: None,
    ).copy()

    assert report == ShelfCopied()
    assert contents(target) == {}


def test_what_was_deleted_is_taken_out_of_the_copy(world: World) -> None:
    target = MemoryStorage()
    deleted, kept = ready(world, 1), ready(world, 2)
    copier(world, target).copy()
    world.service().delete(Target(*deleted.key), allow_missing=False)

    assert copier(world, target).copy() == ShelfCopied(skipped=1, removed=1)

    assert set(contents(target)) == {kept.object_key}


def test_a_shelf_that_is_empty_empties_no_copy(world: World) -> None:
    target = MemoryStorage()
    row = ready(world)
    copier(world, target).copy()
    unmounted = MemoryStorage()

    catalogue = world.catalogue.port
    ShelfCopier(unmounted, target, catalogue=catalogue, live=catalogue, looked_at=lambda: None).copy()

    assert set(contents(target)) == {row.object_key}


def test_without_a_catalogue_the_objects_are_copied_and_nothing_is_concluded(world: World) -> None:
    target = MemoryStorage()
    row = ready(world)
    world.shelf.truncate(row.object_key, 7)
    looks: list[int] = []

    report = ShelfCopier(world.shelf, target, catalogue=None, live=None, looked_at=lambda: looks.append(1)).copy()

    assert report == ShelfCopied(copied=1, copied_bytes=7)
    assert looks == [1]


@pytest.mark.parametrize("method", ["size", "remove", "create", "entries"])
def test_trouble_of_the_other_shelf_is_told_apart(world: World, method: str) -> None:
    target = Faults[Storage](MemoryStorage())
    ready(world)
    target.fail(StorageUnavailable(), method)

    with pytest.raises(TargetUnavailable):
        copier(world, target.port).copy()


def test_a_shelf_that_can_not_be_walked_over_is_no_trouble_of_the_copy(world: World) -> None:
    world.storage.fail(StorageUnavailable(), "entries")

    with pytest.raises(StorageUnavailable):
        copier(world, MemoryStorage()).copy()
