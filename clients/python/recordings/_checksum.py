"""Compares what is read with the recording's SHA-256, if all of it is read in order (g of clients/README.md)."""

import hashlib

from recordings._reading import Opening
from recordings.errors import ChecksumMismatch


class Checksum:
    """Of one reader. Begins anew whenever reading does; a read with a gap in it can't be compared."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()
        #: What comes next in a read without a gap.
        self._next = 0

    def take(self, place: int, data: bytes | memoryview, opening: Opening) -> None:
        """Takes bytes that are about to be handed out.

        Raises:
            ChecksumMismatch: with them the whole recording would have been, and it is another one. They count as not
                taken.
        """
        if not place:
            self._sum, self._next = hashlib.sha256(), 0
        if place != self._next or not data:
            return
        with_these = self._sum
        is_whole = place + len(data) == opening.complete_length
        if is_whole:
            with_these = self._sum.copy()
        with_these.update(data)
        expected = opening.recording.sha256
        if is_whole and expected and with_these.hexdigest() != expected:
            raise ChecksumMismatch(
                "what was read is not what the recording's SHA-256 says",
                metadata={"recordingSid": opening.recording.recording_sid},
            )
        self._sum, self._next = with_these, place + len(data)
