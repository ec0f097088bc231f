"""Copying the shelf while the service goes on: nothing is taken over that is not whole, and nothing is hidden."""

from collections.abc import Iterator

import pytest

from recording_service.adapters.memory.storage import MemoryBytes, MemoryStorage
from recording_service.core.errors import StorageUnavailable
from recording_service.core.model import Recording
from recording_service.core.ports import ObjectEntry, Storage
from recording_service.core.requests import Target
from recording_service.core.shelf_copy import ShelfCopied, ShelfCopier, TargetUnavailable
from tests.support.core_world import AUDIO, World, a_key, a_request
from tests.support.failing_port import Faults, once


def ready(world: World, number: int = 1) -> Recording:
    world.twilio.script(a_key(number), [AUDIO + bytes([number])])
    world.enqueuer().enqueue(a_request(a_key(number)))
    world.work()
    return world.row(a_key(number))


def copier(world: World, target: Storage) -> ShelfCopier:
    """A copying whose catalogue is the one that goes on: nothing has happened since it was copied."""
    catalogue = world.catalogue.port
    return ShelfCopier(world.storage.port, target, catalogue=catalogue, live=catalogue, looked_at=lambda: None)


def without_catalogue(source: Storage, target: Storage) -> ShelfCopier:
    return ShelfCopier(source, target, catalogue=None, live=None, looked_at=lambda: None)


def harm(shelf: MemoryStorage, object_key: str, damage: str) -> None:
    """Damages an object behind the service's back."""
    if damage == "shortened":
        shelf.truncate(object_key, 60)
    elif damage == "flipped":
        shelf.alter(object_key, 60)
    else:
        shelf.lose(object_key)


class FolderUnreadable(MemoryStorage):
    """A shelf with a recording whose folder can't be opened: a walk leaves it out, and asking for it fails."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable = ""
        #: Whether only the list of the folder can't be read, and what is in it can by its name.
        self.is_list_only = False

    def entries(self) -> Iterator[ObjectEntry]:
        return (entry for entry in super().entries() if not self._is_unreadable(entry.object_key))

    def open(self, object_key: str) -> MemoryBytes:
        if self._is_unreadable(object_key) and not self.is_list_only:
            raise StorageUnavailable
        return super().open(object_key)

    def _is_unreadable(self, object_key: str) -> bool:
        return bool(self.unreadable) and object_key.startswith(self.unreadable)


@pytest.fixture
def broken() -> FolderUnreadable:
    return FolderUnreadable()


def filled(broken: FolderUnreadable, world: World) -> Recording:
    """Puts what the world's shelf has on the broken one; the recording whose folder can't be opened any more."""
    without_catalogue(world.shelf, broken).copy()
    row = world.row(a_key(1))
    broken.unreadable = f"{row.account_sid}/{row.recording_sid}/"
    return row


def copier_of(source: Storage, world: World, target: Storage) -> ShelfCopier:
    catalogue = world.catalogue.port
    return ShelfCopier(source, target, catalogue=catalogue, live=catalogue, looked_at=lambda: None)


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

    assert copier(world, target).copy() == ShelfCopied(copied=1, copied_bytes=len(AUDIO) + 1)

    assert contents(target) == contents(world.shelf)


@pytest.mark.parametrize("damage", ["shortened", "flipped", "lost"])
def test_the_whole_object_in_the_copy_outlives_damage_of_the_live_one(world: World, damage: str) -> None:
    target = MemoryStorage()
    row = ready(world)
    copier(world, target).copy()
    before = contents(target)
    harm(world.shelf, row.object_key, damage)

    assert copier(world, target).copy() == ShelfCopied(skipped=1 if damage != "lost" else 0)

    assert contents(target) == before


@pytest.mark.parametrize("damage", ["shortened", "flipped"])
def test_what_is_in_the_copy_is_replaced_by_proven_bytes_only(world: World, damage: str) -> None:
    target = MemoryStorage()
    row = ready(world)
    copier(world, target).copy()
    target.truncate(row.object_key, 5)
    before = contents(target)
    harm(world.shelf, row.object_key, damage)

    assert copier(world, target).copy() == ShelfCopied(missing=1)

    assert contents(target) == before


@pytest.mark.parametrize("changed", ["here", "in the copy"])
def test_without_a_catalogue_an_object_of_another_size_in_the_copy_is_left_and_counted(
    world: World, changed: str, caplog: pytest.LogCaptureFixture
) -> None:
    target = MemoryStorage()
    row = ready(world)
    without_catalogue(world.shelf, target).copy()
    (world.shelf if changed == "here" else target).truncate(row.object_key, 60)
    before = contents(target)

    report = without_catalogue(world.shelf, target).copy()

    assert report == ShelfCopied(differing=1)
    assert not report.is_whole
    assert contents(target) == before
    assert row.object_key in caplog.text


def test_an_object_that_no_row_names_is_left_in_the_copy_when_it_has_another_size(world: World) -> None:
    target = MemoryStorage()
    key = a_key(9)
    for storage, body in ((target, AUDIO), (world.shelf, AUDIO[:60])):
        with storage.create(f"{key.account_sid}/{key.recording_sid}/4.mp3") as upload:
            upload.write(body)
            upload.publish()
    before = contents(target)

    assert copier(world, target).copy() == ShelfCopied(differing=1)

    assert contents(target) == before


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


def test_a_folder_that_can_not_be_opened_is_counted_and_the_rest_is_copied(
    world: World, broken: FolderUnreadable
) -> None:
    target = MemoryStorage()
    ready(world, 1), ready(world, 2)
    filled(broken, world)

    report = copier_of(broken, world, target).copy()

    assert report == ShelfCopied(copied=1, copied_bytes=len(AUDIO) + 1, missing=1, unreadable=1)
    assert not report.is_whole


@pytest.mark.parametrize("with_catalogue", [True, False])
def test_a_folder_that_can_not_be_opened_any_more_is_counted_though_the_copy_has_it(
    world: World, broken: FolderUnreadable, with_catalogue: bool
) -> None:
    target = MemoryStorage()
    ready(world, 1), ready(world, 2)
    copier(world, target).copy()
    before = contents(target)
    filled(broken, world)

    again = copier_of(broken, world, target) if with_catalogue else without_catalogue(broken, target)

    assert again.copy() == ShelfCopied(skipped=1, unreadable=1)
    assert contents(target) == before


def test_a_folder_whose_list_can_not_be_read_is_copied_by_the_names_in_the_catalogue(
    world: World, broken: FolderUnreadable
) -> None:
    target = MemoryStorage()
    ready(world, 1), ready(world, 2)
    filled(broken, world)
    broken.is_list_only = True

    assert copier_of(broken, world, target).copy() == ShelfCopied(copied=2, copied_bytes=2 * (len(AUDIO) + 1))

    assert contents(target) == contents(world.shelf)


def test_an_object_that_no_row_names_and_that_can_not_be_read_is_counted(world: World) -> None:
    source, target = Faults[Storage](world.shelf), MemoryStorage()
    ready(world)
    source.fail(StorageUnavailable(), "open")

    assert without_catalogue(source.port, target).copy() == ShelfCopied(unreadable=1)


@pytest.mark.parametrize("method", ["size", "remove", "create", "entries"])
def test_trouble_of_the_other_shelf_is_told_apart(world: World, method: str) -> None:
    target = Faults[Storage](MemoryStorage())
    row = ready(world)
    target.fail(StorageUnavailable(), method)

    with target.adapter.create(row.object_key), pytest.raises(TargetUnavailable):
        copier(world, target.port).copy()


def test_a_shelf_that_can_not_be_walked_over_is_no_trouble_of_the_copy(world: World) -> None:
    world.storage.fail(StorageUnavailable(), "entries")

    with pytest.raises(StorageUnavailable):
        copier(world, MemoryStorage()).copy()


def test_ciphertext_is_not_copied_and_is_taken_from_a_copy_that_has_some(world: World) -> None:
    row = ready(world)
    ciphertext = row.object_key.replace("mp3", "cipher")
    target = MemoryStorage()
    for shelf in (world.shelf, target):
        with shelf.create(ciphertext) as upload:
            upload.write(AUDIO)
            upload.publish()
    copied = copier(world, target).copy()
    assert [entry.object_key for entry in target.entries()] == [row.object_key]
    assert (copied.copied, copied.removed) == (1, 1)
