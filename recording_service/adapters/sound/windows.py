"""Blocks of any length, cut into windows of one length."""

import numpy as np

from recording_service.adapters.sound.decoder import Samples


class Windows:
    """Takes samples as they come and gives them back in windows of `size`, keeping what does not fill one yet."""

    def __init__(self, channels: int, size: int) -> None:
        self._size = size
        self._rest: Samples = np.empty((channels, 0), np.float32)

    def take(self, block: Samples) -> Samples:
        """All windows that are full now, of shape (channels, windows, size); a view of the block where it can be."""
        joined = np.concatenate([self._rest, block], axis=1) if self._rest.size else block
        full = joined.shape[1] // self._size
        # A copy: the block itself need not stay in memory for its end.
        self._rest = joined[:, full * self._size :].copy()
        return joined[:, : full * self._size].reshape(len(joined), full, self._size)

    @property
    def rest(self) -> Samples:
        """What does not fill a window, of shape (channels, less than size)."""
        return self._rest
