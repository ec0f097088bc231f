"""Walks an MP3 frame by frame, by the tables of ISO/IEC 11172-3 and 13818-3: independent of the code that makes it."""

from dataclasses import dataclass

#: kbit/s by bitrate index, layer III.
MPEG1_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG2_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)

#: Hz by sampling-frequency index, by version bits (3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5).
SAMPLE_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


@dataclass(frozen=True)
class Frame:
    offset: int
    size: int
    version: int
    kbits: int
    sample_rate: int
    channels: int

    @property
    def seconds(self) -> float:
        return (1152 if self.version == 3 else 576) / self.sample_rate


def walk(data: bytes) -> list[Frame]:
    """All frames; raises ValueError when the data is anything but whole frames from the first byte to the last."""
    frames: list[Frame] = []
    offset = 0
    while offset < len(data):
        frame = _frame_at(data, offset)
        if offset + frame.size > len(data):
            raise ValueError(f"the frame at {offset} is cut")
        frames.append(frame)
        offset += frame.size
    return frames


def seconds(data: bytes) -> float:
    """How long an MP3 plays."""
    return sum(frame.seconds for frame in walk(data))


def _frame_at(data: bytes, offset: int) -> Frame:
    header = int.from_bytes(data[offset : offset + 4])
    if len(data) < offset + 4 or header >> 21 != 0x7FF:
        raise ValueError(f"no frame at {offset}")
    version, layer = header >> 19 & 3, header >> 17 & 3
    bitrate_index, rate_index, padding = header >> 12 & 15, header >> 10 & 3, header >> 9 & 1
    if version not in SAMPLE_RATES or layer != 1 or bitrate_index in (0, 15) or rate_index == 3:
        raise ValueError(f"no layer III frame at {offset}")
    kbits = (MPEG1_KBITS if version == 3 else MPEG2_KBITS)[bitrate_index]
    sample_rate = SAMPLE_RATES[version][rate_index]
    size = (144 if version == 3 else 72) * kbits * 1000 // sample_rate + padding
    return Frame(offset, size, version, kbits, sample_rate, 1 if header >> 6 & 3 == 3 else 2)
