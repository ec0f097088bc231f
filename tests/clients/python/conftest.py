from collections.abc import Callable, Iterator
from typing import Any

import pytest

from recordings import RecordingsClient
from tests.http_api.fake_recordings import FakeRecordings, FakeServer

Connect = Callable[..., RecordingsClient]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture
def recordings(server: FakeServer) -> Iterator[FakeRecordings]:
    server.recordings.reset()
    yield server.recordings
    server.recordings.reset()


@pytest.fixture
def client_of(server: FakeServer, recordings: FakeRecordings) -> Connect:
    """A synchronous client of the fake recordings, which is quick to try again; with further options."""

    def made(**options: Any) -> RecordingsClient:
        return RecordingsClient(server.target, **{"resume_initial_backoff": 0.001, "stall_timeout": 10.0, **options})

    return made
