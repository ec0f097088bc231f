"""Playback URLs that prove themselves: the gRPC server makes them, the HTTP adapter checks them, nobody stores them.

The one thing that those two have in common, and so a module of its own that knows neither. What is signed is the
account, the recording, the moment of expiry and the disposition; not the version of the bytes: a URL works in every
state of its recording, and a recording that is fetched again plays on (reliability.md C15, less the etag and the
audience: whoever shares keys between two services means both).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from urllib.parse import urlencode

#: The longest that a URL may work, in seconds. One that claims more was not made by a clock that goes right.
MAX_LIFETIME_SECONDS: Final = 7 * 24 * 3600
#: How far the clock of the one who checks may be behind that of the one who has signed, in seconds.
CLOCK_SKEW_SECONDS: Final = 300
#: Fewer bytes than this are no key.
MIN_SECRET_BYTES: Final = 32

_VERSION: Final = "v1"
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_RECORDING_SID: Final = re.compile(r"RE[0-9a-fA-F]{32}")
_SHAPES: Final = {
    "account_sid": re.compile(r"AC[0-9a-fA-F]{32}"),
    "disposition": re.compile(r"inline|attachment"),
    "expires": re.compile(r"[1-9][0-9]{0,11}"),
    "key_id": _KEY_ID,
    "signature": re.compile(r"[A-Za-z0-9_-]{43}"),
}
#: The path that serves each disposition.
_PATHS: Final = {"inline": "stream", "attachment": "download"}


class Refusal(Enum):
    """Why a URL is not believed."""

    EXPIRED = "expired"
    """It was good once."""
    INVALID = "invalid"
    """It was not signed here for this recording, or its key is known no more."""


class SignatureRefused(Exception):
    """Raised when a signed URL is not to be believed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"the signed URL is {refusal.value}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key and its name. Raises ValueError for a name that has no place in a URL, or too short a secret."""

    key_id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if _KEY_ID.fullmatch(self.key_id) is None:
            raise ValueError("a key's name has 1 to 32 letters, digits, - and _")
        if len(self.secret) < MIN_SECRET_BYTES:
            raise ValueError(f"a key has at least {MIN_SECRET_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL that plays or saves, one that says how far the recording is, and the name of the key behind both."""

    url: str
    status_url: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a genuine URL allows: this account's recording, in this way, until then (seconds since the epoch)."""

    account_sid: str
    disposition: str
    expires: int


class UrlSigner:
    """Makes signed URLs with the first of its keys.

    Parameters:
        public_url: what browsers call the adapter by, without a slash at its end.
    """

    def __init__(self, keys: Sequence[SigningKey], public_url: str) -> None:
        """ValueError without a key."""
        if not keys:
            raise ValueError("no key to sign playback URLs with")
        self._key = keys[0]
        self._public_url = public_url.rstrip("/")

    def sign(self, account_sid: str, recording_sid: str, expires: int, disposition: str) -> SignedUrl:
        """A URL that works until `expires` (seconds since the epoch). `disposition` is `inline` or `attachment`."""
        query = urlencode(
            {
                "account_sid": account_sid,
                "disposition": disposition,
                "expires": expires,
                "key_id": self._key.key_id,
                "signature": _signature(self._key, account_sid, recording_sid, str(expires), disposition),
            }
        )
        recording_url = f"{self._public_url}/recordings/{recording_sid}"
        return SignedUrl(
            f"{recording_url}/{_PATHS[disposition]}?{query}", f"{recording_url}/status?{query}", self._key.key_id
        )


class UrlVerifier:
    """Checks signed URLs against every key, the retired ones too: they go when they are taken out of the list."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = {key.key_id: key for key in keys}

    def verify(self, recording_sid: str, query: Sequence[tuple[str, str]], now: float) -> Grant:
        """What the URL of that recording allows at that time (seconds since the epoch). Raises SignatureRefused.

        Parameters:
            query: the parameters as they came. Each one of ours has to be there once; others are nobody's business.
        """
        if _RECORDING_SID.fullmatch(recording_sid) is None:
            raise SignatureRefused(Refusal.INVALID)
        given: dict[str, str] = {}
        for name, value in query:
            if name in _SHAPES:
                if name in given or _SHAPES[name].fullmatch(value) is None:
                    raise SignatureRefused(Refusal.INVALID)
                given[name] = value
        # No fallback to another key for a name that isn't known (reliability.md C15).
        key = self._keys.get(given.get("key_id", ""))
        if key is None or len(given) != len(_SHAPES):
            raise SignatureRefused(Refusal.INVALID)
        expected = _signature(key, given["account_sid"], recording_sid, given["expires"], given["disposition"])
        if not hmac.compare_digest(expected, given["signature"]):
            raise SignatureRefused(Refusal.INVALID)
        left = int(given["expires"]) - now
        if left <= 0:
            raise SignatureRefused(Refusal.EXPIRED)
        if left > MAX_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS:
            # A clock has jumped back, here or there: what should have expired would be good for ever.
            raise SignatureRefused(Refusal.INVALID)
        return Grant(given["account_sid"], given["disposition"], int(given["expires"]))


def _signature(key: SigningKey, account_sid: str, recording_sid: str, expires: str, disposition: str) -> str:
    # No part has a bar in it, so no two different URLs have the same text. HEAD is allowed where GET is.
    text = "|".join((_VERSION, "GET", account_sid, recording_sid, expires, disposition))
    digest = hmac.new(key.secret, text.encode("ascii"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
