"""A service whose answers the test decides, and a server over it."""

from collections.abc import Iterator

import pytest

from tests.support.grpc_server import RunningServer, running_server
from tests.support.grpc_service import FakeRecordingService


@pytest.fixture
def service() -> FakeRecordingService:
    return FakeRecordingService()


@pytest.fixture
def server(service: FakeRecordingService) -> Iterator[RunningServer]:
    with running_server(service) as running:
        yield running
