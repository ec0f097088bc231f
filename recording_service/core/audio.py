"""What the first bytes of a body say it is.

Headers are not believed: error documents have been stored as audio before (twilio.md B).
"""

from typing import NamedTuple

#: How many bytes `recognise` needs to tell; fewer are enough only if the body has no more.
SNIFF_BYTES = 16


class AudioFormat(NamedTuple):
    """A format this service stores."""

    content_type: str
    extension: str


MP3 = AudioFormat("audio/mpeg", "mp3")
WAV = AudioFormat("audio/wav", "wav")

_MPEG_SYNC = 0xFFE0
_RESERVED_VERSION, _LAYER_III, _RESERVED_BITRATE, _RESERVED_SAMPLE_RATE = 0b01, 0b01, 0b1111, 0b11


def recognise(head: bytes) -> AudioFormat | None:
    """The format of a body that begins with these bytes; None if it is no audio we know."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return WAV
    if head[:3] == b"ID3" or _is_mp3_frame(head):
        return MP3
    return None


def _is_mp3_frame(head: bytes) -> bool:
    """Whether a layer III frame header begins here (ISO/IEC 11172-3 §2.4.1.3): a sync word and no reserved value.

    The other layers are no MP3, and would let text in UTF-16 through: its byte order mark reads as a layer I header.
    """
    if len(head) < 4 or int.from_bytes(head[:2], "big") & _MPEG_SYNC != _MPEG_SYNC:
        return False
    return (
        (head[1] >> 3) & 0b11 != _RESERVED_VERSION
        and (head[1] >> 1) & 0b11 == _LAYER_III
        and head[2] >> 4 != _RESERVED_BITRATE
        and (head[2] >> 2) & 0b11 != _RESERVED_SAMPLE_RATE
    )
