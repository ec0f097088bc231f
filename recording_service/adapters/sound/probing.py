"""What a recording is, and how each of its channels sounds."""

from contextlib import closing
from datetime import timedelta

import numpy as np

from recording_service.adapters.sound.decoding import Sound
from recording_service.adapters.sound.loudness import LoudnessMeter
from recording_service.adapters.sound.silence import SILENCE_ENERGY, EnergyMeter
from recording_service.core.sound import ChannelSound, Checkpoint, Probe

_MICROSECONDS = 1_000_000


def time_of(frames: int, sample_rate: int) -> timedelta:
    """How long so many sample frames take, to the microsecond."""
    return timedelta(microseconds=round(frames * _MICROSECONDS / sample_rate))


def probe(sound: Sound, checkpoint: Checkpoint) -> Probe:
    """Listens to all of it. Raises MediaUnreadable."""
    loudness = LoudnessMeter(sound.channels, sound.sample_rate)
    energy = EnergyMeter(sound.channels, sound.sample_rate)
    peaks = np.zeros(sound.channels, np.float32)
    with closing(sound.blocks(checkpoint)) as blocks:
        for block in blocks:
            loudness.take(block)
            energy.take(block)
            np.maximum(peaks, np.maximum(block.max(axis=1), -block.min(axis=1)), out=peaks)
    silence_shares = (energy.finish() < SILENCE_ENERGY).mean(axis=1)
    return Probe(
        container=sound.container,
        codec=sound.codec,
        sample_rate=sound.sample_rate,
        channels=sound.channels,
        bit_rate=sound.bit_rate,
        duration=time_of(sound.frames, sound.sample_rate),
        channel_sounds=tuple(
            ChannelSound(lufs, 20 * float(np.log10(peak)) if peak > 0 else None, float(share))
            for lufs, peak, share in zip(loudness.finish(), peaks, silence_shares, strict=True)
        ),
    )
