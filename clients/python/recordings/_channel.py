"""What a channel is made of, in either flavour."""

import ipaddress
from typing import Final
from urllib.parse import unquote, urlsplit

import grpc

from recordings._defaults import DEFAULTS
from recordings.errors import InvalidOption
from recordings.options import ClientOptions

#: Of every channel.
CHANNEL_OPTIONS: Final[tuple[tuple[str, str | int], ...]] = (
    ("grpc.service_config", DEFAULTS.service_config),
    ("grpc.keepalive_time_ms", int(DEFAULTS.keepalive_time * 1000)),
    ("grpc.keepalive_timeout_ms", int(DEFAULTS.keepalive_timeout * 1000)),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", DEFAULTS.max_receive_message_bytes),
    # By default a service that was away for a while is tried again after up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", int(DEFAULTS.initial_reconnect_backoff * 1000)),
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.max_reconnect_backoff_ms", int(DEFAULTS.max_reconnect_backoff * 1000)),
)


def channel_credentials(target: str, options: ClientOptions) -> grpc.ChannelCredentials | None:
    """TLS to that target; None for a connection in the clear.

    Raises:
        InvalidOption: the target is empty, a file can't be read, or the token would go over a network in the clear.
    """
    if not target:
        raise InvalidOption("target: is empty; name one, such as 127.0.0.1:50051")
    near = is_local(target)
    wants_files = options.ca_file is not None or options.client_key_file is not None
    if options.tls or wants_files or (options.tls is None and not near):
        authority, key, certificate = (
            options.pem(name) for name in ("ca_file", "client_key_file", "client_certificate_file")
        )
        return grpc.ssl_channel_credentials(authority, key, certificate)
    if options.token and not near:
        raise InvalidOption("tls: is off, and the token would go over the network in the clear")
    return None


def is_local(target: str) -> bool:
    """Whether what is sent there stays on this machine: a loopback address, or a Unix socket."""
    scheme, _, rest = target.partition(":")
    if scheme in {"unix", "unix-abstract"}:
        return True
    if scheme in {"dns", "ipv4", "ipv6"}:
        # dns:host, dns:///host, dns://authority/host
        target = rest.rpartition("/")[2]
    hosts = [urlsplit(f"//{unquote(part)}").hostname or "" for part in target.split(",")]
    return all(_is_loopback(host) for host in hosts)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def call_metadata(options: ClientOptions, further: tuple[tuple[str, str], ...] = ()) -> tuple[tuple[str, str], ...]:
    """What goes with a call: the token, unless `further` has an authorization of its own."""
    if not options.token or any(key == "authorization" for key, _ in further):
        return further
    return (*further, ("authorization", f"Bearer {options.token}"))
