"""Keys that sign playback URLs: `name:secret`, comma-separated, the one that signs first, retired ones after it."""

import base64
import binascii

from recording_service.config.errors import ConfigurationError
from recording_service.signed_urls import SigningKey


def playback_keys_of(variable: str, text: str) -> tuple[SigningKey, ...]:
    """The keys that a variable names; none if it is empty. Raises ConfigurationError, without any secret in it."""
    keys = tuple(_key(variable, part.strip()) for part in text.split(",") if part.strip())
    if len({key.key_id for key in keys}) < len(keys):
        raise ConfigurationError([f"{variable}: has two keys of one name; URLs name the key that has signed them"])
    return keys


def written(key: SigningKey) -> str:
    """A key as the variable has it."""
    return f"{key.key_id}:{base64.urlsafe_b64encode(key.secret).rstrip(b'=').decode()}"


def _key(variable: str, text: str) -> SigningKey:
    key_id, separator, encoded = text.partition(":")
    if not separator:
        problem = f"{variable}: is not of the form name:secret; `recording-service playback-key` makes one"
        raise ConfigurationError([problem])
    try:
        secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError([f"{variable}: a secret is not in base64url"]) from None
    try:
        return SigningKey(key_id, secret)
    except ValueError as error:
        raise ConfigurationError([f"{variable}: {error}"]) from None
