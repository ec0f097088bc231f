"""The accounts of the stand-in, and whose credentials a request carries."""

import base64
import binascii
import threading
from dataclasses import dataclass, replace
from enum import Enum


class Credentials(Enum):
    """Which credentials a request carried."""

    NONE = "none"
    AUTH_TOKEN = "auth_token"  # noqa: S105 - the kind of credential, not one
    API_KEY = "api_key"
    WRONG = "wrong"


@dataclass(frozen=True)
class Account:
    """An account: its auth token signs webhooks and opens media; an API key opens media only (twilio.md A2)."""

    account_sid: str
    auth_token: str
    api_key: str | None = None
    api_secret: str | None = None


class Accounts:
    """All accounts. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, Account] = {}

    def put(self, account: Account) -> None:
        """Adds the account, or takes it in place of the one of that SID."""
        with self._lock:
            self._accounts[account.account_sid] = account

    def get(self, account_sid: str) -> Account:
        """The account; raises KeyError when it is unknown."""
        with self._lock:
            return self._accounts[account_sid]

    def set_auth_token(self, account_sid: str, auth_token: str) -> None:
        """Changes the token at once, as promoting the secondary token does; raises KeyError for an unknown account."""
        with self._lock:
            self._accounts[account_sid] = replace(self._accounts[account_sid], auth_token=auth_token)

    def identify(self, authorization: str | None) -> tuple[Credentials, str | None]:
        """Says what an Authorization header (RFC 7617) is worth, and to which account it belongs."""
        if authorization is None:
            return Credentials.NONE, None
        pair = _basic_pair(authorization)
        with self._lock:
            for account in self._accounts.values():
                if pair == (account.account_sid, account.auth_token):
                    return Credentials.AUTH_TOKEN, account.account_sid
                if account.api_key is not None and pair == (account.api_key, account.api_secret):
                    return Credentials.API_KEY, account.account_sid
        return Credentials.WRONG, None


def _basic_pair(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return username, password
