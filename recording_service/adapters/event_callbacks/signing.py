"""The signature of a callback: HMAC-SHA256 of `id.timestamp.body`, one with each secret (Standard Webhooks 1.0.0)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

#: The version of the scheme that each signature begins with.
VERSION = "v1"


def signatures(secrets: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: while secrets rotate, a receiver finds the one that it knows among them.

    Neither id nor timestamp may have a full stop, which parts them.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.new(secret, signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"{VERSION},{base64.b64encode(digest).decode()}" for digest in digests)
