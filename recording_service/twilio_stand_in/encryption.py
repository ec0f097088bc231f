"""Voice Recording Encryption: a recording encrypted for an account's public key, as Twilio does it (twilio.md A4)."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

#: Bytes of an initialization vector, as in Twilio's samples.
IV_BYTES = 12


@dataclass(frozen=True)
class Encryption:
    """How one recording is encrypted: by a key of its own, which only the owner of the private key can unwrap."""

    public_key_sid: str
    """`CR` and 32 hex digits."""
    encrypted_cek: str
    """The recording's own key, wrapped, in base64."""
    iv: str
    """The initialization vector, in base64."""
    cek: bytes = field(repr=False)
    """The recording's own key, which Twilio would have forgotten by now."""

    @classmethod
    def under(cls, public_key_sid: str, public_key: RSAPublicKey) -> Self:
        """A new key for one recording, wrapped for that public key."""
        cek = AESGCM.generate_key(256)
        wrapped = public_key.encrypt(cek, OAEP(mgf=MGF1(algorithm=SHA256()), algorithm=SHA256(), label=None))
        return cls(public_key_sid, _base64(wrapped), _base64(secrets.token_bytes(IV_BYTES)), cek)

    def sealed(self, audio: bytes) -> bytes:
        """The audio encrypted, with the authentication tag at its end."""
        return AESGCM(self.cek).encrypt(base64.b64decode(self.iv), audio, None)

    def in_webhook(self) -> str:
        """The parameter EncryptionDetails of a callback."""
        details = {"public_key_sid": self.public_key_sid, "encrypted_cek": self.encrypted_cek, "iv": self.iv}
        return json.dumps({"type": "rsa-aes", **details})

    def in_resource(self) -> Mapping[str, str]:
        """The property encryption_details of the resource, which has other names for the same values."""
        return {
            "type": "rsa-aes",
            "encryption_public_key_sid": self.public_key_sid,
            "encryption_cek": self.encrypted_cek,
            "encryption_iv": self.iv,
        }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
