"""Twilio accounts, as they are configured: one by variables, or several by a file."""

import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from recording_service.config.addresses import is_loopback
from recording_service.config.errors import ConfigurationError, explaining

TWILIO_API_URL = "https://api.twilio.com"

#: The form of an AccountSid (twilio.md A1).
ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")

#: A scheme, a host and a port, as what fetches recordings takes them, and not whatever else a URL's parser forgives.
_API_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?")


class Account(BaseModel):
    """One Twilio account: what signs its webhooks, and what fetches its recordings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: `AC` and 32 hex digits.
    account_sid: str
    #: Tokens that may sign its webhooks: the primary one first, a second one while rotating.
    auth_tokens: tuple[SecretStr, ...] = ()
    #: API key (`SK…`) and secret: preferred to the auth token for fetching.
    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None
    #: Where its media is fetched; this host alone is sent the credentials.
    api_url: str = TWILIO_API_URL
    #: What is fetched: `mp3`, or the four times larger `wav`. Of an account, not of a request: whoever asks for a
    #: recording that is stored is given it as it is.
    media_format: Literal["mp3", "wav"] = "mp3"
    #: Both parties apart, a channel each, where Twilio has them so; mono where it doesn't.
    dual_channel: bool = False
    #: A folder of the private keys that open what Twilio encrypts for its public keys: `<public_key_sid>.pem` each.
    encryption_keys_folder: Path | None = None

    @field_validator("account_sid")
    @classmethod
    def _sid(cls, value: str) -> str:
        if not ACCOUNT_SID.fullmatch(value):
            raise ValueError("is no AccountSid (AC and 32 hex digits)")
        return value

    @field_validator("auth_tokens")
    @classmethod
    def _no_empty_token(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        return tuple(token for token in value if token.get_secret_value())

    @field_validator("encryption_keys_folder")
    @classmethod
    def _is_named(cls, value: Path | None) -> Path | None:
        if value == Path():
            # An empty text, which would be whatever folder the service is started in.
            raise ValueError("names no folder; leave it out where nothing is encrypted")
        return value

    @field_validator("api_url")
    @classmethod
    def _secure(cls, value: str) -> str:
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc or not _has_sound_port(url):
            raise ValueError("is no URL of a server, such as https://api.twilio.com")
        if not _API_URL.fullmatch(value):
            raise ValueError(
                "has more than a scheme, a host (of letters, digits, hyphens and dots) and a port; write it as "
                "https://api.twilio.com"
            )
        if url.scheme == "http" and not is_loopback(url.hostname):
            raise ValueError("must be https: credentials are sent there (plain http is for loopback only)")
        return value.rstrip("/")

    def credentials(self) -> tuple[str, str] | None:
        """User name and password for fetching: the API key if there is one, else the account and its token."""
        if self.api_key and self.api_secret:
            return self.api_key.get_secret_value(), self.api_secret.get_secret_value()
        if self.auth_tokens:
            return self.account_sid, self.auth_tokens[0].get_secret_value()
        return None


def _has_sound_port(url: SplitResult) -> bool:
    try:
        return url.port != 0
    except ValueError:
        return False


def account_of_variables(
    *,
    account_sid: str,
    auth_tokens: Sequence[str],
    api_key: str,
    api_secret: str,
    api_url: str,
    media_format: str,
    dual_channel: bool,
    encryption_keys_folder: str,
) -> Account:
    """The one account that variables describe. Raises ConfigurationError, which names them."""
    table = {"api_key": api_key or None, "api_secret": api_secret or None}
    _require_both(table, "TWILIO_", str.upper)
    with explaining("TWILIO_"):
        return Account.model_validate(
            {
                "account_sid": account_sid,
                "auth_tokens": tuple(auth_tokens),
                "api_url": api_url,
                "media_format": media_format,
                "dual_channel": dual_channel,
                "encryption_keys_folder": encryption_keys_folder or None,
                **table,
            }
        )


def accounts_of_file(path: Path) -> dict[str, Account]:
    """The accounts of a TOML file, a table an AccountSid. Raises ConfigurationError, which names the account."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([f"RECORDING_ACCOUNTS_FILE: can't be read: {error.strerror}"]) from error
    except ValueError:
        raise ConfigurationError(["RECORDING_ACCOUNTS_FILE: is no TOML; write a table an account: [AC…]"]) from None
    return {account_sid: _account_of_table(account_sid, table) for account_sid, table in tables.items()}


def _account_of_table(account_sid: str, table: Any) -> Account:
    prefix = f"RECORDING_ACCOUNTS_FILE: [{account_sid}] "
    if not isinstance(table, dict):
        raise ConfigurationError([f"{prefix}is no table"])
    if "account_sid" in table:
        raise ConfigurationError([f"{prefix}account_sid: is the name of the table already"])
    _require_both(table, prefix, str)
    with explaining(prefix):
        return Account.model_validate({**table, "account_sid": account_sid})


def _require_both(table: dict[str, Any], prefix: str, named: Callable[[str], str]) -> None:
    """Refuses half of an API key."""
    for missing, given in (("api_key", "api_secret"), ("api_secret", "api_key")):
        if table.get(given) and not table.get(missing):
            problem = f"{prefix}{named(missing)}: is missing; {named(given)} alone opens nothing"
            raise ConfigurationError([problem])
