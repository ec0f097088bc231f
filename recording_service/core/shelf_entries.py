"""What lies on the shelf, told apart by its name and taken recording by recording."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from recording_service.core.model import Bell, RecordingKey
from recording_service.core.ports import ObjectEntry

#: `<account_sid>/<recording_sid>/<attempt>.<ext>`, or the remains of an upload of it
#: (`.<attempt>.<ext>.<random>.part`).
_OBJECT_KEY = re.compile(
    r"(?P<account_sid>AC[0-9a-fA-F]{32})/(?P<recording_sid>RE[0-9a-fA-F]{32})/(?P<dot>\.?)(?P<attempt>\d+)\.(?P<rest>.+)"
)


#: The extension of what an encrypted recording is until it is decrypted: never a recording, and nothing to keep.
CIPHERTEXT_EXTENSION = "cipher"


class ShelfEntry(NamedTuple):
    """An entry of ours, the attempt that wrote it, and whether it is a recording: neither remains nor ciphertext."""

    entry: ObjectEntry
    bell: Bell
    is_object: bool


def pieces(entries: Iterable[ObjectEntry], size: int) -> Iterator[Mapping[RecordingKey, Sequence[ShelfEntry]]]:
    """What is ours, about `size` entries at a time; all that one recording has is in one piece."""
    piece: dict[RecordingKey, list[ShelfEntry]] = {}
    count = 0
    for key, of_one in groupby(_ours(entries), key=lambda found: found.bell.key):
        found = list(of_one)
        piece.setdefault(key, []).extend(found)
        count += len(found)
        if count >= size:
            yield piece
            piece, count = {}, 0
    if piece:
        yield piece


def _ours(entries: Iterable[ObjectEntry]) -> Iterator[ShelfEntry]:
    for entry in entries:
        name = _OBJECT_KEY.fullmatch(entry.object_key)
        if name is not None:
            bell = Bell(name["account_sid"], name["recording_sid"], int(name["attempt"]))
            yield ShelfEntry(entry, bell, is_object=not name["dot"] and name["rest"] != CIPHERTEXT_EXTENSION)
