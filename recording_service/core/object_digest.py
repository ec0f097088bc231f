"""The SHA-256 of a stored object, taken piece by piece between other work."""

import hashlib
from contextlib import closing

from recording_service.core.audio import SNIFF_BYTES
from recording_service.core.ports import Storage

#: Most bytes that are asked of the shelf, and held, at once.
PIECE_BYTES = 1024 * 1024


class ObjectDigest:
    """One object as far as it has been read. For one thread.

    The object is opened anew for each piece, so that nothing is held open in between: objects are never overwritten,
    and one that is gone says so.
    """

    def __init__(self, storage: Storage, object_key: str) -> None:
        self.object_key = object_key
        #: How many bytes have been read.
        self.read_bytes = 0
        #: The first bytes, as many as `audio.recognise` needs, or all there are.
        self.head = b""
        self.is_at_end = False
        self._storage = storage
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of the bytes that have been read, in lower-case hex."""
        return self._digest.hexdigest()

    def read(self, most_bytes: int) -> int:
        """Reads on, at most that far and at most PIECE_BYTES; by how many bytes.

        Raises ObjectMissing, StorageUnavailable.
        """
        size = min(most_bytes, PIECE_BYTES)
        with closing(self._storage.open(self.object_key)) as stored:
            data = stored.read_at(self.read_bytes, size)
        self._digest.update(data)
        self.head += data[: SNIFF_BYTES - len(self.head)]
        self.read_bytes += len(data)
        # A shelf gives fewer bytes than it is asked for only where the object ends (`ports.StoredBytes`).
        self.is_at_end = len(data) < size
        return len(data)
