"""The Xing or Info frame at the head of many MP3 files: how many frames follow, and what the encoder put around them.

Read from files, and written for mpg123, which otherwise guesses the length of a file from its first frames: a guess
that is too low ends the sound too early (libsndfile believes it).
"""

from typing import NamedTuple

from recording_service.adapters.sound.mp3_header import HEADER_BYTES, Mp3Header

_MAGICS = (b"Xing", b"Info")
_FRAMES_FLAG, _BYTES_FLAG, _TOC_FLAG, _QUALITY_FLAG = 1, 2, 4, 8
_TOC_BYTES = 100
#: LAME's extension (gabriel.mp3-tech.org/mp3infotag.html): the encoder's name, then, at 21, delay and padding of 12
#: bits each. FFmpeg (Lavc, Lavf) and others write it too.
_DELAYS_OFFSET, _DELAYS_BYTES = 21, 3
_LARGEST_DELAY = 0xFFF
#: Samples by which every decoder is late, which mpg123 takes off along with the encoder's delay.
DECODER_DELAY = 529


class Mp3Info(NamedTuple):
    """What such a frame says; None where it says nothing."""

    frames: int | None = None
    """Frames of the file, this one not counted."""
    size_bytes: int | None = None
    """From this frame's first byte on."""
    delay: int | None = None
    """Samples that the encoder put before the sound, without DECODER_DELAY."""
    padding: int | None = None
    """Samples that it put after it, counted together with DECODER_DELAY."""


def parse_info(frame: bytes, header: Mp3Header) -> Mp3Info | None:
    """What the frame says; None if it is one of sound."""
    content = frame[HEADER_BYTES + header.side_bytes :]
    if content[:4] not in _MAGICS or len(content) < 8:
        return None
    flags, offset = int.from_bytes(content[4:8], "big"), 8
    numbers: dict[int, int] = {}
    for flag in (_FRAMES_FLAG, _BYTES_FLAG):
        if flags & flag and offset + 4 <= len(content):
            numbers[flag] = int.from_bytes(content[offset : offset + 4], "big")
            offset += 4
    offset += (_TOC_BYTES if flags & _TOC_FLAG else 0) + (4 if flags & _QUALITY_FLAG else 0)
    extension = content[offset : offset + _DELAYS_OFFSET + _DELAYS_BYTES]
    delay = padding = None
    if len(extension) == _DELAYS_OFFSET + _DELAYS_BYTES and extension[0]:
        delays = int.from_bytes(extension[_DELAYS_OFFSET:], "big")
        delay, padding = delays >> 12, delays & _LARGEST_DELAY
    return Mp3Info(numbers.get(_FRAMES_FLAG), numbers.get(_BYTES_FLAG), delay, padding)


def info_frame(header: Mp3Header, frames: int, delay: int, padding: int) -> bytes:
    """An Info frame before `frames` frames like this one, of which the encoder has put so many samples around."""
    content = b"Info" + _FRAMES_FLAG.to_bytes(4, "big") + frames.to_bytes(4, "big")
    content += b"LAME".ljust(_DELAYS_OFFSET, b"\0") + (delay << 12 | padding).to_bytes(_DELAYS_BYTES, "big")
    frame = header.silent_frame(len(content))
    offset = HEADER_BYTES + header.side_bytes
    return frame[:offset] + content + frame[offset + len(content) :]
