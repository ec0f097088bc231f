"""Takes secrets and telephone numbers out of what is logged (reliability.md C24).

No line of ours has any. But an exception's text is its library's, and a traceback has the texts of all that led to it:
PostgreSQL quotes a whole row, HTTP clients quote URLs. So it is done once more, where lines are written.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

from recording_service.config import Settings, written

#: What stands in place of a secret.
REDACTED: Final = "[redacted]"
#: Shorter ones are not looked for by themselves: they would be found in innocent words.
_SHORTEST_SECRET: Final = 6

#: Patterns, and what is put in place of what they match.
_PATTERNS: Final = (
    # A number as E.164 writes it, its plus perhaps percent-encoded: its last two digits tell two of them apart.
    (re.compile(r"(\+|%2[Bb])[1-9]\d{4,12}(\d\d)(?!\d)"), r"\g<1>…\g<2>"),
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:basic|bearer)\s+)?[^\s'\",]+"), rf"\g<1>{REDACTED}"),
    (re.compile(r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/_.~-]{16,}=*"), rf"\g<1> {REDACTED}"),
    # User name and password in a URL.
    (re.compile(r"(?<=://)[^/\s'\"@]*@"), f"{REDACTED}@"),
    (re.compile(r"(?i)([?&](?:[a-z_-]*(?:token|secret|signature|key|password)|sig)=)[^&\s'\"#]+"), rf"\g<1>{REDACTED}"),
    # A Twilio API key.
    (re.compile(r"\bSK[0-9a-fA-F]{32}\b"), f"SK{REDACTED}"),
    # PostgreSQL quotes the row that it refuses, in one line: what may have line breaks is JSON there.
    (re.compile(r"(Failing row contains \().*"), rf"\g<1>{REDACTED})."),
)


class Redaction:
    """Replaces these secrets, in whatever form a URL or a program writes them, and all that looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
        # The longest first: one may begin with another.
        known = sorted(map(re.escape, forms), key=len, reverse=True)
        self._known = re.compile("|".join(known)) if known else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def secrets_of(settings: Settings) -> frozenset[str]:
    """Everything in the configuration that nobody else may read. Raises ConfigurationError."""
    secrets = set()
    for account in settings.accounts().values():
        for secret in (*account.auth_tokens, account.api_key, account.api_secret):
            secrets.add(secret.get_secret_value() if secret is not None else "")
    secrets.add(settings.grpc_token.get_secret_value())
    secrets.add(settings.transcription_api_key.get_secret_value())
    secrets.update(written(key).partition(":")[2] for key in settings.signing_keys())
    secrets.update(part.strip().removeprefix("whsec_") for part in settings.events_secret.get_secret_value().split(","))
    # A receiver may let in whoever knows its URL.
    secrets.add(urlsplit(settings.events_url).query)
    for url in (settings.redis_url, settings.database_url):
        # Percent-encoded, as a URL has it.
        secrets.add(unquote(_password_in(url.get_secret_value())))
    return frozenset(secrets - {""})


def _password_in(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        # No URL at all, which is for others to say; whatever it is, it is not to be read.
        return url


def _forms(secret: str) -> Iterable[str]:
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
