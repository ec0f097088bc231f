"""What the first bytes of a body say it is.

Headers are not believed: error documents have been stored as audio before (twilio.md B).
"""

from typing import NamedTuple

#: How many bytes `recognise` needs to tell; fewer are enough only if the body has no more.
SNIFF_BYTES = 24


class Audio(NamedTuple):
    """What a body is: a format this service stores, and how many channels it has; 0 if its beginning does not say."""

    content_type: str
    extension: str
    channels: int = 0


MP3 = Audio("audio/mpeg", "mp3")
WAV = Audio("audio/wav", "wav")

_MPEG_SYNC = 0xFFE0
_RESERVED_VERSION, _LAYER_III, _RESERVED_BITRATE, _RESERVED_SAMPLE_RATE = 0b01, 0b01, 0b1111, 0b11
_SINGLE_CHANNEL = 0b11


def recognise(head: bytes) -> Audio | None:
    """What a body is that begins with these bytes; None if it is no audio we know."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return WAV._replace(channels=_channels_of_wav(head))
    if head[:3] == b"ID3":
        return MP3
    if _is_mp3_frame(head):
        return MP3._replace(channels=1 if head[3] >> 6 == _SINGLE_CHANNEL else 2)
    return None


def _channels_of_wav(head: bytes) -> int:
    """Of the `fmt ` chunk, if it comes first, as it does from Twilio (RFC 2361): its second field of 16 bits."""
    return int.from_bytes(head[22:24], "little") if head[12:16] == b"fmt " else 0


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
