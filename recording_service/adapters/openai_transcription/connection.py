"""One connection a clip, patient in both directions, and never used again.

A socket's own timeout starts anew with every byte: a server that takes or gives one a second would hold a worker for
ever. So the limits are kept where every byte passes. And a connection that was kept could have died of boredom between
two clips, or bring what belongs to an earlier answer; a new one costs a few milliseconds, a clip costs seconds.
"""

import io
import socket
import ssl
from functools import partial
from typing import Any

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection

from recording_service.adapters.one_request import OneRequestAdapter, StrictResponse
from recording_service.adapters.openai_transcription.patience import Patience
from recording_service.adapters.openai_transcription.settings import OpenAiTranscriptionSettings

#: How much of a clip is sent between two looks at the clock, in bytes.
SEND_BYTES = 64 * 1024


class PatientStream(io.RawIOBase):
    """What a socket receives, read with patience."""

    def __init__(self, sock: socket.socket, stream: io.RawIOBase, patience: Patience) -> None:
        self._sock = sock
        self._stream = stream
        self._patience = patience
        if isinstance(sock, ssl.SSLSocket):
            # Else Python takes a connection that was cut for one that was closed (ssl.SSLSocket.read).
            sock.suppress_ragged_eofs = False  # type: ignore[attr-defined] # left out of typeshed

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """What has arrived, at most as much as there is room for. TranscriptionUnavailable, OSError."""
        self._sock.settimeout(self._patience.idle_seconds())
        try:
            return self._stream.readinto(buffer)
        except TimeoutError as exc:
            raise self._patience.silent() from exc

    def close(self) -> None:
        """Lets the socket go."""
        self._stream.close()
        super().close()


class PatientResponse(StrictResponse):
    """An answer that is read with patience from its first byte on."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, *, patience: Patience
    ) -> None:
        super().__init__(sock, debuglevel, method)
        self.fp = io.BufferedReader(PatientStream(sock, self.fp.detach(), patience))


class PatientConnection(HTTPConnection):
    """A connection that also sends with patience: urllib3 gives all of a body the time of a connect."""

    patience: Patience

    def send(self, data: Any) -> None:
        """Sends bytes. TranscriptionUnavailable, OSError."""
        if self.sock is None:
            self.connect()
        view = memoryview(data)
        for begin in range(0, len(view), SEND_BYTES):
            self.sock.settimeout(self.patience.idle_seconds())
            try:
                super().send(view[begin : begin + SEND_BYTES])
            except TimeoutError as exc:
                raise self.patience.silent() from exc


class PatientSecureConnection(PatientConnection, HTTPSConnection):
    """The same, with TLS."""


class PatientAdapter(OneRequestAdapter):
    """Sends one clip."""

    def __init__(self, settings: OpenAiTranscriptionSettings, longest_seconds: float) -> None:
        """`longest_seconds` are for all of it."""
        self._patience = Patience(settings, longest_seconds)
        super().__init__(PatientConnection, PatientSecureConnection, self._prepare, settings.certificates)

    def fetch(self, request: requests.PreparedRequest) -> requests.Response:
        """Asks, and reads the headers of the answer. Raises what requests and urllib3 raise, and TranscriptionError."""
        patience = self._patience
        return self.ask(request, connect_seconds=patience.connect_seconds(), seconds=patience.idle_seconds())

    def _prepare(self, connection: Any) -> None:
        connection.response_class = partial(PatientResponse, patience=self._patience)
        connection.patience = self._patience
