"""Checks X-Twilio-Signature (twilio.md A2, reliability.md C1-C6).

Twilio's own package computes the signature. Its `validate` is not asked which URL it is over, nor whether it is the one
that came: it drops a bare `?` and other bytes of the URL, mistakes an IPv6 address for a host and a port, compares by
hand, and raises on what it did not expect.
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Final

from twilio.request_validator import RequestValidator

from recording_service.http_api.webhooks.forms import Form

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_PUBLIC_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[^/?#:@\[\]]+)(?::(?P<port>[0-9]+))?(?P<rest>(?:[/?#].*)?)",
    re.IGNORECASE,
)


class Verdict(Enum):
    """What became of the check."""

    GENUINE = auto()
    """Signed with a token of its AccountSid; or nothing is configured and unsigned webhooks are allowed."""
    FORGED = auto()
    """Not signed, signed with something else, or from an account without a token."""
    UNCONFIGURED = auto()
    """There is nothing to check against, so nothing is believed."""


class SignatureCheck:
    """Decides whether a webhook comes from Twilio.

    The check is on as soon as one auth token is configured. With none, every webhook is refused unless unsigned ones
    are allowed explicitly: failing open is CVE-2026-26319.

    Parameters:
        public_url: what Twilio calls us by. Neither Host nor X-Forwarded-* is ever looked at (CVE-2026-28465).
        auth_tokens: by AccountSid. Empty tokens never count: anybody can sign with one.
        allow_unsigned: accept everything while no token is configured.
    """

    def __init__(self, public_url: str, auth_tokens: Mapping[str, tuple[str, ...]], *, allow_unsigned: bool) -> None:
        self._origins = spellings(public_url.rstrip("/"))
        self._tokens = {
            account_sid: tuple(token for token in tokens if token.strip())
            for account_sid, tokens in auth_tokens.items()
        }
        self._configured = any(self._tokens.values())
        self._allow_unsigned = allow_unsigned

    @property
    def accepts_unsigned(self) -> bool:
        """Whether everything is believed."""
        return self._allow_unsigned and not self._configured

    def verify(self, raw_path: bytes, raw_query: bytes, form: Form, signatures: list[str]) -> Verdict:
        """Check one webhook.

        Parameters:
            raw_path: the path as it came, still percent-encoded.
            raw_query: the query as it came; re-encoding it would break the signature.
            form: every parameter of the body.
            signatures: the values of X-Twilio-Signature; there has to be exactly one.
        """
        if not self._configured:
            return Verdict.GENUINE if self._allow_unsigned else Verdict.UNCONFIGURED
        if len(signatures) != 1:
            return Verdict.FORGED
        try:
            # A bare `?` is signed, but the server doesn't tell it from none.
            queries = (f"?{raw_query.decode('ascii')}",) if raw_query else ("", "?")
            targets = [raw_path.decode("ascii") + query for query in queries]
        except UnicodeDecodeError:
            # No address that anyone signed.
            return Verdict.FORGED
        urls = [origin + target for target in targets for origin in self._origins]
        tokens = self._tokens_for(form)
        # All of them, whichever it is: how long it takes says nothing.
        found = [is_signature(signatures[0], token, url, form) for token in tokens for url in urls]
        return Verdict.GENUINE if any(found) else Verdict.FORGED

    def _tokens_for(self, form: Form) -> tuple[str, ...]:
        account_sids = set(form.getall("AccountSid"))
        return self._tokens.get(account_sids.pop(), ()) if len(account_sids) == 1 else ()


def spellings(url: str) -> tuple[str, ...]:
    """A URL without and with its port: for voice Twilio leaves it out of https, and keeps it in http.

    What is no URL with a host has no other spelling.
    """
    found = _PUBLIC_URL.fullmatch(url)
    if found is None:
        return (url,)
    before, after = f"{found['scheme']}://{found['host']}", found["rest"]
    port = found["port"] or _DEFAULT_PORTS[found["scheme"].lower()]
    return (before + after, f"{before}:{port}{after}")


def signed_parameters(form: Form) -> str:
    """What of a form is signed: names in the order of their bytes, each with its values, sorted and each once."""
    return "".join(_signed(form))


def _signed(form: Form) -> Iterator[str]:
    for name in sorted(set(form)):
        for value in sorted(set(form.getall(name))):
            yield name + value


def is_signature(signature: str, token: str, url: str, form: Form | None = None) -> bool:
    """Whether this is the signature of that URL and form, compared in constant time.

    Where the form is one of several readings, its `signed_parameters` may be at the end of the URL instead.
    """
    expected: str = RequestValidator(token).compute_signature(url, form)
    return hmac.compare_digest(expected.encode(), signature.encode())
