"""The shelves that the contract suite runs over, and how to damage what is on them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.memory.storage import MemoryStorage
from recording_service.core.ports import Storage

#: More than any disk has.
LARGEST_DISK_BYTES = 2**62


class DamageableStorage(Storage, Protocol):
    """A shelf on which an object may be cut short, or lost, behind everyone's back, and that may be full."""

    def truncate(self, object_key: str, size: int) -> None: ...

    def lose(self, object_key: str) -> None: ...

    def fill(self) -> None: ...

    def make_room(self) -> None: ...


class DamageableMemoryStorage(MemoryStorage):
    def fill(self) -> None:
        self.room_bytes = 0

    def make_room(self) -> None:
        self.room_bytes = LARGEST_DISK_BYTES - 1


class DamageableDiskStorage(DiskStorage):
    folder: Path

    def fill(self) -> None:
        self._room = replace(self._room, reserve_bytes=LARGEST_DISK_BYTES)

    def make_room(self) -> None:
        self._room = replace(self._room, reserve_bytes=0)

    def truncate(self, object_key: str, size: int) -> None:
        with (self.folder / object_key).open("r+b") as file:
            file.truncate(size)

    def lose(self, object_key: str) -> None:
        (self.folder / object_key).unlink()


@pytest.fixture(params=["memory", "disk"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DamageableStorage]:
    """An empty shelf."""
    if request.param == "memory":
        memory = DamageableMemoryStorage()
        memory.make_room()
        yield memory
        return
    disk = DamageableDiskStorage.at(tmp_path / "shelf")
    disk.folder = tmp_path / "shelf"
    yield disk
    disk.close()
