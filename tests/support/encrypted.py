"""Recordings as Twilio encrypts them, for keys of the tests' own."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from recording_service.core.model import EncryptionDetails
from recording_service.twilio_stand_in.encryption import Encryption

PUBLIC_KEY_SID = "CR" + "5f" * 16
OTHER_PUBLIC_KEY_SID = "CR" + "6A" * 16


@cache
def private_key(number: int = 1, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One of any number of keys; making one takes a while, so the tests of a process share them."""
    return rsa.generate_private_key(65537, bits)


def an_encryption(public_key_sid: str = PUBLIC_KEY_SID, key: rsa.RSAPrivateKey | None = None) -> Encryption:
    """How one more recording is encrypted, for the first key unless another one is given."""
    return Encryption.under(public_key_sid, (key or private_key()).public_key())


def details(encryption: Encryption) -> EncryptionDetails:
    """The same as the core knows it."""
    return EncryptionDetails(encryption.public_key_sid, encryption.encrypted_cek, encryption.iv)


def pem(key: rsa.RSAPrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    """A key as a file has it."""
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def write_keys(folder: Path, keys: Mapping[str, rsa.RSAPrivateKey]) -> Path:
    """A folder of keys, as it is configured."""
    folder.mkdir(exist_ok=True)
    for public_key_sid, key in keys.items():
        (folder / f"{public_key_sid}.pem").write_bytes(pem(key))
    return folder
