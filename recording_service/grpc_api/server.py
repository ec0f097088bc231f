"""The gRPC server: put together, started and stopped."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2_grpc

from recording_service.core.requests import RequestChecker
from recording_service.core.service import RecordingService
from recording_service.grpc_api import methods, reflection
from recording_service.grpc_api.access import AccessGate
from recording_service.grpc_api.credentials import CallerDirectory
from recording_service.grpc_api.health import OpenCalls, RecordingHealthServicer
from recording_service.grpc_api.servicer import RecordingServicer
from recording_service.grpc_api.settings import GrpcServerSettings, TlsFiles
from recording_service.grpc_api.slots import Slots
from recording_service.grpc_api.stalls import StallSweeper
from recording_service.grpc_api.streams import RecordingStreams
from recording_service.grpc_api.tls import server_credentials
from recording_service.grpc_api.watches import RecordingWatches
from recording_service.signed_urls import UrlSigner


class GrpcAddressUnavailable(Exception):
    """Raised when the server can't listen where it was told to: the address is taken, or none of this host's."""

    def __init__(self, address: str) -> None:
        super().__init__(f"can't listen on {address}: is another process listening there?")
        self.address = address


class RecordingGrpcServer:
    """One gRPC server over one RecordingService. It is started once and stopped once."""

    def __init__(
        self, service: RecordingService, checker: RequestChecker, signer: UrlSigner, settings: GrpcServerSettings
    ) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="grpc")
        gate = AccessGate(None if settings.callers is None else CallerDirectory(settings.callers))
        self._server = grpc.server(self._pool, interceptors=[gate], options=settings.channel_options())
        self._stalls = StallSweeper(settings.stall_seconds)
        stream_slots = Slots("streams", settings.streams)
        watch_slots = Slots("watchers", settings.watchers)
        streams = RecordingStreams(stream_slots, self._stalls)
        self._watches = RecordingWatches(watch_slots, self._stalls)
        self._health = RecordingHealthServicer(
            service,
            methods.SERVICE.full_name,
            Slots("health watchers", settings.health_watchers),
            OpenCalls(stream_slots, watch_slots),
        )
        servicer = RecordingServicer(service, checker, signer, streams, self._watches)
        methods.register(servicer, self._server, settings.max_request_bytes)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if settings.reflection:
            reflection.register((methods.SERVICE.full_name, health.SERVICE_NAME), self._server)
        self._stop_lock = threading.Lock()
        self._started = False

    def start(self) -> int:
        """Listens and serves; the port it listens on. Raises GrpcAddressUnavailable, TlsFilesUnusable."""
        port = self._listen(self._settings.address, self._settings.tls)
        if self._settings.local_address:
            self._listen(self._settings.local_address, None)
        self._stalls.start()
        self._health.start()
        self._server.start()
        self._started = True
        return port

    def _listen(self, address: str, tls: TlsFiles | None) -> int:
        try:
            port = (
                self._server.add_insecure_port(address)
                if tls is None
                else self._server.add_secure_port(address, server_credentials(tls))
            )
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
