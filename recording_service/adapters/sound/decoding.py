"""From bytes to samples: what a file has is found by walking over it; libsndfile then decodes it, block by block."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from recording_service.adapters.sound import mp3_frames, wav_chunks
from recording_service.adapters.sound.decoder import Decoder, Samples, blocks_of
from recording_service.adapters.sound.media_bytes import MediaBytes, SplicedFile
from recording_service.adapters.sound.mp3_info import DECODER_DELAY, info_frame
from recording_service.core.sound import Checkpoint, Codec, Container, MediaUnreadable, UnreadableReason

#: What is believed of a file: as many channels as a waveform may have, rates at which loudness has a meaning.
_MOST_CHANNELS = 24
_SAMPLE_RATES = range(4000, 384_001)

_RAW_SUBTYPES = {
    Codec.PCM_U8: "PCM_U8",
    Codec.PCM_S16: "PCM_16",
    Codec.PCM_S24: "PCM_24",
    Codec.MULAW: "ULAW",
    Codec.ALAW: "ALAW",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """A file that has been found whole, and can be decoded."""

    container: Container
    codec: Codec
    sample_rate: int
    channels: int
    bit_rate: int
    frames: int
    """Sample frames: a player plays exactly as many."""
    decoder: Callable[[], Decoder]
    """A new one, at the beginning."""

    def blocks(self, checkpoint: Checkpoint) -> Generator[Samples, None, None]:
        """All samples, at most BLOCK_FRAMES at a time, after a checkpoint each.

        To be closed: whoever fails between two blocks would keep it open for as long as the traceback is kept. Raises
        MediaUnreadable if the samples are fewer or more than `frames`.
        """
        decoded = 0
        with closing(blocks_of(self.decoder())) as blocks:
            for block in blocks:
                checkpoint()
                decoded += block.shape[1]
                yield block
        if decoded != self.frames:
            raise MediaUnreadable(UnreadableReason.BROKEN)


def find_sound(media: BinaryIO, checkpoint: Checkpoint) -> Sound:
    """What can be heard in a file. Raises MediaUnreadable, and what `media` and `checkpoint` raise."""
    media_bytes = MediaBytes(media)
    if not media_bytes.size:
        raise MediaUnreadable(UnreadableReason.EMPTY)
    sound = _wav(media_bytes) if wav_chunks.is_wav(media_bytes) else _mp3(media_bytes, checkpoint)
    if not 1 <= sound.channels <= _MOST_CHANNELS or sound.sample_rate not in _SAMPLE_RATES:
        raise MediaUnreadable(UnreadableReason.BROKEN)
    if not sound.frames:
        raise MediaUnreadable(UnreadableReason.EMPTY)
    return sound


def _wav(media: MediaBytes) -> Sound:
    found = wav_chunks.find_sound(media)
    wav_format = found.format

    def decoder() -> Decoder:
        raw_format: dict[str, int | str] = {
            "samplerate": wav_format.sample_rate,
            "channels": wav_format.channels,
            "format": "RAW",
            "subtype": _RAW_SUBTYPES[wav_format.codec],
            "endian": "LITTLE",
        }
        return Decoder(SplicedFile(media, found.start, found.end), wav_format.channels, raw_format)

    return Sound(
        container=Container.WAV,
        codec=wav_format.codec,
        sample_rate=wav_format.sample_rate,
        channels=wav_format.channels,
        bit_rate=wav_format.sample_rate * wav_format.bytes_per_frame * 8,
        frames=found.frames,
        decoder=decoder,
    )


def _mp3(media: MediaBytes, checkpoint: Checkpoint) -> Sound:
    found = mp3_frames.find_sound(media, checkpoint)
    head, tail = _frames_around(found)

    header = found.header
    return Sound(
        container=Container.MP3,
        codec=Codec.MP3,
        sample_rate=header.sample_rate,
        channels=header.channels,
        bit_rate=round((found.end - found.start) * 8 * header.sample_rate / (found.frames * header.samples)),
        frames=found.samples,
        decoder=lambda: Decoder(SplicedFile(media, found.start, found.end, head=head, tail=tail), header.channels),
    )


def _frames_around(found: mp3_frames.Mp3Sound) -> tuple[bytes, bytes]:
    """What mpg123 gets to read before and after the frames, so that it decodes exactly `found.samples`.

    It takes off DECODER_DELAY samples more than an encoder's delay, and leaves as many more at the end. Where a file
    says nothing of its encoder, all of its samples are wanted: a silent frame stands before them to be taken off.
    Where an encoder has put less after the sound than is left there, a silent frame gives the decoder the rest.
    """
    header, frames = found.header, found.frames
    delay, padding = found.info.delay, found.info.padding
    if delay is None or padding is None:
        silence = header.silent_frame()
        return info_frame(header, frames + 1, header.samples - DECODER_DELAY, DECODER_DELAY) + silence, b""
    if padding < DECODER_DELAY:
        return info_frame(header, frames + 1, delay, padding + header.samples), header.silent_frame()
    return info_frame(header, frames, delay, padding), b""
