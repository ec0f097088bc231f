"""Which windows of a channel are silent."""

import numpy as np

from recording_service.adapters.sound.decoder import Samples
from recording_service.adapters.sound.loudness import Energies, mean_squares
from recording_service.adapters.sound.windows import Windows
from recording_service.core.sound import SILENCE_DBFS, SILENCE_WINDOW

#: The mean square under which a window is silent.
SILENCE_ENERGY = 10 ** (SILENCE_DBFS / 10)


def window_samples(sample_rate: int) -> int:
    """How many samples a window has, to the nearest."""
    return round(SILENCE_WINDOW.total_seconds() * sample_rate)


class EnergyMeter:
    """The mean square of each window of each channel. Keeps fifty numbers a second a channel."""

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._windows = Windows(channels, window_samples(sample_rate))
        self._energies: list[Energies] = [np.empty((channels, 0))]

    def take(self, block: Samples) -> None:
        """Listens on."""
        self._energies.append(mean_squares(self._windows.take(block)))

    def finish(self) -> Energies:
        """All windows, of shape (channels, windows). The last one may be a short one."""
        rest = self._windows.rest
        if rest.size:
            self._energies.append(mean_squares(rest[:, None, :]))
        return np.concatenate(self._energies, axis=1)
