"""Sound for tests: PCM made by numpy, and the files that it comes in."""

import io
import struct
import subprocess
import tempfile
from pathlib import Path

import lameenc
import numpy as np
import soundfile
from numpy.typing import NDArray

#: Full scale at 1, of shape (samples, channels).
Sound = NDArray[np.float64]

#: Longest that ffmpeg may take.
FFMPEG_SECONDS = 60.0


def decibels(level: float) -> float:
    """The amplitude of so many dB of full scale."""
    return float(10 ** (level / 20))


def tone(seconds: float, *, rate: int, hertz: float = 997.0, dbfs: float = -23.0) -> NDArray[np.float64]:
    """A sine, its peaks at so many dB of full scale."""
    samples: NDArray[np.float64] = decibels(dbfs) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return samples


def noise(seconds: float, *, rate: int, seed: int = 0, scale: float = 0.2) -> NDArray[np.float64]:
    """White noise, clipped to full scale."""
    return np.random.default_rng(seed).normal(0, scale, round(seconds * rate)).clip(-1, 1)


def silence(seconds: float, *, rate: int) -> NDArray[np.float64]:
    """Digital silence."""
    return np.zeros(round(seconds * rate))


def channels(*sounds: NDArray[np.float64]) -> Sound:
    """These sounds side by side, as long as the longest."""
    together = np.zeros((max(map(len, sounds)), len(sounds)))
    for number, sound in enumerate(sounds):
        together[: len(sound), number] = sound
    return together


def pcm16(sound: Sound) -> NDArray[np.int16]:
    """In 16 bits."""
    return (sound * 32768).round().clip(-32768, 32767).astype(np.int16)


def wav(sound: Sound, *, rate: int, subtype: str = "PCM_16") -> bytes:
    """A WAV file as libsndfile writes it."""
    file = io.BytesIO()
    data = pcm16(sound) if subtype == "PCM_16" else sound
    soundfile.write(file, data, rate, subtype=subtype, format="WAV")
    return file.getvalue()


def chunk(name: bytes, content: bytes, *, size: int | None = None) -> bytes:
    """A chunk of RIFF, which may lie about its size."""
    return name + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


def format_chunk(
    *, rate: int = 8000, channels: int = 1, bits: int = 16, tag: int = 1, bytes_per_frame: int | None = None
) -> bytes:
    """A `fmt ` chunk of plain PCM, or of what is asked for."""
    frame = channels * bits // 8 if bytes_per_frame is None else bytes_per_frame
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits))


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    """A WAV file of these chunks."""
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content) if size is None else size) + content


def mp3(sound: Sound, *, rate: int, kbits: int | None = 32) -> bytes:
    """An MP3 as Twilio's are: frames alone, no header and no tag. Of a variable bit rate if `kbits` is None."""
    encoder = lameenc.Encoder()
    if kbits is None:
        encoder.set_vbr(4)
        encoder.set_vbr_quality(2)
    else:
        encoder.set_bit_rate(kbits)
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    encoder.set_channels(sound.shape[1])
    encoder.silence()
    return bytes(encoder.encode(pcm16(sound).tobytes()) + encoder.flush())


def mp3_by_ffmpeg(sound: Sound, *options: str, rate: int) -> bytes:
    """An MP3 with a Xing or Info header that says how much the encoder has put around the sound, and an ID3v2 tag."""
    source = ("-f", "s16le", "-ar", str(rate), "-ac", str(sound.shape[1]), "-i", "-")
    with tempfile.TemporaryDirectory() as folder:
        # Not a pipe: the header is written last.
        path = Path(folder) / "made.mp3"
        ffmpeg(*source, "-c:a", "libmp3lame", *options, str(path), given=pcm16(sound).tobytes())
        return path.read_bytes()


def decoded_by_ffmpeg(content: bytes, *, channels: int) -> Sound:
    """What ffmpeg hears."""
    pcm = ffmpeg("-i", "-", "-f", "f32le", "-", given=content).stdout
    return np.frombuffer(pcm, "<f4").reshape(-1, channels).astype(np.float64)


def ffmpeg(*arguments: str, given: bytes, level: str = "error") -> subprocess.CompletedProcess[bytes]:
    """What ffmpeg makes of its standard input; AssertionError if it fails."""
    command = ("ffmpeg", "-hide_banner", "-nostats", "-v", level, *arguments)
    done = subprocess.run(command, input=given, capture_output=True, timeout=FFMPEG_SECONDS, check=False)
    assert done.returncode == 0, (command, done.stderr[:2000])
    return done
