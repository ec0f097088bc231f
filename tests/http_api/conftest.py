import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from recording_service.http_api import HttpSettings
from tests.http_api.fake_recordings import ACCOUNT, FakeRecordings, FakeServer
from tests.http_api.running_app import PUBLIC_URL, Client, running_app

TOKEN = "token-of-the-account"
API_KEY = ("SK" + "4e" * 16, "secret-of-the-key")
OTHER_ACCOUNT = "AC" + "0b" * 16
ORIGIN = "https://app.example.com"

Settings = Callable[..., HttpSettings]


@pytest.fixture(scope="session")
def fake_server() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture
def recordings(fake_server: FakeServer) -> Iterator[FakeRecordings]:
    fake_server.recordings.reset()
    yield fake_server.recordings
    fake_server.recordings.reset()


@pytest.fixture(scope="session")
def session_settings(fake_server: FakeServer) -> HttpSettings:
    return HttpSettings(
        grpc_target=fake_server.target,
        public_url=PUBLIC_URL,
        auth_tokens={ACCOUNT: ("older-token", TOKEN)},
        basic_credentials={
            ACCOUNT: ((ACCOUNT, "older-token"), (ACCOUNT, TOKEN), API_KEY),
            OTHER_ACCOUNT: ((OTHER_ACCOUNT, "token-of-the-other"),),
        },
        cors_origins=frozenset({ORIGIN}),
        # Long enough for a busy machine; what is to run out runs out in `impatient`.
        webhook_deadline_seconds=4.0,
        call_timeout_seconds=4.0,
        readiness_timeout_seconds=4.0,
        stream_idle_seconds=4.0,
    )


@pytest.fixture
def settings(session_settings: HttpSettings) -> Settings:
    """The settings of the tests, with changes."""

    def changed(**changes: Any) -> HttpSettings:
        return dataclasses.replace(session_settings, **changes)

    return changed


@pytest.fixture(scope="session")
def session_client(session_settings: HttpSettings) -> Iterator[Client]:
    with running_app(session_settings) as client:
        yield client


@pytest.fixture
def client(session_client: Client, recordings: FakeRecordings) -> Client:
    """The adapter, in front of the fake recordings."""
    return session_client


@pytest.fixture(scope="session")
def session_impatient(session_settings: HttpSettings) -> Iterator[Client]:
    impatient = dataclasses.replace(
        session_settings,
        webhook_deadline_seconds=0.4,
        call_timeout_seconds=0.4,
        readiness_timeout_seconds=0.4,
        stream_idle_seconds=0.4,
    )
    with running_app(impatient) as client:
        yield client


@pytest.fixture
def impatient(session_impatient: Client, recordings: FakeRecordings) -> Client:
    """The same, and it waits for nothing long."""
    return session_impatient
