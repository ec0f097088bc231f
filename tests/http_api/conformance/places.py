"""What the suite runs over: every endpoint that serves bytes, and recordings of these sizes behind each."""

import base64
import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from recording_service.core.model import RecordingState
from tests.support.recordings import ACCOUNT_SID

TOKEN = "token-of-the-account"
SIZES = (0, 1, 2, 1000, 5 * 1024 * 1024)
#: Answers larger than this are read to their end once for each part of a recording, and then only begun.
LARGE_BYTES = 1024 * 1024
#: When each became READY, not on a whole second, and the same as HTTP says it.
READY_TIME = datetime(2026, 3, 3, 10, 0, 0, 987_654, tzinfo=UTC)
LAST_MODIFIED = "Tue, 03 Mar 2026 10:00:00 GMT"

FAILED_SID = f"RE{'fa' * 16}"
QUEUED_SID = f"RE{'0e' * 16}"

STATES = {FAILED_SID: RecordingState.FAILED, QUEUED_SID: RecordingState.QUEUED}


@dataclass(frozen=True)
class Endpoint:
    """A path that serves bytes, and what it takes."""

    name: str
    path: str
    disposition: str = "inline"
    fields: tuple[str, ...] = ()
    is_shared: bool = True
    """Whether scripts of other origins may be allowed to read it."""

    def target(self, recording_sid: str) -> str:
        """The path of one recording."""
        return self.path.format(sid=recording_sid)


_TWILIO = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{{sid}}"
_BASIC = "Authorization: Basic " + base64.b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode()

ENDPOINTS = (
    Endpoint("stream", "/recordings/{sid}/stream"),
    Endpoint("stream.mp3", "/recordings/{sid}/stream.mp3"),
    Endpoint("download", "/recordings/{sid}/download", "attachment"),
    Endpoint("download.mp3", "/recordings/{sid}/download.mp3", "attachment"),
    Endpoint("twilio", _TWILIO, fields=(_BASIC,), is_shared=False),
    Endpoint("twilio.mp3", f"{_TWILIO}.mp3", fields=(_BASIC,), is_shared=False),
)


@dataclass(frozen=True)
class Place:
    """One endpoint with one recording."""

    endpoint: Endpoint
    size: int

    def __str__(self) -> str:
        return f"{self.endpoint.name}-{self.size}"

    @property
    def content(self) -> bytes:
        """The recording's bytes."""
        return content_of(self.size)

    @property
    def recording_sid(self) -> str:
        """The recording."""
        return sid_of(self.size)

    @property
    def target(self) -> str:
        """Its path."""
        return self.endpoint.target(self.recording_sid)

    @property
    def etag(self) -> str:
        """Its entity tag, with the quotes."""
        return f'"{_sha256_of(self.size)}"'


PLACES = tuple(Place(endpoint, size) for endpoint in ENDPOINTS for size in SIZES)


@cache
def content_of(size: int) -> bytes:
    """The bytes of the recording of that size."""
    return random.Random(size).randbytes(size)


@cache
def _sha256_of(size: int) -> str:
    return hashlib.sha256(content_of(size)).hexdigest()


def sid_of(size: int) -> str:
    """The recording of that size."""
    return f"RE{size:032x}"
