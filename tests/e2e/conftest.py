"""One running service for the tests that leave it as it was, and a way to start more for those that don't."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.support.redis_server import flushed as flushed
from tests.support.redis_server import redis_server as redis_server
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, RunningService, running_service


@pytest.fixture(scope="session")
def shared_twilio() -> Iterator[TwilioStandIn]:
    """The stand-in of the shared service."""
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as twilio:
        yield twilio


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, shared_twilio: TwilioStandIn) -> Iterator[RunningService]:
    """A service with its embedded Redis, its clocks ten times as fast. Shared: use SIDs of your own, break nothing."""
    folder = tmp_path_factory.mktemp("service")
    with running_service(folder, shared_twilio, RECORDING_TIME_SCALE="0.1") as running:
        yield running


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    """A stand-in of the test's own."""
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as stand_in:
        yield stand_in


@pytest.fixture
def start_service(tmp_path: Path, twilio: TwilioStandIn) -> Callable[..., AbstractContextManager[RunningService]]:
    """Starts a service of the test's own, with these variables: `with start_service(RECORDING_WORKERS="1") as …`."""

    def start(**variables: str) -> AbstractContextManager[RunningService]:
        return running_service(tmp_path, twilio, **{"RECORDING_TIME_SCALE": "0.1", **variables})

    return start
