"""What can be configured, and what can't be meant."""

from typing import Any

import pytest

from recording_service.adapters.openai_transcription.patience import Patience
from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings
from recording_service.core.errors import TranscriptionUnavailable


def settings(**changes: Any) -> OpenAiTranscriptionSettings:
    return OpenAiTranscriptionSettings(**{"url": "https://api.openai.com/v1", "model": "whisper-1", **changes})


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://api.openai.com/v1/",
        "https://speech.example:8443",
        "http://localhost:8000/v1",
        "http://127.0.0.1:8000/v1",
        "http://[::1]:8000/v1",
    ],
)
def test_the_url_is_https_or_http_on_loopback(url: str) -> None:
    assert settings(url=url).endpoint == f"{url.rstrip('/')}/audio/transcriptions"


def test_elsewhere_plain_http_has_to_be_allowed() -> None:
    with pytest.raises(ValueError, match=r"^url: must be https"):
        settings(url="http://gpu.internal:8000/v1")

    assert settings(url="http://gpu.internal:8000/v1", allow_plain_http=True).endpoint.startswith("http://gpu")


@pytest.mark.parametrize(
    "url",
    [
        "", "api.openai.com/v1", "ftp://api.openai.com", "https://", "https:///v1", "https://user:word@api.openai.com/v1",
        "https://api.openai.com/v1?key=1", "https://api.openai.com/v1#top", "https://api.openai.com:99999/v1",
        "https://api.openai.com:0/v1", "https://api.openai.com/v1 ", "https://api.openai.com\n/v1", "https://[::/v1",
        "https://[1:2]/v1",
        "http://localhost@api.openai.com/v1", "http://localhost.example/v1",
    ],
)  # fmt: skip
def test_a_url_that_is_more_or_less_than_one_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^url: "):
        settings(url=url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", ""), ("model", "a b"), ("model", "a\r\nb"), ("api_key", "a b"), ("api_key", "a\r\nX: y"),
        ("api_key", "schlüssel"), ("language", "english"), ("language", "EN"), ("language", "eng"),
        ("language", "xx"), ("language", "lao"), ("language", "en\n"), ("path", "inference"), ("path", "/a?b"),
        ("path", ""), ("temperature", -0.1), ("temperature", 1.5), ("temperature", float("nan")),
        ("connect_seconds", 0),
        ("idle_seconds", -1), ("total_seconds", float("inf")), ("total_seconds", float("nan")), ("max_answer_bytes", 0),
    ],
)  # fmt: skip
def test_whatever_else_makes_no_sense_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: ") as caught:
        settings(**{name: value})

    assert "schlüssel" not in str(caught.value)


@pytest.mark.parametrize("language", ["", "en", "de", "yue", "haw", "jw", "jv"])
def test_every_code_that_whisper_has_can_be_configured(language: str) -> None:
    assert settings(language=language).language == language


def test_waiting_is_limited_by_what_is_left_of_the_whole() -> None:
    now = [5000.0]
    patience = Patience(
        settings(connect_seconds=10.0, idle_seconds=30.0, total_seconds=100.0), monotonic=lambda: now[0]
    )
    assert (patience.connect_seconds(), patience.idle_seconds()) == (10.0, 30.0)

    now[0] += 93.0
    assert (patience.connect_seconds(), patience.idle_seconds()) == (7.0, 7.0)

    now[0] += 7.0
    for wait in (patience.connect_seconds, patience.idle_seconds, patience.silent):
        with pytest.raises(TranscriptionUnavailable, match="not done in 100 s"):
            wait()


def test_a_clip_is_waited_for_no_longer_than_there_is_time_for_it() -> None:
    now = [5000.0]
    patience = Patience(settings(total_seconds=100.0), 20.0, monotonic=lambda: now[0])
    assert patience.idle_seconds() == 20.0

    now[0] += 20.0
    with pytest.raises(TranscriptionUnavailable, match="not done in 20 s"):
        patience.idle_seconds()
