"""Walks over the frames of an MP3, from the first to the last: how many there are, and whether all are whole.

Decoders are forgiving: they skip what they can't read and end where the bytes do. Whoever wants to know whether a
recording is whole has to look himself.
"""

from collections.abc import Iterator
from typing import NamedTuple

from recording_service.adapters.sound.media_bytes import MediaBytes
from recording_service.adapters.sound.mp3_header import HEADER_BYTES, Mp3Header, parse_header
from recording_service.adapters.sound.mp3_info import Mp3Info, parse_info
from recording_service.adapters.sound.mp3_tags import end_of_tags, may_be_tag
from recording_service.core.sound import Checkpoint, MediaUnreadable, UnreadableReason

#: Bytes looked at between two checkpoints: about a minute at 32 kbit/s.
_PIECE_BYTES = 256 * 1024
#: Zeros that somebody may have padded a file with; more of them is what a disk leaves of lost blocks.
_MOST_PADDING_BYTES = 64 * 1024


class Mp3Sound(NamedTuple):
    """The frames of sound of a file: offsets in it, `end` exclusive."""

    header: Mp3Header
    """Of the file's first frame; all others go with it."""
    frames: int
    start: int
    end: int
    info: Mp3Info
    """What the file says of itself before them; nothing, if it has no such frame."""

    @property
    def samples(self) -> int:
        """Sample frames that a player plays: without what an encoder put around them, if it says so."""
        around = (self.info.delay or 0) + (self.info.padding or 0)
        return max(0, self.frames * self.header.samples - around)


def find_sound(media: MediaBytes, checkpoint: Checkpoint) -> Mp3Sound:
    """Walks over all of the file. Raises MediaUnreadable unless it is an MP3, whole, and nothing but one."""
    start = _start_of_frames(media)
    first, opening = _frame_at(media, start)
    info = parse_info(opening, first)
    sound_start = start if info is None else start + first.frame_bytes
    frames, end = 0, sound_start
    for header in _headers_from(media, sound_start, checkpoint):
        if not header.goes_with(first):
            raise MediaUnreadable(UnreadableReason.BROKEN)
        end += header.frame_bytes
        if end > media.size:
            raise MediaUnreadable(UnreadableReason.TRUNCATED)
        frames += 1
    sound = Mp3Sound(first, frames, sound_start, end, info or Mp3Info())
    if _is_short_of_what_it_says(sound, end - start):
        raise MediaUnreadable(UnreadableReason.TRUNCATED)
    _judge_what_follows(media, sound)
    if not sound.samples:
        raise MediaUnreadable(UnreadableReason.EMPTY)
    return sound


def _start_of_frames(media: MediaBytes) -> int:
    """Behind the tags that come first."""
    start = end_of_tags(media, 0)
    if start > media.size:
        raise MediaUnreadable(UnreadableReason.TRUNCATED)
    if start and start == media.size:
        raise MediaUnreadable(UnreadableReason.EMPTY)
    return start


def _frame_at(media: MediaBytes, offset: int) -> tuple[Mp3Header, bytes]:
    """The first frame of a file. A header can be chance: it counts if the next one, a trailer, or the end follows."""
    head = media.read_at(offset, HEADER_BYTES)
    header = parse_header(int.from_bytes(head, "big"))
    if len(head) < HEADER_BYTES:
        raise MediaUnreadable(_reason_of_rest(head, UnreadableReason.NOT_AUDIO))
    if header is None:
        raise MediaUnreadable(UnreadableReason.NOT_AUDIO)
    frame = media.read_at(offset, header.frame_bytes)
    if len(frame) < header.frame_bytes:
        raise MediaUnreadable(UnreadableReason.TRUNCATED)
    rest = media.read_at(offset + header.frame_bytes, HEADER_BYTES)
    following = parse_header(int.from_bytes(rest, "big")) if len(rest) == HEADER_BYTES else None
    is_chance = following is None or not following.goes_with(header)
    if is_chance and rest.strip(b"\0") and not may_be_tag(rest) and not _may_be_header(rest):
        raise MediaUnreadable(UnreadableReason.NOT_AUDIO)
    return header, frame


def _headers_from(media: MediaBytes, offset: int, checkpoint: Checkpoint) -> Iterator[Mp3Header]:
    """The headers of all frames that follow one another from there on."""
    piece, at = b"", 0
    while True:
        if at + HEADER_BYTES > len(piece):
            checkpoint()
            offset, at = offset + at, 0
            piece = media.read_at(offset, _PIECE_BYTES)
            if len(piece) < HEADER_BYTES:
                return
        header = parse_header(int.from_bytes(piece[at : at + HEADER_BYTES], "big"))
        if header is None:
            return
        yield header
        at += header.frame_bytes


def _is_short_of_what_it_says(sound: Mp3Sound, size_bytes: int) -> bool:
    """Whether frames are missing by every number the file gives; some encoders count in a frame, or a tag, too many."""
    found = ((sound.info.frames, sound.frames), (sound.info.size_bytes, size_bytes))
    # Whoever wrote as it went may have left zeros.
    told = [(announced, actual) for announced, actual in found if announced]
    return bool(told) and all(actual < announced for announced, actual in told)


def _judge_what_follows(media: MediaBytes, sound: Mp3Sound) -> None:
    """Tags and zeros to the end are no sound; a tag that is cut off costs none."""
    rest = media.read_at(end_of_tags(media, sound.end), _MOST_PADDING_BYTES + 1)
    if rest.strip(b"\0") or len(rest) > _MOST_PADDING_BYTES:
        raise MediaUnreadable(_reason_of_rest(rest, UnreadableReason.BROKEN))


def _reason_of_rest(rest: bytes, otherwise: UnreadableReason) -> UnreadableReason:
    return UnreadableReason.TRUNCATED if _may_be_header(rest) else otherwise


def _may_be_header(rest: bytes) -> bool:
    """Whether this is the beginning of a frame header, and the file ends within it."""
    return rest[:1] == b"\xff" and (len(rest) == 1 or (len(rest) < HEADER_BYTES and rest[1] & 0xE6 == 0xE2))
