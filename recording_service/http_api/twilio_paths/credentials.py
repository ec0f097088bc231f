"""Who may read an account's recordings under Twilio's own paths: whoever may at Twilio (HTTP Basic, RFC 7617)."""

import hashlib
import hmac
import secrets
from base64 import b64decode
from collections.abc import Mapping, Sequence

#: What an account without credentials is compared with, so that it takes as long as one that has some.
_NOBODY = (secrets.token_bytes(hashlib.sha256().digest_size),)


class TwilioCredentials:
    """The configured credentials of each account.

    Only digests are kept, and compared in constant time: neither where a password differs nor how long it is shows in
    the time that it takes.

    Parameters:
        by_account: user name and password pairs by AccountSid: the account's own SID with its auth tokens, and its API
            keys with their secrets. Empty passwords never count.
    """

    def __init__(self, by_account: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self._digests = {
            account_sid: tuple(
                _digest(f"{username}:{password}".encode()) for username, password in pairs if password.strip()
            )
            for account_sid, pairs in by_account.items()
        }

    def admits(self, account_sid: str, authorization: Sequence[str]) -> bool:
        """Whether a request may read the account's recordings.

        Parameters:
            authorization: the values of its Authorization fields; there has to be exactly one.
        """
        given = _digest(_user_and_password(authorization[0]) if len(authorization) == 1 else b"")
        # Each is compared, also after a match: which of several tokens it is shows in no time either.
        matches = [hmac.compare_digest(given, known) for known in self._digests.get(account_sid) or _NOBODY]
        return any(matches)


def _user_and_password(authorization: str) -> bytes:
    """What is between the scheme and the end, decoded; empty, which nobody's are, if it is no Basic authorization."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return b64decode(encoded.strip(" "), validate=True)
    except ValueError:
        return b""


def _digest(user_and_password: bytes) -> bytes:
    return hashlib.sha256(user_and_password).digest()
