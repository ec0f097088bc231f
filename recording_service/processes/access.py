"""Who may call, as the composition roots tell it to the parts: callers, keys, the adapter's own credential."""

import logging
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from recording_service.adapters.private_sockets import SocketPathTooLong, private_socket_path, remove_private_socket
from recording_service.config import ADAPTER_NAME, Address, CallerEntry, ConfigurationError, Settings
from recording_service.core.callers import Caller, CallerLimits, Scope
from recording_service.processes import wiring
from recording_service.signed_urls import MIN_SECRET_BYTES, SigningKey

if TYPE_CHECKING:
    from recording_service.grpc_api.credentials import CallerCredentials

_log = logging.getLogger(__name__)

#: The adapter as a caller: it asks for what Twilio reports and what players want, for every account, without a limit of
#: its own: it lets in nobody who hasn't shown a credential.
ADAPTER = Caller(ADAPTER_NAME, frozenset({Scope.ENQUEUE, Scope.READ}), None)
#: Random bytes of a token.
TOKEN_BYTES = 32
#: The key that signs playback URLs where none is configured, in the data directory.
_KEY_FILE = "playback_key"
_KEY_ID = "local"


def refuse_exposure(settings: Settings, variable: str, address: Address) -> None:
    """Raises ConfigurationError where everyone could call from elsewhere; says so where everyone can from here."""
    if settings.requires_credentials:
        return
    if address.is_loopback:
        _log.warning("NO CREDENTIALS: everyone on this machine who reaches %s:%d may do everything", *address)
    elif settings.allow_everyone:
        _log.warning("EVERYONE who reaches %s:%d MAY DO EVERYTHING: RECORDING_ALLOW_EVERYONE is set", *address)
    else:
        raise ConfigurationError(
            [
                f"{variable}: {address.host} can be reached from elsewhere, and no credential is configured; "
                "set RECORDING_CALLERS_FILE, or listen on 127.0.0.1, or say RECORDING_ALLOW_EVERYONE=1"
            ]
        )


def caller_credentials(settings: Settings) -> "tuple[CallerCredentials, ...] | None":
    """Everybody who may call, the adapter included; None where no credential is configured, and everyone may."""
    # Imported here: a parent that forks must not have imported grpc (grpc.md B.5).
    from recording_service.grpc_api.credentials import CallerCredentials, token_hash

    if not settings.requires_credentials:
        return None
    known = [
        CallerCredentials(_caller(entry), entry.token_hashes, entry.certificate_names) for entry in settings.callers()
    ]
    token = settings.grpc_token.get_secret_value()
    if token:
        digest = token_hash(token)
        # The file may have the adapter too, with a scope or an account less.
        if not any(digest in one.token_hashes for one in known):
            known.append(CallerCredentials(ADAPTER, (digest,)))
    return tuple(known)


def _caller(entry: CallerEntry) -> Caller:
    return Caller(
        entry.name,
        frozenset(map(Scope, entry.scopes)),
        entry.account_sids,
        CallerLimits(entry.streams, entry.requests_per_second),
    )


def signing_keys(settings: Settings) -> tuple[SigningKey, ...]:
    """The keys that sign playback URLs, the one that signs first; made, once, where none is configured.

    Raises ConfigurationError.
    """
    return settings.signing_keys() or (SigningKey(_KEY_ID, _key_of_file(settings.data_dir)),)


def _key_of_file(data_dir: Path) -> bytes:
    """The key of the data directory. Whoever comes first makes it, whole or not at all; the others read it."""
    wiring.make_private(data_dir)
    path = data_dir / _KEY_FILE
    try:
        if not path.exists():
            _publish(path, secrets.token_bytes(MIN_SECRET_BYTES))
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigurationError([f"RECORDING_DATA_DIR: {path} can't be kept: {error.strerror}"]) from error
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigurationError([f"RECORDING_DATA_DIR: {path} is no key; remove it, and a new one is made"])
    return secret


def _publish(path: Path, secret: bytes) -> None:
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        os.write(descriptor, secret)
        os.fsync(descriptor)
        try:
            os.link(unfinished, path)
        except FileExistsError:
            # Another process was first; its key is the one.
            return
    finally:
        os.close(descriptor)
        Path(unfinished).unlink()


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """What the configuration has of a token."""
    from recording_service.grpc_api.credentials import token_hash

    return token_hash(token)


def new_signing_key(key_id: str | None) -> SigningKey:
    """A key that nobody can guess, named by the day if it has no name. ValueError for a name that is none."""
    return SigningKey(key_id or date.today().isoformat(), secrets.token_bytes(MIN_SECRET_BYTES))


@contextmanager
def adapter_beside_grpc(settings: Settings) -> Iterator[Settings]:
    """The settings of a `serve`, whose adapter reaches gRPC by a socket of their own and a token made up for this run.

    By a socket, so that the adapter needs neither TLS nor a certificate, nor has to know the name in the server's.
    """
    if settings.grpc_target:
        yield settings
        return
    try:
        path = private_socket_path("grpc.sock")
    except SocketPathTooLong as error:
        raise ConfigurationError([f"RECORDING_GRPC_TARGET: is not set, and {error}"]) from error
    update: dict[str, object] = {"grpc_target": f"unix:{path}"}
    if settings.requires_credentials and not settings.grpc_token.get_secret_value():
        update["grpc_token"] = SecretStr(new_token())
    try:
        yield settings.model_copy(update=update)
    finally:
        remove_private_socket(path)
