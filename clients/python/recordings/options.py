"""How a client reaches the service and how patient it is."""

import math
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from recordings._defaults import DEFAULTS
from recordings.errors import InvalidOption


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """The options of every client (clients/README.md), by the same names. Durations are in seconds.

    Raises:
        InvalidOption: one of them can't be.
    """

    token: str = field(default="", repr=False)
    """Bearer token. Sent in the clear to loopback and Unix sockets only."""

    tls: bool | None = None
    """None: TLS, except to loopback and Unix sockets."""

    ca_file: str | PathLike[str] | None = None
    """PEM file of the authorities to trust; None: the system's."""

    client_certificate_file: str | PathLike[str] | None = None
    """PEM file of the client's own certificate (mTLS)."""

    client_key_file: str | PathLike[str] | None = None
    """PEM file of its key."""

    timeout: float = DEFAULTS.timeout
    """Of a unary call."""

    stall_timeout: float = DEFAULTS.stall_timeout
    """A stream that brings nothing for so long, while somebody reads, is opened again."""

    resume_attempts: int = DEFAULTS.resume_attempts
    """How often a broken stream is opened again without a message before its error is raised."""

    resume_initial_backoff: float = DEFAULTS.resume_initial_backoff
    """The longest wait before the first such attempt; it doubles with each further one (full jitter)."""

    resume_max_backoff: float = DEFAULTS.resume_max_backoff
    """The longest wait before any."""

    def __post_init__(self) -> None:
        """Refuses what can't be."""
        for name in ("timeout", "stall_timeout"):
            if not 0 < getattr(self, name) < math.inf:
                raise InvalidOption(f"{name}: must be a number of seconds above 0")
        for name in ("resume_attempts", "resume_initial_backoff", "resume_max_backoff"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidOption(f"{name}: must not be below 0")
        if not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise InvalidOption("token: must be printable ASCII without blanks; is there a line break at its end?")
        if (self.client_certificate_file is None) != (self.client_key_file is None):
            raise InvalidOption("client_certificate_file and client_key_file: give both, or none")
        if self.tls is False and (self.ca_file is not None or self.client_key_file is not None):
            raise InvalidOption("tls: is off, but ca_file or client_certificate_file is given")

    def pem(self, name: str) -> bytes | None:
        """The content of the file of that option; None if it isn't given."""
        path = getattr(self, name)
        if path is None:
            return None
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise InvalidOption(f"{name}: {path} can't be read ({error.strerror})") from error
