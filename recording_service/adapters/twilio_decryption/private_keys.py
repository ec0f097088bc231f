"""The private keys of an account: a folder with one PEM file a key, named by Twilio's SID of the public one."""

import re
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

#: How a file of a key is called. Others whose names end so are a mistake; whatever else is in the folder is not ours.
KEY_FILE = re.compile(r"(?P<public_key_sid>CR[0-9a-fA-F]{32})\.pem")
KEY_SUFFIX = ".pem"

#: Shorter keys are no longer safe (NIST SP 800-131A), and Twilio takes none.
MIN_KEY_BITS = 2048

#: Largest file that is taken for a key; one of 16 384 bits has 13 KB.
MAX_FILE_BYTES = 64 * 1024


class PrivateKeysRefused(Exception):
    """Raised when the folder or files in it can't be used. Names each and what is wrong, and repeats nothing of it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def keys_of_folder(folder: Path) -> Mapping[str, RSAPrivateKey]:
    """The keys by the SIDs of their public ones. PrivateKeysRefused, with every file that is wrong."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == KEY_SUFFIX and not path.name.startswith("."))
    except OSError as error:
        raise PrivateKeysRefused([f"{folder} can't be read: {error.strerror}"]) from error
    keys: dict[str, RSAPrivateKey] = {}
    problems: list[str] = []
    for file in files:
        named = KEY_FILE.fullmatch(file.name)
        loaded = _key_of(file) if named else "is not named by its public key's SID, as in CR….pem"
        if named and isinstance(loaded, RSAPrivateKey):
            keys[named["public_key_sid"]] = loaded
        else:
            problems.append(f"{file} {loaded}")
    if problems:
        raise PrivateKeysRefused(problems)
    return keys


def _key_of(file: Path) -> RSAPrivateKey | str:
    """The key in a file, or what is wrong with it. The library's own words may quote the file: they go nowhere."""
    try:
        with file.open("rb") as opened:
            pem = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return f"can't be read: {error.strerror}"
    if len(pem) > MAX_FILE_BYTES:
        return "is too large for a key"
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        return "has a passphrase, which is not supported: write it without one (openssl pkcs8 -topk8 -nocrypt)"
    except (ValueError, UnsupportedAlgorithm):
        return "is no private key in PEM (PKCS#8 or PKCS#1)"
    if not isinstance(key, RSAPrivateKey):
        return "is no RSA key"
    if key.key_size < MIN_KEY_BITS:
        return f"has {key.key_size} bits; at least {MIN_KEY_BITS} are needed"
    return key
