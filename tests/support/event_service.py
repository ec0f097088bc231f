"""The service over the core's world, which clients of its events can be served by, and be left by, and come back to."""

from contextlib import closing
from typing import Self

from recording_service.core.requests import RequestChecker
from recording_service.core.service import RecordingService
from recording_service.grpc_api.server import RecordingGrpcServer
from recording_service.grpc_api.settings import GrpcServerSettings
from tests.support.core_world import ACCOUNT, World
from tests.support.grpc_server import signer
from tests.support.running_service import free_port


class EventService:
    """Serves at one address while it is a context, with breaks."""

    def __init__(self) -> None:
        self.world = World()
        self.target = f"127.0.0.1:{free_port()}"
        self._service: RecordingService | None = None
        self._server: RecordingGrpcServer | None = None

    def start(self) -> None:
        """Serves from now on."""
        self._service = self.world.service()
        checker = RequestChecker(account_sids={ACCOUNT}, source_hosts=())
        self._server = RecordingGrpcServer(
            self._service, checker, signer(), GrpcServerSettings(address=self.target, reflection=True)
        )
        self._server.start()

    def stop(self) -> None:
        """Ends every call, and serves nobody any more. Idempotent."""
        server, service = self._server, self._service
        self._server = self._service = None
        if server is not None and service is not None:
            with closing(service):
                server.stop(1)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
