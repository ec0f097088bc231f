"""Waveforms as audiowaveform makes them (WaveformGenerator.cpp, WaveformBuffer.cpp in bbc/audiowaveform)."""

from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from recording_service.adapters.sound.decoder import Samples
from recording_service.adapters.sound.decoding import Sound
from recording_service.adapters.sound.windows import Windows
from recording_service.core.sound import Checkpoint, WaveformLevel

#: Of the finer zoom: a minute fills a screen.
FINE_PIXELS_A_SECOND = 20
#: How many of its pixels are one of the coarser zoom: about one a second, so that a page can draw an hour of 3600.
FINE_PIXELS_A_COARSE_ONE = 20

#: The least and the greatest sample of each pixel, of shape (channels, pixels, 2).
Extremes = NDArray[np.float32]

_LEAST, _GREATEST, _STEPS_OF_8_BITS = -32768, 32767, 256


def waveform(sound: Sound, checkpoint: Checkpoint) -> tuple[WaveformLevel, ...]:
    """The finer zoom and the coarser one. Raises MediaUnreadable."""
    fine = sound.sample_rate // FINE_PIXELS_A_SECOND
    windows = Windows(sound.channels, fine)
    with closing(sound.blocks(checkpoint)) as blocks:
        parts = [extremes(windows.take(block)) for block in blocks]
    if windows.rest.size:
        parts.append(extremes(windows.rest[:, None, :]))
    pixels = np.concatenate(parts, axis=1)
    return (
        _level(pixels, fine, sound.sample_rate),
        # Least and greatest of what is least and greatest: the same as of the samples themselves.
        _level(_coarser(pixels), fine * FINE_PIXELS_A_COARSE_ONE, sound.sample_rate),
    )


def extremes(windows: Samples) -> NDArray[np.int8]:
    """The least and the greatest sample of each window, in 8 bits."""
    found: Extremes = np.stack([windows.min(axis=2), windows.max(axis=2)], axis=2)
    # To 16 bits as decoders do it, downwards; then by 256 towards zero, as C++ divides.
    sixteen_bits = np.floor(found * -_LEAST).clip(_LEAST, _GREATEST)
    eight_bits: NDArray[np.int8] = np.trunc(sixteen_bits / _STEPS_OF_8_BITS).astype(np.int8)
    return eight_bits


def _coarser(pixels: NDArray[np.int8]) -> NDArray[np.int8]:
    starts = np.arange(0, pixels.shape[1], FINE_PIXELS_A_COARSE_ONE)
    least = np.minimum.reduceat(pixels[..., 0], starts, axis=1)
    greatest = np.maximum.reduceat(pixels[..., 1], starts, axis=1)
    coarse: NDArray[np.int8] = np.stack([least, greatest], axis=2)
    return coarse


def _level(pixels: NDArray[np.int8], samples_per_pixel: int, sample_rate: int) -> WaveformLevel:
    channels, length, _ = pixels.shape
    return WaveformLevel(samples_per_pixel, sample_rate, channels, length, pixels.transpose(1, 0, 2).tobytes())
