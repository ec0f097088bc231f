"""A running service for the tests that leave it as it was, and a scripted one for those that need it to misbehave."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.clients.command_line.running_command import RunningCommand
from tests.clients.command_line.scripted_service import ScriptedService
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, RunningService, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The real service in real processes, its clocks ten times as fast; use SIDs of your own."""
    folder = tmp_path_factory.mktemp("service")
    with (
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as twilio,
        running_service(
            folder, twilio, RECORDING_TIME_SCALE="0.1", RECORDING_PUBLIC_URL="https://recordings.example.com"
        ) as running,
    ):
        yield running


@pytest.fixture
def recordings(service: RunningService, tmp_path: Path) -> RunningCommand:
    """The command, with the real service."""
    return RunningCommand(service.grpc_address, tmp_path)


@pytest.fixture
def scripted() -> Iterator[ScriptedService]:
    """A service that misbehaves on command."""
    service = ScriptedService()
    yield service
    service.stop()


@pytest.fixture
def scripted_recordings(scripted: ScriptedService, tmp_path: Path) -> RunningCommand:
    """The command, with the scripted service."""
    return RunningCommand(scripted.target, tmp_path)
