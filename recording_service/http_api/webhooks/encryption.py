"""The EncryptionDetails of a callback (twilio.md A1): JSON, whose values have two sets of names at Twilio."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Final

from recordings.v1.enqueue_pb2 import EncryptionDetails

_PUBLIC_KEY_SID: Final = re.compile(r"CR[0-9a-fA-F]{32}")
#: How many bytes each value stands for, as the contract bounds them, or the hint would lose the recording.
_SIZES: Final[Mapping[str, range]] = {"encrypted_cek": range(256, 1025), "iv": range(12, 17)}
_OTHER_NAMES: Final[Mapping[str, str]] = {
    "public_key_sid": "encryption_public_key_sid",
    "encrypted_cek": "encryption_cek",
    "iv": "encryption_iv",
}


def encryption_details(text: str) -> EncryptionDetails | None:
    """What the text says; `None` where it is empty, or not what the contract takes.

    Left out, the recording is not lost: what Twilio's resource of it says is then found out where it is fetched.
    """
    try:
        said = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    values = {name: _value(said, name) for name in _OTHER_NAMES}
    fits = _PUBLIC_KEY_SID.fullmatch(values["public_key_sid"]) and all(
        _size(values[name]) in sizes for name, sizes in _SIZES.items()
    )
    return EncryptionDetails(**values) if fits else None


def _value(said: Mapping[str, object], name: str) -> str:
    """The value by either of its names; empty where there is none, or two that differ."""
    values = {value for alias in (name, _OTHER_NAMES[name]) if isinstance(value := said.get(alias), str) and value}
    return values.pop() if len(values) == 1 else ""


def _size(text: str) -> int:
    """How many bytes a text in base64 stands for; -1 if it is none."""
    try:
        return len(base64.b64decode(text, validate=True))
    except ValueError:
        return -1
