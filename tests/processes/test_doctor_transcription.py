"""What the doctor says of the server that transcribes."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from recording_service.config import Settings
from recording_service.processes.doctor import transcription_findings
from recording_service.transcription_stand_in import TranscriptionStandIn

API_KEY = "sk-a-key-of-the-tests-0123456789"


@pytest.fixture
def scribe() -> Iterator[TranscriptionStandIn]:
    """What transcribes."""
    with TranscriptionStandIn(api_key=API_KEY) as stand_in:
        yield stand_in


def settings(url: str, api_key: str = API_KEY, model: str = "whisper-1") -> Settings:
    return Settings(transcription_url=url, transcription_api_key=SecretStr(api_key), transcription_model=model)


def test_nothing_is_said_where_nothing_is_configured() -> None:
    assert list(transcription_findings(Settings())) == []


def test_a_server_that_transcribes_is_well(scribe: TranscriptionStandIn) -> None:
    (finding,) = transcription_findings(settings(scribe.url))
    assert (finding.subject, finding.well) == ("transcription", True)


def test_a_key_that_is_refused_is_named_and_not_shown(scribe: TranscriptionStandIn) -> None:
    (finding,) = transcription_findings(settings(scribe.url, "sk-another-key-0123456789"))
    assert not finding.well
    assert "API key" in finding.text
    assert "another-key" not in finding.text


def test_a_model_that_there_is_not_is_a_finding(scribe: TranscriptionStandIn) -> None:
    (finding,) = transcription_findings(settings(scribe.url, model="no-such-model"))
    assert not finding.well


def test_plain_http_elsewhere_is_a_finding_that_names_the_variable() -> None:
    (finding,) = transcription_findings(settings("http://transcription.example.com/v1"))
    assert not finding.well
    assert finding.text.startswith("RECORDING_TRANSCRIPTION_URL")
