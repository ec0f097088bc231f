"""One request, by a connection of its own that is never used again.

Not by a `requests.Session`: even one that follows no redirect reads a redirect's body whole. Without a session there
are also no proxies, no netrc, no cookies and no environment variables. And what a server sends beyond the end of one
answer can never be taken for the beginning of another.
"""

from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.util.response import assert_header_parsing

#: Gives a connection, which has not connected, what it needs to know. Typed Any: urllib3's connections are a protocol.
Prepare = Callable[[Any], None]


class _Pool(HTTPConnectionPool):
    """Makes connections of a class of ours."""

    def __init__(
        self, host: str, port: int | None, *, connection: type[HTTPConnection], prepare: Prepare, **options: Any
    ) -> None:
        self.ConnectionCls = connection
        super().__init__(host, port, **options)
        self._prepare = prepare

    def _new_conn(self) -> Any:
        connection = super()._new_conn()
        self._prepare(connection)
        return connection


class _SecurePool(_Pool, HTTPSConnectionPool):
    """The same, with TLS."""


class StrictResponse(HTTPResponse):
    """An answer whose headers are all understood. For the `response_class` of a connection."""

    def begin(self) -> None:
        """Reads the headers. Raises HeaderParsingError for malformed ones.

        urllib3 would take them, and log them with the URL and whatever else it can't read, a body for instance.
        """
        super().begin()
        assert_header_parsing(self.msg)


class OneRequestAdapter(HTTPAdapter):
    """Sends a request, and reads the headers of its answer. To be closed."""

    def __init__(
        self,
        connection: type[HTTPConnection],
        secure_connection: type[HTTPConnection],
        prepare: Prepare,
        certificates: Path | None,
    ) -> None:
        """Connections are of these classes; `certificates` are trusted instead of certifi's."""
        super().__init__()
        self._verify = str(certificates) if certificates else True
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_Pool, connection=connection, prepare=prepare),
            "https": partial(_SecurePool, connection=secure_connection, prepare=prepare),
        }

    def ask(self, request: requests.PreparedRequest, *, connect_seconds: float, seconds: float) -> requests.Response:
        """Asks; `seconds` are for the next bytes. Raises what requests, urllib3 and the connection raise."""
        return self.send(request, stream=True, timeout=(connect_seconds, seconds), verify=self._verify)
