"""The adapter in front of the real gRPC server, over the real core with its shelf on disk: one for all of the suite."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.memory.changes import MemoryChangeFeed
from recording_service.adapters.memory.queue import MemoryBellQueue
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.core.clock import SystemClock
from recording_service.core.model import FailureReason, Recording, RecordingState
from recording_service.core.ports import Storage
from recording_service.core.requests import RequestChecker
from recording_service.core.service import RecordingService
from recording_service.grpc_api.server import RecordingGrpcServer
from recording_service.grpc_api.settings import GrpcServerSettings
from recording_service.http_api import HttpSettings
from tests.http_api.conformance.places import (
    FAILED_SID,
    PLACES,
    READY_TIME,
    SIZES,
    STATES,
    TOKEN,
    Place,
    content_of,
    sid_of,
)
from tests.http_api.conformance.wire import Wire, connected
from tests.http_api.running_app import PUBLIC_URL, running_app
from tests.support.grpc_server import signer
from tests.support.recordings import ACCOUNT_SID, a_recording, put

ORIGIN = "https://app.example.com"


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where the adapter listens."""
    folder = tmp_path_factory.mktemp("conformance")
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(SqlCatalogue.open(f"sqlite:///{folder / 'catalogue.sqlite3'}")))
        storage = DiskStorage.at(_shelf(folder))
        stack.callback(storage.close)
        put(catalogue, *(_stored(storage, size) for size in SIZES), *(_without_bytes(sid) for sid in STATES))
        service = RecordingService(
            catalogue=catalogue,
            queue=MemoryBellQueue(),
            storage=storage,
            changes=MemoryChangeFeed(),
            clock=SystemClock(),
        )
        stack.enter_context(closing(service))
        checker = RequestChecker(account_sids={ACCOUNT_SID}, source_hosts=())
        server = RecordingGrpcServer(service, checker, signer(), GrpcServerSettings(address="127.0.0.1:0"))
        grpc_port = server.start()
        stack.callback(server.stop, 0)
        settings = HttpSettings(
            grpc_target=f"127.0.0.1:{grpc_port}",
            public_url=PUBLIC_URL,
            basic_credentials={ACCOUNT_SID: ((ACCOUNT_SID, TOKEN),)},
            cors_origins=frozenset({ORIGIN}),
        )
        yield stack.enter_context(running_app(settings)).port


@pytest.fixture
def wire(port: int) -> Iterator[Wire]:
    """A connection of the test's own."""
    with connected(port) as opened:
        yield opened


@pytest.fixture(params=PLACES, ids=str)
def place(request: pytest.FixtureRequest) -> Place:
    """Each endpoint with each size."""
    param = request.param
    assert isinstance(param, Place)
    return param


def _shelf(folder: Path) -> Path:
    shelf = folder / "recordings"
    shelf.mkdir(mode=0o700)
    return shelf


def _stored(storage: Storage, size: int) -> Recording:
    """A READY recording of that size with its object: past the downloader, which takes no audio of two bytes."""
    object_key = f"{ACCOUNT_SID}/{sid_of(size)}/1.mp3"
    with storage.create(object_key) as upload:
        upload.write(content_of(size))
        stored = upload.publish()
    assert stored.sha256 == hashlib.sha256(content_of(size)).hexdigest()
    return a_recording(
        recording_sid=sid_of(size),
        state=RecordingState.READY,
        object_key=object_key,
        size_bytes=size,
        sha256=stored.sha256,
        content_type="audio/mpeg",
        ready_time=READY_TIME,
    )


def _without_bytes(recording_sid: str) -> Recording:
    reason = FailureReason.SOURCE_ABSENT if recording_sid == FAILED_SID else None
    return a_recording(recording_sid=recording_sid, state=STATES[recording_sid], failure_reason=reason)
