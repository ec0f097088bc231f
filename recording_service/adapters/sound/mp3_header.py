"""The four bytes that open a frame of MPEG 1, 2 and 2.5 layer III (ISO/IEC 11172-3 §2.4.1.3, 13818-3 §2.4.1)."""

from functools import lru_cache
from typing import NamedTuple

HEADER_BYTES = 4
#: Of a frame header: what may not change within a file: sync, version, layer and sample rate.
_SAME_MASK = 0xFFFE0C00
_MPEG1, _LAYER_III, _SINGLE_CHANNEL = 0b11, 0b01, 0b11
#: Hz of MPEG 1, by index; MPEG 2 halves them, MPEG 2.5 again.
_SAMPLE_RATES = (44100, 48000, 32000)
_RATE_DIVISORS = {0b11: 1, 0b10: 2, 0b00: 4}
#: kbit/s by index; index 0, the free format, is nothing that Twilio or a telephone makes.
_KBITS_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
#: Bits of the header: a cleared protection bit announces a checksum; the padding bit makes the frame a byte longer.
_NO_CHECKSUM_BIT, _PADDING_BIT, _BIT_RATE_SHIFT = 0x10000, 0x200, 12


class Mp3Header(NamedTuple):
    """A frame, by its header."""

    bits: int
    frame_bytes: int
    samples: int
    """Sample frames that it decodes to."""
    sample_rate: int
    channels: int
    side_bytes: int
    """Of the side information, which follows the header; a Xing header stands behind as many bytes (and no checksum is
    counted, though one may be announced)."""

    def goes_with(self, other: "Mp3Header") -> bool:
        """Whether both may be of one file."""
        return (self.bits ^ other.bits) & _SAME_MASK == 0 and self.channels == other.channels

    def silent_frame(self, bytes_for_content: int = 0) -> bytes:
        """A frame that goes with this one and plays nothing: zeros, with room for so many behind the side information.

        Zeros as side information borrow nothing from the frame before, and no bit of what follows is played.
        """
        plain = self.bits & ~(0xF << _BIT_RATE_SHIFT) & ~_PADDING_BIT | _NO_CHECKSUM_BIT
        wanted = HEADER_BYTES + self.side_bytes + bytes_for_content
        candidates = (parse_header(plain | index << _BIT_RATE_SHIFT) for index in range(1, 15))
        header = next(found for found in candidates if found is not None and found.frame_bytes >= wanted)
        return header.bits.to_bytes(HEADER_BYTES, "big").ljust(header.frame_bytes, b"\0")


@lru_cache(maxsize=1024)
def parse_header(bits: int) -> Mp3Header | None:
    """What these 32 bits announce; None if they are no header of layer III."""
    version, layer, rate_index = bits >> 19 & 3, bits >> 17 & 3, bits >> 10 & 3
    bit_rate_index, padding, mode = bits >> _BIT_RATE_SHIFT & 15, bits >> 9 & 1, bits >> 6 & 3
    if bits >> 21 != 0x7FF or layer != _LAYER_III or version not in _RATE_DIVISORS:
        return None
    if rate_index == 3 or bit_rate_index in (0, 15):
        return None
    is_mpeg1, is_mono = version == _MPEG1, mode == _SINGLE_CHANNEL
    sample_rate = _SAMPLE_RATES[rate_index] // _RATE_DIVISORS[version]
    samples = 1152 if is_mpeg1 else 576
    kbits = (_KBITS_MPEG1 if is_mpeg1 else _KBITS_MPEG2)[bit_rate_index]
    return Mp3Header(
        bits=bits,
        frame_bytes=samples // 8 * kbits * 1000 // sample_rate + padding,
        samples=samples,
        sample_rate=sample_rate,
        channels=1 if is_mono else 2,
        side_bytes=(17 if is_mono else 32) if is_mpeg1 else (9 if is_mono else 17),
    )
