"""What the tests of sound share: the reader, and a checkpoint that lets everything pass."""

import pytest

from recording_service.adapters.sound.reader import SoundfileReader
from recording_service.core.sound import SoundReader


@pytest.fixture(scope="session")
def reader() -> SoundReader:
    """It holds nothing, so one is enough."""
    return SoundfileReader()
