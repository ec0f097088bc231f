"""The gRPC server: put together, started and stopped."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2_grpc

from recording_service.core.requests import RequestChecker
from recording_service.core.service import RecordingService
from recording_service.grpc_api import methods, reflection
from recording_service.grpc_api.health import RecordingHealthServicer
from recording_service.grpc_api.servicer import RecordingServicer
from recording_service.grpc_api.settings import GrpcServerSettings
from recording_service.grpc_api.slots import Slots
from recording_service.grpc_api.stalls import StallSweeper
from recording_service.grpc_api.streams import RecordingStreams
from recording_service.grpc_api.watches import RecordingWatches


class GrpcAddressUnavailable(Exception):
    """Raised when the server can't listen where it was told to: the address is taken, or none of this host's."""

    def __init__(self, address: str) -> None:
        super().__init__(f"can't listen on {address}: is another process listening there?")
        self.address = address


class RecordingGrpcServer:
    """One gRPC server over one RecordingService. It is started once and stopped once."""

    def __init__(self, service: RecordingService, checker: RequestChecker, settings: GrpcServerSettings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="grpc")
        self._server = grpc.server(self._pool, options=settings.channel_options())
        self._stalls = StallSweeper(settings.stall_seconds)
        streams = RecordingStreams(Slots("streams", settings.streams), self._stalls)
        self._watches = RecordingWatches(Slots("watchers", settings.watchers), self._stalls)
        self._health = RecordingHealthServicer(
            service, methods.SERVICE.full_name, Slots("health watchers", settings.health_watchers)
        )
        servicer = RecordingServicer(service, checker, streams, self._watches)
        methods.register(servicer, self._server, settings.max_request_bytes)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if settings.reflection:
            reflection.register((methods.SERVICE.full_name, health.SERVICE_NAME), self._server)
        self._stop_lock = threading.Lock()
        self._started = False

    def start(self) -> int:
        """Listens and serves; the port it listens on. Raises GrpcAddressUnavailable."""
        port = self._listen()
        self._stalls.start()
        self._health.start()
        self._server.start()
        self._started = True
        return port

    def _listen(self) -> int:
        address = self._settings.address
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise GrpcAddressUnavailable(address) from error
        asked = address.rpartition(":")[2]
        # gRPC takes a port over 65535 modulo 65536.
        if asked.isdecimal() and int(asked) not in (0, port):
            raise GrpcAddressUnavailable(address)
        return port

    def stop(self, grace_seconds: float | None = None) -> None:
        """Stops gracefully. Idempotent; returns when the last call has ended.

        Health says NOT_SERVING, watchers end with SERVER_DRAINING, no more calls come in, those that run get
        `grace_seconds` (None: as the settings say), and what still runs then ends with UNAVAILABLE.
        """
        with self._stop_lock:
            if not self._started:
                return
            self._health.drain()
            self._watches.drain()
            grace = self._settings.grace_seconds if grace_seconds is None else grace_seconds
            self._server.stop(grace).wait()
            self._stalls.stop()
            self._health.stop()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._started = False
