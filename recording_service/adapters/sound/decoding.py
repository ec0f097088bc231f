"""From bytes to samples: what a file has is found by walking over it; libsndfile then decodes it, block by block."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from recording_service.adapters.sound import mp3_frames, wav_chunks
from recording_service.adapters.sound.media_bytes import MediaBytes, SplicedFile
from recording_service.adapters.sound.mp3_info import DECODER_DELAY, info_frame
from recording_service.core.sound import Checkpoint, Codec, Container, MediaUnreadable, UnreadableReason

_Result = TypeVar("_Result")

#: Samples of shape (channels, sample frames), full scale at 1.
Samples = NDArray[np.float32]

#: Sample frames decoded at a time: 8 s of a telephone call.
BLOCK_FRAMES = 64 * 1024
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


class _Forward(soundfile.SoundFile):  # type: ignore[misc] # published without types
    """Read from its beginning to its end. SoundFile seeks after each read of what it holds for seekable.

    mpg123 then starts anew in the middle of its bit reservoir: the samples differ, and it complains on stderr.
    """

    def seekable(self) -> bool:
        return False


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
    open: Callable[[], tuple[SplicedFile, _Forward]]

    def blocks(self, checkpoint: Checkpoint) -> Iterator[Samples]:
        """All samples, at most BLOCK_FRAMES at a time. Raises MediaUnreadable if they are fewer or more than `frames`.

        Decoding has a thread of its own, one block ahead. Not for speed alone: libsndfile reads through callbacks, and
        what a signal handler raises (RQ's time-out) would get lost in them, were they run in the main thread.
        """
        decoded = 0
        with ThreadPoolExecutor(1, thread_name_prefix="decoder") as thread, self._decoder() as decode:
            ahead = thread.submit(decode)
            try:
                while (block := ahead.result()).size:
                    checkpoint()
                    decoded += block.shape[1]
                    ahead = thread.submit(decode)
                    yield block
            finally:
                # The file is closed next: not under the thread's hands.
                ahead.exception()
        if decoded != self.frames:
            raise MediaUnreadable(UnreadableReason.BROKEN)

    @contextmanager
    def _decoder(self) -> Iterator[Callable[[], Samples]]:
        opened: list[tuple[SplicedFile, _Forward]] = []

        def decode() -> Samples:
            if not opened:
                opened.append(self.open())
            file, sound_file = opened[0]
            interleaved = np.empty((BLOCK_FRAMES, self.channels), np.float32)
            frames = _read(file, lambda: sound_file.buffer_read_into(interleaved, "float32"))
            return np.ascontiguousarray(interleaved[:frames].T)

        try:
            yield decode
        finally:
            for _, sound_file in opened:
                sound_file.close()


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

    def opened() -> tuple[SplicedFile, _Forward]:
        file = SplicedFile(media, found.start, found.end)
        return file, _read(
            file,
            lambda: _Forward(
                file,
                samplerate=wav_format.sample_rate,
                channels=wav_format.channels,
                format="RAW",
                subtype=_RAW_SUBTYPES[wav_format.codec],
                endian="LITTLE",
            ),
        )

    return Sound(
        container=Container.WAV,
        codec=wav_format.codec,
        sample_rate=wav_format.sample_rate,
        channels=wav_format.channels,
        bit_rate=wav_format.sample_rate * wav_format.bytes_per_frame * 8,
        frames=found.frames,
        open=opened,
    )


def _mp3(media: MediaBytes, checkpoint: Checkpoint) -> Sound:
    found = mp3_frames.find_sound(media, checkpoint)
    head, tail = _frames_around(found)

    def opened() -> tuple[SplicedFile, _Forward]:
        file = SplicedFile(media, found.start, found.end, head=head, tail=tail)
        return file, _read(file, lambda: _Forward(file))

    header = found.header
    return Sound(
        container=Container.MP3,
        codec=Codec.MP3,
        sample_rate=header.sample_rate,
        channels=header.channels,
        bit_rate=round((found.end - found.start) * 8 * header.sample_rate / (found.frames * header.samples)),
        frames=found.samples,
        open=opened,
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


def _read(file: SplicedFile, read: Callable[[], _Result]) -> _Result:
    """Raises what the file has raised, and what libsndfile has to say as MediaUnreadable."""
    try:
        result = read()
    except soundfile.SoundFileError as error:
        raise file.failure or MediaUnreadable(UnreadableReason.BROKEN) from error
    if file.failure is not None:
        raise file.failure
    return result
