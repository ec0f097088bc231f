"""What only the shelf on disk does: its order of flushing, its modes, and how it treats files that are not its own."""

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.adapters.disk_storage import storage as storage_module
from recording_service.adapters.disk_storage.root import StorageRootRefused
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.disk_storage.upload import ROOM_STEP_BYTES
from recording_service.adapters.object_keys import object_name
from recording_service.core.errors import ObjectMissing, StorageFull, StorageUnavailable
from recording_service.core.model import RecordingKey
from tests.support.full_disk import files_no_larger_than

ACCOUNT_SID = "AC" + "1a" * 16
RECORDING_SID = "RE" + "2b" * 16
KEY = RecordingKey(ACCOUNT_SID, RECORDING_SID)
OBJECT = f"{ACCOUNT_SID}/{RECORDING_SID}/1.mp3"

KILLED_WORKER = """
import os, pathlib, signal, sys
from recording_service.adapters.disk_storage.storage import DiskStorage
with DiskStorage.at(pathlib.Path(sys.argv[1])).create(sys.argv[2]) as upload:
    upload.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def storage(root: Path) -> Iterator[DiskStorage]:
    disk = DiskStorage.at(root)
    yield disk
    disk.close()


def put(storage: DiskStorage, object_key: str = OBJECT, body: bytes = b"0123456789") -> None:
    with storage.create(object_key) as upload:
        upload.write(body)
        upload.publish()


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def fails_with(code: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


class Calls:
    """Writes down what is asked of the operating system, in order, and lets it happen unless told otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.seen: list[str] = []
        self.failing: dict[str, int] = {}
        self._root = root
        for name in ("write", "fsync", "link", "unlink", "rename", "replace"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def watched(*args: object, **kwargs: object) -> object:
            call_seen = f"{name} {self._named(args[0])}"
            self.seen.append(call_seen)
            if call_seen in self.failing:
                raise OSError(self.failing[call_seen], "injected")
            return call(*args, **kwargs)

        return watched

    def _named(self, target: object) -> str:
        """What a descriptor or a name stands for: `upload`, `1.mp3`, `recording`, `account` or `root`."""
        name = (Path(f"/proc/self/fd/{target}").readlink() if isinstance(target, int) else Path(str(target))).name
        kinds = {ACCOUNT_SID: "account", RECORDING_SID: "recording", self._root.name: "root"}
        return "upload" if name.endswith(".part") else kinds.get(name, name)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, root: Path, storage: DiskStorage) -> Calls:
    return Calls(monkeypatch, root)


# Publishing


def test_bytes_are_flushed_before_they_are_named_and_the_name_before_it_counts(
    calls: Calls, storage: DiskStorage
) -> None:
    put(storage)

    assert calls.seen == [
        "write upload",
        "fsync upload",
        "link upload",
        "unlink upload",
        "fsync recording",
        "fsync account",
        "fsync root",
        "unlink upload",
    ]


def test_the_folders_are_flushed_though_another_attempt_made_them(calls: Calls, storage: DiskStorage) -> None:
    with storage.create(OBJECT):
        calls.seen.clear()
        put(storage, OBJECT.replace("1.mp3", "2.mp3"))

    assert [call for call in calls.seen if call.startswith("fsync")] == [
        "fsync upload",
        "fsync recording",
        "fsync account",
        "fsync root",
    ]


@pytest.mark.parametrize("failing", ["fsync upload", "fsync recording", "fsync account", "fsync root", "link upload"])
def test_a_step_that_fails_is_not_repeated_and_leaves_nothing(
    calls: Calls, storage: DiskStorage, root: Path, failing: str
) -> None:
    calls.failing[failing] = errno.EIO

    with pytest.raises(StorageUnavailable) as unavailable:
        put(storage)

    assert isinstance(unavailable.value.__cause__, OSError)
    assert calls.seen.count(failing) == 1
    assert files(root) == []
    assert storage.size(OBJECT) is None


def test_the_next_attempt_succeeds_after_a_flush_that_failed(calls: Calls, storage: DiskStorage) -> None:
    calls.failing["fsync upload"] = errno.EIO
    with pytest.raises(StorageUnavailable):
        put(storage)
    calls.failing.clear()

    put(storage)

    assert storage.size(OBJECT) == 10


def test_the_bytes_that_replace_others_are_flushed_before_they_take_the_name(
    calls: Calls, storage: DiskStorage
) -> None:
    put(storage)
    calls.seen.clear()

    with storage.create(OBJECT) as upload:
        upload.write(b"other")
        upload.replace()

    assert calls.seen == [
        "write upload",
        "fsync upload",
        "rename upload",
        "fsync recording",
        "fsync account",
        "fsync root",
        "unlink upload",
    ]


@pytest.mark.parametrize("failing", ["fsync upload", "rename upload"])
def test_what_could_not_be_replaced_is_as_it_was(calls: Calls, storage: DiskStorage, root: Path, failing: str) -> None:
    put(storage)
    calls.failing[failing] = errno.EIO

    with storage.create(OBJECT) as upload:
        upload.write(b"other")
        with pytest.raises(StorageUnavailable):
            upload.replace()

    assert files(root) == [OBJECT]
    assert (root / OBJECT).read_bytes() == b"0123456789"


def test_an_equal_object_that_is_there_already_is_flushed_before_it_counts(calls: Calls, storage: DiskStorage) -> None:
    put(storage)
    calls.seen.clear()

    put(storage)

    assert calls.seen == [
        "write upload",
        "fsync upload",
        "link upload",
        "fsync 1.mp3",
        "unlink upload",
        "fsync recording",
        "fsync account",
        "fsync root",
        "unlink upload",
    ]


@pytest.mark.parametrize("failing", ["fsync 1.mp3", "fsync recording", "fsync account", "fsync root"])
def test_an_equal_object_that_can_not_be_flushed_does_not_count_and_is_not_withdrawn(
    calls: Calls, storage: DiskStorage, root: Path, failing: str
) -> None:
    put(storage)
    calls.failing[failing] = errno.EIO

    with pytest.raises(StorageUnavailable):
        put(storage)

    assert [Path(file).name for file in files(root)] == ["1.mp3"]


@pytest.mark.parametrize("thing", ["link", "pipe", "folder"])
def test_what_is_no_plain_file_is_no_equal_object(storage: DiskStorage, root: Path, tmp_path: Path, thing: str) -> None:
    put(storage, OBJECT.replace("1.mp3", "2.mp3"), b"")
    place = root / OBJECT
    if thing == "link":
        (tmp_path / "elsewhere").touch()
        place.symlink_to(tmp_path / "elsewhere")
    elif thing == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()

    with pytest.raises(StorageUnavailable):
        put(storage, body=b"")


def test_an_upload_whose_file_was_cut_short_behind_our_back_is_not_published(storage: DiskStorage, root: Path) -> None:
    with storage.create(OBJECT) as upload:
        upload.write(b"0123456789")
        os.truncate(root / files(root)[0], 9)
        with pytest.raises(StorageUnavailable):
            upload.publish()

    assert files(root) == []


def test_a_disk_that_is_full_leaves_no_half_object(storage: DiskStorage, root: Path) -> None:
    with files_no_larger_than(4096), storage.create(OBJECT) as upload:
        upload.write(b"x" * 4000)
        with pytest.raises(StorageUnavailable):
            upload.write(b"x" * 4000)
        assert upload.received_bytes == 4000
        with pytest.raises(StorageUnavailable):
            upload.publish()

    assert files(root) == []
    put(storage)
    assert storage.size(OBJECT) == 10


# Room


def statvfs_of(**changes: int) -> Callable[[int], os.statvfs_result]:
    """What the operating system says of a file system, with other numbers."""
    names = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail")
    told = {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1000, **changes}
    status = os.statvfs_result([told.get(name, 0) for name in names] + [0, 255])
    return lambda _: status


def test_the_room_is_what_is_free_for_users_and_not_what_is_kept_for_root(
    storage: DiskStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", statvfs_of(f_bavail=7, f_bfree=500, f_bsize=65536))
    assert storage.free_bytes() == 7 * 4096


def test_there_is_no_room_once_less_than_the_reserve_is_free(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DiskStorage.at(root, reserve_bytes=100 * 4096)) as storage:
        monkeypatch.setattr(os, "statvfs", statvfs_of(f_bavail=100, f_bfree=500))
        storage.check_room()
        with pytest.raises(StorageFull):
            storage.check_room(1)
        monkeypatch.setattr(os, "statvfs", statvfs_of(f_bavail=99, f_bfree=500))
        with pytest.raises(StorageFull):
            storage.check_room()


def test_a_disk_with_nothing_free_has_no_room_even_without_a_reserve(
    storage: DiskStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", statvfs_of(f_bavail=1))
    storage.check_room()
    monkeypatch.setattr(os, "statvfs", statvfs_of(f_bavail=0))
    with pytest.raises(StorageFull):
        storage.check_room()


def test_a_file_system_that_does_not_say_what_is_free_has_room(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DiskStorage.at(root, reserve_bytes=2**62)) as storage:
        monkeypatch.setattr(os, "statvfs", statvfs_of(f_blocks=0))
        storage.check_room(2**62)
        assert storage.free_bytes() is None


def test_a_file_system_that_does_not_answer_is_unavailable_and_not_full(
    storage: DiskStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", fails_with(errno.EIO))
    for look in (storage.check_room, storage.free_bytes):
        with pytest.raises(StorageUnavailable) as unavailable:
            look()
        assert not isinstance(unavailable.value, StorageFull)


def test_an_upload_that_comes_upon_the_reserve_ends_within_a_step_and_leaves_nothing(
    storage: DiskStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = bytes(64 * 1024)
    with storage.create(OBJECT) as upload:
        upload.write(piece)
        monkeypatch.setattr(os, "statvfs", statvfs_of(f_bavail=0))
        while upload.received_bytes < ROOM_STEP_BYTES:
            upload.write(piece)
        with pytest.raises(StorageFull):
            upload.write(piece)
        assert upload.received_bytes == ROOM_STEP_BYTES

    assert files(root) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize(
    "failing", ["write upload", "fsync upload", "fsync recording", "fsync account", "fsync root", "link upload"]
)
def test_a_step_for_which_the_kernel_finds_no_room_means_full_and_leaves_nothing(
    calls: Calls, storage: DiskStorage, root: Path, failing: str, code: int
) -> None:
    calls.failing[failing] = code

    with pytest.raises(StorageFull):
        put(storage)

    assert files(root) == []


def test_the_check_of_a_full_disk_says_so_and_leaves_nothing(
    storage: DiskStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pwrite", fails_with(errno.ENOSPC))

    with pytest.raises(StorageFull):
        storage.check()

    assert files(root) == []


def test_what_is_published_can_not_be_written_any_more(storage: DiskStorage, root: Path) -> None:
    with storage.create(OBJECT) as upload:
        upload.publish()
        with pytest.raises(ValueError, match="closed"):
            upload.write(b"more")

    assert (root / OBJECT).read_bytes() == b""


def test_a_worker_that_is_killed_leaves_remains_and_no_object(storage: DiskStorage, root: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED_WORKER, root, OBJECT], check=False)
    assert killed.returncode == -signal.SIGKILL

    (entry,) = storage.entries()
    assert entry.object_key == files(root)[0] != OBJECT
    assert storage.size(OBJECT) is None

    storage.remove(entry.object_key)
    assert files(root) == []


# Folders and modes


def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        with closing(DiskStorage.at(tmp_path / "data" / "shelf")) as storage:
            put(storage)
    finally:
        os.umask(umask)

    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}


def test_the_folder_of_a_recording_goes_with_the_last_thing_in_it(storage: DiskStorage, root: Path) -> None:
    put(storage)
    put(storage, OBJECT.replace("1.mp3", "2.mp3"))

    storage.remove(OBJECT)
    assert (root / ACCOUNT_SID / RECORDING_SID).is_dir()

    storage.remove_others(KEY, keep=None)
    assert not (root / ACCOUNT_SID / RECORDING_SID).exists()


def test_a_folder_that_vanishes_before_there_is_a_file_in_it_is_made_again(
    storage: DiskStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = os.open
    vanished = 0

    def vanish_twice(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        nonlocal vanished
        if flags & os.O_EXCL and vanished < 2:
            vanished += 1
            (root / ACCOUNT_SID / RECORDING_SID).rmdir()
        return open_file(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", vanish_twice)
    put(storage)

    assert vanished == 2
    assert storage.size(OBJECT) == 10


def test_removing_is_flushed(calls: Calls, storage: DiskStorage) -> None:
    put(storage)
    calls.seen.clear()

    storage.remove(OBJECT)
    assert calls.seen == ["unlink 1.mp3", "fsync recording"]


def test_no_descriptor_is_left_open(storage: DiskStorage, root: Path) -> None:
    def open_descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_descriptors()
    for _ in range(3):
        put(storage)
        storage.open(OBJECT).close()
        put(storage)
        for body in (b"another bo", b"a longer body"):
            with pytest.raises(StorageUnavailable):
                put(storage, body=body)
        walk = storage.entries()
        next(walk)
        del walk
        storage.check()
        storage.remove(OBJECT)
        with pytest.raises(ObjectMissing):
            storage.open(OBJECT)
        (root / "plain").mkdir()
        with suppress(StorageRootRefused):
            DiskStorage.at(root / "plain").close()
        (root / "plain").rmdir()

    assert open_descriptors() == before


# What is not ours


@pytest.mark.parametrize("linked", [ACCOUNT_SID, f"{ACCOUNT_SID}/{RECORDING_SID}"])
def test_a_folder_that_is_a_symbolic_link_is_not_followed(
    storage: DiskStorage, root: Path, tmp_path: Path, linked: str
) -> None:
    put(storage)
    elsewhere = tmp_path / "elsewhere"
    (root / linked).rename(elsewhere)
    (root / linked).symlink_to(elsewhere)
    untouched = files(elsewhere)

    assert storage.size(OBJECT) is None
    assert list(storage.entries()) == []
    with pytest.raises(ObjectMissing):
        storage.open(OBJECT)
    with pytest.raises(StorageUnavailable):
        put(storage, OBJECT.replace("1.mp3", "2.mp3"))
    storage.remove(OBJECT)
    storage.remove_others(KEY, keep=None)

    assert files(elsewhere) == untouched


@pytest.mark.timeout(10)
@pytest.mark.parametrize("thing", ["link", "pipe", "folder"])
def test_what_is_no_plain_file_is_no_object(storage: DiskStorage, root: Path, tmp_path: Path, thing: str) -> None:
    put(storage, OBJECT.replace("1.mp3", "2.mp3"))
    (tmp_path / "secret").write_bytes(b"secret")
    place = root / OBJECT
    if thing == "link":
        place.symlink_to(tmp_path / "secret")
    elif thing == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()

    assert storage.size(OBJECT) is None
    with pytest.raises(ObjectMissing):
        storage.open(OBJECT)
    with pytest.raises(StorageUnavailable):
        put(storage)
    assert [entry.object_key for entry in storage.entries()] == [OBJECT.replace("1.mp3", "2.mp3")]
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_foreign_files_are_neither_listed_nor_removed(storage: DiskStorage, root: Path) -> None:
    put(storage)
    foreign = [root / "lost+found", root / ACCOUNT_SID / "notes", root / ACCOUNT_SID / RECORDING_SID / "notes.txt"]
    for path in foreign:
        path.write_text("mine")

    assert [entry.object_key for entry in storage.entries()] == [OBJECT]
    storage.remove_others(KEY, keep=None)

    assert files(root) == sorted(str(path.relative_to(root)) for path in foreign)


@given(st.text() | st.from_regex(r"AC[0-9a-f]{32}/RE[0-9a-f]{32}/.*") | st.from_regex(r"(\.\.|AC[0-9a-f]{32}|/){1,9}"))
def test_a_key_is_three_plain_names_or_a_bug(key: str) -> None:
    try:
        name = object_name(key)
    except ValueError:
        return
    assert key == str(name) == f"{name.account_sid}/{name.recording_sid}/{name.file}"
    assert [len(part) for part in name[:2]] == [34, 34]
    assert all(part.isascii() and part.replace(".", "", 1).isalnum() and part[0] != "." for part in name)


@given(st.from_regex(r"AC[0-9a-fA-F]{32}/RE[0-9a-fA-F]{32}/[1-9][0-9]{0,9}\.[a-z0-9]{1,8}", fullmatch=True))
def test_every_key_of_the_form_is_taken(key: str) -> None:
    assert str(object_name(key)) == key


# The root


def test_a_root_that_is_there_already_is_used(root: Path) -> None:
    root.mkdir(mode=0o755)

    with closing(DiskStorage.at(root)) as storage:
        put(storage)
    with closing(DiskStorage.at(root)) as storage:
        assert storage.size(OBJECT) == 10


def test_a_root_that_is_made_is_flushed_with_all_that_was_made_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch, tmp_path / "a" / "shelf")

    DiskStorage.at(tmp_path / "a" / "shelf").close()

    assert calls.seen[:2] == [f"fsync {tmp_path.name}", "fsync a"]


def test_a_root_that_is_a_symbolic_link_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StorageRootRefused, match="is a symbolic link, or no folder"):
        DiskStorage.at(root)


def test_a_root_that_is_a_file_is_refused(root: Path) -> None:
    root.write_text("")

    with pytest.raises(StorageRootRefused, match="is a symbolic link, or no folder"):
        DiskStorage.at(root)


def test_a_root_that_everyone_can_write_is_refused(root: Path) -> None:
    root.mkdir()
    root.chmod(0o777)

    with pytest.raises(StorageRootRefused, match="can be written by everyone"):
        DiskStorage.at(root)


def test_a_root_of_someone_elses_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: root.stat().st_uid + 1)

    with pytest.raises(StorageRootRefused, match="belongs to another user"):
        DiskStorage.at(root)


def test_a_root_without_hard_links_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", fails_with(errno.EPERM))

    with pytest.raises(StorageRootRefused, match="without hard links"):
        DiskStorage.at(root)
    assert files(root) == []


def test_a_root_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageUnavailable):
        DiskStorage.at(tmp_path / "file" / "shelf")


def test_a_shelf_whose_root_was_removed_is_unavailable(storage: DiskStorage, root: Path) -> None:
    root.rmdir()

    with pytest.raises(StorageUnavailable):
        storage.check()
    with pytest.raises(StorageUnavailable):
        put(storage)


@pytest.mark.parametrize("call", ["pwrite", "fsync", "pread"])
def test_the_check_finds_a_disk_that_can_not_be_written_or_read_and_leaves_nothing(
    storage: DiskStorage, root: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(os, call, fails_with(errno.EIO))

    with pytest.raises(StorageUnavailable):
        storage.check()
    assert files(root) == []


def test_a_disk_that_can_not_be_read_is_unavailable(storage: DiskStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    put(storage)
    with closing(storage.open(OBJECT)) as stored:
        monkeypatch.setattr(os, "pread", fails_with(errno.EIO))
        with pytest.raises(StorageUnavailable):
            stored.read_at(0, 1)


def test_a_read_that_the_kernel_cuts_short_is_completed(storage: DiskStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    put(storage)
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda descriptor, size, offset: pread(descriptor, min(size, 3), offset))

    with closing(storage.open(OBJECT)) as stored:
        assert stored.read_at(1, 8) == b"12345678"
        assert stored.read_at(6, 99) == b"6789"


@pytest.mark.parametrize("step", ["opened", "_files"])
def test_a_folder_that_can_not_be_read_is_left_out_and_keeps_no_other_from_being_seen(
    storage: DiskStorage, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [f"{ACCOUNT_SID}/RE{number:032x}" for number in range(3)]
    for folder in folders:
        for attempt in (1, 2):
            put(storage, f"{folder}/{attempt}.mp3")
    calls = count()
    real = getattr(storage_module, step)

    def failing(*arguments: object) -> object:
        # `opened` is also called for the account's folder, first.
        if next(calls) == (2 if step == "opened" else 1):
            raise OSError(errno.EIO, "Input/output error")
        return real(*arguments)

    monkeypatch.setattr(storage_module, step, failing)
    seen = [entry.object_key for entry in storage.entries()]
    assert len(seen) == 4
    assert {key.rpartition("/")[0] for key in seen} < set(folders)
