"""What `doctor` finds of who may call: callers, addresses, TLS files, keys."""

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from recording_service.config import Settings, is_loopback
from recording_service.processes.findings import Finding


def access_findings(settings: Settings) -> Iterator[Finding]:
    """Looks at everything that lets somebody in, or should keep somebody out. Opens no connection."""
    yield from _callers(settings)
    yield from _tls(settings)
    yield from _keys(settings)


def _callers(settings: Settings) -> Iterator[Finding]:
    addresses = (("RECORDING_GRPC_ADDRESS", settings.grpc), ("RECORDING_HTTP_ADDRESS", settings.http))
    exposed = [variable for variable, address in addresses if not address.is_loopback]
    if not settings.requires_credentials:
        if not exposed:
            yield Finding("callers", True, "no credential is configured: everyone on this machine may do everything")
        elif settings.allow_everyone:
            text = f"EVERYONE who reaches {' or '.join(exposed)} may do everything; unset RECORDING_ALLOW_EVERYONE"
            yield Finding("callers", False, text)
        else:
            text = f"no credential is configured, so {' and '.join(exposed)} is refused; set RECORDING_CALLERS_FILE"
            yield Finding("callers", False, text)
        return
    names = [caller.name for caller in settings.callers()]
    if not names:
        yield Finding("callers", False, "credentials are asked for, and nobody has any: set RECORDING_CALLERS_FILE")
    else:
        yield Finding("callers", True, f"{', '.join(names)} may call")
    if not settings.grpc.is_loopback and settings.grpc_tls_key_file is None:
        text = "tokens go over the network unencrypted; set RECORDING_GRPC_TLS_CERTIFICATE_FILE, or encrypt the network"
        yield Finding("TLS", False, text)

    if settings.grpc_target and not settings.grpc_target.startswith("unix:") and not settings.reaches_grpc_by_tls:
        host = settings.grpc_target.rpartition(":")[0].strip("[]")
        if not is_loopback(host):
            text = "the adapter's tokens go to gRPC unencrypted; set RECORDING_GRPC_CA_FILE, or encrypt the network"
            yield Finding("TLS to gRPC", False, text)
    public = urlsplit(settings.effective_public_url)
    if public.scheme == "http" and not is_loopback(public.hostname or ""):
        text = "is not https: sessions and signed URLs go over the network unencrypted; set RECORDING_PUBLIC_URL"
        yield Finding("public URL", False, text)


def _tls(settings: Settings) -> Iterator[Finding]:
    certificate, key = settings.grpc_tls_certificate_file, settings.grpc_tls_key_file
    if certificate is None or key is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
        if settings.grpc_tls_client_ca_file is not None:
            context.load_verify_locations(settings.grpc_tls_client_ca_file)
    except (OSError, ssl.SSLError) as error:
        # Neither has anything of what is in the files.
        text = f"the files can't be used ({error.strerror or 'unknown'}): check RECORDING_GRPC_TLS_…_FILE"
        yield Finding("TLS", False, text)
    else:
        clients = ", and clients must have a certificate" if settings.grpc_tls_client_ca_file else ""
        yield Finding("TLS", True, f"gRPC has a certificate with its key{clients}")


def _keys(settings: Settings) -> Iterator[Finding]:
    keys = settings.signing_keys()
    if keys:
        yield Finding("playback keys", True, f"{keys[0].key_id} signs, {len(keys)} are believed")
    elif settings.database_url.get_secret_value():
        text = "every host signs with a key of its own, which others don't know: set RECORDING_PLAYBACK_KEYS"
        yield Finding("playback keys", False, text)
    else:
        yield Finding("playback keys", True, "one in the data directory")
