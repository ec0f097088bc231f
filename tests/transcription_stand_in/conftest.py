from collections.abc import Iterator

import pytest

from recording_service.transcription_stand_in import TranscriptionStandIn
from tests.transcription_stand_in.posting import API_KEY


@pytest.fixture
def server() -> Iterator[TranscriptionStandIn]:
    with TranscriptionStandIn(api_key=API_KEY) as stand_in:
        yield stand_in
