"""What the HTTP adapter has to be told. It reads no environment: the composition root hands it one `HttpSettings`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from recording_service.signed_urls import SigningKey


@dataclass(frozen=True, slots=True)
class ClientTls:
    """TLS of the adapter as a client of the service: PEM texts. What is None is the system's, or not shown."""

    authority: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Everything the HTTP adapter is configured with. All durations are in seconds.

    Raises:
        ValueError: an address or an origin is not one. The message names the field and no secret.
    """

    grpc_target: str
    """Where the recording service listens, as gRPC names it: `127.0.0.1:50051`, `unix:/run/recordings.sock`."""

    grpc_token: str = field(default="", repr=False)
    """The adapter's own credential for gRPC; empty where the service asks for none."""

    grpc_tls: ClientTls | None = None
    """TLS to the service; none where it is reached on loopback or by a socket."""

    requires_credentials: bool = False
    """Whether recordings are shown only to whoever has a signed URL or a caller's token."""

    signing_keys: tuple[SigningKey, ...] = field(default=(), repr=False)
    """The keys that signed playback URLs are checked with."""

    public_url: str
    """What Twilio and browsers call this adapter by: `https://recordings.example.com`. Signatures are checked against
    this and nothing the request claims (reliability.md C1)."""

    auth_tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Twilio auth tokens by AccountSid; several while one is being rotated. Empty ones never count."""

    basic_credentials: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict, repr=False)
    """Who may read an account's recordings under Twilio's own paths: user name and password pairs by AccountSid.
    Without any for an account nobody may. Empty passwords never count."""

    allow_unsigned_webhooks: bool = False
    """Accept webhooks unchecked while no auth token is configured. For demonstrations and tests only."""

    cors_origins: frozenset[str] = frozenset()
    """Origins whose scripts may read recordings, exactly as browsers send them: `https://app.example.com`."""

    source_hosts: frozenset[str] = frozenset({"api.twilio.com"})
    """Hosts whose `RecordingUrl` is passed on as a hint, in lower case. Others are left out: the SIDs are enough."""

    webhook_deadline_seconds: float = 4.5
    """From the end of a webhook's header to our answer, the body and the gRPC call included."""

    call_timeout_seconds: float = 5.0
    """For one unary call, and for the first message of a stream, when a person is waiting."""

    readiness_timeout_seconds: float = 2.0
    """For the health check behind `/readyz`."""

    stream_idle_seconds: float = 30.0
    """A stream that is being read and brings nothing for this long is opened again at the next byte."""

    pause_seconds: float = 2.0
    """A player whose connection takes nothing for this long gives its gRPC stream up, which others need; it goes on
    with another one, at the next byte."""

    resume_attempts: int = 6
    """How often a broken stream is opened again without a single byte of progress before the body is cut."""

    heartbeat_seconds: float = 15.0
    """A stream of events that has nothing to tell says at least this often that it lives."""

    max_watchers_each: int = 20
    """As many of them for one token or session."""

    max_held_statuses: int = 64
    """So many answers of `/status` are held at once, each of which takes a watch; the next ones are given at once."""

    max_held_statuses_each: int = 4
    """As many of them for one token, session or signed URL."""

    max_watchers: int = 100
    """Beyond this many streams of events the next console is told 503."""

    not_ready_retry_seconds: int = 2
    """`Retry-After` while a recording is on its way and nothing better is known."""

    header_timeout_seconds: float = 10.0
    """From connecting (or the first byte of a further request) to the end of a request's header."""

    header_limit_bytes: int = 16 * 1024
    """Request line and header fields together."""

    body_timeout_seconds: float = 10.0
    """From the end of a request's header to that of its body, on every route, whether it reads one or not."""

    body_limit_bytes: int = 64 * 1024
    """Of any request's body. Webhooks have a lower limit of their own, and an earlier deadline."""

    write_stall_seconds: float = 900.0
    """A connection is dropped whose client does not take within this time what waits for it here, 64 to 128 KiB. A
    paused player is such a client: it keeps its connection for a quarter of an hour, and asks again by Range then.
    So is one that takes a byte a second; with somewhat over a hundred a second it goes on."""

    keep_alive_seconds: int = 75
    """Between two requests on a connection; longer than the 60 s after which usual proxies let go."""

    max_connections: int = 900
    """Beyond this many connections the answer is 503: a backstop below the usual limit of 1024 open files."""

    max_players: int = 700
    """Beyond this many answers with bytes that are being sent, paused ones included, the next player is told 503: what
    is left of the connections is for webhooks. How many are sent to at once is for the service to limit."""

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the adapter by https."""
        return urlsplit(self.public_url).scheme == "https"

    max_players_each: int = 64
    """As many of them for one token, session or signed URL."""

    max_results: int = 32
    """So many waveforms and transcripts are under way at once, each in memory as a whole: of eight hours, 8 MB."""

    max_results_each: int = 8
    """As many of them for one token, session or signed URL."""

    result_seconds: float = 60.0
    """From the beginning of an answer with one of them until its client has to have taken it."""

    known_hosts: frozenset[str] | None = None
    """The names that a request's Host may have, in lower case; None: any."""

    def __post_init__(self) -> None:
        """Refuse addresses that would make every signature wrong or every origin unmatched."""
        public = urlsplit(self.public_url)
        if public.scheme not in {"http", "https"} or not public.hostname:
            raise ValueError("public_url is not an http or https address")
        # twilio's validator mistakes userinfo for the host (twilio.md A2); a query would get into every signed one.
        if "@" in public.netloc or public.query or public.fragment:
            raise ValueError("public_url has credentials, a query or a fragment")
        for origin in self.cors_origins:
            parts = urlsplit(origin)
            if not parts.scheme or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError(f"cors_origins: {origin!r} is not an origin such as https://app.example.com")
