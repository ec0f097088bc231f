"""Where the sound of a WAV file is, and how it is written (RIFF, as in RFC 2361 and mmreg.h).

Not left to libsndfile because it takes a file that ends early for a shorter one, and because what writes as it goes
leaves sizes of 0 or 0xFFFFFFFF behind.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from recording_service.adapters.sound.media_bytes import MediaBytes
from recording_service.core.sound import Codec, MediaUnreadable, UnreadableReason

#: The size that stands for "to the end of the file"; 0 does where the file's own size is none either.
_STREAMED = 0xFFFFFFFF
_NEVER_WRITTEN = (0, _STREAMED)
_EXTENSIBLE = 0xFFFE
#: The format tag of an extensible format is the beginning of its GUID, which is there in the `fmt ` chunk.
_GUID_OFFSET = 24
#: Format tag, channels, sample rate, bytes a second, bytes a sample frame, bits a sample.
_FORMAT = struct.Struct("<HHIIHH")
_PCM, _ALAW, _MULAW = 1, 6, 7
_CODECS: Mapping[tuple[int, int], Codec] = {
    (_PCM, 8): Codec.PCM_U8,
    (_PCM, 16): Codec.PCM_S16,
    (_PCM, 24): Codec.PCM_S24,
    (_ALAW, 8): Codec.ALAW,
    (_MULAW, 8): Codec.MULAW,
}
#: More chunks than any writer makes: a file of nothing else must not keep us.
_MOST_CHUNKS = 1000


class WavFormat(NamedTuple):
    """What a `fmt ` chunk says."""

    codec: Codec
    channels: int
    sample_rate: int
    bytes_per_frame: int


class WavSound(NamedTuple):
    """Where the sound is: offsets in the file, `end` exclusive, whole sample frames between them."""

    format: WavFormat
    start: int
    end: int

    @property
    def frames(self) -> int:
        """How many sample frames there are."""
        return (self.end - self.start) // self.format.bytes_per_frame


def is_wav(media: MediaBytes) -> bool:
    """Whether it begins as a WAV file does, be it cut off before the ninth byte."""
    head = media.read_at(0, 12)
    return head[:4] == b"RIFF" and b"WAVE".startswith(head[8:12])


def find_sound(media: MediaBytes) -> WavSound:
    """Walks over the chunks, in whatever order they are. Raises MediaUnreadable."""
    wav_format: WavFormat | None = None
    data: tuple[int, int] | None = None
    # Whoever has come back to write the file's own size has written the others as well: a size of 0 is no sound then.
    is_closed = int.from_bytes(media.read_at(4, 4), "little") not in _NEVER_WRITTEN
    offset = 12
    for _ in range(_MOST_CHUNKS):
        head = media.read_at(offset, 8)
        if len(head) < 8:
            raise MediaUnreadable(UnreadableReason.TRUNCATED)
        offset += len(head)
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"fmt ":
            wav_format = _parse_format(media.read_at(offset, min(size, 64)), size)
        elif name == b"data":
            is_open = size == _STREAMED or (size == 0 and not is_closed)
            data = (offset, media.size if is_open else offset + size)
            if data[1] > media.size:
                raise MediaUnreadable(UnreadableReason.TRUNCATED)
            size = data[1] - offset
        if wav_format is not None and data is not None:
            start, end = data
            return WavSound(wav_format, start, end - (end - start) % wav_format.bytes_per_frame)
        # A chunk of an odd size has a byte of padding.
        offset += size + size % 2
    raise MediaUnreadable(UnreadableReason.BROKEN)


def _parse_format(chunk: bytes, size: int) -> WavFormat:
    if size < _FORMAT.size:
        raise MediaUnreadable(UnreadableReason.BROKEN)
    if len(chunk) < min(size, 64):
        raise MediaUnreadable(UnreadableReason.TRUNCATED)
    tag, channels, sample_rate, _, bytes_per_frame, bits = _FORMAT.unpack_from(chunk)
    if tag == _EXTENSIBLE:
        tag = int.from_bytes(chunk[_GUID_OFFSET : _GUID_OFFSET + 2], "little")
    codec = _CODECS.get((tag, bits))
    if codec is None:
        raise MediaUnreadable(UnreadableReason.NOT_AUDIO)
    if bytes_per_frame == 0 or bytes_per_frame != channels * bits // 8:
        raise MediaUnreadable(UnreadableReason.BROKEN)
    return WavFormat(codec, channels, sample_rate, bytes_per_frame)
