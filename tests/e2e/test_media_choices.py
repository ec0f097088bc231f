"""An account's choice of format and channels, from its configuration to the player."""

import hashlib
from collections.abc import Iterator

import pytest
import requests

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, RunningService, running_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One whose account wants WAV, and both channels."""
    choices = {"TWILIO_MEDIA_FORMAT": "wav", "TWILIO_DUAL_CHANNEL": "true"}
    with (
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as twilio,
        running_service(tmp_path_factory.mktemp("service"), twilio, **choices) as running,
    ):
        yield running


@pytest.mark.parametrize("channels", [2, 1], ids=["dual", "mono, for want of a second channel"])
def test_what_is_stored_is_what_was_chosen_and_says_what_it_is(service: RunningService, channels: int) -> None:
    recording_sid = service.twilio.add_recording(duration=3, channels=channels).recording_sid
    source = service.twilio.media(recording_sid, ".wav", channels=channels)

    service.enqueue(recording_sid, channels=2)
    recording = service.processed(recording_sid)

    assert recording.sha256 == hashlib.sha256(source).hexdigest()
    assert (recording.content_type, recording.stored_channels) == ("audio/wav", channels)
    # What Twilio has said stays what it has said.
    assert recording.channels == 2
    played = requests.get(f"{service.http_url}/recordings/{recording_sid}/stream.wav", timeout=10)
    assert (played.headers["Content-Type"], played.content) == ("audio/wav", source)
    assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_CACHED
