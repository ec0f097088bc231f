"""Secrets that sign callbacks, as Standard Webhooks writes them: `whsec_` and base64 of 24 to 64 bytes."""

import base64
import binascii

from recording_service.config.errors import ConfigurationError

#: What each of them begins with.
PREFIX = "whsec_"
#: How long a secret may be, in bytes (Standard Webhooks 1.0.0, signature scheme).
SHORTEST_BYTES, LONGEST_BYTES = 24, 64


def event_secrets_of(variable: str, text: str) -> tuple[bytes, ...]:
    """The secrets that a variable names, comma-separated; none if it is empty.

    Raises ConfigurationError, without any secret in it.
    """
    return tuple(_secret(variable, part.strip()) for part in text.split(",") if part.strip())


def _secret(variable: str, text: str) -> bytes:
    if not text.startswith(PREFIX):
        raise ConfigurationError([f"{variable}: a secret does not begin with {PREFIX}"])
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError([f"{variable}: a secret is not in base64"]) from None
    if not SHORTEST_BYTES <= len(secret) <= LONGEST_BYTES:
        problem = f"a secret has {len(secret)} bytes; it must have {SHORTEST_BYTES} to {LONGEST_BYTES}"
        raise ConfigurationError([f"{variable}: {problem}"])
    return secret
