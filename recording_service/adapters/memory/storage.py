"""A shelf in memory, for tests: it behaves as the one on disk does, and its objects can be damaged."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import NamedTuple

from recording_service.adapters.object_keys import ObjectName, checked, entry_name, kept_file, object_name, upload_file
from recording_service.core.errors import ObjectMissing, StorageFull, StorageUnavailable
from recording_service.core.model import RecordingKey, StoredObject
from recording_service.core.ports import ObjectEntry


class _File(NamedTuple):
    """An object, or an upload on its way to be one. Readers keep what they opened."""

    data: bytes
    modify_time: datetime


class MemoryBytes:
    """Implements `ports.StoredBytes`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return len(self._data)

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes; fewer only where the object ends."""
        return self._data[offset : offset + size]

    def close(self) -> None:
        """Lets it go. Idempotent."""


class MemoryUpload:
    """Implements `ports.Upload`. For one thread."""

    def __init__(self, publish: Callable[[bytes, bool], StoredObject], check_room: Callable[[int], None]) -> None:
        self._publish = publish
        self._check_room = check_room
        self._pieces: list[bytes] = []
        self._received_bytes = 0

    @property
    def received_bytes(self) -> int:
        """How many bytes were written."""
        return self._received_bytes

    def write(self, data: bytes) -> None:
        """Appends; StorageFull if there is no room."""
        self._check_room(len(data))
        self._pieces.append(bytes(data))
        self._received_bytes += len(data)

    def publish(self) -> StoredObject:
        """Makes the object visible. Once; StorageUnavailable if the upload was removed, or its name is another's."""
        return self._publish(b"".join(self._pieces), False)

    def replace(self) -> StoredObject:
        """As `publish`, but in the place of another object of that name. Once; StorageUnavailable if it was removed."""
        return self._publish(b"".join(self._pieces), True)


class MemoryStorage:
    """Implements `ports.Storage`. Safe to use from many threads."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        """`now` is what files are dated by, aware and in UTC; the machine's own time unless given."""
        self._now = now or partial(datetime.now, UTC)
        #: How many more bytes may be written; None: any number. Tests fill it and make room.
        self.room_bytes: int | None = None
        self._files: dict[ObjectName, _File] = {}
        self._lock = Lock()

    @contextmanager
    def create(self, object_key: str) -> Iterator[MemoryUpload]:
        """A new object. Leaving the context without `publish` leaves nothing behind."""
        name = object_name(object_key)
        upload_name = name._replace(file=upload_file(name.file))
        with self._lock:
            self._files[upload_name] = _File(b"", self._now())
        try:
            yield MemoryUpload(partial(self._publish, name, upload_name), self.check_room)
        finally:
            with self._lock:
                self._files.pop(upload_name, None)

    def open(self, object_key: str) -> MemoryBytes:
        """Opens an object for reading. ObjectMissing."""
        name = object_name(object_key)
        with self._lock:
            file = self._files.get(name)
        if file is None:
            raise ObjectMissing(object_key)
        return MemoryBytes(file.data)

    def size(self, object_key: str) -> int | None:
        """How many bytes the object has; None if it is not there."""
        try:
            return self.open(object_key).size_bytes
        except ObjectMissing:
            return None

    def remove(self, object_key: str) -> None:
        """Removes one object, or the remains of one. Idempotent."""
        name = entry_name(object_key)
        with self._lock:
            self._files.pop(name, None)

    def remove_others(self, key: RecordingKey, keep: str | None) -> None:
        """Removes everything of that recording, remains of uploads too, but the object `keep`. Idempotent."""
        kept = kept_file(checked(key), keep)
        with self._lock:
            for name in [name for name in self._files if name.recording == key and name.file != kept]:
                del self._files[name]

    def entries(self) -> Iterator[ObjectEntry]:
        """Walks over everything that was on the shelf when the walk began, remains of uploads too."""
        with self._lock:
            found = [ObjectEntry(str(name), file.modify_time) for name, file in sorted(self._files.items())]
        yield from found

    def check(self) -> None:
        """Memory can always be read and written."""

    def check_room(self, size_bytes: int = 0) -> None:
        """Raises StorageFull unless that much more may be written."""
        if self.room_bytes is not None and self.room_bytes < max(size_bytes, 1):
            raise StorageFull

    def truncate(self, object_key: str, size: int) -> None:
        """Damages an object behind everyone's back: only its first `size` bytes are left. ObjectMissing."""
        data = self.open(object_key).read_at(0, size)
        with self._lock:
            self._files[object_name(object_key)] = _File(data, self._now())

    def alter(self, object_key: str, offset: int) -> None:
        """Damages an object behind everyone's back, as a disk does: one byte is another one. ObjectMissing."""
        name, stored = object_name(object_key), self.open(object_key)
        data = bytearray(stored.read_at(0, stored.size_bytes))
        data[offset] ^= 1
        with self._lock:
            self._files[name] = self._files[name]._replace(data=bytes(data))

    def lose(self, object_key: str) -> None:
        """Loses an object behind everyone's back. ObjectMissing."""
        self.open(object_key)
        self.remove(object_key)

    def _publish(self, name: ObjectName, upload_name: ObjectName, data: bytes, replacing: bool) -> StoredObject:
        with self._lock:
            if upload_name not in self._files:
                raise StorageUnavailable
            namesake = None if replacing else self._files.get(name)
            if namesake is not None and namesake.data != data:
                raise StorageUnavailable
            del self._files[upload_name]
            if namesake is None:
                self._files[name] = _File(data, self._now())
        return StoredObject(str(name), len(data), hashlib.sha256(data).hexdigest())
