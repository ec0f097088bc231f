"""Keys from their folder, and what they open: checked against the library's own one-shot AES-GCM."""

import base64
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from recording_service.adapters.twilio_decryption.decryptor import TwilioDecryptor
from recording_service.adapters.twilio_decryption.private_keys import (
    MAX_FILE_BYTES,
    PrivateKeysRefused,
    keys_of_folder,
)
from recording_service.core.errors import (
    EncryptionDetailsInvalid,
    EncryptionKeyUnknown,
    EncryptionKeyWrong,
    EncryptionTagMismatch,
)
from recording_service.core.model import EncryptionDetails
from tests.support.encrypted import OTHER_PUBLIC_KEY_SID, PUBLIC_KEY_SID, pem, private_key, write_keys

ACCOUNT = "AC" + "0a" * 16
OTHER_ACCOUNT = "AC" + "0b" * 16
CEK, IV = bytes(range(32)), bytes(range(12))


def wrapped(cek: bytes = CEK, hashing: HashAlgorithm | None = None, key: rsa.RSAPrivateKey | None = None) -> str:
    """A recording's own key, as Twilio wraps it, or in another way."""
    algorithm = hashing or SHA256()
    oaep = padding.OAEP(mgf=padding.MGF1(algorithm=algorithm), algorithm=algorithm, label=None)
    return base64.b64encode((key or private_key()).public_key().encrypt(cek, oaep)).decode()


def details(encrypted_cek: str | None = None, public_key_sid: str = PUBLIC_KEY_SID) -> EncryptionDetails:
    return EncryptionDetails(public_key_sid, encrypted_cek or wrapped(), base64.b64encode(IV).decode())


@pytest.fixture(scope="module")
def decryptor() -> TwilioDecryptor:
    return TwilioDecryptor({ACCOUNT: {PUBLIC_KEY_SID: private_key()}})


def cut(body: bytes, sizes: list[int]) -> list[bytes]:
    """The body in pieces of those sizes, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(body[:size])
        body = body[size:]
    return [*pieces, body]


# What a key opens


@given(plain=st.binary(max_size=500), sizes=st.lists(st.integers(0, 70)))
def test_what_was_encrypted_is_decrypted_however_it_is_cut(plain: bytes, sizes: list[int]) -> None:
    sealed = AESGCM(CEK).encrypt(IV, plain, None)
    pieces, tag = cut(sealed[:-16], sizes), sealed[-16:]
    key = TwilioDecryptor({ACCOUNT: {PUBLIC_KEY_SID: private_key()}}).open_key(ACCOUNT, details())
    key.verify(pieces, tag)
    assert b"".join(key.decrypt(pieces, tag)) == plain


@given(place=st.integers(0, 10**6), mask=st.integers(1, 255), plain=st.binary(max_size=300))
def test_a_single_bit_anywhere_is_noticed(place: int, mask: int, plain: bytes) -> None:
    sealed = bytearray(AESGCM(CEK).encrypt(IV, plain, None))
    sealed[place % len(sealed)] ^= mask
    key = TwilioDecryptor({ACCOUNT: {PUBLIC_KEY_SID: private_key()}}).open_key(ACCOUNT, details())
    body, tag = bytes(sealed[:-16]), bytes(sealed[-16:])
    with pytest.raises(EncryptionTagMismatch):
        key.verify([body], tag)
    with pytest.raises(EncryptionTagMismatch):
        list(key.decrypt([body], tag))


def test_a_vector_of_sixteen_bytes_is_taken_as_gcm_takes_it(decryptor: TwilioDecryptor) -> None:
    vector = bytes(16)
    sealed = AESGCM(CEK).encrypt(vector, b"RIFF", None)
    given_details = details()._replace(iv=base64.b64encode(vector).decode())
    key = decryptor.open_key(ACCOUNT, given_details)
    assert b"".join(key.decrypt([sealed[:-16]], sealed[-16:])) == b"RIFF"


def test_an_unknown_key_is_named(decryptor: TwilioDecryptor) -> None:
    for account_sid, public_key_sid in ((ACCOUNT, OTHER_PUBLIC_KEY_SID), (OTHER_ACCOUNT, PUBLIC_KEY_SID)):
        with pytest.raises(EncryptionKeyUnknown, match=public_key_sid):
            decryptor.open_key(account_sid, details(public_key_sid=public_key_sid))


def test_what_was_wrapped_for_another_key_or_in_another_way_is_not_opened(decryptor: TwilioDecryptor) -> None:
    longer = wrapped(key=private_key(9, 3072))
    for encrypted_cek in (
        wrapped(key=private_key(2)),
        wrapped(hashing=SHA1()),  # noqa: S303 - what must not be taken
        longer,
        base64.b64encode(b"\xff" * 256),
    ):
        text = encrypted_cek if isinstance(encrypted_cek, str) else encrypted_cek.decode()
        with pytest.raises(EncryptionKeyWrong, match=PUBLIC_KEY_SID) as caught:
            decryptor.open_key(ACCOUNT, details(text))
        assert text not in str(caught.value)


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_a_key_that_is_none_of_aes_256_is_refused(decryptor: TwilioDecryptor, size: int) -> None:
    with pytest.raises(EncryptionDetailsInvalid, match=f"has {size} bytes"):
        decryptor.open_key(ACCOUNT, details(wrapped(bytes(size))))


def test_a_key_shows_nothing_of_itself(decryptor: TwilioDecryptor) -> None:
    key = decryptor.open_key(ACCOUNT, details())
    assert CEK.hex() not in repr(key)
    assert repr(CEK) not in repr(key) + repr(vars(key))


# The folder


def test_every_key_of_a_folder_is_known_by_its_name(tmp_path: Path) -> None:
    write_keys(tmp_path, {PUBLIC_KEY_SID: private_key()})
    (tmp_path / f"{OTHER_PUBLIC_KEY_SID}.pem").write_bytes(pem(private_key(2), PrivateFormat.TraditionalOpenSSL))
    # What a folder of secrets has besides.
    (tmp_path / "README").write_text("ours")
    (tmp_path / "..data").mkdir()
    (tmp_path / ".CR.pem").write_text("an editor's")
    keys = keys_of_folder(tmp_path)
    assert {sid: key.private_numbers() for sid, key in keys.items()} == {
        PUBLIC_KEY_SID: private_key().private_numbers(),
        OTHER_PUBLIC_KEY_SID: private_key(2).private_numbers(),
    }


def test_a_key_may_be_a_link_as_in_a_mounted_secret(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "key").write_bytes(pem(private_key()))
    (tmp_path / f"{PUBLIC_KEY_SID}.pem").symlink_to(Path("..data") / "key")
    assert list(keys_of_folder(tmp_path)) == [PUBLIC_KEY_SID]


def test_an_empty_folder_has_no_keys(tmp_path: Path) -> None:
    assert keys_of_folder(tmp_path) == {}


def with_passphrase() -> bytes:
    encryption = BestAvailableEncryption(b"a passphrase")
    return private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def of_a_curve() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def the_public_one() -> bytes:
    return private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWNhbmFyeQ==\n-----END PRIVATE KEY-----\n", "is no private key in PEM"),
        (random.Random(1).randbytes(500), "is no private key in PEM"),
        (the_public_one(), "is no private key in PEM"),
        (with_passphrase(), "has a passphrase, which is not supported"),
        (of_a_curve(), "is no RSA key"),
        (pem(rsa.generate_private_key(65537, 1024)), "has 1024 bits; at least 2048 are needed"),  # noqa: S505
        (b"x" * (MAX_FILE_BYTES + 1), "is too large for a key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_such_key_is_named_and_nothing_of_it_is_repeated(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    file = tmp_path / f"{PUBLIC_KEY_SID}.pem"
    file.write_bytes(content)
    with pytest.raises(PrivateKeysRefused) as caught:
        keys_of_folder(tmp_path)
    (said,) = caught.value.problems
    assert said.startswith(f"{file} {problem}")
    assert "canary" not in said
    assert caught.value.__cause__ is None


def test_every_file_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    for name in ("key.pem", f"{PUBLIC_KEY_SID}.pem", f"{PUBLIC_KEY_SID.lower()}.pem"):
        (tmp_path / name).write_text("x")
    write_keys(tmp_path, {OTHER_PUBLIC_KEY_SID: private_key()})
    with pytest.raises(PrivateKeysRefused) as caught:
        keys_of_folder(tmp_path)
    assert len(caught.value.problems) == 3
    assert sum("is not named by its public key's SID" in problem for problem in caught.value.problems) == 2


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PrivateKeysRefused, match="gone can't be read: No such file or directory"):
        keys_of_folder(tmp_path / "gone")
