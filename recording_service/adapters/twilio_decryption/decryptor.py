"""RSAES-OAEP and AES-256-GCM, as Twilio uses them (twilio.md A4), with OpenSSL by the `cryptography` package."""

from collections.abc import Iterable, Iterator, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import AEADDecryptionContext, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256

from recording_service.core.errors import (
    EncryptionDetailsInvalid,
    EncryptionKeyUnknown,
    EncryptionKeyWrong,
    EncryptionTagMismatch,
)
from recording_service.core.model import EncryptionDetails

#: Bytes of a key of AES-256.
KEY_BYTES = 32

#: What a buffer has room for beside the piece that is decrypted into it, as the library asks for.
BUFFER_EXCESS_BYTES = 15

_PADDING = OAEP(mgf=MGF1(algorithm=SHA256()), algorithm=SHA256(), label=None)


class AesGcmKey:
    """Implements `ports.MediaKey`. Shows nothing of itself."""

    def __init__(self, key: bytes, initialization_vector: bytes) -> None:
        self._algorithm = AES256(key)
        self._initialization_vector = initialization_vector

    def verify(self, body: Iterable[bytes], tag: bytes) -> None:
        """Reads an encrypted body to its end. Raises EncryptionTagMismatch unless the tag is that of it."""
        context = self._context()
        plain = bytearray()
        for piece in body:
            if len(plain) < len(piece) + BUFFER_EXCESS_BYTES:
                plain = bytearray(len(piece) + BUFFER_EXCESS_BYTES)
            # One buffer for all of it: what is decrypted here is for nobody.
            context.update_into(piece, plain)
        _finish(context, tag)

    def decrypt(self, body: Iterable[bytes], tag: bytes) -> Iterator[bytes]:
        """The body decrypted, piece by piece; after the last one EncryptionTagMismatch unless the tag is that of it."""
        context = self._context()
        for piece in body:
            yield context.update(piece)
        _finish(context, tag)

    def _context(self) -> AEADDecryptionContext:
        return Cipher(self._algorithm, GCM(self._initialization_vector)).decryptor()


class TwilioDecryptor:
    """Implements `ports.Decryptor`. For any number of threads, and across a fork."""

    def __init__(self, keys: Mapping[str, Mapping[str, RSAPrivateKey]]) -> None:
        """`keys` are those of each AccountSid, by the SIDs of their public keys."""
        self._keys = keys

    def open_key(self, account_sid: str, details: EncryptionDetails) -> AesGcmKey:
        """Unwraps the key of a recording of that account.

        Raises EncryptionKeyUnknown, EncryptionKeyWrong, EncryptionDetailsInvalid.
        """
        private_key = self._keys.get(account_sid, {}).get(details.public_key_sid)
        if private_key is None:
            raise EncryptionKeyUnknown(details.public_key_sid)
        try:
            key = private_key.decrypt(details.wrapped_key, _PADDING)
        except ValueError:
            raise EncryptionKeyWrong(details.public_key_sid) from None
        if len(key) != KEY_BYTES:
            raise EncryptionDetailsInvalid(f"the recording's own key has {len(key)} bytes; AES-256 has {KEY_BYTES}")
        return AesGcmKey(key, details.initialization_vector)


def _finish(context: AEADDecryptionContext, tag: bytes) -> None:
    try:
        context.finalize_with_tag(tag)
    except InvalidTag:
        raise EncryptionTagMismatch(
            "Twilio's answer is not what it encrypted: the authentication tag is wrong"
        ) from None
