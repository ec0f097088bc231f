"""Tags before and behind the frames of an MP3: titles and covers, no sound."""

from recording_service.adapters.sound.media_bytes import MediaBytes
from recording_service.core.sound import MediaUnreadable, UnreadableReason

_ID3V1, _ID3V1_EXTENSION, _ID3V2, _APE = b"TAG", b"TAG+", b"ID3", b"APETAGEX"
_ID3V1_BYTES, _ID3V1_EXTENSION_BYTES = 128, 227
_ID3V2_HEADER_BYTES, _ID3V2_FOOTER_BYTES, _ID3V2_FOOTER_FLAG = 10, 10, 0x10
#: The size in the header of an APE tag (version 2) counts the footer, and not the header.
_APE_HEADER_BYTES, _APE_SIZE = 32, slice(12, 16)


def may_be_tag(head: bytes) -> bool:
    """Whether a tag begins with these bytes, as far as so few can tell."""
    return any(magic.startswith(head[: len(magic)]) for magic in (_ID3V1, _ID3V2, _APE))


def end_of_tags(media: MediaBytes, offset: int) -> int:
    """Where the tags end that follow one another from there on: there, if there are none; past a file that ends in one.

    Raises MediaUnreadable for one that has no size.
    """
    while size := _tag_bytes(media.read_at(offset, _APE_HEADER_BYTES)):
        offset += size
    return offset


def _tag_bytes(head: bytes) -> int:
    if not head or not may_be_tag(head):
        return 0
    if head.startswith(_ID3V1_EXTENSION):
        return _ID3V1_EXTENSION_BYTES
    if head.startswith(_APE):
        return _APE_HEADER_BYTES + int.from_bytes(head[_APE_SIZE], "little")
    if head.startswith(_ID3V2):
        return _id3v2_bytes(head)
    return _ID3V1_BYTES


def _id3v2_bytes(head: bytes) -> int:
    """Of a tag by id3.org's 2.4.0 §3.1: its size is written in four times seven bits."""
    flags, size = head[5:6], head[6:_ID3V2_HEADER_BYTES]
    if any(byte & 0x80 for byte in size):
        raise MediaUnreadable(UnreadableReason.BROKEN)
    content = 0
    for byte in size:
        content = content << 7 | byte
    has_footer = bool(flags) and bool(flags[0] & _ID3V2_FOOTER_FLAG)
    return _ID3V2_HEADER_BYTES + content + (_ID3V2_FOOTER_BYTES if has_footer else 0)
