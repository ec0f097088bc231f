"""What every shelf does (`ports.Storage`)."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest

from recording_service.core.errors import ObjectMissing, StorageFull, StorageUnavailable
from recording_service.core.model import RecordingKey, StoredObject
from recording_service.core.ports import Storage
from tests.contract.storages import LARGEST_DISK_BYTES, DamageableStorage

KEY = RecordingKey("AC" + "1a" * 16, "RE" + "2B" * 16)
OTHER_RECORDING = KEY._replace(recording_sid="RE" + "3c" * 16)
OTHER_ACCOUNT = KEY._replace(account_sid="AC" + "4d" * 16)

BAD_KEYS = [
    "",
    "1.mp3",
    f"{KEY.recording_sid}/1.mp3",
    f"/{KEY.account_sid}/{KEY.recording_sid}/1.mp3",
    f"{KEY.account_sid}/{KEY.recording_sid}/1.mp3/",
    f"{KEY.account_sid}/{KEY.recording_sid}/1.mp3\n",
    f"{KEY.account_sid}/{KEY.recording_sid}/../1.mp3",
    f"{KEY.account_sid}/../1.mp3",
    f"../{KEY.recording_sid}/1.mp3",
    f"{KEY.account_sid}/{KEY.recording_sid}/0.mp3",
    f"{KEY.account_sid}/{KEY.recording_sid}/1.MP3",
    f"{KEY.account_sid}/{KEY.recording_sid}/1",
    f"{KEY.account_sid}/{KEY.recording_sid}/\u0661.mp3",
    f"{KEY.account_sid}/{KEY.recording_sid}/..",
    f"{KEY.recording_sid}/{KEY.account_sid}/1.mp3",
    f"{KEY.account_sid[:-1]}/{KEY.recording_sid}/1.mp3",
    f"{KEY.account_sid}/{KEY.recording_sid}x/1.mp3",
]


def object_key(attempt: int = 1, key: RecordingKey = KEY) -> str:
    return f"{key.account_sid}/{key.recording_sid}/{attempt}.mp3"


def put(storage: Storage, object_key: str, *pieces: bytes) -> StoredObject:
    with storage.create(object_key) as upload:
        for piece in pieces:
            upload.write(piece)
        return upload.publish()


def get(storage: Storage, object_key: str) -> bytes:
    with closing(storage.open(object_key)) as stored:
        return stored.read_at(0, stored.size_bytes)


def keys(storage: Storage) -> set[str]:
    return {entry.object_key for entry in storage.entries()}


def test_a_published_object_is_there_whole_and_described_truly(storage: DamageableStorage) -> None:
    stored = put(storage, object_key(), b"abc", b"", b"defg")

    assert stored == StoredObject(object_key(), 7, hashlib.sha256(b"abcdefg").hexdigest())
    assert get(storage, object_key()) == b"abcdefg"
    assert storage.size(object_key()) == 7


def test_an_object_may_be_empty(storage: DamageableStorage) -> None:
    assert put(storage, object_key()).size_bytes == 0
    assert get(storage, object_key()) == b""


def test_an_upload_counts_what_it_has_received(storage: DamageableStorage) -> None:
    with storage.create(object_key()) as upload:
        assert upload.received_bytes == 0
        upload.write(b"abc")
        upload.write(b"de")
        assert upload.received_bytes == 5


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [(0, 3, b"012"), (7, 3, b"789"), (7, 9, b"789"), (10, 1, b""), (99, 1, b""), (3, 0, b"")],
)
def test_a_read_is_short_only_where_the_object_ends(
    storage: DamageableStorage, offset: int, size: int, expected: bytes
) -> None:
    put(storage, object_key(), b"0123456789")

    with closing(storage.open(object_key())) as stored:
        assert stored.read_at(offset, size) == expected


def test_nobody_sees_an_object_before_it_is_published(storage: DamageableStorage) -> None:
    with storage.create(object_key()) as upload:
        upload.write(b"half")

        assert storage.size(object_key()) is None
        with pytest.raises(ObjectMissing):
            storage.open(object_key())
        (remains,) = keys(storage)
        assert remains != object_key()


def test_an_upload_that_is_not_published_leaves_nothing_behind(storage: DamageableStorage) -> None:
    with storage.create(object_key()) as upload:
        upload.write(b"half")

    assert keys(storage) == set()
    assert storage.size(object_key()) is None


def test_an_upload_that_fails_leaves_nothing_behind_and_hides_no_error(storage: DamageableStorage) -> None:
    def fail() -> None:
        with storage.create(object_key()) as upload:
            upload.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert keys(storage) == set()


def test_an_object_is_never_replaced(storage: DamageableStorage) -> None:
    put(storage, object_key(), b"first")

    with pytest.raises(StorageUnavailable):
        put(storage, object_key(), b"second")

    assert get(storage, object_key()) == b"first"
    assert keys(storage) == {object_key()}


def test_an_object_that_is_there_already_with_the_same_bytes_counts_as_published(storage: DamageableStorage) -> None:
    first = put(storage, object_key(), b"the same ", b"bytes")

    assert put(storage, object_key(), b"the ", b"same bytes") == first

    assert get(storage, object_key()) == b"the same bytes"
    assert keys(storage) == {object_key()}


@pytest.mark.parametrize("there", [None, b"", b"the first bytes"])
def test_an_upload_takes_the_place_of_an_object_when_it_is_told_to(
    storage: DamageableStorage, there: bytes | None
) -> None:
    if there is not None:
        put(storage, object_key(), there)

    with storage.create(object_key()) as upload:
        upload.write(b"other bytes")
        assert storage.size(object_key()) == (None if there is None else len(there))
        stored = upload.replace()

    assert stored == StoredObject(object_key(), 11, hashlib.sha256(b"other bytes").hexdigest())
    assert get(storage, object_key()) == b"other bytes"
    assert keys(storage) == {object_key()}


def test_an_upload_that_was_removed_meanwhile_replaces_nothing(storage: DamageableStorage) -> None:
    put(storage, object_key(), b"first")
    with storage.create(object_key()) as upload:
        storage.remove_others(KEY, keep=object_key())
        with pytest.raises(StorageUnavailable):
            upload.replace()

    assert get(storage, object_key()) == b"first"


@pytest.mark.parametrize("there", [b"", b"the same", b"the same bytez", b"the same bytes and more"])
def test_an_object_that_is_there_already_with_other_bytes_is_left_alone_and_another_attempt_has_its_own(
    storage: DamageableStorage, there: bytes
) -> None:
    put(storage, object_key(), there)

    with pytest.raises(StorageUnavailable):
        put(storage, object_key(), b"the same bytes")
    put(storage, object_key(2), b"the same bytes")

    assert get(storage, object_key()) == there
    assert get(storage, object_key(2)) == b"the same bytes"
    assert keys(storage) == {object_key(), object_key(2)}


def test_an_upload_that_was_removed_meanwhile_is_not_published_though_the_same_object_is_there(
    storage: DamageableStorage,
) -> None:
    put(storage, object_key(), b"late")
    with storage.create(object_key()) as upload:
        upload.write(b"late")
        storage.remove_others(KEY, keep=object_key())
        with pytest.raises(StorageUnavailable):
            upload.publish()

    assert keys(storage) == {object_key()}


def test_an_upload_that_was_removed_meanwhile_is_not_published(storage: DamageableStorage) -> None:
    with storage.create(object_key()) as upload:
        upload.write(b"late")
        storage.remove_others(KEY, keep=None)
        with pytest.raises(StorageUnavailable):
            upload.publish()

    assert storage.size(object_key()) is None
    assert keys(storage) == set()


def test_the_remains_of_an_upload_can_be_removed_by_the_name_they_are_listed_by(storage: DamageableStorage) -> None:
    with storage.create(object_key()) as upload:
        (remains,) = keys(storage)
        storage.remove(remains)

        assert keys(storage) == set()
        with pytest.raises(StorageUnavailable):
            upload.publish()


def test_an_open_object_stays_readable_when_it_is_removed(storage: DamageableStorage) -> None:
    put(storage, object_key(), b"0123456789")

    with closing(storage.open(object_key())) as stored:
        storage.remove(object_key())

        assert storage.size(object_key()) is None
        assert stored.read_at(0, stored.size_bytes) == b"0123456789"
        stored.close()


def test_the_size_is_what_the_shelf_has_now(storage: DamageableStorage) -> None:
    put(storage, object_key(), b"0123456789")

    storage.truncate(object_key(), 4)
    assert storage.size(object_key()) == 4
    assert get(storage, object_key()) == b"0123"

    storage.lose(object_key())
    assert storage.size(object_key()) is None
    with pytest.raises(ObjectMissing) as missing:
        storage.open(object_key())
    assert missing.value.object_key == object_key()


def test_removing_is_idempotent(storage: DamageableStorage) -> None:
    storage.remove(object_key())
    put(storage, object_key(), b"x")
    put(storage, object_key(2), b"y")

    storage.remove(object_key())
    storage.remove(object_key())

    assert keys(storage) == {object_key(2)}


def test_a_recording_can_come_back_after_all_of_it_was_removed(storage: DamageableStorage) -> None:
    put(storage, object_key(), b"x")
    storage.remove(object_key())
    put(storage, object_key(2), b"y")

    assert get(storage, object_key(2)) == b"y"


@pytest.mark.parametrize("keep", [object_key(2), object_key(9), None])
def test_all_others_of_a_recording_are_removed_and_nothing_else(storage: DamageableStorage, keep: str | None) -> None:
    for attempt in (1, 2, 3):
        put(storage, object_key(attempt), b"x")
    put(storage, object_key(1, OTHER_RECORDING), b"x")
    put(storage, object_key(1, OTHER_ACCOUNT), b"x")

    with storage.create(object_key(4)):
        storage.remove_others(KEY, keep)
        storage.remove_others(KEY, keep)

        assert keys(storage) == ({keep} & {object_key(2)}) | {
            object_key(1, OTHER_RECORDING),
            object_key(1, OTHER_ACCOUNT),
        }


def test_a_walk_finds_every_object_and_when_it_was_written(storage: DamageableStorage) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    everything = {object_key(1), object_key(12), object_key(1, OTHER_RECORDING), object_key(1, OTHER_ACCOUNT)}
    for each in everything:
        put(storage, each, b"x")

    entries = list(storage.entries())

    assert {entry.object_key for entry in entries} == everything
    assert all(before < entry.modify_time < datetime.now(UTC) + timedelta(seconds=1) for entry in entries)


def test_a_walk_takes_all_that_one_recording_has_without_a_break(storage: DamageableStorage) -> None:
    for attempt in (2, 1):
        for number in range(1, 8):
            put(storage, f"{KEY.account_sid}/RE{number:032x}/{attempt}.mp3", b"x")

    folders = [entry.object_key.rpartition("/")[0] for entry in storage.entries()]

    assert len(folders) == 14
    assert [len(list(of_one)) for _, of_one in groupby(folders)] == [2] * 7


def test_a_walk_outlives_what_it_walks_over(storage: DamageableStorage) -> None:
    for attempt in range(1, 20):
        put(storage, object_key(attempt), b"x")
    walk = storage.entries()
    next(walk)

    storage.remove_others(KEY, keep=None)

    assert {entry.object_key for entry in walk} <= {object_key(attempt) for attempt in range(1, 20)}


@pytest.mark.parametrize("bad_key", BAD_KEYS)
@pytest.mark.parametrize(
    "use",
    [
        lambda storage, key: storage.create(key).__enter__(),
        lambda storage, key: storage.open(key),
        lambda storage, key: storage.size(key),
        lambda storage, key: storage.remove(key),
        lambda storage, key: storage.remove_others(KEY, key),
    ],
)
def test_a_malformed_key_is_a_bug(
    storage: DamageableStorage, use: Callable[[Storage, str], object], bad_key: str
) -> None:
    with pytest.raises(ValueError, match="not "):
        use(storage, bad_key)

    assert keys(storage) == set()


def test_only_an_object_of_the_recording_itself_can_be_kept(storage: DamageableStorage) -> None:
    put(storage, object_key(), b"x")

    with pytest.raises(ValueError, match="not an object of recording"):
        storage.remove_others(KEY, object_key(1, OTHER_RECORDING))
    with pytest.raises(ValueError, match="not the key of a recording"):
        storage.remove_others(RecordingKey("..", ".."), None)

    assert keys(storage) == {object_key()}


def test_an_upload_has_no_name_that_could_be_opened(storage: DamageableStorage) -> None:
    with storage.create(object_key()):
        (remains,) = keys(storage)
        with pytest.raises(ValueError, match="not the key of an object"):
            storage.open(remains)


def body_of(attempt: int) -> bytes:
    return bytes([attempt]) * 4096


def test_publishing_never_fails_for_a_folder_that_comes_and_goes(storage: DamageableStorage) -> None:
    def publish_and_remove(attempt: int) -> None:
        put(storage, object_key(attempt), body_of(attempt))
        storage.remove(object_key(attempt))

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(publish_and_remove, attempt) for attempt in range(1, 201)]:
            done.result()

    assert keys(storage) == set()


def test_while_others_are_removed_every_object_is_whole_or_not_there(storage: DamageableStorage) -> None:
    def publish(attempt: int) -> None:
        with suppress(StorageUnavailable):
            put(storage, object_key(attempt), body_of(attempt))

    def look(attempt: int) -> None:
        with suppress(ObjectMissing):
            assert get(storage, object_key(attempt)) == body_of(attempt)

    def clean(attempt: int) -> None:
        storage.remove_others(KEY, object_key(attempt))

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(act, attempt) for attempt in range(1, 101) for act in (publish, look, clean)]:
            done.result()

    storage.remove_others(KEY, keep=None)
    assert keys(storage) == set()


def test_a_sound_shelf_passes_its_check(storage: DamageableStorage) -> None:
    storage.check()

    assert keys(storage) == set()


# Room


def test_a_shelf_with_room_takes_what_fits_and_says_of_what_does_not(storage: DamageableStorage) -> None:
    storage.check_room()
    storage.check_room(4096)

    with pytest.raises(StorageFull):
        storage.check_room(LARGEST_DISK_BYTES)


def test_a_full_shelf_takes_nothing_and_leaves_nothing_of_what_it_refused(storage: DamageableStorage) -> None:
    storage.fill()

    with pytest.raises(StorageFull):
        storage.check_room()
    with pytest.raises(StorageFull):
        put(storage, object_key(), b"abc")

    assert keys(storage) == set()


def test_what_is_on_a_full_shelf_is_read_and_removed_as_ever(storage: DamageableStorage) -> None:
    put(storage, object_key(1), b"abc")
    put(storage, object_key(2), b"def")
    storage.fill()

    storage.check()
    assert get(storage, object_key(1)) == b"abc"
    assert storage.size(object_key(1)) == 3
    storage.remove(object_key(2))
    assert keys(storage) == {object_key(1)}


def test_a_full_shelf_takes_objects_again_once_there_is_room(storage: DamageableStorage) -> None:
    storage.fill()
    with pytest.raises(StorageFull):
        put(storage, object_key(), b"abc")
    storage.make_room()

    storage.check_room()
    assert put(storage, object_key(), b"abc").size_bytes == 3
