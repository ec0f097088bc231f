"""How Twilio encrypts a recording (Voice Recording Encryption), and what it says of it (twilio.md A1, A4).

Each recording has a random key of its own (CEK). The body is encrypted by it with AES-256-GCM, and ends in the
authentication tag; the key is wrapped for the account's public key by RSAES-OAEP with SHA-256 and MGF1-SHA-256.
Twilio calls the same three values by two sets of names: in webhooks and samples, and in the REST resource's example
(https://www.twilio.com/docs/voice/tutorials/voice-recording-encryption).
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping

from recording_service.core.errors import EncryptionDetailsInvalid, FieldViolation
from recording_service.core.model import EncryptionDetails

#: Bytes of the authentication tag at the end of an encrypted body.
TAG_BYTES = 16

#: Bytes of a wrapped key: as many as the RSA key's modulus has, of 2048 to 8192 bits.
MIN_WRAPPED_BYTES, MAX_WRAPPED_BYTES = 256, 1024

#: Bytes of an initialization vector. Twilio's have 12, which is what GCM is made for (NIST SP 800-38D §5.2.1.1).
MIN_IV_BYTES, MAX_IV_BYTES = 12, 16

#: What the names of Twilio's public keys look like.
PUBLIC_KEY_SID = re.compile(r"CR[0-9a-fA-F]{32}")

#: What Twilio calls each value: in webhooks, then in the REST resource.
TWILIO_NAMES: Mapping[str, tuple[str, ...]] = {
    "public_key_sid": ("public_key_sid", "encryption_public_key_sid"),
    "encrypted_cek": ("encrypted_cek", "encryption_cek"),
    "iv": ("iv", "encryption_iv"),
}


def violations_of(details: EncryptionDetails, field: str) -> Iterator[FieldViolation]:
    """What is wrong with the values, as fields of `field`; no value is repeated."""
    if not PUBLIC_KEY_SID.fullmatch(details.public_key_sid):
        yield FieldViolation(f"{field}.public_key_sid", "is no public key's SID; give CR and 32 hex digits")
    for name, text, least, most in (
        ("encrypted_cek", details.encrypted_cek, MIN_WRAPPED_BYTES, MAX_WRAPPED_BYTES),
        ("iv", details.iv, MIN_IV_BYTES, MAX_IV_BYTES),
    ):
        size = _size(text)
        if size is None:
            yield FieldViolation(f"{field}.{name}", "is not base64; give it as Twilio does")
        elif not least <= size <= most:
            yield FieldViolation(f"{field}.{name}", f"stands for {size} bytes; must be {least} to {most}")


def details_of(twilio: Mapping[str, object]) -> EncryptionDetails:
    """The details in an object of Twilio's JSON, by whichever names; others in it (`type`) are not looked at.

    Raises EncryptionDetailsInvalid, which names what is wrong and repeats no value.
    """
    details = EncryptionDetails(**{field: _value(twilio, names) for field, names in TWILIO_NAMES.items()})
    found = list(violations_of(details, "encryption_details"))
    if found:
        raise EncryptionDetailsInvalid("; ".join(f"{violation.field} {violation.description}" for violation in found))
    return details


def to_text(details: EncryptionDetails | None) -> str:
    """The details as a row has them: JSON, empty for None."""
    return "" if details is None else json.dumps(details._asdict(), sort_keys=True, separators=(",", ":"))


def from_text(text: str) -> EncryptionDetails | None:
    """The details that a row has so."""
    return EncryptionDetails(**json.loads(text)) if text else None


def _value(twilio: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The value that Twilio gives by one of these names, or by both alike; empty if there is none."""
    values = {value for name in names if isinstance(value := twilio.get(name), str) and value}
    if len(values) > 1:
        raise EncryptionDetailsInvalid(f"encryption_details contradicts itself: {' and '.join(names)} differ")
    return values.pop() if values else ""


def _size(text: str) -> int | None:
    """How many bytes a text in base64 stands for; None if it is none."""
    try:
        return len(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        return None
