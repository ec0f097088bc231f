"""What is heard in a recording: what it is made of, how loud it is, its waveform, and its stretches of speech.

Values and a port alone; `adapters/sound` listens. Every channel is judged by itself: on a call it is one party.
"""

import json
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import BinaryIO, Protocol

#: Called every few hundred thousand sample frames; whatever it raises ends the work and reaches the caller.
Checkpoint = Callable[[], None]


def no_checkpoint() -> None:
    """Lets the work go on."""


class UnreadableReason(StrEnum):
    """Why nothing can be heard in some bytes."""

    EMPTY = "empty"
    NOT_AUDIO = "not_audio"
    TRUNCATED = "truncated"
    BROKEN = "broken"


_UNREADABLE = {
    UnreadableReason.EMPTY: "there is no sound in it",
    UnreadableReason.NOT_AUDIO: "it is neither an MP3 nor a WAV file of a kind that can be read here",
    UnreadableReason.TRUNCATED: "it ends before its sound does: the rest is missing",
    UnreadableReason.BROKEN: "it is damaged: its sound can't be decoded to the end",
}


class MediaUnreadable(Exception):
    """Raised when bytes can't be heard to their end. The same bytes raise the same again: trying again won't help."""

    def __init__(self, reason: UnreadableReason) -> None:
        super().__init__(_UNREADABLE[reason])
        self.reason = reason


class Container(StrEnum):
    """What kind of file the bytes are."""

    MP3 = "mp3"
    WAV = "wav"


class Codec(StrEnum):
    """How the sound is written in it; the names are ffmpeg's."""

    MP3 = "mp3"
    PCM_U8 = "pcm_u8"
    PCM_S16 = "pcm_s16le"
    PCM_S24 = "pcm_s24le"
    MULAW = "pcm_mulaw"
    ALAW = "pcm_alaw"


#: A window of SILENCE_WINDOW whose RMS is under this is silent, in dB of full scale. Speech on a telephone is at -35 to
#: -15, the noise of its line at -65 to -55.
SILENCE_DBFS = -50.0
SILENCE_WINDOW = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True)
class ChannelSound:
    """How one channel sounds, taken alone."""

    loudness_lufs: float | None
    """Integrated loudness by ITU-R BS.1770-4; None where nothing passes its gate of -70 LUFS."""
    peak_dbfs: float | None
    """The largest sample, in dB of full scale; None where all are 0."""
    silence_share: float
    """Share of windows of SILENCE_WINDOW that are silent by SILENCE_DBFS, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a recording's bytes are."""

    container: Container
    codec: Codec
    sample_rate: int
    """Hz."""
    channels: int
    bit_rate: int
    """Bits a second of the sound alone; the mean, where it varies."""
    duration: timedelta
    """The number of its sample frames over the sample rate, to the microsecond; without what an encoder put around."""
    channel_sounds: tuple[ChannelSound, ...]
    """One a channel, in their order."""

    def to_json(self) -> str:
        """As it is stored."""
        sounds = [[sound.loudness_lufs, sound.peak_dbfs, sound.silence_share] for sound in self.channel_sounds]
        duration = self.duration // timedelta(microseconds=1)
        return json.dumps(
            {
                "container": self.container.value,
                "codec": self.codec.value,
                "sample_rate": self.sample_rate,
                "channels": self.channels,
                "bit_rate": self.bit_rate,
                "duration": duration,
                "channel_sounds": sounds,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> "Probe":
        """Reads what `to_json` makes. Exact."""
        values = json.loads(text)
        return cls(
            Container(values["container"]),
            Codec(values["codec"]),
            values["sample_rate"],
            values["channels"],
            values["bit_rate"],
            timedelta(microseconds=values["duration"]),
            tuple(ChannelSound(*sound) for sound in values["channel_sounds"]),
        )


class ProbeWarning(StrEnum):
    """What somebody should look into, though the recording can be played."""

    DURATION_MISMATCH = "duration_mismatch"
    CHANNELS_MISMATCH = "channels_mismatch"
    CHANNEL_SILENT = "channel_silent"


#: Twilio tells whole seconds (twilio.md A2), which alone makes up to 1 s; an encoder's delay and its last frame add up
#: to 0.2 s at 8 kHz. What is more than 2 s apart is not rounding: an upload was cut, or it is another call.
DURATION_TOLERANCE = timedelta(seconds=2)


def warnings_of(probe: Probe, reported_duration: timedelta | None, reported_channels: int) -> tuple[ProbeWarning, ...]:
    """What is odd about a recording, by what Twilio has said of it; None and 0: it has not said.

    A channel is silent when no single window of it is louder than SILENCE_DBFS. One word in an hour is not silence.
    """
    warnings = []
    if reported_duration is not None and abs(reported_duration - probe.duration) > DURATION_TOLERANCE:
        warnings.append(ProbeWarning.DURATION_MISMATCH)
    if reported_channels and reported_channels != probe.channels:
        warnings.append(ProbeWarning.CHANNELS_MISMATCH)
    if any(sound.silence_share >= 1.0 for sound in probe.channel_sounds):
        warnings.append(ProbeWarning.CHANNEL_SILENT)
    return tuple(warnings)


#: int32 version, uint32 flags, int32 sample rate, int32 samples per pixel, uint32 length, int32 channels.
_DAT_HEADER = struct.Struct("<iIiiIi")
_DAT_VERSION = 2
_EIGHT_BITS = 1
#: The largest number that audiowaveform reads (WaveformBuffer::MAX_CHANNELS).
_MOST_CHANNELS = 24


@dataclass(frozen=True, slots=True)
class WaveformLevel:
    """A waveform at one zoom, as BBC's audiowaveform has it (doc/DataFormat.md in bbc/audiowaveform, version 2).

    Players' libraries (peaks.js, waveform-data.js) draw it. audiowaveform itself writes version 1 for a single channel,
    and reads version 2 just as well: here all are version 2.
    """

    samples_per_pixel: int
    sample_rate: int
    """Hz, of the recording."""
    channels: int
    length: int
    """Pixels; the last one may stand for fewer samples."""
    peaks: bytes
    """Of each pixel, of each channel, the least and the greatest sample: signed bytes, -128 to 127. A sample of 16 bits
    is divided by 256 towards zero (WaveformBuffer::save), so -255 becomes 0."""

    def __post_init__(self) -> None:
        if self.samples_per_pixel < 2 or self.sample_rate < 1 or not 1 <= self.channels <= _MOST_CHANNELS:
            raise ValueError("no such waveform: it takes 2 samples a pixel, 1 Hz and 1 to 24 channels at least")
        if len(self.peaks) != 2 * self.channels * self.length:
            raise ValueError(f"{self.length} pixels of {self.channels} channels are not {len(self.peaks)} bytes")

    def to_dat(self) -> bytes:
        """The binary form."""
        header = _DAT_HEADER.pack(
            _DAT_VERSION, _EIGHT_BITS, self.sample_rate, self.samples_per_pixel, self.length, self.channels
        )
        return header + self.peaks

    @classmethod
    def from_dat(cls, data: bytes) -> "WaveformLevel":
        """Reads the binary form. Raises ValueError for anything but what `to_dat` makes."""
        if len(data) < _DAT_HEADER.size:
            raise ValueError("shorter than the header of a waveform")
        version, flags, sample_rate, samples_per_pixel, length, channels = _DAT_HEADER.unpack_from(data)
        if (version, flags) != (_DAT_VERSION, _EIGHT_BITS):
            raise ValueError("not a waveform of version 2 with 8 bits")
        return cls(samples_per_pixel, sample_rate, channels, length, bytes(data[_DAT_HEADER.size :]))

    def to_json(self) -> str:
        """The JSON form, on one line."""
        return json.dumps(
            {
                "version": _DAT_VERSION,
                "channels": self.channels,
                "sample_rate": self.sample_rate,
                "samples_per_pixel": self.samples_per_pixel,
                "bits": 8,
                "length": self.length,
                "data": memoryview(self.peaks).cast("b").tolist(),
            },
            separators=(",", ":"),
        )


@dataclass(frozen=True, slots=True)
class SpeechClip:
    """A piece of one channel in which something is said."""

    channel: int
    """Counted from 0."""
    start: timedelta
    """Of its first sample, since the recording's first."""
    duration: timedelta
    wav: bytes
    """A WAV file: 16 bits, one channel, the recording's sample rate. Silence may follow where it is short."""


class SoundReader(Protocol):
    """What listens. Safe for one thread an object of `media`, many objects at once.

    `media` can seek and may stand anywhere; it is read by one thread at a time, which need not be the caller's. What it
    raises reaches the caller as it is, and so does what `checkpoint` raises. Every method raises MediaUnreadable,
    needs the same memory however long the recording is, and has no effect.
    """

    def probe(self, media: BinaryIO, checkpoint: Checkpoint = no_checkpoint) -> Probe:
        """Listens to all of it and says what it is."""

    def waveform(self, media: BinaryIO, checkpoint: Checkpoint = no_checkpoint) -> tuple[WaveformLevel, ...]:
        """The waveform at two zooms, the finer first: about 20 pixels a second, and about 1."""

    def speech_clips(
        self, media: BinaryIO, longest: timedelta, checkpoint: Checkpoint = no_checkpoint
    ) -> Generator[SpeechClip, None, None]:
        """Pieces in which something is said, none longer than `longest`, each channel's in their order.

        They begin and end in a silence wherever there is one. To be closed, or taken to the end. ValueError if
        `longest` is under a second.
        """
