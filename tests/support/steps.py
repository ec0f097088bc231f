"""Steps that do little, for tests of the pipeline around them."""

import hashlib
from collections.abc import Callable, Mapping
from typing import BinaryIO

from recording_service.core.model import Recording, Step
from recording_service.core.processor import Made, StepRunner


class Reading:
    """Reads all of the media, and makes its SHA-256 after the step's name."""

    def __init__(self, step: Step) -> None:
        self.step = step
        #: How often it was done.
        self.runs = 0

    def run(self, recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        """Does so."""
        self.runs += 1
        check()
        return Made(made_of(self.step, media.read()))


def made_of(step: Step, media: bytes) -> bytes:
    """What such a step makes of these bytes."""
    return f"{step.value} {hashlib.sha256(media).hexdigest()}".encode()


class Doing:
    """Does what it is told, in place of a step."""

    def __init__(self, run: Callable[[Recording, BinaryIO, Callable[[], None]], Made]) -> None:
        self._run = run

    def run(self, recording: Recording, media: BinaryIO, check: Callable[[], None]) -> Made:
        """Does so."""
        return self._run(recording, media, check)


RUNNERS: Mapping[Step, StepRunner] = {step: Reading(step) for step in Step}
