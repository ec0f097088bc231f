"""`recording-service http`: the HTTP adapter in a process of its own. It knows the service by gRPC only."""

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from recording_service.config import Account, ConfigurationError, Settings
from recording_service.processes import access, wiring

if TYPE_CHECKING:
    from recording_service.http_api.settings import ClientTls
from recording_service.processes.allocator import keep_freed_memory

_log = logging.getLogger(__name__)

#: How long requests may run on when the adapter is told to stop.
GRACE_SECONDS = 3


def run_http(settings: Settings, ready: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT. Raises ConfigurationError, also for an address that can't be listened on."""
    keep_freed_memory()
    asyncio.run(_serve(settings, ready))


async def _serve(settings: Settings, ready: Callable[[], None]) -> None:
    # Imported here: a parent that forks must not have imported grpc (grpc.md B.5).
    from recording_service.http_api.server import HttpServer
    from recording_service.http_api.settings import HttpSettings

    access.refuse_exposure(settings, "RECORDING_HTTP_ADDRESS", settings.http)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = HttpServer(
        HttpSettings(
            grpc_target=settings.effective_grpc_target,
            grpc_token=settings.grpc_token.get_secret_value(),
            grpc_tls=_client_tls(settings),
            requires_credentials=settings.requires_credentials,
            signing_keys=access.signing_keys(settings),
            public_url=settings.effective_public_url,
            auth_tokens={
                account.account_sid: tuple(token.get_secret_value() for token in account.auth_tokens)
                for account in settings.accounts().values()
            },
            basic_credentials={
                account.account_sid: _basic_credentials(account) for account in settings.accounts().values()
            },
            allow_unsigned_webhooks=settings.allow_unsigned_webhooks,
            known_hosts=_known_hosts(settings),
            cors_origins=frozenset(settings.cors_origins),
            source_hosts=wiring.source_hosts(settings) | {"api.twilio.com"},
        ),
        *settings.http,
    )
    try:
        await server.start()
    except OSError as error:
        problem = f"RECORDING_HTTP_ADDRESS: can't listen on {settings.http_address}: {error.strerror}"
        raise ConfigurationError([problem]) from error
    _log.info("HTTP listens on http://%s", settings.http_address)
    ready()
    await stop.wait()
    await server.stop(GRACE_SECONDS)


def _basic_credentials(account: Account) -> tuple[tuple[str, str], ...]:
    """What opens the account's recordings at Twilio, and so here: its SID and each token, its API key and secret."""
    pairs = [(account.account_sid, token.get_secret_value()) for token in account.auth_tokens]
    if account.api_key and account.api_secret:
        pairs.append((account.api_key.get_secret_value(), account.api_secret.get_secret_value()))
    return tuple(pairs)


def _known_hosts(settings: Settings) -> frozenset[str] | None:
    """The names of a service that asks for no credentials, and so may be reached by this machine alone."""
    from recording_service.http_api.middleware.hosts import LOOPBACK_HOSTS

    if settings.requires_credentials or not settings.http.is_loopback:
        return None
    public = urlsplit(settings.effective_public_url).hostname or ""
    return LOOPBACK_HOSTS | {settings.http.host, public} - {""}


def _client_tls(settings: Settings) -> "ClientTls | None":
    """TLS to the service, where it is not reached by a socket. Raises ConfigurationError."""
    from recording_service.http_api.settings import ClientTls

    files = (settings.grpc_ca_file, settings.grpc_client_certificate_file, settings.grpc_client_key_file)
    if not settings.reaches_grpc_by_tls:
        return None
    names = ("RECORDING_GRPC_CA_FILE", "RECORDING_GRPC_CLIENT_CERTIFICATE_FILE", "RECORDING_GRPC_CLIENT_KEY_FILE")
    return ClientTls(*(_bytes_of(name, path) for name, path in zip(names, files, strict=True)))


def _bytes_of(variable: str, path: Path | None) -> bytes | None:
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise ConfigurationError([f"{variable}: can't be read: {error.strerror}"]) from error
