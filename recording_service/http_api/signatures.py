"""Checks X-Twilio-Signature with Twilio's own validator, fenced in (twilio.md A2, reliability.md C1-C5)."""

import logging
from collections.abc import Mapping
from enum import Enum, auto

from twilio.request_validator import RequestValidator

from recording_service.http_api.forms import Form

logger = logging.getLogger(__name__)


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
        auth_tokens: by AccountSid. Empty tokens never count: the validator accepts what is signed with one.
        allow_unsigned: accept everything while no token is configured.
    """

    def __init__(self, public_url: str, auth_tokens: Mapping[str, tuple[str, ...]], *, allow_unsigned: bool) -> None:
        self._public_url = public_url.rstrip("/")
        self._validators = {
            account_sid: tuple(RequestValidator(token) for token in tokens if token.strip())
            for account_sid, tokens in auth_tokens.items()
        }
        self._configured = any(self._validators.values())
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
        if len(signatures) != 1 or not signatures[0]:
            return Verdict.FORGED
        query = b"?" + raw_query if raw_query else b""
        try:
            url = self._public_url + (raw_path + query).decode("ascii")
            genuine = any(validator.validate(url, form, signatures[0]) for validator in self._validators_for(form))
        except Exception as error:
            # The validator raises on input it did not expect; what can't be checked is not genuine.
            logger.warning("signature check raised %s", type(error).__name__)
            return Verdict.FORGED
        return Verdict.GENUINE if genuine else Verdict.FORGED

    def _validators_for(self, form: Form) -> tuple[RequestValidator, ...]:
        account_sids = set(form.getall("AccountSid"))
        return self._validators.get(account_sids.pop(), ()) if len(account_sids) == 1 else ()
