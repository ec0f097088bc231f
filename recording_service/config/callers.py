"""Who may call the service, as a file says it: a TOML table a caller (docs/operations.md has an example)."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from recording_service.config.accounts import ACCOUNT_SID
from recording_service.config.errors import ConfigurationError, explaining

#: What a caller may take at once where its table doesn't say: half of what the server has of streams, and far more
#: requests than a back end makes that watches instead of asking again.
DEFAULT_STREAMS = 128
DEFAULT_REQUESTS_PER_SECOND = 500.0

#: What the HTTP adapter is called as a caller. Quotas go by names.
ADAPTER_NAME = "http-adapter"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")


class CallerEntry(BaseModel):
    """One caller: what proves it, what it may do, whose recordings exist for it, and how much it may take."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str
    #: SHA-256 of its tokens, in lower-case hex.
    token_hashes: tuple[str, ...] = ()
    #: Names in its client certificate: a subject alternative name, or the common name.
    certificate_names: tuple[str, ...] = ()
    scopes: Annotated[frozenset[Literal["enqueue", "read", "manage"]], Field(min_length=1)]
    #: None: every account (`"*"` in the file).
    account_sids: Annotated[frozenset[str] | None, Field(alias="accounts")]
    streams: Annotated[int, Field(gt=0)] = DEFAULT_STREAMS
    requests_per_second: Annotated[float, Field(gt=0)] = DEFAULT_REQUESTS_PER_SECOND

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("is no name of a caller: letters, digits, dots, - and _")
        if value == ADAPTER_NAME:
            raise ValueError("is the HTTP adapter's own name; call it otherwise")
        return value

    @field_validator("token_hashes")
    @classmethod
    def _are_hashes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        found = [_SHA256.fullmatch(text) for text in value]
        if not all(found):
            raise ValueError("has what is no SHA-256 in hex; `recording-service token` makes a token and its hash")
        return tuple(match[1].lower() for match in found if match)

    @field_validator("account_sids", mode="before")
    @classmethod
    def _every_account(cls, value: object) -> object:
        if value == "*":
            return None
        if not isinstance(value, list) or not value:
            raise ValueError('is neither a list of AccountSids nor "*"')
        if not all(isinstance(one, str) and ACCOUNT_SID.fullmatch(one) for one in value):
            raise ValueError("has what is no AccountSid (AC and 32 hex digits)")
        return value

    @model_validator(mode="after")
    def _can_prove_itself(self) -> "CallerEntry":
        if not self.token_hashes and not self.certificate_names:
            raise ValueError("has neither token_hashes nor certificate_names: nobody could be this caller")
        return self


def callers_of_file(path: Path) -> tuple[CallerEntry, ...]:
    """The callers of a TOML file, a table a caller. Raises ConfigurationError, which names the caller."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([f"RECORDING_CALLERS_FILE: can't be read: {error.strerror}"]) from error
    except ValueError:
        raise ConfigurationError(["RECORDING_CALLERS_FILE: is no TOML; write a table a caller: [billing]"]) from None
    if not tables:
        raise ConfigurationError(["RECORDING_CALLERS_FILE: has no caller; write a table a caller: [billing]"])
    callers = tuple(_caller_of_table(name, table) for name, table in tables.items())
    _refuse_shared(callers)
    return callers


def _caller_of_table(name: str, table: object) -> CallerEntry:
    prefix = f"RECORDING_CALLERS_FILE: [{name}] "
    if not isinstance(table, dict):
        raise ConfigurationError([f"{prefix}is no table"])
    if "name" in table or "account_sids" in table:
        raise ConfigurationError([f"{prefix}has a field that is not known; its accounts are called `accounts`"])
    with explaining(prefix):
        return CallerEntry.model_validate({**table, "name": name})


def _refuse_shared(callers: tuple[CallerEntry, ...]) -> None:
    """Refuses credentials that would prove two callers at once."""
    owners: dict[str, str] = {}
    for caller in callers:
        for proof in (*caller.token_hashes, *caller.certificate_names):
            other = owners.setdefault(proof, caller.name)
            if other != caller.name:
                problem = f"RECORDING_CALLERS_FILE: [{caller.name}] and [{other}] share a token or a certificate name"
                raise ConfigurationError([problem])
