"""An answer of Twilio's, read with patience and with suspicion.

A socket's own timeout starts anew with every byte, and reading a line of a header or of a chunk's length goes on for as
many bytes as there are. So the limits are kept where every byte passes: below the HTTP library's buffer.
"""

import io
import socket
import ssl
from http.client import IncompleteRead
from typing import Any

from recording_service.adapters.one_request import StrictResponse
from recording_service.adapters.twilio_media.patience import Patience
from recording_service.core.errors import SourceTruncated

#: How long a connection that is to stay open is looked at after the last byte, in seconds: for what came with it.
GLANCE_SECONDS = 0.001


class PatientStream(io.RawIOBase):
    """What a socket receives, read with patience."""

    def __init__(self, sock: socket.socket, stream: io.RawIOBase, patience: Patience) -> None:
        self._sock = sock
        self._stream = stream
        self._patience = patience
        self._last = b""
        self._ended = False
        self._settle_seconds: float | None = None
        if isinstance(sock, ssl.SSLSocket):
            # Else Python takes a connection that was cut for one that was closed (ssl.SSLSocket.read).
            sock.suppress_ragged_eofs = False  # type: ignore[attr-defined] # left out of typeshed

    @property
    def ended_in_a_line(self) -> bool:
        """Whether the peer has closed the connection, and its last byte was not the end of a line."""
        return self._ended and self._last != b"\n"

    def settle(self, seconds: float) -> None:
        """From now on only the end of the connection is waited for; TimeoutError if it does not come in time."""
        self._settle_seconds = seconds

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """What has arrived, at most as much as there is room for; waits for the first byte. SourceTimedOut, OSError."""
        if self._settle_seconds is not None:
            self._sock.settimeout(self._settle_seconds)
            return self._stream.readinto(buffer)
        self._sock.settimeout(self._patience.idle_seconds())
        started = self._patience.monotonic()
        try:
            size = self._stream.readinto(buffer)
        except TimeoutError as exc:
            raise self._patience.silent() from exc
        self._patience.received(size, self._patience.monotonic() - started)
        self._ended = size == 0
        if size:
            self._last = bytes(memoryview(buffer)[size - 1 : size])
        return size

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
        self._patience = patience
        self._stream = PatientStream(sock, self.fp.detach(), patience)
        self.fp = io.BufferedReader(self._stream)

    def read1(self, n: int = -1) -> bytes:
        """What has arrived of the body; nothing at its end. IncompleteRead if it is cut, SourceTruncated if it goes on.

        A cut may fall into the length of a chunk: of `0400` it leaves a `0`, which http.client takes for the end.
        """
        data = super().read1(n)
        if self.chunked and not data and n and self._stream.ended_in_a_line:
            raise IncompleteRead(b"")
        if self.length == 0 and data and self._goes_on():
            raise SourceTruncated("Twilio sent more bytes than it announced")
        return data

    def _goes_on(self) -> bool:
        """Whether anything comes after the announced length. Neither silence does, nor any end of the connection."""
        self._stream.settle(self._patience.settle_seconds if self.will_close else GLANCE_SECONDS)
        try:
            return bool(self.fp.peek(1))
        except OSError:
            return False
