"""One connection an answer: patient, to a public address, and never used again.

Nothing here is kept alive. A work-horse lives for one recording, so a pool would always be empty; and what a server
sends beyond the end of one answer can then never be taken for the beginning of another.
"""

import ipaddress
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from recording_service.adapters.one_request import OneRequestAdapter
from recording_service.adapters.twilio_media.patience import Patience
from recording_service.adapters.twilio_media.response import PatientResponse
from recording_service.core.errors import SourceUnavailable

#: Most addresses of one name that are tried.
MAX_ADDRESSES = 4

#: IPv6 addresses under this prefix stand for IPv4 ones, behind a NAT64 (RFC 6052).
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class PatientConnection(HTTPConnection):
    """A connection to the addresses of a name. The pool says which are allowed, before it connects."""

    public_only: bool

    def _new_conn(self) -> socket.socket:
        """Connects. TLS is then spoken with the name, whatever the address."""
        if not self.public_only:
            return super()._new_conn()
        failure: OSError = OSError("the name has no address")
        for address in self._public_addresses():
            try:
                return create_connection((address, self.port), self.timeout, socket_options=self.socket_options)
            except OSError as exc:
                failure = exc
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "no address answered in time") from failure
        raise NewConnectionError(self, "no address could be connected to") from failure

    def _public_addresses(self) -> Sequence[str]:
        """What the name leads to, looked up once. SourceUnavailable if any of it is not public (reliability.md C)."""
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as exc:
            raise NameResolutionError(self.host, self, exc) from exc
        except UnicodeError as exc:
            # An empty label, or one of more than 63 characters, is found out by the codec of names.
            unknown = socket.gaierror(socket.EAI_NONAME, "this can't be a name")
            raise NameResolutionError(self.host, self, unknown) from exc
        addresses = [str(address[0]) for *_, address in found]
        if not all(is_public(ipaddress.ip_address(address)) for address in addresses):
            raise SourceUnavailable("Twilio's name led to an address that is not public")
        return addresses[:MAX_ADDRESSES]


class PatientSecureConnection(PatientConnection, HTTPSConnection):
    """The same, with TLS."""


class PatientAdapter(OneRequestAdapter):
    """Sends the requests for one recording."""

    def __init__(self, patience: Patience, *, public_only: bool, certificates: Path | None) -> None:
        """`public_only` refuses private addresses; `certificates` are trusted instead of certifi's."""
        self._patience = patience
        self._public_only = public_only
        super().__init__(PatientConnection, PatientSecureConnection, self._prepare, certificates)

    def fetch(self, request: requests.PreparedRequest) -> requests.Response:
        """Asks, and reads the headers of the answer. Raises what requests and urllib3 raise, and SourceError."""
        patience = self._patience
        return self.ask(request, connect_seconds=patience.connect_seconds(), seconds=patience.idle_seconds())

    def _prepare(self, connection: Any) -> None:
        connection.response_class = partial(PatientResponse, patience=self._patience)
        connection.public_only = self._public_only


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's: not private, loopback, link-local, CGNAT, multicast or reserved.

    An address that stands for another one, by IPv4-mapping, 6to4 or NAT64, is what that one is. Site-local ones are
    given up (RFC 3879), so that `is_global` takes them for anybody's; inside a network they may still lead somewhere.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
