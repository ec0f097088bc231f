"""How long one answer is waited for: the next byte, and all of it."""

import math
import time
from collections.abc import Callable

from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings
from recording_service.core.errors import TranscriptionUnavailable


class Patience:
    """What is left of it, from the moment the clip was to be sent. For one thread and one clip."""

    def __init__(
        self,
        settings: OpenAiTranscriptionSettings,
        longest_seconds: float = math.inf,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`longest_seconds` are the clip's, where that is less than the settings give every clip."""
        self._settings = settings
        self._monotonic = monotonic
        self._total_seconds = min(settings.total_seconds, longest_seconds)
        self._deadline = monotonic() + self._total_seconds

    def connect_seconds(self) -> float:
        """How long a connection may take now. TranscriptionUnavailable if there is no time left."""
        return min(self._settings.connect_seconds, self._seconds_left())

    def idle_seconds(self) -> float:
        """How long the next bytes, in or out, may take now. TranscriptionUnavailable if there is no time left."""
        return min(self._settings.idle_seconds, self._seconds_left())

    def silent(self) -> TranscriptionUnavailable:
        """The error for a byte that did not come, or was not taken, in time."""
        self._seconds_left()
        return TranscriptionUnavailable(f"the transcription server was silent for {self._settings.idle_seconds:g} s")

    def _seconds_left(self) -> float:
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise TranscriptionUnavailable(f"the transcription server was not done in {self._total_seconds:g} s")
        return left
