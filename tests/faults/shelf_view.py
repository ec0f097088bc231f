"""The shelf as the checker sees it: files in folders, beside the service's own code and without its help."""

import hashlib
from pathlib import Path


class ShelfView:
    """Looks at the folder of a shelf, and damages what is in it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size(self, object_key: str) -> int | None:
        """The object's size in bytes; None if it is not there."""
        try:
            return (self._root / object_key).stat().st_size
        except FileNotFoundError:
            return None

    def sha256(self, object_key: str) -> str:
        """The hash of what is stored there. FileNotFoundError."""
        with (self._root / object_key).open("rb") as stored:
            return hashlib.file_digest(stored, "sha256").hexdigest()

    def object_keys(self) -> set[str]:
        """Every published object."""
        return {key for key in self._files() if not Path(key).name.startswith(".")}

    def remains(self) -> set[str]:
        """What uploads have left behind."""
        return {key for key in self._files() if Path(key).name.startswith(".")}

    def remove(self, object_key: str) -> None:
        """Takes an object away behind the service's back."""
        (self._root / object_key).unlink(missing_ok=True)

    def truncate(self, object_key: str, size: int) -> None:
        """Shortens an object behind the service's back."""
        with (self._root / object_key).open("r+b") as stored:
            stored.truncate(size)

    def flip_bit(self, object_key: str, offset: int) -> None:
        """Turns one bit of an object over, as a bad disk does."""
        with (self._root / object_key).open("r+b") as stored:
            stored.seek(offset)
            byte = stored.read(1)[0]
            stored.seek(offset)
            stored.write(bytes([byte ^ 0x10]))

    def _files(self) -> set[str]:
        # A folder may vanish while it is walked over: the service removes empty ones.
        found = set()
        for folder in self._root.glob("AC*/RE*"):
            try:
                found |= {str(path.relative_to(self._root)) for path in folder.iterdir()}
            except FileNotFoundError:
                continue
        return found
