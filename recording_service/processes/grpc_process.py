"""`recording-service grpc`: the gRPC server in a process of its own."""

import logging
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from recording_service.config import ConfigurationError, Settings
from recording_service.core.clock import SystemClock
from recording_service.core.service import RecordingService
from recording_service.processes import access, steps, wiring
from recording_service.processes.failpoints import arm_failpoints
from recording_service.processes.stopping import stop_on_signals
from recording_service.signed_urls import UrlSigner

if TYPE_CHECKING:
    from recording_service.grpc_api.settings import TlsFiles

_log = logging.getLogger(__name__)

#: How long calls may run on when the server is told to stop.
GRACE_SECONDS = 5.0


def run_grpc(settings: Settings, ready: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT. Raises ConfigurationError, CatalogueUnavailable, StorageUnavailable."""
    # Imported here: a parent that forks must not have imported grpc (grpc.md B.5).
    from recording_service.grpc_api.server import GrpcAddressUnavailable, RecordingGrpcServer
    from recording_service.grpc_api.settings import GrpcServerSettings
    from recording_service.grpc_api.tls import TlsFilesUnusable

    stop = stop_on_signals()
    arm_failpoints(settings)
    access.refuse_exposure(settings, "RECORDING_GRPC_ADDRESS", settings.grpc)
    with ExitStack() as stack:
        service = RecordingService(
            catalogue=stack.enter_context(closing(wiring.open_catalogue(settings))),
            queue=stack.enter_context(closing(wiring.open_queue(settings))),
            storage=stack.enter_context(closing(wiring.open_storage(settings))),
            changes=stack.enter_context(closing(wiring.open_changes(settings))),
            clock=SystemClock(),
            available_steps=steps.available_steps(settings),
        )
        stack.enter_context(closing(service))
        server = RecordingGrpcServer(
            service,
            wiring.request_checker(settings),
            UrlSigner(access.signing_keys(settings), settings.effective_public_url),
            GrpcServerSettings(
                address=settings.grpc_address,
                local_address=settings.grpc_target if settings.grpc_target.startswith("unix:") else "",
                tls=_tls(settings),
                callers=access.caller_credentials(settings),
                stall_seconds=GrpcServerSettings().stall_seconds * settings.time_scale,
                reflection=settings.grpc.is_loopback or settings.grpc_reflection,
                grace_seconds=GRACE_SECONDS,
            ),
        )
        try:
            server.start()
        except GrpcAddressUnavailable as error:
            raise ConfigurationError([f"RECORDING_GRPC_ADDRESS: {error}"]) from error
        except TlsFilesUnusable as error:
            raise ConfigurationError([f"RECORDING_GRPC_TLS_…_FILE: {error}"]) from error
        stack.callback(server.stop)
        _log.info("gRPC listens on %s%s", settings.grpc_address, " by TLS" if settings.grpc_tls_key_file else "")
        ready()
        stop.wait()
        _log.info("stopping: calls may run on for %.0f s", GRACE_SECONDS)


def _tls(settings: Settings) -> "TlsFiles | None":
    from recording_service.grpc_api.settings import TlsFiles

    certificate, key = settings.grpc_tls_certificate_file, settings.grpc_tls_key_file
    if certificate is None or key is None:
        return None
    return TlsFiles(certificate, key, settings.grpc_tls_client_ca_file)
