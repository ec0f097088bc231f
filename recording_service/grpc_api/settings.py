"""How the gRPC server is set up. Read from the environment by `processes`, not here."""

from dataclasses import dataclass, field
from pathlib import Path

from recording_service.grpc_api.credentials import CallerCredentials

#: Threads left for unary calls when every stream and every watcher is taken (design.md §6: 64 keep them fast).
MIN_SPARE_THREADS = 32
#: Requests up to so many times `max_request_bytes` are refused with a reason; larger ones by gRPC, with a bare status.
OVERSIZE_FACTOR = 4


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. They are read anew for each connection once they have changed, so a renewed certificate is used."""

    #: The server's certificate, and those between it and its authority.
    certificate: Path
    key: Path
    #: Who signs the certificates that clients must have; None: they need none.
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class GrpcServerSettings:
    """The settings of one server. Raises ValueError if the threads would not do for the caps."""

    #: `host:port`; port 0 takes any free one. `unix:path` works too.
    address: str = "127.0.0.1:50051"
    #: Where processes of this machine reach it besides, without TLS: `unix:path`, or nothing.
    local_address: str = ""
    #: TLS at `address`; None: none.
    tls: TlsFiles | None = None
    #: Everybody who may call; None: everyone may do everything, which is for loopback and development.
    callers: tuple[CallerCredentials, ...] | None = field(default=None, repr=False)
    #: Size of the thread pool. Threads are made on demand.
    threads: int = 544
    #: Most StreamRecording calls at once; each holds a thread.
    streams: int = 256
    #: Most WatchRecording and WatchRecordings calls at once; each holds a thread.
    watchers: int = 224
    #: Most health watchers at once; each holds a thread.
    health_watchers: int = 16
    #: A stream whose client has taken nothing for this long is cancelled.
    stall_seconds: float = 60.0
    #: Most calls at once on one connection.
    max_concurrent_streams: int = 1024
    #: Largest request in bytes.
    max_request_bytes: int = 1024 * 1024
    #: Silence after which the server pings a client, and how long it waits for the answer.
    keepalive_seconds: float = 60.0
    keepalive_timeout_seconds: float = 20.0
    #: How often clients may ping without being sent away (they ping each 30 s, grpc.md B.5).
    min_ping_interval_seconds: float = 15.0
    #: Age at which a connection is asked to end, so that long-lived clients spread anew; how long its calls may run on.
    max_connection_age_seconds: float = 1800.0
    max_connection_age_grace_seconds: float = 600.0
    #: How long a stopping server lets calls run on.
    grace_seconds: float = 30.0
    #: Whether to answer questions about the contract (grpcurl). It needs no credentials: for loopback and development.
    reflection: bool = False

    def __post_init__(self) -> None:
        held = self.streams + self.watchers + self.health_watchers
        if self.threads < held + MIN_SPARE_THREADS:
            raise ValueError(
                f"{self.threads} threads are too few: streams and watchers hold up to {held}, "
                f"and {MIN_SPARE_THREADS} more are for other calls"
            )

    def channel_options(self) -> list[tuple[str, int]]:
        """The same for gRPC."""
        return [
            # By default a second server takes the same port in silence, and half the calls.
            ("grpc.so_reuseport", 0),
            ("grpc.max_concurrent_streams", self.max_concurrent_streams),
            ("grpc.max_receive_message_length", self.max_request_bytes * OVERSIZE_FACTOR),
            ("grpc.keepalive_time_ms", _milliseconds(self.keepalive_seconds)),
            ("grpc.keepalive_timeout_ms", _milliseconds(self.keepalive_timeout_seconds)),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _milliseconds(self.min_ping_interval_seconds)),
            ("grpc.max_connection_age_ms", _milliseconds(self.max_connection_age_seconds)),
            ("grpc.max_connection_age_grace_ms", _milliseconds(self.max_connection_age_grace_seconds)),
        ]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
