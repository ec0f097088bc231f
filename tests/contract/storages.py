"""The shelves that the contract suite runs over, and how to damage what is on them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.memory.storage import MemoryStorage
from recording_service.core.ports import Storage


class DamageableStorage(Storage, Protocol):
    """A shelf on which an object may be cut short, or lost, behind everyone's back."""

    def truncate(self, object_key: str, size: int) -> None: ...

    def lose(self, object_key: str) -> None: ...


class DamageableDiskStorage(DiskStorage):
    folder: Path

    def truncate(self, object_key: str, size: int) -> None:
        with (self.folder / object_key).open("r+b") as file:
            file.truncate(size)

    def lose(self, object_key: str) -> None:
        (self.folder / object_key).unlink()


@pytest.fixture(params=["memory", "disk"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DamageableStorage]:
    """An empty shelf."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    disk = DamageableDiskStorage.at(tmp_path / "shelf")
    disk.folder = tmp_path / "shelf"
    yield disk
    disk.close()
