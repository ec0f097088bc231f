"""MP3 as Twilio serves it: MPEG-2 layer III, 32 kbit/s, 22.05 kHz, no ID3 tag: FF F3 40 C4 at first (twilio.md A4)."""

from collections.abc import Iterator

import lameenc
import numpy as np
from numpy.typing import NDArray

from recording_service.twilio_stand_in.audio import SAMPLE_RATE as PCM_SAMPLE_RATE
from recording_service.twilio_stand_in.audio import UNIQUE_SECONDS, conversation, mixed

#: Samples a second of the MP3.
SAMPLE_RATE = 22050

#: Bits a second, whatever the number of channels.
BIT_RATE = 32_000

#: Samples a frame of MPEG-2 layer III holds (ISO/IEC 13818-3).
SAMPLES_PER_FRAME = 576

#: Bytes of a frame without its padding byte; with it there is one more.
FRAME_BYTES = SAMPLES_PER_FRAME // 8 * BIT_RATE // SAMPLE_RATE

#: The third byte of a frame's header has this bit when the frame is padded.
PADDING_BIT = 0x02

#: LAME's quality, 2 (best) to 7 (fastest): what counts here is that it sounds like a telephone soon.
QUALITY = 5

#: Seconds of speech a recording of a given size repeats: the size is what counts there, not the talk.
SIZED_LOOP_SECONDS = 20.0


def mp3_of_duration(seed: str, seconds: float, channels: int) -> bytes:
    """A call of this length, to the nearest frame (26 ms) and at least one frame; one channel mixes both parties."""
    wanted = max(1, round(seconds * SAMPLE_RATE / SAMPLES_PER_FRAME))
    data = _encoded(seed, min(seconds, UNIQUE_SECONDS), channels)
    starts = frame_starts(data)
    unique = round(UNIQUE_SECONDS * SAMPLE_RATE / SAMPLES_PER_FRAME)
    if wanted <= unique:
        return data[: starts[wanted]]
    rounds, rest = divmod(wanted, unique)
    return data[: starts[unique]] * rounds + data[: starts[rest]]


def mp3_of_size(seed: str, size: int, channels: int) -> bytes:
    """A recording of exactly `size` bytes, all whole frames: repeated speech, then a little silence to make it fit.

    Raises ValueError when no number of whole frames has that size, which can only be below 10 712 bytes.
    """
    data = _encoded(seed, min(size * 8 / BIT_RATE + 1, SIZED_LOOP_SECONDS), channels)
    starts = frame_starts(data)
    for cut in _cuts_down_from(size, starts):
        silence = _silence(size - cut, data[:4])
        if silence is not None:
            rounds, rest = divmod(cut, starts[-1])
            return data * rounds + data[:rest] + silence
    raise ValueError(f"no whole number of {FRAME_BYTES} or {FRAME_BYTES + 1} byte frames makes {size} bytes")


def frame_starts(data: bytes) -> list[int]:
    """Where each frame of an MP3 of this module begins, and at last where the final one ends."""
    starts = [0]
    while starts[-1] < len(data):
        padded = bool(data[starts[-1] + 2] & PADDING_BIT)
        starts.append(starts[-1] + FRAME_BYTES + padded)
    return starts


def _encoded(seed: str, seconds: float, channels: int) -> bytes:
    """Encodes a call; LAME's delay makes it a few frames longer than asked for."""
    call = conversation(seed, seconds)
    pcm: NDArray[np.int16] = call if channels == 2 else mixed(call)
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(BIT_RATE // 1000)
    encoder.set_in_sample_rate(PCM_SAMPLE_RATE)
    encoder.set_out_sample_rate(SAMPLE_RATE)
    encoder.set_channels(channels)
    encoder.set_quality(QUALITY)
    encoder.silence()
    return bytes(encoder.encode(pcm.tobytes()) + encoder.flush())


def _cuts_down_from(size: int, starts: list[int]) -> Iterator[int]:
    """Every frame boundary of the endlessly repeated recording, from `size` down to 0."""
    loop = starts[-1]
    for repeat in range(size // loop, -1, -1):
        yield from (repeat * loop + start for start in reversed(starts[:-1]) if repeat * loop + start <= size)


def _silence(size: int, header: bytes) -> bytes | None:
    """Silent frames of `size` bytes in all, or None when no number of them has that size.

    A frame of zeros after the header borrows nothing from the frame before it and plays nothing.
    """
    frames = size // FRAME_BYTES
    padded = size - frames * FRAME_BYTES
    if padded > frames:
        return None
    plain = bytes([header[0], header[1], header[2] & ~PADDING_BIT, header[3]]).ljust(FRAME_BYTES, b"\0")
    longer = bytes([header[0], header[1], header[2] | PADDING_BIT, header[3]]).ljust(FRAME_BYTES + 1, b"\0")
    return plain * (frames - padded) + longer * padded
